package halsim

import (
	"errors"
	"fmt"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// What follows is for a board that has mechanics of its own: coils with their travel, a motor in the lock, a generator of
// any period. The world then has the contacts, the bolts and the wires that this board moves, and all that is behind them.

// pilotPeriod is that of the pilot's PWM; a vehicle takes what is more than periodTolerance away from it for none
// (IEC 61851-1 Annex A: 1 kHz).
const (
	pilotPeriod     = time.Millisecond
	periodTolerance = pilotPeriod / 50
)

// Generate drives the pilot of a connector with pulses of a duty and a period. Steady lines have no period.
func (w *World) Generate(ref term.Ref, duty unit.Duty, period time.Duration) error {
	return w.outside(ref, func(c *connector) {
		c.duty = duty
		c.foreign = duty != unit.DutyHigh && duty != unit.DutyLow && (period-pilotPeriod).Abs() > periodTolerance
	})
}

// Contact closes the main contacts of a connector for that many lines, at once; 0 opens them.
func (w *World) Contact(ref term.Ref, lines uint8) error {
	return w.outside(ref, func(c *connector) {
		k := &c.contactor
		if was := k.contact; was != (lines > 0) {
			w.observe(Event{At: w.now, Kind: EventRelay, Ref: ref, On: lines > 0})
		}
		k.contact, k.coil, k.moves, k.bounce = lines > 0, lines > 0, time.Time{}, time.Time{}
		if lines > 0 {
			k.phases = lines
		}
	})
}

// Bolt moves the bolt of a connector's lock to one of its ends.
func (w *World) Bolt(ref term.Ref, locked bool) error {
	return w.outside(ref, func(c *connector) {
		l := &c.lock
		if l.locked != locked {
			w.dirty = true
			w.observe(Event{At: w.now, Kind: EventLock, Ref: ref, On: locked})
		}
		l.locked, l.command, l.moves = locked, locked, time.Time{}
	})
}

// Pilot is what stands on the pilot line of a connector, while the mains are off too: nothing then.
func (w *World) Pilot(ref term.Ref) (hal.PilotSample, error) {
	var s hal.PilotSample
	err := w.outside(ref, func(c *connector) { s = c.sample() })
	return s, err
}

// Resistor is what the proximity contact of a connector shows against earth.
func (w *World) Resistor(ref term.Ref) (unit.Resistance, error) {
	var r unit.Resistance
	err := w.outside(ref, func(c *connector) { r = c.resistance() })
	return r, err
}

// Break breaks the pilot's wire in the cable of a connector, or the earth that it returns by; or mends it.
func (w *World) Break(ref term.Ref, on bool) error {
	return w.outside(ref, func(c *connector) { c.broken = on })
}

// HoldS2 holds S2 of the car at a connector, as the box of a test bench does in place of a car; nil lets go of it. It is
// gone with the car.
func (w *World) HoldS2(ref term.Ref, closed *bool) error {
	var missing error
	err := w.outside(ref, func(c *connector) {
		if c.car == nil {
			missing = fmt.Errorf("hold S2 of connector %v: %w: no car is plugged", ref, ErrImpossible)
			return
		}
		c.car.forced = closed
	})
	return errors.Join(err, missing)
}

// outside does something at a connector, and lets the world follow.
func (w *World) outside(ref term.Ref, do func(*connector)) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	c, err := w.connector(ref)
	if err != nil {
		return err
	}
	do(c)
	c.e.act(w.now)
	return nil
}
