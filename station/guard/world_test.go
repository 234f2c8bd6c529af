package guard_test

import (
	"testing"
	"time"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/guard"
	"github.com/evsed/evsed/station/term"
)

// TestServiceRightAfterTheRepair: whoever clears the fault in the world and acknowledges it in the same breath is heard.
func TestServiceRightAfterTheRepair(t *testing.T) {
	for _, closed := range []bool{true, false} {
		b := newBench(t, nil)
		if closed {
			b.charge(cable)
		}
		b.ok(b.w.SetFault(halsim.FaultOptions{Ref: cable, Code: term.FaultContactor, Active: true}))
		b.permit(cable, 0)
		b.run(10 * time.Second)
		if s := b.status(cable); !s.Faults.Has(term.FaultContactor) {
			t.Fatalf("no fault: %+v", s)
		}
		b.ok(b.w.ClearFaults())
		b.pipe.Service(cable)
		b.run(time.Second)
		if s := b.status(cable); s.Faults != 0 || s.Closed {
			t.Errorf("contact was closed %v: %+v", closed, s)
		}
	}
}

// TestSlowPollForTours: with a cycle of a second, deadlines alone carry a session, in few cycles.
func TestSlowPollForTours(t *testing.T) {
	b := newBench(t, func(c *guard.Config) { c.PollIdle, c.PollPlugged = time.Second, time.Second })
	cycles := 0
	b.check = func() { cycles++ }
	b.charge(socket)
	b.run(time.Hour)
	b.permit(socket, 0)
	b.wantRelay(socket, false, 5*time.Second)
	b.run(5 * time.Second)
	if s := b.status(socket); s.Faults|s.Seen != 0 || s.Locked || s.Closings != 1 {
		t.Errorf("%+v", s)
	}
	if e := b.w.State().EVSEs[1].Energy; e < 10_900*unit.WattHour {
		t.Errorf("%v in an hour", e)
	}
	if cycles > 15_000 {
		t.Errorf("%d cycles", cycles)
	}
}

// dice is a small deterministic generator (splitmix64).
type dice uint64

func (d *dice) roll(n int) int {
	*d += 0x9E3779B97F4A7C15
	x := uint64(*d)
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return int((x ^ x>>31) % uint64(n))
}

// witness watches the world, not the guard: it knows since when each reason to open has stood.
type witness struct {
	b       *bench
	permits map[term.Ref]term.Permit
	since   map[term.Ref]*[3]time.Time
	energy  map[term.EVSEID]unit.Energy
	live    int
}

// Reasons of a witness.
const (
	notReady = iota // the car is not in C or D
	noPermit
	causeStands // the world holds a cause that has to open at once
)

var allowed = [...]time.Duration{notReady: 100 * time.Millisecond, noPermit: 3100 * time.Millisecond, causeStands: 400 * time.Millisecond}

// look fails the test if a contact is closed longer than a reason to open allows.
func (w *witness) look() {
	t := w.b.t
	t.Helper()
	for _, e := range w.b.w.State().EVSEs {
		if e.Energy < w.energy[e.ID] {
			t.Fatalf("register of EVSE %d fell to %v", e.ID, e.Energy)
		}
		w.energy[e.ID] = e.Energy
		for _, c := range e.Connectors {
			ref := term.Ref{EVSE: e.ID, Connector: c.ID}
			at := w.since[ref]
			if at == nil {
				at = &[3]time.Time{}
				w.since[ref] = at
			}
			all := c.Faults | e.Faults
			for reason, stands := range [...]bool{
				notReady: !c.Pilot.Ready(), noPermit: !w.permits[ref].Close,
				causeStands: all.Has(term.FaultGround) || all.Has(term.FaultEmergencyStop) || all.Has(term.FaultPowerSwitch) || all.Has(term.FaultHighTemperature),
			} {
				switch {
				case !stands:
					at[reason] = time.Time{}
				case at[reason].IsZero():
					at[reason] = w.b.now
				case c.Relay && w.b.now.Sub(at[reason]) > allowed[reason]:
					t.Fatalf("%v: %v closed %v after reason %d; %+v", w.b.now.Sub(epoch), ref, w.b.now.Sub(at[reason]), reason, w.b.status(ref))
				}
			}
			if c.Relay {
				w.live++
				if c.HasLock && !c.Locked && !all.Has(term.FaultConnectorLock) {
					t.Fatalf("%v: %v is live and not locked", w.b.now.Sub(epoch), ref)
				}
			}
		}
	}
}

// act does something to the world or to the permits; what is impossible now is refused, and that is all right.
func (w *witness) act(d *dice) {
	b := w.b
	ref := b.refs[d.roll(len(b.refs))]
	yes := d.roll(2) == 0
	switch d.roll(12) {
	case 0, 1:
		_ = b.w.Plug(ref.EVSE, ref.Connector, halsim.PlugOptions{EV: halsim.EVOptions{Ventilation: &yes}})
	case 2:
		_, _ = b.w.Unplug(ref.EVSE, ref.Connector, halsim.UnplugOptions{Side: halsim.Side(d.roll(3)), Orderly: yes})
	case 3, 4, 5:
		p := term.Permit{Ref: ref, Close: d.roll(4) > 0, Lock: true, Max: unit.Current(d.roll(33)) * unit.Ampere, Fail: d.roll(12) == 0, Phases: uint8(d.roll(2))}
		p.Close = p.Close && p.Max >= 6*unit.Ampere && !p.Fail
		w.permits[ref] = p
		b.pipe.Permit(p)
	case 6:
		_ = b.w.SetEV(ref.EVSE, halsim.EVOptions{Ready: &yes})
	case 7:
		_ = b.w.SetEV(ref.EVSE, halsim.EVOptions{IgnoresPWMOff: &yes})
	case 8, 9:
		codes := [...]term.Fault{term.FaultGround, term.FaultEmergencyStop, term.FaultPowerSwitch, term.FaultHighTemperature, term.FaultPilot,
			term.FaultDiode, term.FaultOverCurrent, term.FaultConnectorLock, term.FaultProximity, term.FaultMeter, term.FaultOther}
		_ = b.w.SetFault(halsim.FaultOptions{Ref: ref, Code: codes[d.roll(len(codes))], Active: d.roll(3) == 0, After: time.Duration(d.roll(3)) * time.Second})
	case 10:
		_ = b.w.ClearFaults()
		b.pipe.Service(term.Ref{})
	case 11:
		_ = b.w.SetLock(2, 1, halsim.LockBehaviour(d.roll(3)))
	}
}

// TestRandomWorlds lets cars, drivers, faults and a station do what they like, and watches the contacts.
func TestRandomWorlds(t *testing.T) {
	live := 0
	for seed := range 10 {
		b := newBench(t, nil)
		w := &witness{b: b, permits: map[term.Ref]term.Permit{}, since: map[term.Ref]*[3]time.Time{}, energy: map[term.EVSEID]unit.Energy{}}
		cycles := 0
		b.check = func() {
			if cycles++; cycles%3 == 0 { // every 15 ms is fine enough, and looking is what costs here
				w.look()
			}
		}
		d := dice(seed)
		for range 60 {
			w.act(&d)
			b.run([...]time.Duration{20 * time.Millisecond, 500 * time.Millisecond, 8 * time.Second}[d.roll(3)])
		}
		live += w.live
	}
	if live < 3_000 {
		t.Errorf("only %d looks at a live contact: the test sees too little", live)
	}
}
