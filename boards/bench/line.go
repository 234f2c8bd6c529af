package bench

import (
	"fmt"
	"time"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/hal/gpio"
)

// line is a GPIO line of the board.
type line struct {
	name  string
	low   bool // the board's own polarity: the signal is there while the wire is low
	bias  boards.Bias
	read  func(time.Time) bool // an input: whether the signal is there; nil: nothing drives it
	wrote func(time.Time, bool)
	wire  bool // level that an output drives
	out   bool // somebody drives it
	owned bool
	spec  gpio.Spec // that its owner has
	stuck *bool     // level that it stands at whatever drives it
	cut   bool      // nothing reaches it
}

// rest is the level of a wire that nobody drives: an input by its pull, an output as its own circuit has it at a reset,
// without the signal.
func (l *line) rest() bool {
	switch {
	case l.read != nil && l.bias == boards.BiasPullUp:
		return true
	case l.read != nil:
		return false
	}
	return l.low
}

// pull sets the pull of an input as its reader asks.
func (l *line) pull(b gpio.Bias) {
	switch b {
	case gpio.BiasUp:
		l.bias = boards.BiasPullUp
	case gpio.BiasDown:
		l.bias = boards.BiasPullDown
	case gpio.BiasNone:
		l.bias = boards.BiasNone
	}
}

// level is what stands on the wire.
func (l *line) level(now time.Time) bool {
	switch {
	case l.stuck != nil:
		return *l.stuck
	case l.cut:
		return l.rest()
	case l.read != nil:
		return l.read(now) != l.low
	case l.out:
		return l.wire
	}
	return l.rest()
}

// follow tells the circuit behind an output what stands on its wire.
func (l *line) follow(now time.Time) {
	if l.wrote != nil {
		l.wrote(now, l.level(now) != l.low)
	}
}

// input makes a line one that the board drives.
func (b *Bench) input(w *boards.Line, read func(time.Time) bool) error {
	if w == nil {
		return nil
	}
	l, err := b.newLine(w)
	l.read = read
	return err
}

// output makes a line one that the board follows.
func (b *Bench) output(w *boards.Line, wrote func(time.Time, bool)) error {
	if w == nil {
		return nil
	}
	l, err := b.newLine(w)
	l.wrote = wrote
	return err
}

func (b *Bench) newLine(w *boards.Line) (*line, error) {
	if _, twice := b.lines[w.Name]; twice {
		return &line{}, fmt.Errorf("line %s: two circuits at it", w.Name)
	}
	l := &line{name: w.Name, low: w.ActiveLow, bias: w.Bias}
	b.lines[w.Name] = l
	b.order = append(b.order, l)
	return l, nil
}

// Stick holds a line at a level, whatever drives it.
func (b *Bench) Stick(name string, high bool) error {
	return b.breaks(name, func(l *line) { l.stuck = &high })
}

// Cut breaks the wire behind a line: an input shows its pull, an output drives nothing.
func (b *Bench) Cut(name string) error { return b.breaks(name, func(l *line) { l.cut = true }) }

// Mend ends what was done to a line.
func (b *Bench) Mend(name string) error {
	return b.breaks(name, func(l *line) { l.stuck, l.cut = nil, false })
}

func (b *Bench) breaks(name string, do func(*line)) error {
	return b.within(func() error {
		l := b.lines[name]
		if l == nil {
			return fmt.Errorf("line %s: the board has none", name)
		}
		do(l)
		l.follow(b.at)
		return nil
	})
}

// Level is what stands on the wire of a line.
func (b *Bench) Level(name string) (high bool, err error) {
	err = b.within(func() error {
		l := b.lines[name]
		if l == nil {
			return fmt.Errorf("line %s: the board has none", name)
		}
		high = l.level(b.at)
		return nil
	})
	return high, err
}
