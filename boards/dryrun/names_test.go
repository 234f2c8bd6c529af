package dryrun

import (
	"strings"
	"testing"
)

// TestPortsByLink: ports may be links in folders below /dev, as those of USB adapters are that keep their name.
func TestPortsByLink(t *testing.T) {
	b := load(t, "../ac-post-two-mcu.yaml")
	for i := range b.Buses {
		if strings.HasPrefix(b.Buses[i].Port, "tty") {
			b.Buses[i].Port = "serial/by-id/" + b.Buses[i].Port
		}
	}
	for i := range b.MCUs {
		b.MCUs[i].Port = "serial/by-path/" + b.MCUs[i].Port
	}
	for _, s := range Run(b, b, nil).Steps {
		if s.Result == Failed {
			t.Error(s)
		}
	}
}
