package virtual

import (
	"slices"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// light is the light of one connector.
type light struct {
	ref term.Ref
	hal.Indicator
}

// wireLights finds the lights of the connectors that have one.
func (l *life) wireLights() error {
	for _, e := range l.s.o.Station.EVSEs {
		for _, k := range e.Connectors {
			ref := term.Ref{EVSE: e.ID, Connector: k.ID}
			in, err := l.fitting.Indicator(ref)
			if err != nil {
				return err
			}
			if in != nil {
				l.lights = append(l.lights, light{ref, in})
			}
		}
	}
	return nil
}

// Indicate shows the state of a connector. Where it has no light, only who watches the station hears of it.
func (b board) Indicate(ref term.Ref, in hal.Indication) {
	b.l.s.tell("light", ref.String()+" "+in.String())
	b.light(func(x light) error {
		if x.ref != ref {
			return nil
		}
		return x.Show(in)
	})
}

// Signal blinks at some EVSEs.
func (b board) Signal(evses []term.EVSEID, sig hal.Signal, times int) {
	b.light(func(x light) error {
		if len(evses) > 0 && !slices.Contains(evses, x.ref.EVSE) {
			return nil
		}
		return x.Blink(sig, times)
	})
}

// Dim sets the brightness of all.
func (b board) Dim(level unit.Percent) {
	b.light(func(x light) error { return x.Dim(level) })
}

// light does something to each light. One that does not obey keeps nobody from charging.
func (b board) light(do func(light) error) {
	for _, x := range b.l.lights {
		if err := do(x); err != nil {
			b.l.s.o.Log.Warn("light", "connector", x.ref.String(), "err", err)
		}
	}
}
