package iec61851

import (
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// The nominal high levels are 12, 9, 6, 3 and 0 V (IEC 61851-1 Annex A). The thresholds lie half way between
// them; a level keeps its state until it has passed the threshold by pilotHysteresis.
const (
	pilotThresholdAB = 10500 * unit.Millivolt
	pilotThresholdBC = 7500 * unit.Millivolt
	pilotThresholdCD = 4500 * unit.Millivolt
	pilotThresholdDE = 1500 * unit.Millivolt
	pilotHysteresis  = 300 * unit.Millivolt
	pilotTooHigh     = 13500 * unit.Millivolt  // no generator of ours drives this: a foreign voltage
	pilotLow         = -10500 * unit.Millivolt // a line held at -12 V
	diodeLimit       = -10 * unit.Volt         // with PWM the low half stays below this behind the vehicle's diode
)

// PilotDebounce is how long a new level must stand before it is a new state.
const PilotDebounce = 25 * time.Millisecond

// PilotOpenDelay is how long the pilot may be out of C and D, in sum, while the contactor is closed. With the
// cycle and the contactor's own time it stays far below the 100 ms in which supply has to end.
const PilotOpenDelay = 15 * time.Millisecond

// pilotStepLimit bounds what one sample may add to the time out of C and D, so that one bad sample after a late
// cycle does not open a contactor by itself.
const pilotStepLimit = 10 * time.Millisecond

// pilotSettle is how long samples after a change of the generator are not judged.
const pilotSettle = 10 * time.Millisecond

// DiodeDebounce is how long the low half must be wrong before the diode is.
const DiodeDebounce = 25 * time.Millisecond

// Classify returns the state of the high level v, given the state that the line had (StateUnknown for none): a
// level within the hysteresis of a threshold stays on its old side. A level that no vehicle and no short to earth
// can cause is StateE too; a line held low is StateF.
func Classify(v unit.Voltage, last term.PilotState) term.PilotState {
	switch {
	case v > pilotTooHigh:
		return term.StateE
	case v < pilotLow:
		return term.StateF
	case v > pilotThresholdAB+shift(last <= term.StateA, last != term.StateUnknown):
		return term.StateA
	case v > pilotThresholdBC+shift(last <= term.StateB, last != term.StateUnknown):
		return term.StateB
	case v > pilotThresholdCD+shift(last <= term.StateC, last != term.StateUnknown):
		return term.StateC
	case v > pilotThresholdDE+shift(last <= term.StateD, last != term.StateUnknown):
		return term.StateD
	}
	return term.StateE
}

// shift moves a threshold down for a line that was above it and up for one that was below.
func shift(above, known bool) unit.Voltage {
	switch {
	case !known:
		return 0
	case above:
		return -pilotHysteresis
	}
	return pilotHysteresis
}

// pilot debounces the states of one line.
type pilot struct {
	state     term.PilotState // debounced
	raw       term.PilotState // of the newest sample
	since     time.Time       // raw has been the same since
	sampled   time.Time       // newest sample
	out       time.Duration   // sum of the time out of C and D while state is C or D, forgiven at a quarter of the rate
	diodeSeen bool            // the low half was right since PWM came on
	diodeBad  time.Time       // the low half has been wrong since; zero when right
}

// observe takes one sample. duty is what the generator has driven since changed.
func (p *pilot) observe(now time.Time, s hal.PilotSample, duty unit.Duty, changed time.Time, due *deadline) {
	if now.Sub(changed) < pilotSettle && !changed.IsZero() && p.state != term.StateUnknown {
		due.at(changed.Add(pilotSettle))
		if !p.state.Ready() { // the car's line is watched even while the generator settles
			return
		}
	}
	raw := Classify(s.High, p.raw)
	if raw != p.raw || p.since.IsZero() {
		p.raw, p.since = raw, now
	}
	if p.state.Ready() && !raw.Ready() {
		p.leave(now, raw, due)
	} else {
		p.settle(now, due)
	}
	p.diode(now, s.Low, duty, changed, due)
	p.sampled = now
}

// leave sums the time out of C and D. A chattering line fills the sum as well, only slower.
func (p *pilot) leave(now time.Time, raw term.PilotState, due *deadline) {
	p.out += min(now.Sub(p.sampled), pilotStepLimit)
	if p.out >= PilotOpenDelay {
		p.state, p.out = raw, 0
		return
	}
	due.at(now.Add(PilotOpenDelay - p.out))
}

func (p *pilot) settle(now time.Time, due *deadline) {
	if p.out > 0 {
		p.out = max(0, p.out-min(now.Sub(p.sampled), pilotStepLimit)/4)
	}
	if p.raw == p.state {
		return
	}
	if now.Sub(p.since) >= PilotDebounce {
		p.state, p.out = p.raw, 0
		return
	}
	due.at(p.since.Add(PilotDebounce))
}

// diode judges the low half, which only a running PWM and a connected vehicle show.
func (p *pilot) diode(now time.Time, low unit.Voltage, duty unit.Duty, changed time.Time, due *deadline) {
	if duty == unit.DutyHigh || duty == unit.DutyLow || !p.state.Connected() || !p.raw.Connected() {
		p.diodeSeen, p.diodeBad = false, time.Time{}
		return
	}
	if settled := changed.Add(pilotSettle); now.Before(settled) {
		due.at(settled)
		return
	}
	switch {
	case low <= diodeLimit:
		p.diodeSeen, p.diodeBad = true, time.Time{}
	case p.diodeBad.IsZero():
		p.diodeBad = now
		due.at(now.Add(DiodeDebounce))
	case now.Sub(p.diodeBad) < DiodeDebounce:
		due.at(p.diodeBad.Add(DiodeDebounce))
	}
}

// diodeFailed reports whether the low half has been wrong for long enough.
func (p *pilot) diodeFailed(now time.Time) bool {
	return !p.diodeBad.IsZero() && now.Sub(p.diodeBad) >= DiodeDebounce
}

// ready reports whether the vehicle may be supplied as far as the pilot says: C, or D where ventilation is given.
func (p *pilot) ready(ventilation bool) bool {
	return p.state == term.StateC || p.state == term.StateD && ventilation
}

// deadline is the earliest of the instants at which a waiting part wants to be stepped again.
type deadline struct{ t time.Time }

func (d *deadline) at(t time.Time) {
	if d.t.IsZero() || t.Before(d.t) {
		d.t = t
	}
}
