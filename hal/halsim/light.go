package halsim

import (
	"fmt"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// blinkFor is how long a light is lit, and then dark, for each time that it blinks.
const blinkFor = 250 * time.Millisecond

// light is the lamp of one connector: what it shows, and a signal that it blinks over that.
type light struct {
	shows  hal.Indication
	level  unit.Percent
	signal hal.Signal
	times  int
	since  time.Time // of the signal
}

// dark is a lamp that nobody has told anything.
var dark = light{level: unit.HundredPercent}

// LightState is what somebody sees who looks at a light.
type LightState struct {
	Shows  hal.Indication // but for a signal
	Level  unit.Percent
	Signal hal.Signal // that it blinks; 0: none
	Left   int        // how often it will have been lit for the signal from now on, this time included
	Lit    bool
	Color  string // of the indication, or of the signal
}

// colors are those of the indications and of the signals, in their order.
var (
	colors       = [...]string{"none", "green", "yellow", "white", "cyan", "blue", "violet", "cyan", "orange", "red"}
	signalColors = [...]string{hal.SignalAccepted: "green", hal.SignalRefused: "red"}
)

// at is what the lamp looks like at t.
func (l *light) at(t time.Time) LightState {
	s := LightState{Shows: l.shows, Level: l.level, Lit: l.shows != hal.IndicateOff, Color: colors[l.shows]}
	gone := t.Sub(l.since)
	if past := int(gone / (2 * blinkFor)); past < l.times {
		s.Signal, s.Left, s.Color = l.signal, l.times-past, signalColors[l.signal]
		s.Lit = gone%(2*blinkFor) < blinkFor
	}
	s.Lit = s.Lit && l.level > 0
	return s
}

// Indicator returns the light of one connector; nil where there is none.
func (w *World) Indicator(ref term.Ref) (hal.Indicator, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c, err := w.connector(ref)
	if err != nil {
		return nil, fmt.Errorf("wire light: %w", err)
	}
	if !c.cfg.Light {
		return nil, nil
	}
	return lightDevice{c}, nil
}

type lightDevice struct{ c *connector }

func (d lightDevice) Show(in hal.Indication) error {
	err := d.c.enter()
	defer d.c.exit()
	if err != nil || in == d.c.light.shows {
		return err
	}
	d.c.light.shows = in
	d.c.sees(EventLight)
	return nil
}

func (d lightDevice) Blink(sig hal.Signal, times int) error {
	if sig < hal.SignalAccepted || sig > hal.SignalRefused || times < 1 {
		return fmt.Errorf("blink %s %d times: %w", sig, times, ErrBadValue)
	}
	err := d.c.enter()
	defer d.c.exit()
	if err != nil {
		return err
	}
	d.c.light.signal, d.c.light.times, d.c.light.since = sig, times, d.c.e.w.now
	d.c.sees(EventSignal)
	return nil
}

func (d lightDevice) Dim(level unit.Percent) error {
	if level < 0 || level > unit.HundredPercent {
		return fmt.Errorf("dim to %s: %w", level, ErrBadValue)
	}
	err := d.c.enter()
	defer d.c.exit()
	if err != nil || level == d.c.light.level {
		return err
	}
	d.c.light.level = level
	d.c.sees(EventLight)
	return nil
}

// sees tells what the light looks like from now on.
func (c *connector) sees(kind EventKind) {
	w := c.e.w
	w.observe(Event{At: w.now, Kind: kind, Ref: c.ref, Light: c.light.at(w.now)})
}
