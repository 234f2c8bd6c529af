package guard_test

import (
	"testing"
	"time"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

var (
	cable  = term.Ref{EVSE: 1, Connector: 1} // fixed cable
	socket = term.Ref{EVSE: 2, Connector: 1} // socket with lock
	second = term.Ref{EVSE: 2, Connector: 2} // fixed cable of the same EVSE
)

func wantStory(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("story\n%s\nwant\n%s", got, want)
	}
}

func TestSessionAtFixedCable(t *testing.T) {
	b := newBench(t, nil)
	b.story()
	b.ok(b.w.Plug(1, 1, halsim.PlugOptions{}))
	b.run(time.Second)
	wantStory(t, b.story(), "1.1 pilot B\n")
	b.permit(cable, 16)
	b.run(2 * time.Second)
	wantStory(t, b.story(), "1.1 offer 15.996 A 26.66 %\n1.1 pilot C\n1.1 power on 3\n")
	b.run(6 * time.Minute)
	e := b.w.State().EVSEs[0]
	if e.Energy < 1_090*unit.WattHour || e.Energy > 1_115*unit.WattHour {
		t.Errorf("six minutes at 16 A on three lines: %v", e.Energy)
	}
	b.permit(cable, 0)
	b.run(2 * time.Second)
	wantStory(t, b.story(), "1.1 offer 0 A 100 %\n1.1 pilot B\n1.1 power off by permit\n")
	_, err := b.w.Unplug(1, 1, halsim.UnplugOptions{})
	b.ok(err)
	b.run(time.Second)
	wantStory(t, b.story(), "1.1 pilot A\n")
}

func TestSessionAtSocketLocksFirst(t *testing.T) {
	b := newBench(t, nil)
	b.story()
	b.ok(b.w.Plug(2, 1, halsim.PlugOptions{CableMax: 20 * unit.Ampere}))
	b.run(time.Second)
	wantStory(t, b.story(), "2.1 pilot B\n2.1 cable true 20 A\n")
	b.permit(socket, 32)
	b.run(2 * time.Second)
	wantStory(t, b.story(), "2.1 locked true failed false\n2.1 offer 19.998 A 33.33 %\n2.1 pilot C\n2.1 power on 3\n")
	b.permit(socket, 0)
	b.run(2 * time.Second)
	wantStory(t, b.story(), "2.1 offer 0 A 100 %\n2.1 pilot B\n2.1 power off by permit\n2.1 locked false failed false\n")
}
