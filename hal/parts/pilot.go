package parts

import (
	"fmt"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/pwm"
	"github.com/evsed/evsed/hal/unit"
)

// Bounds of a pilot generator: 1 kHz (IEC 61851-1 Annex A) with room for what a chip makes of it.
const (
	minPeriod = 950 * time.Microsecond
	maxPeriod = 1050 * time.Microsecond
)

// generator drives the pilot line.
type generator struct {
	now      func() time.Time
	ch       pwm.Channel
	period   time.Duration
	inverted bool
	duty     unit.Duty
	since    time.Time // it drives this duty
}

func (b *builder) generator() (generator, error) {
	p, err := b.need(hal.RolePilotPWM)
	if err != nil {
		return generator{}, err
	}
	g := generator{now: b.k.Now, period: time.Duration(p.A), inverted: p.Flags&hal.PartInverted != 0, duty: unit.DutyHigh, since: b.k.Now()}
	if g.period < minPeriod || g.period > maxPeriod {
		return g, fmt.Errorf("%s: a period of %v: want %v to %v", name(p), g.period, minPeriod, maxPeriod)
	}
	if g.ch, err = b.k.PWM(p.Name); err != nil {
		return g, fmt.Errorf("%s: %w", name(p), err)
	}
	return g, nil
}

// SetDuty drives the line from the next period on.
func (g *generator) SetDuty(d unit.Duty) error {
	on := g.period * time.Duration(min(max(d, unit.DutyLow), unit.DutyHigh)) / time.Duration(unit.DutyHigh)
	if g.inverted {
		on = g.period - on
	}
	if err := g.ch.Set(g.period, on); err != nil {
		return err
	}
	g.duty, g.since = d, g.now()
	return nil
}

// pulsing reports whether the line shows both halves.
func (g *generator) pulsing() bool { return g.duty != unit.DutyHigh && g.duty != unit.DutyLow }

// steady is how long it has driven the line as it does.
func (g *generator) steady() time.Duration { return g.now().Sub(g.since) }

func (b *builder) pilot() (any, error) {
	g, err := b.generator()
	if err != nil {
		return nil, err
	}
	high, err := b.one(hal.RolePilotHigh)
	if err != nil {
		return nil, err
	}
	compared := false
	for i := range b.parts {
		if r := b.parts[i].Role; r == hal.RolePilotAbove || r == hal.RolePilotBelow {
			compared = true
		}
	}
	if high != nil && compared {
		return nil, fmt.Errorf("%s beside comparators: want the one or the other", name(high))
	}
	if compared {
		return b.comparators(g)
	}
	return b.measured(g)
}
