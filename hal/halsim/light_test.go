package halsim

import (
	"slices"
	"testing"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

func lightOf(l *lab, ref term.Ref) hal.Indicator {
	l.t.Helper()
	in, err := l.w.Indicator(ref)
	l.ok(err)
	return in
}

func (l *lab) seen() LightState {
	l.t.Helper()
	s := l.w.State().EVSEs[0].Connectors[0].Light
	if s == nil {
		l.t.Fatal("no light")
	}
	return *s
}

// A light blinks as often as it was told, in the colour of the signal, and then shows what it was told meanwhile.
func TestLightBlinks(t *testing.T) {
	l := newLab(t, nil, nil)
	in := lightOf(l, fixed)
	l.ok(in.Show(hal.IndicateAvailable))
	if s := l.seen(); s.Color != "green" || !s.Lit || s.Signal != 0 || s.Level != unit.HundredPercent {
		t.Fatalf("%+v", s)
	}
	l.ok(in.Blink(hal.SignalRefused, 3))
	flashes, was := 0, false
	for range 200 { // 2 s
		s := l.seen()
		if s.Signal != 0 && s.Color != "red" {
			t.Fatalf("%+v", s)
		}
		if s.Signal != 0 && s.Lit && !was {
			flashes++
			if want := 4 - flashes; s.Left != want {
				t.Errorf("flash %d: %d left, want %d", flashes, s.Left, want)
			}
		}
		was = s.Signal != 0 && s.Lit
		l.run(10 * time.Millisecond)
		if l.now.Sub(epoch) == time.Second {
			l.ok(in.Show(hal.IndicateConnected))
		}
	}
	if s := l.seen(); flashes != 3 || s.Signal != 0 || s.Color != "cyan" || !s.Lit {
		t.Errorf("blinked %d times, then %+v", flashes, s)
	}
	var kinds []EventKind
	for _, ev := range l.events {
		kinds = append(kinds, ev.Kind)
	}
	if !slices.Equal(kinds, []EventKind{EventLight, EventSignal, EventLight}) {
		t.Errorf("events %v", l.events)
	}
}

func TestNewSignalEndsTheOneBefore(t *testing.T) {
	l := newLab(t, nil, nil)
	in := lightOf(l, fixed)
	l.ok(in.Blink(hal.SignalRefused, 50))
	l.run(time.Second)
	l.ok(in.Blink(hal.SignalAccepted, 1))
	if s := l.seen(); s.Signal != hal.SignalAccepted || s.Left != 1 || s.Color != "green" {
		t.Errorf("%+v", s)
	}
	l.run(2 * blinkFor)
	if s := l.seen(); s.Signal != 0 || s.Lit {
		t.Errorf("%+v", s)
	}
}

func TestLightIsDimmedAndGoesOutWithThePower(t *testing.T) {
	l := newLab(t, nil, nil)
	in := lightOf(l, fixed)
	l.ok(in.Show(hal.IndicateCharging))
	l.ok(in.Dim(0))
	if s := l.seen(); s.Lit || s.Level != 0 || s.Shows != hal.IndicateCharging {
		t.Errorf("%+v", s)
	}
	l.ok(in.Dim(40 * unit.OnePercent))
	if s := l.seen(); !s.Lit || s.Level != 40*unit.OnePercent {
		t.Errorf("%+v", s)
	}
	l.wants(in.Dim(-1), ErrBadValue)
	l.wants(in.Dim(unit.HundredPercent+1), ErrBadValue)
	l.wants(in.Blink(hal.SignalAccepted, 0), ErrBadValue)
	l.wants(in.Blink(0, 1), ErrBadValue)
	l.ok(in.Blink(hal.SignalAccepted, 9))
	l.ok(l.w.SetPower(false))
	if s := l.seen(); s.Lit || s.Signal != 0 || s.Shows != hal.IndicateOff {
		t.Errorf("without power: %+v", s)
	}
	if in.Show(hal.IndicateFaulted) == nil || in.Blink(hal.SignalAccepted, 1) == nil || in.Dim(0) == nil {
		t.Error("a light without power obeys")
	}
	if in := lightOf(l, socket); in != nil || l.w.State().EVSEs[1].Connectors[0].Light != nil {
		t.Error("a light where there is none")
	}
	if _, err := l.w.Indicator(term.Ref{EVSE: 9, Connector: 1}); err == nil {
		t.Error("a light at no connector")
	}
}

// Whatever there is to be shown has a colour.
func TestEverythingHasAColor(t *testing.T) {
	if len(colors) != int(hal.IndicateFaulted)+1 || colors[hal.IndicateCharging] != "blue" || colors[hal.IndicateFaulted] != "red" {
		t.Errorf("%q", colors)
	}
}
