package iec61851

import (
	"fmt"
	"testing"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// cause is one way in which a fault shows at the wires: what does it, what undoes it, and how soon a closed contactor
// must open; 0: it stays closed.
type cause struct {
	name    string
	fault   term.Fault
	do      func(*rig)
	undo    func(*rig)
	within  time.Duration
	states  string        // pilot states in which it can be seen at all; empty: all
	retried bool          // the cause shows again only by trying
	service bool          // only a fitter clears it
	hold    time.Duration // how long it stays after the undoing, at least
}

// external are causes that come ready from the board: every fault that there is.
func external() []cause {
	var all []cause
	for f := term.FaultNone + 1; f <= lastFault; f++ {
		c := cause{
			name: "board " + f.String(), fault: f, hold: ruleOf(f).hold,
			do:   func(r *rig) { r.in.Causes = r.in.Causes.With(f) },
			undo: func(r *rig) { r.in.Causes = r.in.Causes.Without(f) },
		}
		if f.StopsCharging() || f == term.FaultMeter { // the rig's policy stops without a meter
			c.within = 20 * time.Millisecond
		}
		all = append(all, c)
	}
	return all
}

func wires() []cause {
	return []cause{
		{name: "rcd", fault: term.FaultGround, within: 20 * time.Millisecond, hold: 2 * time.Second,
			do: func(r *rig) { r.in.Tripped = true }, undo: func(r *rig) { r.in.Tripped = false }},
		{name: "emergency stop", fault: term.FaultEmergencyStop, within: 20 * time.Millisecond, hold: time.Second,
			do: func(r *rig) { r.in.EmergencyStop = true }, undo: func(r *rig) { r.in.EmergencyStop = false }},
		{name: "hot socket", fault: term.FaultHighTemperature, within: 20 * time.Millisecond, hold: time.Second,
			do:   func(r *rig) { r.in.Temperature = 95 * unit.Celsius },
			undo: func(r *rig) { r.in.Temperature = 40 * unit.Celsius }},
		{name: "hot cable", fault: term.FaultCableTemperature, within: 20 * time.Millisecond, hold: time.Second,
			do:   func(r *rig) { r.in.CableTemperature = 80 * unit.Celsius },
			undo: func(r *rig) { r.in.CableTemperature = 40 * unit.Celsius }},
		{name: "proximity short", fault: term.FaultProximity, within: 60 * time.Millisecond, hold: time.Second,
			do: func(r *rig) { r.in.Proximity = 0 }, undo: func(r *rig) { r.in.Proximity = 220 * unit.Ohm }},
		{name: "proximity lost", fault: term.FaultProximity, within: 60 * time.Millisecond, hold: time.Second, states: "closed",
			do: func(r *rig) { r.in.Proximity = 1000 * unit.KiloOhm }, undo: func(r *rig) { r.in.Proximity = 220 * unit.Ohm }},
		{name: "proximity changed", fault: term.FaultProximity, within: 60 * time.Millisecond, hold: time.Second, states: "closed", retried: true,
			do: func(r *rig) { r.in.Proximity = 680 * unit.Ohm }, undo: func(r *rig) { r.in.Proximity = 220 * unit.Ohm }},
		{name: "diode", fault: term.FaultDiode, within: 60 * time.Millisecond, hold: 5 * time.Second, states: "BCD", retried: true,
			do: func(r *rig) { r.diode = true }, undo: func(r *rig) { r.diode = false }},
		{name: "lock lost", fault: term.FaultConnectorLock, within: 80 * time.Millisecond, states: "closed",
			do:   func(r *rig) { r.jammed, r.in.Locked = true, false },
			undo: func(r *rig) { r.jammed, r.in.Locked = false, r.out.Lock }},
		{name: "contactor fell off", fault: term.FaultContactor, within: 80 * time.Millisecond, states: "closed", hold: 30 * time.Second, retried: true,
			do: func(r *rig) { r.stuck, r.in.Closed = true, false }, undo: func(r *rig) { r.stuck = false }},
		{name: "contactor closed by itself", fault: term.FaultContactor, states: "open", service: true,
			do: func(r *rig) { r.stuck, r.in.Closed = true, true }, undo: func(r *rig) { r.stuck = false }},
		{name: "over-voltage", fault: term.FaultOverVoltage, within: 1010 * time.Millisecond, hold: 5 * time.Second,
			do: func(r *rig) { r.volts = 290 * unit.Volt }, undo: func(r *rig) { r.volts = 230 * unit.Volt }},
		{name: "under-voltage", fault: term.FaultUnderVoltage, within: 1010 * time.Millisecond, hold: 5 * time.Second,
			do: func(r *rig) { r.volts = 150 * unit.Volt }, undo: func(r *rig) { r.volts = 230 * unit.Volt }},
	}
}

// TestEveryStateWithEveryFault puts every fault, by every way it can show, on a connector in every pilot state, with
// and without a permit: the contactor opens in time and never closes, the fault is told, and once the cause is gone it
// clears by its rule, and only then does energy flow again.
func TestEveryStateWithEveryFault(t *testing.T) {
	for _, c := range append(external(), wires()...) {
		for _, state := range []term.PilotState{term.StateA, term.StateB, term.StateC, term.StateD} {
			for _, permitted := range []bool{false, true} {
				name := fmt.Sprintf("%s/%v/%v", c.name, state, permitted)
				t.Run(name, func(t *testing.T) { faultIn(t, &c, state, permitted) })
			}
		}
	}
}

func faultIn(t *testing.T, c *cause, state term.PilotState, permitted bool) {
	r := newRig(t, nil)
	r.plug(state)
	r.in.Proximity = 220 * unit.Ohm // the cable is in the socket even without a vehicle
	if permitted {
		r.permit(16)
	}
	r.run(10 * time.Second)
	closed := permitted && state.Ready()
	if r.out.Status.Closed != closed {
		t.Fatalf("before the fault: closed %v, want %v", r.out.Status.Closed, closed)
	}
	switch {
	case c.states == "closed" && !closed, c.states == "open" && closed, c.states == "BCD" && (!permitted || !state.Connected()):
		return
	}
	c.do(r)
	if closed && c.within > 0 {
		if took := r.until("opening", 2*time.Second, func() bool { return !r.out.Close }); took > c.within {
			t.Errorf("opened after %v, want %v", took, c.within)
		}
		if r.out.Status.Opened != OpenedByFault {
			t.Errorf("opened by %v", r.out.Status.Opened)
		}
	}
	if c.within >= time.Second && !closed {
		r.run(c.within)
	}
	r.run(200 * time.Millisecond)
	r.wantFault(c.fault, true)
	if c.within == 0 && !c.service {
		if r.out.Close != closed {
			t.Errorf("closed %v, want %v: this fault does not stop a charge", r.out.Close, closed)
		}
		return
	}
	r.check = func() {
		if r.out.Close {
			t.Fatalf("closed with fault %v", c.fault)
		}
	}
	if !c.retried {
		r.run(time.Minute)
	}
	c.recovers(r, closed)
}

// recovers undoes the cause and expects the fault to clear by its rule.
func (c *cause) recovers(r *rig, closed bool) {
	t := r.t
	c.undo(r)
	gone := r.now
	if c.service {
		r.run(time.Minute)
		r.wantFault(c.fault, true)
		r.in.Service = true
	}
	r.check = func() {
		if r.out.Close && r.out.Status.Faults.Stopping() {
			t.Fatal("closed with a fault")
		}
	}
	r.until("clearing", 2*time.Minute, func() bool { return !r.out.Status.Faults.Has(c.fault) })
	if held := r.now.Sub(gone); c.states == "" && held < c.hold-time.Second/2 {
		t.Errorf("cleared after %v, want %v", held, c.hold)
	}
	r.mute = false
	r.run(12 * time.Second)
	if r.out.Status.Closed != closed {
		t.Errorf("after recovery: closed %v, want %v (faults %b)", r.out.Status.Closed, closed, r.out.Status.Faults)
	}
}

func TestPilotShortToEarth(t *testing.T) {
	r := newRig(t, nil)
	r.charge()
	r.vehicle = term.StateE
	r.wantOpen(25*time.Millisecond, OpenedByFault)
	r.run(100 * time.Millisecond)
	r.wantFault(term.FaultPilot, true)
	r.vehicle = term.StateC
	r.until("clearing", 3*time.Second, func() bool { return r.out.Status.Faults == 0 })
	r.until("power", 10*time.Second, func() bool { return r.out.Close })
}

func TestWeldShowsStateFUntilService(t *testing.T) {
	r := newRig(t, nil)
	r.charge()
	r.stuck = true
	r.vehicle = term.StateB
	r.wantOpen(time.Second, OpenedByVehicle)
	r.run(OpenLimit - 2*cycle)
	r.wantFault(term.FaultContactor, false)
	r.run(4 * cycle)
	r.wantFault(term.FaultContactor, true)
	if r.out.Duty != unit.DutyLow || !r.out.Status.Closed || !r.out.Lock {
		t.Errorf("duty %v, closed %v, lock %v: want state F, still live, still locked", r.out.Duty, r.out.Status.Closed, r.out.Lock)
	}
	r.in.Service = true
	r.run(time.Second)
	r.wantFault(term.FaultContactor, true) // it is still welded
	r.stuck = false
	r.run(time.Hour)
	r.wantFault(term.FaultContactor, true)
	r.in.Service = true
	r.run(time.Second)
	r.wantFault(term.FaultContactor, false)
	if r.out.Duty == unit.DutyLow {
		t.Error("still in state F after service")
	}
}

func TestContactorThatDoesNotClose(t *testing.T) {
	r := newRig(t, nil)
	r.stuck = true
	r.plug(term.StateC)
	r.permit(16)
	r.until("close command", 3*time.Second, func() bool { return r.out.Close })
	r.wantOpen(CloseLimit+2*cycle, OpenedByFault)
	r.wantFault(term.FaultContactor, true)
	if r.out.Status.Closings != 0 {
		t.Errorf("%d closings that the mirror contact never showed", r.out.Status.Closings)
	}
	tries := 1
	for was := false; r.now.Sub(epoch) < 10*time.Minute; was = r.out.Close {
		if r.step(); r.out.Close && !was {
			tries++
		}
	}
	if want := 1 + int(ruleOf(term.FaultContactor).retries); tries != want {
		t.Errorf("%d tries, want %d until the vehicle is unplugged", tries, want)
	}
	r.vehicle, r.stuck = term.StateA, false
	r.run(time.Minute)
	r.wantFault(term.FaultContactor, false)
}

func TestOverCurrent(t *testing.T) {
	for _, tc := range []struct {
		name   string
		amps   unit.Current
		within time.Duration // 0: never
	}{
		{"as offered", 16 * unit.Ampere, 0},
		{"within tolerance", 17500, 0},
		{"above", 18 * unit.Ampere, time.Second},
		{"far above", 26 * unit.Ampere, 510 * time.Millisecond},
		{"lies about its cable", 80 * unit.Ampere, 510 * time.Millisecond},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := newRig(t, nil)
			r.charge()
			r.amps = tc.amps
			if tc.within == 0 {
				r.run(time.Minute)
				if !r.out.Close {
					t.Errorf("opened at %v", tc.amps)
				}
				return
			}
			r.wantOpen(tc.within+2*cycle, OpenedByFault)
			r.wantFault(term.FaultOverCurrent, true)
		})
	}
}

