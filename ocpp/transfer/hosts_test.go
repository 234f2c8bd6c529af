package transfer

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
)

func TestHosts(t *testing.T) {
	h, err := ParseHosts("files.test, *.maker.test,192.0.2.7,10.0.0.0/8,2001:db8::/32")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		host, to string
		refused  bool
	}{
		{"files.test", "198.51.100.1", false}, {"FILES.TEST.", "198.51.100.1", false}, {"a.maker.test", "198.51.100.1", false}, {"b.a.maker.test", "198.51.100.1", false},
		{"192.0.2.7", "192.0.2.7", false}, {"elsewhere.test", "10.1.2.3", false}, {"elsewhere.test", "2001:db8::1", false},
		{"maker.test", "198.51.100.1", true}, {"notmaker.test", "198.51.100.1", true}, {"files.test.evil.test", "198.51.100.1", true}, {"xfiles.test", "198.51.100.1", true},
		{"192.0.2.8", "192.0.2.8", true}, {"elsewhere.test", "11.0.0.1", true}, {"127.0.0.1", "127.0.0.1", true}, {"elsewhere.test", "2001:db9::1", true},
	} {
		if err := h.Refuse(row.host, netip.MustParseAddr(row.to)); errors.Is(err, errList) != row.refused {
			t.Errorf("%s at %s: %v", row.host, row.to, err)
		}
	}
	anywhere, err := ParseHosts("")
	if err != nil || !anywhere.Any() || anywhere.Refuse("x", netip.MustParseAddr("192.0.2.1")) != nil {
		t.Errorf("an empty list: %v", err)
	}
	for _, list := range []string{",", "a,", "*", "*.", ".a", "**.a", "a..b", "a b", "http://a", "a:80", "127.1", "10.0.0.1/8", "10.0.0.0/33", "-a", "a/b", strings.Repeat("a,", maxHosts) + "a"} {
		if h, err := ParseHosts(list); err == nil {
			t.Errorf("%q: %+v", list, h)
		}
	}
}
