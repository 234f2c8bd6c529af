package precharge

import (
	"time"

	"github.com/evsed/evsed/hal/unit"
)

// Want is how far the output shall go. It is a level: what comes before is done on the way.
type Want uint8

// Levels of a Want.
const (
	WantNothing   Want = iota // dead and open
	WantCheck                 // the insulation is tested
	WantPreCharge             // the vehicle's voltage is at the output
	WantPower                 // current flows
)

// State is where the sequence is.
type State uint8

// States.
const (
	Idle State = iota
	Closing
	Testing
	Lowering
	Checked
	PreCharging
	PreCharged
	Delivering
	Stopping
	Opening
	Discharging
	Failed
)

var stateNames = [...]string{"idle", "closing", "testing", "lowering", "checked", "pre-charging", "pre-charged", "delivering", "stopping", "opening",
	"discharging", "failed"}

func (s State) String() string { return nameOf(stateNames[:], int(s)) }

// Reason is why a sequence failed.
type Reason uint8

// Reasons.
const (
	NoReason    Reason = iota
	Emergency          // emergency stop, over-voltage or what else hardware and controller tell
	VehicleGone        // the pilot left C and D, or the plug is not locked
	PlusWelded         // the contact of a pole is closed against its command
	MinusWelded        //
	PlusOpen           // the contact of a pole is open against its command
	MinusOpen          //
	NotDead            // a voltage is there that should not be
	Insulation         // too low
	SelfTest           // the insulation monitor found itself broken
	Silence            // source or insulation monitor is silent
	CheckLimit         // the cable check took too long
	ChargeLimit        // pre-charge took too long
	StopLimit          // the current did not end
	OverVoltage        // above what the output is for, as this code saw it: the protection is elsewhere
)

var reasonNames = [...]string{"none", "emergency", "vehicle gone", "plus welded", "minus welded", "plus does not close", "minus does not close", "not dead",
	"insulation", "insulation monitor's self-test", "silence", "cable check too long", "pre-charge too long", "current does not end", "over-voltage"}

func (r Reason) String() string { return nameOf(reasonNames[:], int(r)) }

func nameOf(names []string, i int) string {
	if i >= len(names) {
		return "?"
	}
	return names[i]
}

// Latched reports whether only a fitter ends it.
func (r Reason) Latched() bool { return r == PlusWelded || r == MinusWelded }

// Measurement is the output as measured.
type Measurement struct {
	At      time.Time
	Source  unit.Voltage // at the source's side of the contactors
	Outlet  unit.Voltage // at the vehicle's side
	Current unit.Current // to the vehicle
}

// Isolation is what the insulation monitor says.
type Isolation struct {
	At         time.Time // of the measurement; zero: none yet
	Resistance unit.Resistance
	Broken     bool      // it says that it is broken
	Tested     time.Time // end of its newest self-test
	TestOK     bool      // and how that ended
}

// Input is what is there at one instant.
type Input struct {
	Want          Want
	Target        unit.Voltage // that the vehicle asks for: of its battery while pre-charging
	Current       unit.Current // that the vehicle may have
	Ready, Locked bool         // pilot in C or D; plug locked
	Emergency     bool
	Plus, Minus   bool // mirror contacts
	Measurement   Measurement
	Isolation     Isolation
	Acknowledge   bool // a fitter acknowledges a weld, in this step
}

// Output is what shall be. All are levels.
type Output struct {
	Plus, Minus bool // contactors
	On          bool // source
	Voltage     unit.Voltage
	Current     unit.Current
	Discharge   bool // the resistor across the source
	Measure     bool // insulation measurement
	SelfTest    bool // of the insulation monitor
	State       State
	Reason      Reason
	Deadline    time.Time // step again no later; zero: when an input changes
}

