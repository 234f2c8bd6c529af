package halsim

import (
	"errors"
	"testing"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// TestMovedFromOutside: a car charges behind contacts that somebody else moves, and only with a pilot that it takes for one.
func TestMovedFromOutside(t *testing.T) {
	for _, tc := range []struct {
		name   string
		period time.Duration
		lines  uint8
		want   [3]unit.Current
	}{
		{"three lines", time.Millisecond, 3, [3]unit.Current{16, 16, 16}},
		{"one line", time.Millisecond, 1, [3]unit.Current{16, 0, 0}},
		{"a little slow", time.Millisecond + 15*time.Microsecond, 3, [3]unit.Current{16, 16, 16}},
		{"no pilot's period", 2 * time.Millisecond, 3, [3]unit.Current{}},
		{"open", time.Millisecond, 0, [3]unit.Current{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := newLab(t, nil, nil)
			if err := errors.Join(l.w.Plug(fixed.EVSE, fixed.Connector, PlugOptions{}),
				l.w.Generate(fixed, 2667, tc.period), l.w.Contact(fixed, tc.lines)); err != nil {
				t.Fatal(err)
			}
			l.run(5 * time.Second)
			for i, got := range l.w.State().EVSEs[fixed.EVSE-1].Current {
				if d := got - tc.want[i]*unit.Ampere; max(d, -d) > 10 {
					t.Errorf("line %d: %v, want %d A", i+1, got, tc.want[i])
				}
			}
		})
	}
}

// TestBoltHoldsThePlug: who moves the bolt decides whether the plug can be pulled.
func TestBoltHoldsThePlug(t *testing.T) {
	l := newLab(t, nil, nil)
	l.ok(l.w.Plug(socket.EVSE, socket.Connector, PlugOptions{}))
	if r, err := l.w.Resistor(socket); err != nil || r != 220*unit.Ohm {
		t.Errorf("resistor %v, %v", r, err)
	}
	l.ok(l.w.Bolt(socket, true))
	if _, err := l.w.Unplug(socket.EVSE, socket.Connector, UnplugOptions{}); !errors.Is(err, ErrImpossible) {
		t.Errorf("pulled a locked plug: %v", err)
	}
	l.ok(l.w.Bolt(socket, false))
	if _, err := l.w.Unplug(socket.EVSE, socket.Connector, UnplugOptions{}); err != nil {
		t.Error(err)
	}
	if p, err := l.w.Pilot(socket); err != nil || p.High < 11*unit.Volt {
		t.Errorf("pilot of an empty socket: %v, %v", p, err)
	}
	if _, err := l.w.Pilot(term.Ref{EVSE: 9, Connector: 1}); !errors.Is(err, ErrNotFound) {
		t.Errorf("a connector that is not there: %v", err)
	}
}

// TestHeldS2: who holds S2 decides what stands on the line; a broken wire looks like an empty socket.
func TestHeldS2(t *testing.T) {
	l := newLab(t, nil, nil)
	closed, open := true, false
	l.wants(l.w.HoldS2(fixed, &closed), ErrImpossible)
	l.ok(l.w.Plug(fixed.EVSE, fixed.Connector, PlugOptions{}))
	for _, tc := range []struct {
		do   func() error
		want term.PilotState
	}{
		{func() error { return l.w.HoldS2(fixed, &closed) }, term.StateC},
		{func() error { return l.w.Break(fixed, true) }, term.StateA},
		{func() error { return l.w.Break(fixed, false) }, term.StateC},
		{func() error { return l.w.HoldS2(fixed, &open) }, term.StateB},
		{func() error { return l.w.HoldS2(fixed, nil) }, term.StateB},
	} {
		l.ok(tc.do())
		if got := l.w.State().EVSEs[0].Pilot; got != tc.want {
			t.Errorf("state %v, want %v", got, tc.want)
		}
	}
}
