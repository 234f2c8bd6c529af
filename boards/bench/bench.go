package bench

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/mcu"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// Options say how a bench is set up.
type Options struct {
	Clock   func() time.Time // monotonic
	Seed    uint64           // of the measurement noise
	Observe func(halsim.Event)
}

// Bench is a board on a test bench, with cables, cars and a grid. Its methods may be called from any goroutine.
type Bench struct {
	board *boards.Board
	clock func() time.Time

	mu    sync.Mutex // everything below
	at    time.Time
	world *halsim.World
	dark  bool // no power
	lines map[string]*line
	order []*line // as the board has them
	pwms  map[string]*generator
	adcs  map[string]*converter
	hot   map[string]*place // thermometers that the kernel reads itself
	dogs  map[string]*dog
	bites int // of watchdogs
	conns []*connector
	moved []mechanic
	ins   map[string]*button
	mcus  map[string]*controller // by port
	field field
}

// mechanic is what moves by itself once it is driven.
type mechanic interface {
	next() time.Time
	act(time.Time)
}

// button is an input of the board and whether somebody presses it.
type button struct {
	boards.Input
	pressed bool
}

// errDark is what every device says while there is no power.
var errDark = errors.New("the bench has no power")

// New builds the board. An error says which wires contradict each other.
func New(board *boards.Board, o Options) (*Bench, error) {
	b := &Bench{board: board, clock: o.Clock, at: o.Clock(), lines: map[string]*line{}, pwms: map[string]*generator{}, adcs: map[string]*converter{},
		hot: map[string]*place{}, dogs: map[string]*dog{}, mcus: map[string]*controller{}, ins: map[string]*button{}}
	cfg := halsim.Config{Clock: func() time.Time { return b.at }, Seed: o.Seed, Observe: o.Observe}
	for i := range board.EVSEs {
		cfg.EVSEs = append(cfg.EVSEs, worldOf(&board.EVSEs[i]))
	}
	var err error
	if b.world, err = halsim.New(cfg, nil); err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	if err := b.build(); err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	return b, nil
}

// worldOf is an EVSE as the world has it; a DC one as a single line.
func worldOf(e *boards.EVSE) halsim.EVSE {
	return halsim.EVSE{ID: e.ID, Phases: max(e.Phases, 1), MaxCurrent: max(e.MaxCurrent, unit.Ampere), Connectors: []halsim.Connector{
		{ID: 1, Socket: !e.Connector.Tethered, Lock: e.Lock != nil, Light: e.Light != nil}}}
}

func (b *Bench) build() error {
	var all error
	for i := range b.board.EVSEs {
		c := &connector{b: b, e: &b.board.EVSEs[i], ref: term.Ref{EVSE: b.board.EVSEs[i].ID, Connector: 1}}
		b.conns = append(b.conns, c)
		all = errors.Join(all, c.build())
	}
	for _, in := range b.board.Inputs {
		k := &button{Input: in}
		b.ins[in.Name] = k
		if in.MCU == "" {
			all = errors.Join(all, b.input(&k.Line, func(time.Time) bool { return k.pressed }))
		}
	}
	for i := range b.board.MCUs {
		all = errors.Join(all, b.buildController(&b.board.MCUs[i]))
	}
	all = errors.Join(all, b.buildField())
	if d := b.board.Watchdog; d != nil {
		k := &dog{b: b, timeout: d.Timeout}
		b.dogs[d.Path], b.moved = k, append(b.moved, k)
	}
	return all
}

// within does something at the clock's now.
func (b *Bench) within(do func() error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.advance()
	return do()
}

// advance moves the board to the clock's now, one mechanical event after the other. The mutex is held.
func (b *Bench) advance() {
	for end := b.clock(); b.at.Before(end); {
		to := end
		for _, m := range b.moved {
			if t := m.next(); !t.IsZero() && t.Before(to) {
				to = t
			}
		}
		b.at = maxTime(to, b.at)
		for _, m := range b.moved {
			if t := m.next(); !t.IsZero() && !t.After(b.at) {
				m.act(b.at)
			}
		}
		b.settle()
	}
}

func maxTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// settle lets the world have what the mechanics have moved.
func (b *Bench) settle() {
	for _, c := range b.conns {
		c.settle()
	}
}

// release is what a reset does to the wires: every output goes back to its rest, every generator stops.
func (b *Bench) release() {
	for _, l := range b.order {
		if l.wrote != nil {
			l.out = false
			l.follow(b.at)
		}
	}
	for _, c := range b.conns {
		c.reset()
	}
	b.settle()
}

// restart is what comes back with the power.
func (b *Bench) restart() {
	for _, l := range b.order {
		l.owned = false
	}
	for _, k := range b.mcus {
		k.bound = nil
		k.sim.Reset(mcu.ResetPower)
	}
}

// Power switches the mains of the station. Without them every coil releases and every device is dead; who had requested
// lines has to do so again.
func (b *Bench) Power(on bool) error {
	return b.within(func() error {
		b.dark = !on
		if err := b.world.SetPower(on); err != nil {
			return err
		}
		b.release()
		b.restart()
		return nil
	})
}

// World does something to cables, cars and grid.
func (b *Bench) World(do func(*halsim.World) error) error {
	return b.within(func() error {
		err := do(b.world)
		b.settle()
		return err
	})
}

// State is the world as it is now.
func (b *Bench) State() (s halsim.State) {
	_ = b.within(func() error { s = b.world.State(); return nil })
	return s
}

// Press presses or releases a button, a door contact, or the relay of a grid operator, by the name of the input.
func (b *Bench) Press(name string, on bool) error {
	return b.within(func() error {
		k := b.ins[name]
		if k == nil {
			return fmt.Errorf("input %s: the board has none", name)
		}
		k.pressed = on
		return nil
	})
}

// dog is a watchdog of the board.
type dog struct {
	b       *Bench
	timeout time.Duration
	petted  time.Time
	pets    int
}

func (d *dog) next() time.Time {
	if d.petted.IsZero() {
		return time.Time{}
	}
	return d.petted.Add(d.timeout)
}

// act resets the board.
func (d *dog) act(time.Time) {
	d.petted = time.Time{}
	d.b.bites++
	d.b.release()
}

// Resets is how often a watchdog has reset the board.
func (b *Bench) Resets() (n int) {
	_ = b.within(func() error { n = b.bites; return nil })
	return n
}
