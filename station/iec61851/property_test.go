package iec61851

import (
	"testing"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// dice is a small deterministic generator (splitmix64).
type dice uint64

func (d *dice) roll(n int) int {
	*d += 0x9E3779B97F4A7C15
	x := uint64(*d)
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return int((x ^ x>>31) % uint64(n))
}

// model is a second, dumb opinion on one connector: it knows no states, only for how long each condition for energy
// has been broken, and for how long all of them have held.
type model struct {
	broken  map[string]time.Time // since when; absent: holds
	allGood time.Time            // since when everything has held
	changed time.Time            // of the duty
	offered unit.Current
	rating  unit.Current
	duty    unit.Duty
	fresh   bool // no vehicle since the last change of the duty
	closed  bool
	locked  bool
	demands int // steps in which the model demanded a closed contactor
}

// patience is how long each broken condition may be answered with a closed contactor.
var patience = map[string]time.Duration{
	"pilot": 25 * time.Millisecond, "permit": OffLimit, "fail": 0, "cause": 0, "lock": lockLostDelay, "cable": ProximityOpenDelay,
	"interlock": 0,
}

// steady is how long everything must have held until the contactor must be closed: the longest clearing rule, the pause
// before a raise, and the delay before a closing.
const steady = 30*time.Second + RaisePause + RecloseDelay + 3*time.Second

func (w *model) observe(r *rig) {
	in := &r.in
	rating, cable := CableRating(in.Proximity, 3)
	raw := Classify(in.Pilot.High, term.StateUnknown)
	conditions := []struct {
		name string
		ok   bool
	}{
		{"pilot", raw.Ready() || r.out.Duty == unit.DutyLow},
		{"permit", in.Permit.Close && in.Permit.Max >= MinimumOffer},
		{"fail", !in.Permit.Fail},
		{"cause", !in.Causes.Stopping() && !in.Tripped && !in.EmergencyStop},
		{"lock", in.Locked},
		{"cable", cable == CablePresent},
		{"interlock", !in.Interlock},
	}
	good := rating == w.rating // another cable in a closed connector is a fault
	w.rating = rating
	for _, c := range conditions {
		if c.ok {
			delete(w.broken, c.name)
			continue
		}
		good = false
		if _, known := w.broken[c.name]; !known {
			w.broken[c.name] = r.now
		}
	}
	switch {
	case !good:
		w.allGood = time.Time{}
	case w.allGood.IsZero():
		w.allGood = r.now
	}
}

// judge compares what the machine did in a step of length d.
func (w *model) judge(r *rig, d time.Duration) {
	t, out := r.t, &r.out
	t.Helper()
	for name, since := range w.broken {
		if out.Close && r.now.Sub(since) > patience[name]+2*d {
			t.Fatalf("%v: closed, %v after %s was broken", r.now.Sub(epoch), r.now.Sub(since), name)
		}
	}
	if out.Close && !w.closed {
		if len(w.broken) > 0 || !r.m.pilot.state.Ready() || out.Status.Faults.Stopping() {
			t.Fatalf("%v: closes with %v broken, pilot %v, faults %b", r.now.Sub(epoch), w.broken, r.m.pilot.state, out.Status.Faults)
		}
	}
	if out.Close && out.Status.Faults.Stopping() {
		t.Fatalf("%v: closed with faults %b", r.now.Sub(epoch), out.Status.Faults)
	}
	if !w.allGood.IsZero() && r.now.Sub(w.allGood) > steady && r.m.faults.active&r.m.stuckFaults() == 0 {
		w.demands++
		if !out.Close {
			t.Fatalf("%v: everything has held for %v and it is open: %+v", r.now.Sub(epoch), r.now.Sub(w.allGood), out.Status)
		}
	}
	w.judgeOffer(r)
	if w.locked && !out.Lock && !r.m.supply.dead() {
		t.Fatalf("%v: unlocks while it may be live", r.now.Sub(epoch))
	}
	w.closed, w.locked = out.Close, out.Lock
}

// stuckFaults are those that wait for the vehicle to leave or for a fitter.
func (m *Machine) stuckFaults() FaultSet {
	s := m.faults.latched
	for f := term.FaultNone + 1; f <= lastFault; f++ {
		if r := ruleOf(f); r.retries > 0 && m.faults.trips[f] > r.retries {
			s = s.With(f)
		}
	}
	return s
}

func (w *model) judgeOffer(r *rig) {
	t, out, p := r.t, &r.out, &r.in.Permit
	t.Helper()
	offered, meaning := CurrentForDuty(out.Duty)
	switch {
	case meaning == DutyDigital:
		t.Fatalf("duty %v is that of digital communication", out.Duty)
	case offered > 0 && (!p.Close || offered > p.Max || offered > 32*unit.Ampere):
		t.Fatalf("offers %v under %+v", offered, *p)
	case offered > w.offered && !w.changed.IsZero() && !w.fresh && r.now.Sub(w.changed) < RaisePause:
		t.Fatalf("raised from %v to %v after %v", w.offered, offered, r.now.Sub(w.changed))
	}
	if out.Duty != w.duty {
		w.changed, w.fresh = r.now, false
	}
	w.fresh = w.fresh || r.m.pilot.state == term.StateA
	w.offered, w.duty = offered, out.Duty
}

// shake changes the inputs. Long calm stretches let the machine come all the way to power.
func shake(r *rig, d *dice) {
	in := &r.in
	switch d.roll(18) {
	case 0, 1, 2:
		r.vehicle = [...]term.PilotState{term.StateA, term.StateB, term.StateC, term.StateD, term.StateE, term.StateC}[d.roll(6)]
	case 3, 4:
		in.Permit = term.Permit{Close: d.roll(3) > 0, Lock: d.roll(2) > 0, Max: unit.Current(d.roll(40)) * unit.Ampere, Fail: d.roll(10) == 0}
	case 5:
		in.Causes = 0
		if d.roll(2) == 0 {
			in.Causes = FaultsOf(term.Fault(d.roll(int(lastFault) + 1)))
		}
	case 6:
		in.Tripped = d.roll(4) == 0
	case 7:
		in.EmergencyStop = d.roll(4) == 0
	case 8:
		r.jammed = d.roll(4) == 0
	case 9:
		if d.roll(4) == 0 {
			in.Locked = !in.Locked
		}
	case 10:
		in.Proximity = [...]unit.Resistance{220 * unit.Ohm, 220 * unit.Ohm, 680 * unit.Ohm, 0, 1000 * unit.KiloOhm}[d.roll(5)]
	case 11:
		in.Interlock = d.roll(6) == 0
	case 12:
		r.diode = d.roll(8) == 0
	default: // calm: everything as a good session has it
		r.vehicle, r.jammed, r.diode = term.StateC, false, false
		in.Proximity, in.Causes, in.Tripped, in.EmergencyStop, in.Interlock = 220*unit.Ohm, 0, false, false, false
		in.Permit = term.Permit{Close: true, Lock: true, Max: unit.Current(6+d.roll(30)) * unit.Ampere}
	}
}

// TestRandomWires drives the machine with everything that can happen at once and compares it with the model.
func TestRandomWires(t *testing.T) {
	closings, demanded, seeds := uint32(0), 0, 120
	if testing.Short() {
		seeds = 12
	}
	for seed := range seeds {
		d := dice(seed)
		r := newRig(t, nil)
		w := &model{broken: map[string]time.Time{}, duty: r.out.Duty}
		for range 60 {
			shake(r, &d)
			length := [...]time.Duration{30 * time.Millisecond, 300 * time.Millisecond, 5 * time.Second, 50 * time.Second}[d.roll(4)]
			for end := r.now.Add(length); r.now.Before(end); {
				step := cycle
				if length > time.Second {
					step = 20 * time.Millisecond
				}
				randomStep(r, w, step, d.roll(200) == 0)
			}
		}
		closings += r.out.Status.Closings
		demanded += w.demands
	}
	if closings < uint32(seeds*4) || demanded < seeds*8 {
		t.Errorf("only %d closings, and %d steps in which the contactor had to be closed: the test sees too little", closings, demanded)
	}
}

// randomStep is one step of the rig under the model's eyes; glitch replaces the pilot sample by nonsense.
func randomStep(r *rig, w *model, d time.Duration, glitch bool) {
	r.in.Pilot = r.sample()
	if glitch {
		r.in.Pilot = hal.PilotSample{High: unit.Voltage(r.now.UnixMilli() % 13000), Low: -12000}
	}
	r.in.Closed = r.out.Close
	if !r.jammed && r.out.LockPulse {
		r.in.Locked = r.out.Lock
	}
	if r.now.Sub(r.in.Reading.At) >= 500*time.Millisecond {
		r.read()
	}
	w.observe(r)
	r.m.Step(r.now, &r.in, &r.out)
	w.judge(r, d)
	r.now = r.now.Add(d)
}
