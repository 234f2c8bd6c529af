package iec61851

import (
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// MeterPolicy says what the machine expects of meter readings while it is closed.
type MeterPolicy uint8

// Meter policies.
const (
	MeterNone   MeterPolicy = iota // there is no meter
	MeterReport                    // a silent meter is a fault, charging goes on
	MeterStop                      // a silent meter is a fault and opens the contactor
)

// Config describes one connector. It never changes while the machine lives.
type Config struct {
	Ref                 term.Ref
	MaxCurrent          unit.Current // what wiring, contactor and cable or socket may carry per phase
	Phases              uint8        // lines that the contactor can switch: 1 or 3
	Tethered            bool         // the cable is fixed: no proximity circuit, the plug cannot be absent
	HasLock             bool
	HasFeedback         bool // the contactor has a mirror contact
	Ventilation         bool // state D is supplied; otherwise it is refused
	Meter               MeterPolicy
	MaxTemperature      unit.Temperature // of the socket or terminal; 0: not watched
	MaxCableTemperature unit.Temperature // 0: not watched
}

// Input is what the wires, the meter and the station say at one instant.
type Input struct {
	Permit           term.Permit
	PermitKnown      bool // false until the first permit after a start: the lock stays as it is found
	Pilot            hal.PilotSample
	Proximity        unit.Resistance // ignored when tethered
	Closed           bool            // mirror contact
	Locked           bool
	Tripped          bool // residual-current device
	EmergencyStop    bool
	Temperature      unit.Temperature
	CableTemperature unit.Temperature
	Reading          Reading
	Interlock        bool     // another connector of the same EVSE is live or about to be
	Causes           FaultSet // what the board or the guard itself reports as wrong
	Service          bool     // a fitter acknowledges latched faults, in this step
}

// Output is what the wires shall do. Commands are levels, but for LockPulse.
type Output struct {
	Close     bool
	Phases    uint8 // lines to close: 1 or 3
	Duty      unit.Duty
	Lock      bool
	LockPulse bool      // drive the lock's motor now, towards Lock
	Deadline  time.Time // step again no later than this; zero: only when an input changes
	Status    Status
}

// Machine is one connector. Make it with New; a copy is a second machine.
type Machine struct {
	cfg      Config
	pilot    pilot
	cable    cable
	faults   faults
	supply   supply
	offer    offer
	lock     lock
	measured measured
	hot      bool // the thermometer was above its limit and has not yet fallen clearly below
	cableHot bool
	seen     FaultSet
}

// New returns a machine that asserts the safe state: open, no PWM, the lock untouched.
func New(cfg Config) Machine {
	m := Machine{cfg: cfg}
	m.offer.duty = unit.DutyHigh
	if cfg.Tethered {
		m.cable.state, m.cable.rating = CablePresent, cfg.MaxCurrent
		m.cable.raw, m.cable.rawRating = CablePresent, cfg.MaxCurrent
	}
	return m
}

// Step looks at the inputs once. now must not go back.
func (m *Machine) Step(now time.Time, in *Input, out *Output) {
	var due deadline
	m.pilot.observe(now, in.Pilot, m.offer.duty, m.offer.changed, &due)
	if !m.cfg.Tethered {
		m.cable.observe(now, in.Proximity, m.cfg.Phases, m.supply.command, &due)
	}
	if !m.cfg.HasFeedback {
		in.Closed = m.supply.command
	}
	causes := in.Causes | m.wireCauses(now, in)
	causes |= m.supply.observe(now, in.Closed, &due)
	causes |= m.measured.observe(now, &in.Reading, m, &due)
	causes |= m.lock.observe(now, in.Locked, m.wantLock(in), m, &due)
	if m.supply.welded {
		m.faults.latched = m.faults.latched.With(term.FaultContactor)
	}
	m.faults.update(now, causes, m.unplugged(), in.Service, &due)
	m.offer.update(now, m.wantDuty(in), m.pilot.state == term.StateA, &due)
	m.switchSupply(now, in, &due)
	m.report(now, in, out, due)
}

// wireCauses are the faults that the wires show in this very step.
func (m *Machine) wireCauses(now time.Time, in *Input) FaultSet {
	var s FaultSet
	if in.Tripped {
		s = s.With(term.FaultGround)
	}
	if in.EmergencyStop {
		s = s.With(term.FaultEmergencyStop)
	}
	st := m.pilot.state
	foreign := m.pilot.raw == term.StateF && m.offer.duty != unit.DutyLow && now.Sub(m.offer.changed) > pilotSettle
	if st == term.StateE || st == term.StateF && foreign {
		s = s.With(term.FaultPilot)
	}
	if m.pilot.diodeFailed(now) {
		s = s.With(term.FaultDiode)
	}
	if m.cable.state == CableError || m.supply.command && (m.cable.state != CablePresent || m.cable.rating != m.supply.rating) {
		s = s.With(term.FaultProximity)
	}
	m.hot = tooHot(in.Temperature, m.cfg.MaxTemperature, m.hot)
	m.cableHot = tooHot(in.CableTemperature, m.cfg.MaxCableTemperature, m.cableHot)
	if m.hot {
		s = s.With(term.FaultHighTemperature)
	}
	if m.cableHot {
		s = s.With(term.FaultCableTemperature)
	}
	return s
}

// temperatureHysteresis is how far below its limit a place must cool before it counts as cool again.
const temperatureHysteresis = 10 * unit.Celsius

func tooHot(t, limit unit.Temperature, was bool) bool {
	if limit == 0 {
		return false
	}
	if was {
		limit -= temperatureHysteresis
	}
	return t >= limit
}

// unplugged reports whether neither vehicle nor energy is at the connector: the point where retries start anew.
func (m *Machine) unplugged() bool {
	return m.pilot.state == term.StateA && m.supply.dead()
}

// stopped reports whether a fault forbids energy now.
func (m *Machine) stopped() bool {
	return m.faults.active.Stopping() || m.cfg.Meter == MeterStop && m.faults.active.Has(term.FaultMeter)
}

// wantPhases is the number of lines that the permit allows.
func (m *Machine) wantPhases(in *Input) uint8 {
	if in.Permit.Phases == 0 || in.Permit.Phases >= m.cfg.Phases {
		return m.cfg.Phases
	}
	return 1
}

// wantLock reports whether the plug shall be held: while the permit says so, and until no energy is behind it.
func (m *Machine) wantLock(in *Input) bool {
	if !in.PermitKnown {
		return in.Locked
	}
	return in.Permit.Lock || in.Permit.Close || !m.supply.dead()
}

// wantDuty is what the generator would drive if pacing did not matter.
func (m *Machine) wantDuty(in *Input) unit.Duty {
	p := &in.Permit
	if p.Fail || m.faults.latched.Has(term.FaultContactor) {
		return unit.DutyLow
	}
	switch {
	case !p.Close, m.stopped(), m.cable.state != CablePresent, !m.held(in):
		return unit.DutyHigh
	case !m.pilot.state.Connected(), m.pilot.state == term.StateD && !m.cfg.Ventilation:
		return unit.DutyHigh
	case m.supply.command && m.supply.phases != m.wantPhases(in):
		return unit.DutyHigh // other lines need an opening first
	}
	return DutyForCurrent(min(p.Max, m.cfg.MaxCurrent, m.cable.rating))
}

// held reports whether the plug cannot be pulled: locked by command and by feedback, or there is no lock. While the
// contactor is closed, a feedback that is away counts only once the lock is lost.
func (m *Machine) held(in *Input) bool {
	return !m.cfg.HasLock || m.lock.command && !m.lock.lost && (in.Locked || m.supply.command)
}

func (m *Machine) report(now time.Time, in *Input, out *Output, due deadline) {
	m.seen |= m.faults.active
	offered, _ := CurrentForDuty(m.offer.duty)
	*out = Output{
		Close: m.supply.command, Phases: m.supply.phases,
		Duty: m.offer.duty,
		Lock: m.lock.command, LockPulse: m.lock.pulse,
		Deadline: due.t,
		Status: Status{
			Ref: m.cfg.Ref, At: now,
			Pilot: m.pilot.state, Cable: m.cable.state, Rating: m.cable.rating,
			Closed: m.supply.live(), Phases: m.supply.phases, Closings: m.supply.closings, Opened: m.supply.reason,
			HasLock: m.cfg.HasLock, Locked: m.cfg.HasLock && in.Locked, LockFailed: m.lock.failed,
			Offered: offered, Duty: m.offer.duty,
			Faults: m.faults.active, Seen: m.seen,
		},
	}
}

// Passed tells the machine that its status has reached somebody: Seen starts anew.
func (m *Machine) Passed() { m.seen = 0 }
