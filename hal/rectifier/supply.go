package rectifier

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/evsed/evsed/hal/can"
	"github.com/evsed/evsed/hal/unit"
)

// Bus is what a supply needs of a CAN bus; *can.Bus is one.
type Bus interface {
	Send(ctx context.Context, f can.Frame) error
	Listen(f can.Filter, size int) (*can.Inbox, error)
}

// Spec describes a supply.
type Spec struct {
	Model         string        // one of Models
	Addresses     []uint8       // of its modules
	MinVoltage    unit.Voltage  // of the output; a voltage below is refused
	MaxVoltage    unit.Voltage  //
	MaxCurrent    unit.Current  // of the output, all modules together
	ModuleCurrent unit.Current  // the most of one module; 0: what it tells, and nothing before it does
	StopOnSilence time.Duration // after which a module that hears nothing stops by itself; 0: 10 s
	Round         time.Duration // between two rounds; 0: 200 ms
	Observe       func(Module)  // called by the supply's goroutine when a module falls silent, comes back or changes its alarms; nil: nobody
}

// Models returns the names of all models. Their frames are the same.
func Models() []string {
	return []string{"infypower/reg1k0100", "infypower/reg1k0100g", "infypower/ceg1k0100g"}
}

// Times of a supply.
const (
	DefaultStopOnSilence = 10 * time.Second
	DefaultRound         = 200 * time.Millisecond
	silentAfter          = 5 // rounds without an answer
	margin               = time.Second
	sendLimit            = 50 * time.Millisecond // of one frame: a queue that stays full is a bus that is off
	inboxSize            = 256
)

// Errors of a supply.
var (
	ErrSpec   = errors.New("no such supply")
	ErrSilent = errors.New("no power module answers")
	ErrRange  = errors.New("outside what the power modules can do")
)

// Module is one module as it was heard last.
type Module struct {
	Address     uint8
	Heard       time.Time // zero: never
	Silent      bool
	Stopped     bool // silent for so long that it has stopped by itself
	Voltage     unit.Voltage
	Current     unit.Current
	Behind      unit.Voltage // behind its diode
	Available   unit.Current
	Temperature unit.Temperature
	Alarms      Alarms
	MaxVoltage  unit.Voltage // that it tells of itself; zero: not yet
	MinVoltage  unit.Voltage
	MaxCurrent  unit.Current
	MaxPower    unit.Power
	Refusal     uint8 // code of its last refusal; 0: none since it last agreed

	output time.Time // of Voltage and Current
}

// Output is the supply as a whole.
type Output struct {
	At      time.Time // of the oldest part
	Voltage unit.Voltage
	Current unit.Current
	Working int // modules that answer and deliver if they are told to
}

// Supply is several modules in parallel. Its methods may be called from any goroutine.
type Supply struct {
	spec   Spec
	bus    Bus
	inbox  *can.Inbox
	cancel context.CancelFunc
	done   chan struct{}
	kick   chan struct{}

	mu      sync.Mutex // everything below
	on      bool
	voltage unit.Voltage
	current unit.Current
	modules []Module
	round   uint64
}

