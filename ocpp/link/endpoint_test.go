package link

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
)

type stationEvent = station.Event

var plainDialects = []ocpp.Dialect{plain{rpc.V21}, plain{rpc.V201}}

func TestConnectionURL(t *testing.T) {
	for _, c := range []struct{ url, identity, want string }{
		{"ws://csms.example.com/ocpp", "CS001", "ws://csms.example.com/ocpp/CS001"}, // the examples of part 4, 3.1.1
		{"ws://csms.example.com/ocppj", "RDAM 123", "ws://csms.example.com/ocppj/RDAM%20123"},
		{"ws://csms.example.com", "A", "ws://csms.example.com/A"},
		{"ws://csms.example.com/", "A", "ws://csms.example.com/A"},
		{"ws://csms.example.com/a%2Fb/", "c/d|é", "ws://csms.example.com/a%2Fb/c%2Fd%7C%C3%A9"},
		{"ws://[::1]:8080/x?tenant=7#frag", "A", "ws://[::1]:8080/x/A?tenant=7"},
		{"ws://user:secret@host/x", "A", "ws://host/x/A"}, // only the security profile says how to authenticate
	} {
		e, err := newEndpoint(profileOf(1, c.url), c.identity, plainDialects, 0)
		if err != nil || e.url != c.want {
			t.Errorf("%s with %q: got %q, %v, want %q", c.url, c.identity, e.url, err, c.want)
		}
	}
}

func TestProfilesThatCannotBeUsed(t *testing.T) {
	for _, c := range []struct {
		name     string
		profile  station.NetworkProfile
		identity string
		code     string
	}{
		{"security profile 2 without a password", station.NetworkProfile{URL: "wss://h", SecurityProfile: 2}, "A", "InvalidProfile"},
		{"security profile 2 in the clear", station.NetworkProfile{URL: "ws://h", SecurityProfile: 2, Password: "p"}, "A", "InvalidProfile"},
		{"security profile 3 in the clear", station.NetworkProfile{URL: "ws://h", SecurityProfile: 3}, "A", "InvalidProfile"},
		{"SOAP with security profile 3 in the clear", station.NetworkProfile{URL: "http://h", SecurityProfile: 3}, "A", "InvalidProfile"},
		{"TLS without a profile for it", station.NetworkProfile{URL: "wss://h", SecurityProfile: 1, Password: "p"}, "A", "InvalidProfile"},
		{"negative security profile", station.NetworkProfile{URL: "ws://h", SecurityProfile: -1}, "A", "InvalidProfile"},
		{"security profile 4", station.NetworkProfile{URL: "wss://h", SecurityProfile: 4}, "A", "InvalidProfile"},
		{"no password", station.NetworkProfile{URL: "ws://h", SecurityProfile: 1}, "A", "InvalidProfile"},
		{"no host", station.NetworkProfile{URL: "ws:///x"}, "A", "InvalidProfile"},
		{"no URL", station.NetworkProfile{URL: "ws://h\x7f"}, "A", "InvalidProfile"},
		{"other scheme", station.NetworkProfile{URL: "http://h"}, "A", "InvalidProfile"},
		{"no identity", station.NetworkProfile{URL: "ws://h"}, "", "InvalidProfile"},
		{"colon", station.NetworkProfile{URL: "ws://h"}, "a:b", "InvalidProfile"},
		{"long identity", station.NetworkProfile{URL: "ws://h"}, strings.Repeat("é", 49), "InvalidProfile"},
		{"unknown version", station.NetworkProfile{URL: "ws://h", Versions: []string{"ocpp9"}}, "A", "InvalidProfile"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := newEndpoint(Profile{7, c.profile}, c.identity, plainDialects, 0)
			var bad *ProfileError
			if !errors.As(err, &bad) || bad.Code != c.code || bad.Slot != 7 {
				t.Errorf("got %v, want %s", err, c.code)
			}
		})
	}
}

func TestErrorsDoNotShowCredentials(t *testing.T) {
	for _, u := range []string{"ws://user:secret@", "http://user:secret@host", "ws://user:secret@host\x7f"} {
		if _, err := newEndpoint(profileOf(1, u), "A", plainDialects, 0); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", u, err)
		}
	}
}

func TestOfferFollowsTheProfile(t *testing.T) {
	for _, c := range []struct{ versions, want []string }{
		{nil, []string{"ocpp2.1", "ocpp2.0.1", "ocpp2.0"}},
		{[]string{"ocpp2.0.1"}, []string{"ocpp2.0.1"}},
		{[]string{"ocpp2.0.1", "ocpp1.6", "ocpp2.1", "ocpp2.0.1"}, []string{"ocpp2.0.1", "ocpp2.1"}},
	} {
		p := profileOf(1, "ws://h")
		p.Versions = c.versions
		e, err := newEndpoint(p, "A", plainDialects, 0)
		if err != nil || !slices.Equal(e.names(), c.want) {
			t.Errorf("versions %q: offer %q, %v, want %q", c.versions, e.names(), err, c.want)
		}
	}
}