// TestReadingFromBeforeTheClosing: what another connector of the EVSE drew before is not held against this one.
func TestReadingFromBeforeTheClosing(t *testing.T) {
	r := newRig(t, nil)
	r.mute = true
	r.run(10 * time.Second)
	r.plug(term.StateC)
	r.permit(16)
	r.until("closing", 3*time.Second, func() bool { return r.out.Status.Closed })
	r.read()
	r.in.Reading.At, r.in.Reading.Current[0] = r.now.Add(-time.Second), 32*unit.Ampere
	r.step()
	r.wantFault(term.FaultOverCurrent, false)
	r.read()
	r.in.Reading.Current[0] = 32 * unit.Ampere
	r.step()
	r.wantFault(term.FaultOverCurrent, true)
}

// TestOverCurrentAfterALowerLimit: the vehicle has FollowTime to come down; then the new limit counts.
func TestOverCurrentAfterALowerLimit(t *testing.T) {
	r := newRig(t, nil)
	r.charge()
	r.run(time.Minute)
	r.permit(8)
	r.run(FollowTime - 100*time.Millisecond)
	if !r.out.Close {
		t.Fatal("opened while the vehicle may still follow")
	}
	r.wantOpen(2*time.Second, OpenedByFault)
	r.wantFault(term.FaultOverCurrent, true)
}

