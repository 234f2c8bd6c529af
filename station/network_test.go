package station_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/station"
)

func TestSeedProfileChecksItsURL(t *testing.T) {
	for url, good := range map[string]bool{
		"ws://csms": true, "ws://csms/": true, "ws://csms:80/ocpp/CS1": true, "wss://csms.example:8443/a": true, "WS://csms": true,
		"ws://[::1]": true, "ws://[fe80::1]:80/x": true, "ws://192.0.2.1:9000": true, "ws://csms/a:b": true,
		"": false, "csms": false, "http://csms/soap": true, "https://csms": true, "ws:csms": false, "ws://": false, "ws:///x": false, "ws://csms:0": false,
		"ws://csms:65536": false, "ws://csms:x": false, "ws://csms:": false, "ws://u@csms": false, "ws://csms/?q": false, "ws://csms/#f": false,
		"ws://cs ms": false, "ws://csms/\n": false, "ws://[::1": false, "ws://[::1]x": false, "ws://[::g]": false, "ws://a[b]": false,
		"ws://csms\\x": false, "ws://csms/" + strings.Repeat("a", 2000): false,
	} {
		_, err := newStation(t).SeedProfile(1, station.NetworkProfile{URL: url, MessageTimeout: time.Second})
		if (err == nil) != good {
			t.Errorf("%q: error %v, want good %t", url, err, good)
		}
	}
	if _, err := newStation(t).SeedProfile(9, station.NetworkProfile{URL: "ws://csms"}); err == nil {
		t.Error("slot 9: no error")
	}
}

// A profile that was seeded or set survives a restart, in the order of NetworkConfigurationPriority.
//
// covers: B09.FR.01 B10.FR.01
func TestProfilesSurviveARestart(t *testing.T) {
	s := newStation(t)
	want := station.NetworkProfile{URL: "ws://csms/1", Versions: []string{"ocpp2.0.1"}, SecurityProfile: 1, MessageTimeout: 30 * time.Second, Password: "secret"}
	r, err := s.SeedProfile(2, want)
	if err != nil {
		t.Fatal(err)
	}
	again := newStation(t)
	if err := again.Restore(r); err != nil {
		t.Fatal(err)
	}
	if err := again.Restore(station.Record{Bucket: station.BucketVariable, Key: "OCPPCommCtrlr/NetworkConfigurationPriority", Value: []byte("3,2")}); err != nil {
		t.Fatal(err)
	}
	got, ok := again.NetworkProfile(2)
	if !ok || got.URL != want.URL || got.Password != want.Password || got.MessageTimeout != want.MessageTimeout {
		t.Errorf("profile %+v, want %+v", got, want)
	}
	if p := again.NetworkPriority(); !slices.Equal(p, []int{2}) {
		t.Errorf("priority %v, want the one installed slot", p)
	}
}
