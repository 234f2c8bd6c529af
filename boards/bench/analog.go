package bench

import (
	"fmt"
	"math"
	"time"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/hal/unit"
)

// fullScale is the greatest count of a converter.
const fullScale = math.MaxUint16

// generator is a PWM channel and the amplifier behind it.
type generator struct {
	invert  bool
	period  time.Duration
	on      time.Duration
	started bool
}

// changed lets the world have what stands on the wire now.
func (g *generator) changed(b *Bench) {
	for _, c := range b.conns {
		if c.pwm == g {
			c.generate()
		}
	}
}

// duty is that of the wire behind the amplifier.
func (g *generator) duty() unit.Duty {
	on, period := g.on, max(g.period, 1)
	if !g.started {
		on = 0
	}
	d := unit.Duty((int64(on)*int64(unit.DutyHigh) + int64(period)/2) / int64(period))
	if g.invert {
		d = unit.DutyHigh - d
	}
	return d
}

// converter is an ADC channel and what stands in front of it, in volts.
type converter struct {
	gain   boards.Gain
	zero   unit.Voltage
	volts  func(time.Time) unit.Voltage
	frozen *int32
	dead   bool
	peak   *peak // nil: none
}

// count is what the converter gives.
func (c *converter) count(now time.Time) int32 {
	if c.frozen != nil {
		return *c.frozen
	}
	v := c.volts
	if c.peak != nil {
		v = c.peak.shows
	}
	return c.counts(v(now))
}

// counts is the inverse of volts = gain * count + zero.
func (c *converter) counts(v unit.Voltage) int32 {
	if c.gain == 0 {
		return 0
	}
	nano := float64(v-c.zero) * 1e6
	return int32(min(max(math.Round(nano/float64(c.gain)), 0), fullScale))
}

// settles is how long a peak detector needs after its reset: one period of the pilot.
const settles = time.Millisecond

// peak is a detector that holds the highest, or lowest, voltage since it was reset.
type peak struct {
	volts    func(time.Time) unit.Voltage
	low      bool // it holds the lowest
	reset    bool // its reset is held: it shows nothing
	released time.Time
	held     unit.Voltage
	any      bool
}

// look takes what stands at the detector now.
func (p *peak) look(now time.Time) {
	if p.reset || now.Sub(p.released) < settles {
		return
	}
	v := p.volts(now)
	if !p.any || v > p.held != p.low {
		p.held, p.any = v, true
	}
}

func (p *peak) shows(now time.Time) unit.Voltage {
	p.look(now)
	if p.reset || !p.any {
		return 0
	}
	return p.held
}

// next is when a detector that was reset has seen a whole period.
func (p *peak) next() time.Time {
	if p.reset || p.any {
		return time.Time{}
	}
	return p.released.Add(settles)
}

func (p *peak) act(t time.Time) { p.look(t) }

// clear follows the reset line.
func (p *peak) clear(now time.Time, on bool) {
	if on || p.reset {
		p.any, p.held = false, 0
		p.released = now
	}
	p.reset = on
}

// Freeze holds a converter at the count that it has now; Thaw lets it go.
func (b *Bench) Freeze(name string) error {
	return b.converts(name, func(c *converter) {
		n := c.count(b.at)
		c.frozen = &n
	})
}

// Thaw lets a frozen or unplugged converter go on.
func (b *Bench) Thaw(name string) error {
	return b.converts(name, func(c *converter) { c.frozen, c.dead = nil, false })
}

// Unplug takes the converter, or the thermometer, of a name away: reading it fails.
func (b *Bench) Unplug(name string) error {
	if p := b.hot[name]; p != nil {
		return b.within(func() error { p.dead = true; return nil })
	}
	return b.converts(name, func(c *converter) { c.dead = true })
}

func (b *Bench) converts(name string, do func(*converter)) error {
	return b.within(func() error {
		c := b.adcs[name]
		if c == nil {
			return fmt.Errorf("converter %s: the board has none", name)
		}
		do(c)
		return nil
	})
}
