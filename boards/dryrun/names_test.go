package dryrun

import (
	"strings"
	"testing"

	"github.com/evsed/evsed/boards"
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

// TestMeterBehindAGateway: a meter that is reached over Modbus TCP is played, too.
func TestMeterBehindAGateway(t *testing.T) {
	b := load(t, "../ac-wallbox-cm4.yaml")
	d := b.Bus("meters")
	*d = boards.Bus{Name: d.Name, Kind: boards.BusTCP, Port: "192.0.2.1:502"}
	read := false
	for _, s := range Run(b, b, nil).Steps {
		if s.Result == Failed {
			t.Error(s)
		}
		read = read || s.Name == "meter is read" && s.Result == Passed
	}
	if !read {
		t.Error("the meter is not read")
	}
}
