package rig

import (
	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
)

// Wire is one connector as the guard has it: control pilot, contactor, and the board's watchdog.
type Wire struct {
	b *Board
	w *wire
}

// Sample reads the pilot. The low half is that of a vehicle's diode while PWM runs.
func (w *Wire) Sample() (hal.PilotSample, error) {
	now := w.b.now()
	high := unit.Voltage(w.w.high.Load())
	if high < readyBelow {
		w.w.ready.Store(now)
	} else if w.w.last.Load() == w.w.ready.Load() {
		w.w.out.Store(now)
	}
	w.w.last.Store(now)
	s := hal.PilotSample{High: high, Low: high}
	switch d := unit.Duty(w.w.duty.Load()); {
	case d == unit.DutyLow:
		s.High, s.Low = -12*unit.Volt, -12*unit.Volt
	case d != unit.DutyHigh:
		s.Low = -12 * unit.Volt
	}
	return s, nil
}

// SetDuty drives the pilot.
func (w *Wire) SetDuty(d unit.Duty) error {
	w.w.duty.Store(int64(d))
	return nil
}

// Set moves the contactor, which follows at once, and notes when.
func (w *Wire) Set(closed bool, _ uint8) error {
	now := w.b.now()
	if closed {
		w.w.closed.Store(1)
		w.w.closes.Add(1)
		return nil
	}
	if !w.b.told {
		w.b.told = true
		w.b.m.safe.Store(now)
	}
	w.w.closed.Store(0)
	o := &w.w.opened
	o.Ready.Store(w.w.ready.Load())
	o.Out.Store(w.w.out.Load())
	o.Sampled.Store(w.w.last.Load())
	o.Commanded.Store(now)
	w.w.opens.Add(1) // last: whoever sees the count sees the rest
	return nil
}

// Closed is the mirror contact.
func (w *Wire) Closed() (bool, error) { return w.w.closed.Load() != 0, nil }

// Pet counts.
func (w *Wire) Pet() error {
	w.b.m.pets.Add(1)
	return nil
}
