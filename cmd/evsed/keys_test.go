package main

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
)

// Keys of OCPP 1.6 in the seed and at the interface are variables of the device model; the key that a fitter sets is the
// key that he reads.
func TestKeysOfTheSeedAndTheInterface(t *testing.T) {
	_, address := backend(t, nil)
	p := newProcessOf(t, address, `"ocpp1.6"`)
	seed, err := os.ReadFile(p.seed)
	must(t, err)
	must(t, os.WriteFile(p.seed, []byte(strings.Replace(string(seed), `"ocpp2":[`, `"ocpp16":{"ConnectionTimeOut":"33","NoSuchKey":"1"},"ocpp2":[`, 1)), 0o600))
	p.boot()
	p.connected()
	get := func(query string) string {
		t.Helper()
		resp, err := http.Get(p.api + "/variables?" + query)
		must(t, err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		must(t, err)
		return strings.TrimSpace(string(body))
	}
	for _, step := range []struct{ set, query, want string }{
		{"", "key=ConnectionTimeOut", `{"variables":[{"key":"ConnectionTimeOut","value":"33","mutability":"ReadWrite"}]}`},
		{"", "component=TxCtrlr&variable=EVConnectionTimeOut", `"value":"33"`},
		{`{"set":[{"key":"ConnectionTimeOut","value":"34"}]}`, "key=ConnectionTimeOut", `"value":"34"`},
		{"", "key=NumberOfConnectors", `"value":"3","mutability":"ReadOnly"`},
		{`{"set":[{"key":"NoSuchKey","value":"34"}]}`, "key=NoSuchKey", `{"variables":[]}`},
		{"", "key=" + url.QueryEscape(strings.Repeat("x", 60)), `{"variables":[]}`},
	} {
		if step.set != "" {
			p.do("/variables", step.set)
		}
		if got := get(step.query); !strings.Contains(got, step.want) {
			t.Errorf("%s %s: %s, want %s", step.set, step.query, got, step.want)
		}
	}
	if said := p.out.String(); !strings.Contains(said, "NoSuchKey") {
		t.Errorf("nothing is said of a key that nobody knows:\n%s", said)
	}
}
