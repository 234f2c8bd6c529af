package iec61851

import (
	"testing"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// cycle is the step of the rig, that of the guard.
const cycle = 5 * time.Millisecond

// rig is a machine on an ideal board: the pilot shows what the vehicle is, the mirror contact and the lock follow
// at once, unless the test takes them over.
type rig struct {
	t       *testing.T
	m       Machine
	now     time.Time
	in      Input
	out     Output
	vehicle term.PilotState // A to E
	diode   bool            // shorted
	stuck   bool            // the mirror contact stays as it is
	jammed  bool            // the lock stays as it is
	amps    unit.Current    // drawn while closed
	mute    bool            // the meter says nothing
	volts   unit.Voltage    // of line 2
	check   func()
	pulses  int
}

func newRig(t *testing.T, edit func(*Config)) *rig {
	cfg := Config{
		Ref: term.Ref{EVSE: 1, Connector: 1}, MaxCurrent: 32 * unit.Ampere, Phases: 3, HasLock: true, HasFeedback: true,
		Ventilation: true, Meter: MeterStop, MaxTemperature: 90 * unit.Celsius, MaxCableTemperature: 80 * unit.Celsius,
	}
	if edit != nil {
		edit(&cfg)
	}
	r := &rig{t: t, m: New(cfg), now: epoch, vehicle: term.StateA, volts: 230 * unit.Volt}
	r.in.Proximity = 1000 * unit.KiloOhm
	r.in.PermitKnown = true
	r.run(100 * time.Millisecond)
	return r
}

var highs = [...]unit.Voltage{term.StateA: 12000, term.StateB: 9000, term.StateC: 6000, term.StateD: 3000, term.StateE: 0}

// sample is the pilot line with the rig's vehicle and generator.
func (r *rig) sample() hal.PilotSample {
	high, low := highs[r.vehicle], unit.Voltage(-12000)
	if r.diode && r.vehicle.Connected() {
		low = -high
	}
	if r.vehicle == term.StateE {
		low = 0
	}
	switch r.out.Duty {
	case unit.DutyHigh:
		low = high
	case unit.DutyLow:
		high = low
	}
	return hal.PilotSample{High: high, Low: low}
}

func (r *rig) step() {
	r.in.Pilot = r.sample()
	if !r.stuck {
		r.in.Closed = r.out.Close
	}
	if !r.jammed && r.out.LockPulse {
		r.in.Locked = r.out.Lock
	}
	if !r.mute && r.now.Sub(r.in.Reading.At) >= 500*time.Millisecond {
		r.read()
	}
	r.m.Step(r.now, &r.in, &r.out)
	r.in.Service = false
	if r.out.LockPulse {
		r.pulses++
	}
	if r.check != nil {
		r.check()
	}
	r.now = r.now.Add(cycle)
}

// read gives the machine a new meter reading.
func (r *rig) read() {
	i := unit.Current(0)
	if r.in.Closed {
		i = r.amps
	}
	v := 230 * unit.Volt
	r.in.Reading = Reading{At: r.now, Phases: 3, Current: [3]unit.Current{i, i, i}, Voltage: [3]unit.Voltage{v, r.volts, v}}
}

func (r *rig) run(d time.Duration) {
	for end := r.now.Add(d); r.now.Before(end); {
		r.step()
	}
}

// until runs until the condition holds and returns how long that took.
func (r *rig) until(what string, limit time.Duration, cond func() bool) time.Duration {
	r.t.Helper()
	start := r.now
	for !cond() {
		if r.now.Sub(start) > limit {
			r.t.Fatalf("no %s within %v: %+v", what, limit, r.out)
		}
		r.step()
	}
	return r.now.Sub(start)
}

func (r *rig) plug(state term.PilotState) {
	r.in.Proximity, r.vehicle = 220*unit.Ohm, state
}

func (r *rig) permit(amps unit.Current) {
	r.in.Permit = term.Permit{Close: amps > 0, Lock: amps > 0, Max: amps * unit.Ampere}
}

// charge brings the rig to a closed contactor with a permit of 16 A.
func (r *rig) charge() {
	r.t.Helper()
	r.plug(term.StateB)
	r.permit(16)
	r.until("offer", 6*time.Second, func() bool { return r.out.Status.Offered > 0 })
	r.vehicle = term.StateC
	r.amps = 15 * unit.Ampere
	r.until("power", 3*time.Second, func() bool { return r.out.Status.Closed })
	r.run(100 * time.Millisecond)
}

func (r *rig) wantFault(f term.Fault, active bool) {
	r.t.Helper()
	if got := r.out.Status.Faults.Has(f); got != active {
		r.t.Errorf("fault %v: %v, want %v (all: %b)", f, got, active, r.out.Status.Faults)
	}
}

func (r *rig) wantOpen(limit time.Duration, reason OpenReason) {
	r.t.Helper()
	took := r.until("opening", limit, func() bool { return !r.out.Close })
	if r.out.Status.Opened != reason {
		r.t.Errorf("opened after %v by %v, want by %v", took, r.out.Status.Opened, reason)
	}
}
