package virtual

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/guard"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/run"
	"github.com/evsed/evsed/station/term"
)

// Guard is what drives the contactors, as the station has it.
type Guard interface {
	run.GuardLink
	Service(term.Ref)
	Status(term.Ref) (iec61851.Status, bool)
	Run(context.Context) error // drives until ctx ends, and opens everything then
	Stop() error               // opens everything, where Run was never called
}

// GuardMaker makes the guard of one life, which asserts the safe state at once.
type GuardMaker func(wires Wires, connectors []iec61851.Config, clock func() time.Time) (Guard, error)

// maxTemperature is where socket and cable of the simulated station are called too hot, in 0.001 degrees Celsius.
const maxTemperature = 90_000

// Connectors are what a guard has to know of a simulated station.
func Connectors(c station.Config) []iec61851.Config {
	var all []iec61851.Config
	for _, e := range c.EVSEs {
		for _, k := range e.Connectors {
			all = append(all, iec61851.Config{Ref: term.Ref{EVSE: e.ID, Connector: k.ID}, MaxCurrent: e.MaxCurrent, Phases: uint8(max(e.Phases, 1)),
				Tethered: k.Tethered, HasLock: !k.Tethered, HasFeedback: true, Meter: iec61851.MeterReport,
				Ventilation: true, MaxTemperature: maxTemperature, MaxCableTemperature: maxTemperature})
		}
	}
	return all
}

func (l *life) buildGuard() (err error) {
	begin := l.s.o.Guard
	if begin == nil {
		begin = l.guardWithin
	}
	if l.guard, err = begin(l.fitting, l.fitting.Connectors(), l.s.clock.Now); err != nil {
		return fmt.Errorf("guard: %w", err)
	}
	return nil
}

// within is a guard in the station's own process.
type within struct {
	*guard.Pipe
	*guard.Guard
	moved *moment
}

func (l *life) guardWithin(wires Wires, connectors []iec61851.Config, _ func() time.Time) (Guard, error) {
	var refs []term.Ref
	clock, moved := l.party(), newMoment()
	cfg := guard.Config{Clock: clock.Now, Real: l.guardReal(clock, moved), Watchdog: wires.Watchdog()}
	for _, c := range connectors {
		dev, err := wires.Devices(c.Ref)
		if err != nil {
			return nil, err
		}
		refs = append(refs, c.Ref)
		cfg.Connectors = append(cfg.Connectors, guard.Connector{Devices: dev, Config: c})
	}
	pipe := guard.NewPipe(refs)
	g, err := guard.New(cfg, pipe)
	if err != nil {
		return nil, err
	}
	return within{pipe, g, moved}, nil
}

// guardReal is the guard's sleep: before it the loop's turn is promised if the guard has told it something.
func (l *life) guardReal(clock *Party, moved *moment) func(time.Duration) time.Duration {
	return func(d time.Duration) time.Duration {
		moved.now()
		if l.loop != nil {
			l.loop.Woken()
		}
		return clock.Real(d)
	}
}

// errRealTime says why a clock cannot be changed.
var errRealTime = errors.New("the guard is a process of its own and knows the real time only")