// TestOverCurrentWhileTheLimitKeepsFalling: lowering again and again does not keep an old allowance alive.
func TestOverCurrentWhileTheLimitKeepsFalling(t *testing.T) {
	r := newRig(t, nil)
	r.charge()
	r.run(time.Minute)
	for amps := unit.Current(15); amps >= 6 && r.out.Close; amps-- {
		r.permit(amps)
		r.run(2 * time.Second)
	}
	if r.out.Close {
		t.Error("15 A go on under a limit that fell to 6 A over 20 s")
	}
}

func TestRetriesEndAndBeginAnewWithTheNextVehicle(t *testing.T) {
	r := newRig(t, nil)
	r.charge()
	trip := func() {
		r.until("power", time.Minute, func() bool { return r.out.Close })
		r.in.Tripped = true
		r.run(time.Second)
		r.in.Tripped = false
	}
	for range ruleOf(term.FaultGround).retries {
		trip()
	}
	trip()
	r.run(time.Hour)
	r.wantFault(term.FaultGround, true)
	r.vehicle = term.StateA
	r.run(10 * time.Second)
	r.wantFault(term.FaultGround, false)
	r.charge()
}

func TestSilentMeter(t *testing.T) {
	for _, policy := range []MeterPolicy{MeterNone, MeterReport, MeterStop} {
		r := newRig(t, func(c *Config) { c.Meter = policy })
		r.charge()
		r.mute = true
		r.run(4400 * time.Millisecond)
		r.wantFault(term.FaultMeter, false)
		r.run(time.Second)
		r.wantFault(term.FaultMeter, policy != MeterNone)
		if r.out.Close != (policy != MeterStop) {
			t.Errorf("policy %d: closed %v", policy, r.out.Close)
		}
		r.mute = false
		r.run(10 * time.Second)
		r.wantFault(term.FaultMeter, false)
		if !r.out.Close {
			t.Errorf("policy %d: stays open with a meter that is back", policy)
		}
	}
}