// Open starts a supply; its modules are told to be off first.
func Open(bus Bus, spec Spec) (*Supply, error) {
	spec, err := spec.complete()
	if err != nil {
		return nil, err
	}
	inbox, err := bus.Listen(answers, inboxSize)
	if err != nil {
		return nil, fmt.Errorf("open supply %s: %w", spec.Model, err)
	}
	s := &Supply{spec: spec, bus: bus, inbox: inbox, done: make(chan struct{}), kick: make(chan struct{}, 1)}
	for _, a := range spec.Addresses {
		s.modules = append(s.modules, Module{Address: a})
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	go s.run(ctx)
	return s, nil
}

func (s Spec) complete() (Spec, error) {
	known := false
	for _, m := range Models() {
		known = known || m == s.Model
	}
	seen := map[uint8]bool{}
	for _, a := range s.Addresses {
		if a > maxAddress || seen[a] {
			return s, fmt.Errorf("%w: module address %d: want 0 to %d, each once", ErrSpec, a, maxAddress)
		}
		seen[a] = true
	}
	if s.StopOnSilence == 0 {
		s.StopOnSilence = DefaultStopOnSilence
	}
	if s.Round == 0 {
		s.Round = DefaultRound
	}
	switch {
	case !known:
		return s, fmt.Errorf("%w: model %q: want one of %v", ErrSpec, s.Model, Models())
	case len(s.Addresses) == 0:
		return s, fmt.Errorf("%w: it has no modules", ErrSpec)
	case s.MinVoltage < 0 || s.MaxVoltage <= s.MinVoltage || s.MaxCurrent <= 0:
		return s, fmt.Errorf("%w: %v to %v, %v", ErrSpec, s.MinVoltage, s.MaxVoltage, s.MaxCurrent)
	case s.StopOnSilence < 2*silentAfter*s.Round:
		return s, fmt.Errorf("%w: modules that stop after %v need a round of at most %v", ErrSpec, s.StopOnSilence, s.StopOnSilence/(2*silentAfter))
	}
	return s, nil
}

// Close tells the modules to be off and ends the supply.
func (s *Supply) Close() error {
	s.Off()
	s.cancel()
	<-s.done
	return nil
}

// Set says what the output shall be from now on, on or off. What is out of range changes nothing.
func (s *Supply) Set(v unit.Voltage, c unit.Current) error {
	if v < s.spec.MinVoltage || v > s.spec.MaxVoltage || c < 0 || c > s.spec.MaxCurrent {
		return fmt.Errorf("set %v and %v: %w: %v to %v, at most %v", v, c, ErrRange, s.spec.MinVoltage, s.spec.MaxVoltage, s.spec.MaxCurrent)
	}
	s.mu.Lock()
	s.voltage, s.current = v, c
	s.mu.Unlock()
	s.soon()
	return nil
}

// On switches on what Set has said; before any Set it is refused.
func (s *Supply) On() error {
	s.mu.Lock()
	ready := s.voltage > 0
	s.on = ready
	s.mu.Unlock()
	if !ready {
		return fmt.Errorf("switch on: %w: no voltage was set", ErrRange)
	}
	s.soon()
	return nil
}

// Off switches off.
func (s *Supply) Off() {
	s.mu.Lock()
	s.on = false
	s.mu.Unlock()
	s.soon()
}

// soon begins a round at once.
func (s *Supply) soon() {
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

// Output is the sum of the modules. Without any that answers it is ErrSilent.
func (s *Supply) Output() (Output, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var o Output
	for i := range s.modules {
		m := &s.modules[i]
		if m.Silent || m.output.IsZero() {
			continue
		}
		if o.At.IsZero() || m.output.Before(o.At) {
			o.At = m.output
		}
		o.Voltage = max(o.Voltage, m.Voltage, m.Behind)
		o.Current += m.Current
		if !m.Alarms.Stops() {
			o.Working++
		}
	}
	if o.At.IsZero() {
		return o, ErrSilent
	}
	return o, nil
}

// Modules are all modules, in the order of the Spec.
func (s *Supply) Modules() []Module {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Module(nil), s.modules...)
}

// run is the owner.
func (s *Supply) run(ctx context.Context) {
	defer close(s.done)
	tick := time.NewTimer(0)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			s.say(switchFrame(everybody, false))
			return
		case f, open := <-s.inbox.C():
			if !open {
				<-ctx.Done()
				return
			}
			s.take(&f)
			continue
		case <-s.kick:
		case <-tick.C:
		}
		s.turn()
		tick.Reset(s.spec.Round)
	}
}

// say sends a frame. An error is none here: what was not said is said again in the next round, and who is not heard is
// silent.
func (s *Supply) say(f can.Frame) bool {
	ctx, cancel := context.WithTimeout(context.Background(), sendLimit)
	defer cancel()
	return s.bus.Send(ctx, f) == nil
}

// turn is one round: first what makes less, then what makes more, then questions.
func (s *Supply) turn() {
	s.listenFor(time.Now())
	s.mu.Lock()
	on, voltage, shares := s.on, s.voltage, s.shares()
	ask := cmdState
	if s.round++; s.round%2 == 0 {
		ask = cmdBehindDiode
	}
	modules := append([]Module(nil), s.modules...)
	s.mu.Unlock()
	if !on && !s.say(switchFrame(everybody, false)) {
		return // the bus is down: what follows would only wait
	}
	for i := range modules {
		m := &modules[i]
		frames := []can.Frame{switchFrame(m.Address, false), request(cmdOutput, m.Address), request(uint8(ask), m.Address)}
		if on {
			frames = append([]can.Frame{setFrame(m.Address, voltage, shares[i])}, frames...)
			frames[1] = switchFrame(m.Address, shares[i] > 0)
		}
		if m.MaxVoltage == 0 {
			frames = append(frames, request(cmdCapabilities, m.Address))
		}
		for _, f := range frames {
			if !s.say(f) {
				return
			}
		}
	}
}

