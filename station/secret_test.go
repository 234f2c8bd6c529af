package station_test

import (
	"strings"
	"testing"

	"github.com/evsed/evsed/station"
)

func TestSecretsOfRecords(t *testing.T) {
	profile := `{"url":"ws://csms","securityProfile":1,"messageTimeout":0,"password":"geheim"}`
	for _, tc := range []struct {
		name       string
		bucket     station.Bucket
		key, value string
		secret     string // "": none
	}{
		{"the password", station.BucketVariable, "SecurityCtrlr/BasicAuthPassword", "0123456789ABCDEF", "0123456789ABCDEF"},
		{"another variable", station.BucketVariable, "SecurityCtrlr/Identity", "cp001", ""},
		{"the name in another component", station.BucketVariable, "TxCtrlr/BasicAuthPassword", "x", ""},
		{"no key at all", station.BucketVariable, "BasicAuthPassword", "x", ""},
		{"a variable without a value", station.BucketVariable, "SecurityCtrlr/BasicAuthPassword", "", ""},
		{"a profile", station.BucketNetwork, "1", profile, "geheim"},
		{"the last profile that worked", station.BucketNetwork, "last", `{"slot":1,"profile":` + profile + `}`, "geheim"},
		{"a profile without a password", station.BucketNetwork, "2", `{"url":"ws://csms","securityProfile":0,"messageTimeout":0}`, ""},
		{"what is no profile", station.BucketNetwork, "3", `geheim`, ""},
		{"an update", station.BucketUpdate, "update", `{"st":"Downloading","u":{"n":1,"url":"ftp://u:geheim@x/fw","left":1,"every":10}}`, "ftp://u:geheim@x/fw"},
		{"an update that is here", station.BucketUpdate, "update", `{"st":"Installing","u":{"n":1,"left":1,"every":10}}`, ""},
		{"what is no update", station.BucketUpdate, "update", `geheim`, ""},
		{"another bucket", station.BucketProfile, "1", profile, ""},
	} {
		r := station.Record{Bucket: tc.bucket, Key: tc.key, Value: []byte(tc.value)}
		rest, secret := station.SplitSecret(r)
		if string(secret) != tc.secret || (secret == nil) != (tc.secret == "") {
			t.Errorf("%s: secret %q", tc.name, secret)
			continue
		}
		if secret == nil {
			if string(rest.Value) != tc.value {
				t.Errorf("%s: became %q", tc.name, rest.Value)
			}
			continue
		}
		if strings.Contains(string(rest.Value), tc.secret) || string(r.Value) != tc.value {
			t.Errorf("%s: left %q, of %q", tc.name, rest.Value, r.Value)
		}
		if got := station.JoinSecret(rest, secret); string(got.Value) != tc.value || got.Key != tc.key {
			t.Errorf("%s: joined %q", tc.name, got.Value)
		}
	}
}
