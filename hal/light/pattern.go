package light

import (
	"fmt"
	"time"

	"github.com/evsed/evsed/hal"
)

// Color is how bright each part of a lamp is, 0 to 255.
type Color struct{ R, G, B uint8 }

// Step is a part of a pattern.
type Step struct {
	Color Color
	For   time.Duration
}

// Pattern is what a lamp shows over and over. One step alone is steady, and its For does not count.
type Pattern []Step

// Patterns are what a lamp shows for each indication, and for each time that it blinks for a signal.
type Patterns struct {
	Indications [hal.IndicateFaulted + 1]Pattern
	Signals     [hal.SignalRefused + 1]Pattern // the first is not used
}

// Bounds of patterns: faster is not seen, and photosensitive people are spared.
const (
	minStep  = 100 * time.Millisecond
	maxStep  = time.Minute
	maxSteps = 16
)

// Check says what is wrong with patterns.
func (p *Patterns) Check() error {
	for i, steps := range p.Indications {
		if err := steps.check(); err != nil {
			return fmt.Errorf("pattern for %s: %w", hal.Indication(i), err)
		}
	}
	for i, steps := range p.Signals[hal.SignalAccepted:] {
		sig := hal.Signal(i) + hal.SignalAccepted
		if err := steps.check(); err != nil {
			return fmt.Errorf("pattern for %s: %w", sig, err)
		}
		if len(steps) < 2 {
			return fmt.Errorf("pattern for %s: one step does not blink", sig)
		}
	}
	return nil
}

func (p Pattern) check() error {
	if len(p) == 0 || len(p) > maxSteps {
		return fmt.Errorf("%d steps: want 1 to %d", len(p), maxSteps)
	}
	for _, s := range p {
		if len(p) > 1 && (s.For < minStep || s.For > maxStep) {
			return fmt.Errorf("step of %v: want %v to %v", s.For, minStep, maxStep)
		}
	}
	return nil
}

// length is how long a pattern takes; 0: it is steady.
func (p Pattern) length() time.Duration {
	var d time.Duration
	if len(p) > 1 {
		for _, s := range p {
			d += s.For
		}
	}
	return d
}

// at is what a pattern shows after so long, and for how much longer; 0: for ever.
func (p Pattern) at(after time.Duration) (Color, time.Duration) {
	length := p.length()
	if length == 0 {
		return p[0].Color, 0
	}
	after %= length
	for _, s := range p {
		if after < s.For {
			return s.Color, s.For - after
		}
		after -= s.For
	}
	panic("light: a pattern is longer than its steps")
}

var (
	dark   = Color{}
	green  = Color{0, 255, 0}
	yellow = Color{255, 160, 0}
	white  = Color{255, 255, 255}
	cyan   = Color{0, 255, 160}
	blue   = Color{0, 0, 255}
	violet = Color{160, 0, 255}
	orange = Color{255, 60, 0}
	red    = Color{255, 0, 0}
)

// blinks is a color that is on and off for so many milliseconds.
func blinks(c Color, on, off time.Duration) Pattern {
	return Pattern{{c, on * time.Millisecond}, {dark, off * time.Millisecond}}
}

// Default tells everything from everything else by rhythm alone, for lamps of one color and eyes that see none; color says
// it again.
var Default = Patterns{
	Indications: [...]Pattern{
		hal.IndicateOff:         {{Color: dark}},
		hal.IndicateAvailable:   {{Color: green}},
		hal.IndicateReserved:    blinks(yellow, 1900, 100),
		hal.IndicateAuthorizing: blinks(white, 250, 250),
		hal.IndicateConnected:   blinks(cyan, 1000, 1000),
		hal.IndicateCharging:    blinks(blue, 3000, 500),
		hal.IndicateSuspended:   blinks(violet, 500, 1500),
		hal.IndicateFinishing:   {{cyan, 250 * time.Millisecond}, {dark, 250 * time.Millisecond}, {cyan, 250 * time.Millisecond}, {dark, 1250 * time.Millisecond}},
		hal.IndicateUnavailable: blinks(orange, 100, 1900),
		hal.IndicateFaulted:     blinks(red, 500, 500),
	},
	Signals: [...]Pattern{
		hal.SignalAccepted: blinks(green, 600, 200),
		hal.SignalRefused:  blinks(red, 100, 200),
	},
}