// Machine is one output. Make it with New; a copy is a second machine.
type Machine struct {
	cfg     Config
	state   State
	since   time.Time
	reason  Reason
	began   time.Time // of the cable check
	at      time.Time // the test voltage has stood since, or what is left is being discharged since; zero: neither
	plus    pole
	minus   pole
	current unit.Current // that the ramp has reached
	stepped time.Time
}

// pole is one contactor.
type pole struct {
	command   bool
	changed   time.Time
	confirmed bool
}

// New returns a machine with everything open and off.
func New(cfg Config) (*Machine, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	return &Machine{cfg: cfg}, nil
}

// Step looks once. now must not go back.
func (m *Machine) Step(now time.Time, in *Input, out *Output) {
	if m.stepped.IsZero() {
		m.since, m.plus.changed, m.minus.changed, m.stepped = now, now, now, now
	}
	if r := m.danger(now, in); r != NoReason && (m.state != Failed || r.Latched() && !m.reason.Latched()) {
		m.fail(now, r)
	}
	m.advance(now, in)
	m.drive(now, in, out)
	m.stepped = now
}

// danger is what ends the sequence at once, whatever it is doing.
func (m *Machine) danger(now time.Time, in *Input) Reason {
	if r := m.contacts(now, in); r != NoReason {
		return r
	}
	x := &in.Measurement
	live := m.state != Idle && m.state != Discharging
	switch {
	case in.Emergency:
		return Emergency
	case x.Source > m.cfg.MaxVoltage+m.cfg.Tolerance || x.Outlet > m.cfg.MaxVoltage+m.cfg.Tolerance:
		return OverVoltage
	case !live:
		return NoReason
	case (!in.Ready || !in.Locked) && m.state != Opening:
		return VehicleGone
	case now.Sub(x.At) > m.cfg.Limits.Age:
		return Silence
	}
	return m.insulation(now, in)
}

// insulation judges the monitor while the vehicle is on the output.
func (m *Machine) insulation(now time.Time, in *Input) Reason {
	i := &in.Isolation
	switch {
	case m.state == Testing && i.Broken:
		return SelfTest
	case m.state != PreCharging && m.state != PreCharged && m.state != Delivering:
		return NoReason
	case i.Broken, now.Sub(i.At) > m.cfg.Limits.IsolationAge:
		return Silence
	case i.Resistance < m.cfg.Trip:
		return Insulation
	}
	return NoReason
}

// contacts compares both poles with their commands.
func (m *Machine) contacts(now time.Time, in *Input) Reason {
	l := &m.cfg.Limits
	plus := m.plus.observe(now, in.Plus, l)
	minus := m.minus.observe(now, in.Minus, l)
	switch {
	case plus == wrong && in.Plus:
		return PlusWelded
	case minus == wrong && in.Minus:
		return MinusWelded
	case plus == wrong:
		return PlusOpen
	case minus == wrong:
		return MinusOpen
	}
	return NoReason
}

type verdict uint8

const (
	moving verdict = iota
	right
	wrong
)

// observe judges a mirror contact: it may lag behind a command by a limit; after it has followed it may not leave.
func (p *pole) observe(now time.Time, closed bool, l *Limits) verdict {
	limit := l.Open
	if p.command {
		limit = l.Close
	}
	switch {
	case closed == p.command:
		p.confirmed = true
		return right
	case !p.confirmed && now.Sub(p.changed) < limit:
		return moving
	}
	return wrong
}

func (p *pole) set(now time.Time, command bool) {
	if p.command != command {
		p.command, p.changed, p.confirmed = command, now, false
	}
}

// closed reports whether both contacts have followed a command to close.
func (m *Machine) closed() bool {
	return m.plus.command && m.plus.confirmed && m.minus.command && m.minus.confirmed
}

func (m *Machine) fail(now time.Time, r Reason) {
	m.reason = r
	m.become(now, Failed)
}

func (m *Machine) become(now time.Time, s State) {
	m.state, m.since, m.current, m.at = s, now, 0, time.Time{}
}