func TestTemperatureHysteresis(t *testing.T) {
	r := newRig(t, nil)
	r.in.Temperature = 90 * unit.Celsius
	r.run(time.Second)
	r.wantFault(term.FaultHighTemperature, true)
	r.in.Temperature = 81 * unit.Celsius
	r.run(time.Minute)
	r.wantFault(term.FaultHighTemperature, true)
	r.in.Temperature = 79 * unit.Celsius
	r.run(2 * time.Second)
	r.wantFault(term.FaultHighTemperature, false)
}

func TestFaultSet(t *testing.T) {
	s := FaultsOf(term.FaultDiode, term.FaultReader, term.FaultNone)
	if !s.Has(term.FaultDiode) || s.Has(term.FaultNone) || s.Has(term.FaultGround) || !s.Stopping() || s.Without(term.FaultDiode).Stopping() {
		t.Errorf("%b", s)
	}
}

func TestFaultSetText(t *testing.T) {
	for s := range FaultSet(1) << (lastFault + 1) {
		if s.Has(term.FaultNone) || s > 1<<12 && s%977 != 0 {
			continue
		}
		text, err := s.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var back FaultSet
		if err := back.UnmarshalText(text); err != nil || back != s {
			t.Fatalf("%b as %q came back as %b, %v", uint32(s), text, uint32(back), err)
		}
	}
	var s FaultSet
	if err := s.UnmarshalText([]byte("diodeFault,flood")); err == nil {
		t.Error("an unknown fault was read")
	}
}