// shares divides the current among the modules, each the same, none more than it can. A module that is silent keeps its
// share until it has stopped by itself. The mutex is held.
func (s *Supply) shares() []unit.Current {
	shares := make([]unit.Current, len(s.modules))
	n := 0
	for i := range s.modules {
		if m := &s.modules[i]; !m.Stopped && !m.Alarms.Stops() && s.limit(m) > 0 {
			n++
		}
	}
	if n == 0 {
		return shares
	}
	each := s.current / unit.Current(n)
	for i := range s.modules {
		if m := &s.modules[i]; !m.Stopped && !m.Alarms.Stops() {
			shares[i] = min(each, s.limit(m))
		}
	}
	return shares
}

// limit is the most of one module at the voltage of the supply.
func (s *Supply) limit(m *Module) unit.Current {
	limit := m.MaxCurrent
	if s.spec.ModuleCurrent > 0 && (limit == 0 || s.spec.ModuleCurrent < limit) {
		limit = s.spec.ModuleCurrent
	}
	if m.MaxPower > 0 && s.voltage > 0 {
		limit = min(limit, m.MaxPower.PerPhase(s.voltage, 1))
	}
	return limit
}

// listenFor notes who is silent.
func (s *Supply) listenFor(now time.Time) {
	s.mu.Lock()
	var told []Module
	for i := range s.modules {
		m := &s.modules[i]
		age := now.Sub(m.Heard)
		if m.Heard.IsZero() || age < silentAfter*s.spec.Round {
			continue
		}
		if !m.Silent {
			m.Silent = true
			told = append(told, *m)
		}
		m.Stopped = age > s.spec.StopOnSilence+margin
	}
	s.mu.Unlock()
	s.tell(told...)
}

func (s *Supply) tell(modules ...Module) {
	if s.spec.Observe == nil {
		return
	}
	for _, m := range modules {
		s.spec.Observe(m)
	}
}

// take applies an answer.
func (s *Supply) take(f *can.Frame) {
	h := parseHeader(f.ID)
	if f.Remote || f.Len != can.MaxData || h.to != controller || h.device != oneModule {
		return
	}
	s.mu.Lock()
	var m *Module
	for i := range s.modules {
		if s.modules[i].Address == h.from {
			m = &s.modules[i]
		}
	}
	if m == nil {
		s.mu.Unlock()
		return
	}
	was := *m
	m.Heard, m.Silent, m.Stopped = time.Now(), false, false
	m.apply(&h, &f.Data)
	is := *m
	s.mu.Unlock()
	if is.Silent != was.Silent || is.Alarms&^quiet != was.Alarms&^quiet || is.Refusal != was.Refusal {
		s.tell(is)
	}
}

// quiet are states that come and go in normal work.
const quiet = DCOff | PowerLimited | WalkIn | Sleeping | PFCOff

func (m *Module) apply(h *header, d *[8]byte) {
	switch h.refusal {
	case 0:
	case starting:
		return // it asks for patience
	default:
		m.Refusal = h.refusal
		return
	}
	switch h.command {
	case cmdOutput:
		v, ok1 := milli(d[:4])
		c, ok2 := milli(d[4:])
		if ok1 && ok2 {
			m.Voltage, m.Current, m.output = unit.Voltage(v), unit.Current(c), m.Heard
		}
	case cmdState:
		m.Alarms, m.Temperature = alarmsOf(d), unit.Temperature(int8(d[4]))*unit.Celsius
	case cmdBehindDiode:
		m.Behind = unit.Voltage(be(d[0:])) * 100 * unit.Millivolt
		m.Available = unit.Current(be(d[2:])) * 100 * unit.Milliampere
	case cmdCapabilities:
		m.MaxVoltage, m.MinVoltage = unit.Voltage(be(d[0:]))*unit.Volt, unit.Voltage(be(d[2:]))*unit.Volt
		m.MaxCurrent, m.MaxPower = unit.Current(be(d[4:]))*100*unit.Milliampere, unit.Power(be(d[6:]))*10*unit.Watt
	case cmdSet, cmdSwitch:
		m.Refusal = 0
	}
}

func be(b []byte) int64 { return int64(b[0])<<8 | int64(b[1]) }
