package mcu

import (
	"errors"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

// Connector is one connector behind a controller, in every role of hal that a controller can play.
//
// A controller that cannot be trusted is one fault, not nine: where the guard takes the pilot from it, Sample alone
// tells the error, which opens the contactor, and the other inputs keep what they said last. Where the pilot is
// somewhere else, each tells it.
type Connector struct {
	m       *MCU
	number  uint8
	status  Status
	known   bool      // there is a status of this session
	heard   time.Time // the newest status, or the begin of the session
	bad     uint32    // frames that had been broken by then
	echoed  time.Time // a status named another permit than the one before it, or the begin of the session
	failed  error     // to be told once at least, even if the controller is back before the guard looks
	sampled bool      // the pilot is taken from here
	differs time.Time // the status has contradicted itself since; zero: it does not
	held    time.Time // the contactor has been open by the controller's own decision since; zero: it is not
	owed    bool      // the permit has changed and was not said

	close        bool
	phases       uint8
	duty         unit.Duty
	lock, unlock bool
	acknowledge  Faults
	generation   uint16
}

// contradiction is how long a status may contradict itself: what the controller debounces lags behind what it measures.
const contradiction = 300 * time.Millisecond

// excuse is how long an opening by the controller's own decision is not shown as a contactor that does not obey: its
// reason, which the guard reads less often, comes first.
const excuse = 400 * time.Millisecond

// Roles.
var (
	_ hal.ControlPilot          = (*Connector)(nil)
	_ hal.Proximity             = (*Connector)(nil)
	_ hal.Contactor             = (*Connector)(nil)
	_ hal.Lock                  = (*Connector)(nil)
	_ hal.ResidualCurrentDevice = (*Connector)(nil)
	_ hal.Inputs                = (*Connector)(nil)
	_ hal.Diagnosis             = (*Connector)(nil)
	_ hal.Thermometer           = (*Connector)(nil)
	_ hal.Thermometer           = Cable{}
)

// begin is the begin of a session: everything is open.
func (c *Connector) begin(now time.Time) {
	c.bad = c.m.dec.Bad
	c.known, c.heard, c.echoed, c.owed, c.differs, c.held = false, now, now, true, time.Time{}, time.Time{}
}

// fail withdraws what was permitted, for a reason that the guard will hear.
func (c *Connector) fail(why error) {
	c.owed = c.owed || c.close
	c.close, c.phases, c.failed = false, 0, why
}

// take applies a status.
func (c *Connector) take(now time.Time, s *Status) {
	if s.Permit != c.status.Permit {
		c.echoed = now
	}
	c.status, c.known, c.heard, c.bad = *s, true, now, c.m.dec.Bad
	if !contradicts(s) {
		c.differs = time.Time{}
	} else if c.differs.IsZero() {
		c.differs = now
	}
	switch {
	case !s.Held || !c.close:
		c.held = time.Time{}
	case c.held.IsZero():
		c.held = now
	}
	if s.Generation != c.generation || s.Latched&c.acknowledge == 0 {
		c.acknowledge = 0
	}
}

// contradicts reports whether a status cannot be true as a whole: a state that the measured level does not show, or a
// line that is fed although its coil is not driven. (All lines fed without a coil is a weld, and told as one.)
func contradicts(s *Status) bool {
	return s.State != 0 && iec61851.Classify(voltage(s.High), s.PilotState()) != s.PilotState() || s.Coil && s.Phases == 1 && s.Extra
}

// level is the permit as it stands.
func (c *Connector) level() Permit {
	offered, _ := iec61851.CurrentForDuty(c.duty)
	return Permit{Session: c.m.session, Connector: c.number, Close: c.close, Lock: c.lock, Unlock: c.unlock, Phases: c.phases, Duty: uint16(c.duty),
		MaxCurrent: uint16(offered / deciAmpere), Acknowledge: c.acknowledge, Generation: c.generation}
}

const deciAmpere = 100 * unit.Milliampere

// state says why the connector cannot be trusted now; nil: it can.
func (c *Connector) state() error {
	c.m.look()
	now := c.m.looked
	switch {
	case !c.m.agreed:
		return c.m.excuse()
	case !c.known, now.Sub(c.heard) > c.m.spec.Silence:
		return c.m.silence(c.bad)
	case c.status.Silent, now.Sub(c.echoed) > c.m.spec.Silence+2*c.m.spec.Beat: // whether it knows that it hears nothing or not
		return ErrDeaf
	case !c.differs.IsZero() && now.Sub(c.differs) >= contradiction:
		return ErrContradict
	}
	return nil
}

// trouble is state, with what has not been told yet; telling it is done with.
func (c *Connector) trouble() error {
	err := c.state()
	if err == nil {
		err = c.failed
	} else {
		c.fail(err)
	}
	c.failed = nil
	return err
}

// input says what an input that is not the pilot tells of the controller's state.
func (c *Connector) input() error {
	if c.sampled {
		c.m.look()
		return nil
	}
	return c.trouble()
}

// say gives the permit to the line at once.
func (c *Connector) say() {
	c.owed = true
	c.m.permit(false)
}

// Sample is the pilot as the controller measured it last. An error withdraws every permit of the connector.
func (c *Connector) Sample() (hal.PilotSample, error) {
	c.sampled = true
	if err := c.trouble(); err != nil {
		return hal.PilotSample{}, err
	}
	return hal.PilotSample{High: voltage(c.status.High), Low: voltage(c.status.Low)}, nil
}

func voltage(mv int16) unit.Voltage { return unit.Voltage(mv) * unit.Millivolt }

// SetDuty permits what the pilot says. An offer that the controller does not hear is an error; the end of one is none,
// since the controller ends it by itself.
func (c *Connector) SetDuty(d unit.Duty) error {
	if d < 0 || d > unit.DutyHigh {
		return errDuty
	}
	if d != unit.DutyHigh && d != unit.DutyLow {
		if err := c.state(); err != nil {
			return err
		}
	}
	c.duty = d
	c.say()
	return nil
}

var (
	errDuty   = errors.New("a duty cycle below 0 or above 100 %")
	errPhases = errors.New("a contactor switches 1 or 3 phases")
)

// Resistance is that of the proximity input.
func (c *Connector) Resistance() (unit.Resistance, error) {
	err := c.input()
	if c.status.Proximity == OpenLine {
		return openLine, err
	}
	return unit.Resistance(c.status.Proximity) * unit.Ohm, err
}

const openLine = 1000 * unit.KiloOhm

// Set permits a closed contactor. To open is never an error: who is not heard is silent, and the controller opens then.
func (c *Connector) Set(closed bool, phases uint8) error {
	if !closed {
		c.close, c.phases = false, 0
		c.say()
		return nil
	}
	if phases != 1 && phases != 3 {
		return errPhases
	}
	if err := c.state(); err != nil {
		return err
	}
	c.close, c.phases = true, phases
	c.say()
	return nil
}

// Closed is what the mirror contacts say: after a command to open that any of them is closed, after one to close that
// all of them are. While nothing is known it is the command, which the controller follows.
func (c *Connector) Closed() (bool, error) {
	err := c.input()
	s := &c.status
	switch {
	case c.state() != nil:
		return c.close, err
	case !c.close:
		return s.Main || s.Extra, err
	case !c.held.IsZero() && c.m.looked.Sub(c.held) < excuse:
		return true, err
	}
	return s.Main && (s.Extra || c.phases == 1), err
}

// SetLocked permits the lock to move. The level stays until the next.
func (c *Connector) SetLocked(locked bool) error {
	c.lock, c.unlock = locked, !locked
	c.say()
	return nil
}

// Locked is the lock's own contact.
func (c *Connector) Locked() (bool, error) {
	err := c.input()
	return c.status.Locked, err
}

// Tripped reports the residual-current device.
func (c *Connector) Tripped() (bool, error) {
	err := c.input()
	return c.status.Tripped, err
}

// EmergencyStop reports the stop of the connector or of the whole controller.
func (c *Connector) EmergencyStop() (bool, error) {
	err := c.input()
	return c.status.EmergencyStop || c.m.agreed && c.m.board.EmergencyStop, err
}

// Active reports a fault that the controller tells.
func (c *Connector) Active(f term.Fault) (bool, error) {
	err := c.input()
	return (c.status.Faults | c.status.Latched).Has(f), err
}

var errNoThermometer = errors.New("the safety controller has no thermometer there")

// Temperature is that of the socket.
func (c *Connector) Temperature() (unit.Temperature, error) {
	err := c.input()
	return celsius(c.status.Socket, c.known, err)
}

// Cable is the thermometer of a connector's cable.
func (c *Connector) Cable() Cable { return Cable{c} }

// Cable is a thermometer.
type Cable struct{ c *Connector }

// Temperature is that of the cable.
func (t Cable) Temperature() (unit.Temperature, error) {
	err := t.c.input()
	return celsius(t.c.status.Cable, t.c.known, err)
}

const deciCelsius = unit.Celsius / 10

func celsius(deci int16, known bool, err error) (unit.Temperature, error) {
	switch {
	case err != nil:
		return 0, err
	case known && deci == NoTemperature:
		return 0, errNoThermometer
	}
	return unit.Temperature(deci) * deciCelsius, nil
}

// Acknowledge lets the controller forget the faults that it has latched so far, once their causes are gone.
func (c *Connector) Acknowledge() {
	if c.status.Latched == 0 {
		return
	}
	c.acknowledge, c.generation = c.status.Latched, c.status.Generation
	c.say()
}

// Status is the newest that the controller has said, and how old it is.
func (c *Connector) Status() (Status, time.Duration) {
	c.m.look()
	return c.status, c.m.looked.Sub(c.heard)
}

// Settle waits for the controller's first word, at most limit; it is asked before the first cycle.
func (c *Connector) Settle(limit time.Duration) error { return c.m.Settle(limit) }

// Descriptor can be read when the controller has said something; -1: there is none now.
func (c *Connector) Descriptor() int { return c.m.Descriptor() }

// Drain takes what it has said.
func (c *Connector) Drain() { c.m.look() }
