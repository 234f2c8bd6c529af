package fit

import (
	"fmt"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/gpio"
	"github.com/evsed/evsed/hal/light"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// Lamps is a Kernel that has LEDs of its own.
type Lamps interface {
	LEDs(names ...string) (light.Lamp, error)
}

// fitLights makes the lights of the connectors, and the display that shows in words what they show.
func (f *Fitted) fitLights() error {
	show, err := f.fitDisplay()
	if err != nil {
		return err
	}
	for _, e := range f.served() {
		ref := term.Ref{EVSE: e.ID, Connector: 1}
		w := &words{show: show, ref: ref}
		if e.Light != nil && f.hasLamps(e.Light) {
			if w.light, err = f.newLight(e); err != nil {
				return fmt.Errorf("light of EVSE %d: %w", e.ID, err)
			}
		}
		if show != nil || w.light != nil {
			f.lights[ref] = w
		}
	}
	return nil
}

// hasLamps says whether the kernel can have such a light at all: a bench has no LEDs.
func (f *Fitted) hasLamps(d *boards.Light) bool {
	_, ok := f.kernel.(Lamps)
	return ok || len(d.LEDs) == 0
}

func (f *Fitted) newLight(e *boards.EVSE) (hal.Indicator, error) {
	name := fmt.Sprintf("light of EVSE %d", e.ID)
	at := place{term.Ref{EVSE: e.ID}, term.FaultOther}
	lamp := &lateLamp{opening[light.Lamp]{now: f.o.Now, open: func() (light.Lamp, error) { return f.openLamp(e.Light) }}}
	l, err := light.New(lamp, light.Options{Name: name, Notify: func(err error) { f.tell(name, at, err) }})
	if err != nil {
		return nil, err
	}
	f.ends = append(f.ends, func() { _ = l.Close() })
	return l, nil
}

func (f *Fitted) openLamp(d *boards.Light) (light.Lamp, error) {
	if len(d.LEDs) > 0 {
		return f.kernel.(Lamps).LEDs(d.LEDs...)
	}
	var lines []gpio.Output
	for _, l := range d.RGB {
		line, err := f.kernel.Output(gpioSpec(l))
		if err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	return light.Lines(lines...)
}

// lateLamp is a lamp that is opened when it is there.
type lateLamp struct{ opening[light.Lamp] }

// Set shows a color.
func (l *lateLamp) Set(c light.Color) error {
	lamp, err := l.get()
	if err != nil {
		return err
	}
	return lamp.Set(c)
}

// Close lets the lamp go.
func (l *lateLamp) Close() error {
	l.end(func(lamp light.Lamp) { _ = lamp.Close() })
	return nil
}

// words is the light of a connector, with the display that says the same in words.
type words struct {
	light hal.Indicator                  // nil: it has none
	show  func(term.Ref, hal.Indication) // nil: there is no display
	ref   term.Ref
}

// Show shows an indication.
func (w *words) Show(in hal.Indication) error {
	if w.show != nil {
		w.show(w.ref, in)
	}
	if w.light == nil {
		return nil
	}
	return w.light.Show(in)
}

// Blink blinks a signal.
func (w *words) Blink(sig hal.Signal, times int) error {
	if w.light == nil {
		return nil
	}
	return w.light.Blink(sig, times)
}

// Dim sets how bright the light is.
func (w *words) Dim(level unit.Percent) error {
	if w.light == nil {
		return nil
	}
	return w.light.Dim(level)
}
