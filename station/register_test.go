package station

import (
	"testing"
	"time"

	"github.com/evsed/evsed/hal/unit"
)

// A CSMS that has forgotten the station answers SecurityError: the station shuts the gate and registers again (B01.FR.10).
func TestUnregisteredBootsAnew(t *testing.T) {
	s, err := New(Config{Name: "cp", EVSEs: []EVSE{{ID: 1, Phases: 1, MaxCurrent: 16 * unit.Ampere, Connectors: []Connector{{ID: 1, Type: "cType2", Tethered: true}}}},
		NewID: func() string { return "tx" }})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s.Start(now, now)
	accept := ReplyReceived{Of: BootNotification{}, Reply: BootReply{Status: RegistrationAccepted, Now: now, Interval: time.Hour}}
	boots := func(o Output) (n int) {
		for _, r := range o.Reports {
			if _, ok := r.Body.(BootNotification); ok {
				n++
			}
		}
		return n
	}
	s.Step(now, LinkUp{Slot: 1})
	s.Step(now, accept)
	o := s.Step(now, Unregistered{})
	shut := false
	for _, c := range o.Commands {
		shut = shut || c == Command(Gate{Status: RegistrationNone})
	}
	if !shut || boots(o) != 0 {
		t.Fatalf("gate shut: %v, boots at once: %d, want a pause after the last acceptance", shut, boots(o))
	}
	if s.Step(now, Unregistered{}); s.online() {
		t.Error("online without a registration")
	}
	if o := s.Step(now.Add(bootRetry-1), nil); boots(o) != 0 {
		t.Error("boots too early")
	}
	if o := s.Step(now.Add(bootRetry), nil); boots(o) != 1 {
		t.Error("does not boot again")
	}
	s.Step(now.Add(bootRetry), accept)
	if !s.online() {
		t.Error("accepted again, and not online")
	}
}
