package bringup

import (
	"errors"
	"fmt"
	"time"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

// Interlocks of whatever moves a contact by itself.
const (
	quietFor  = 2 * time.Second  // nothing is plugged
	pulseMost = 2 * time.Second  // a contactor is closed
	pause     = 10 * time.Second // between two pulses
)

// ErrInterlock is a refusal that nobody can skip.
var ErrInterlock = errors.New("refused by an interlock")

// quiet wants state A for a while, and the pause since the last pulse to be over.
func (s *session) quiet(d hal.Devices) error {
	if rest := s.tested.Add(pause).Sub(s.Rig.Now()); !s.tested.IsZero() && rest > 0 {
		s.Person.Say(fmt.Sprintf("  (%d s until the contactor may move again)", (rest+time.Second-1)/time.Second))
		if err := s.wait(rest); err != nil {
			return err
		}
	}
	if _, _, err := s.samples(d); err != nil { // filters forget what was plugged before
		return err
	}
	var last term.PilotState
	for end := s.Rig.Now().Add(quietFor); s.Rig.Now().Before(end); {
		v, err := d.Pilot.Sample()
		if err != nil {
			return err
		}
		if last = iec61851.Classify(v.High, last); last != term.StateA {
			return fmt.Errorf("%w: state is %v, and it has to be A for %v: unplug everything [REL-02]", ErrInterlock, last, quietFor)
		}
		if err := s.wait(5 * time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// contactor closes and opens with no car and no load, and measures what the mirror contacts do.
func (s *session) contactor(e *boards.EVSE) error {
	d := s.devices(e).Devices
	text := "Unplug everything: the contactor closes three times."
	if err := s.done(fmt.Sprintf("state.A@%d", e.ID), text); err != nil {
		return err
	}
	for range 3 {
		if err := s.quiet(d); err != nil {
			return err
		}
		if err := s.pulse(e, d); err != nil {
			return err
		}
	}
	return s.scope(fmt.Sprintf("behind@%d", e.ID), "Voltage behind the open contactor, against earth,", "behind the open contactor", "V", 0, 50)
}

// limits are how long the contacts may take.
func limits(e *boards.EVSE) (closes, opens time.Duration) {
	closes, opens = e.Contactors.Close, e.Contactors.Open
	if closes == 0 {
		closes = iec61851.CloseLimit
	}
	if opens == 0 {
		opens = iec61851.OpenLimit
	}
	return closes, opens
}

// pulse is one closing and one opening.
func (s *session) pulse(e *boards.EVSE, d hal.Devices) error {
	closes, opens := limits(e)
	defer func() { s.tested = s.Rig.Now() }()
	if was, err := d.Contactor.Closed(); err != nil || was {
		return errors.Join(err, errIf(was, errors.New("the contacts say closed before they were told: welded, or the feedback's polarity is wrong")))
	}
	if err := d.Contactor.Set(true, e.Phases); err != nil {
		return err
	}
	defer func() { _ = d.Contactor.Set(false, 0) }()
	took, err := s.follow(d.Contactor, true, iec61851.CloseLimit)
	if err != nil {
		return err
	}
	edges, err := s.bounces(d.Contactor, 100*time.Millisecond)
	if err != nil {
		return err
	}
	if err := s.wait(min(400*time.Millisecond, pulseMost)); err != nil {
		return err
	}
	s.measured("closes after", took.Milliseconds(), "ms", closes.Milliseconds()*lines(e))
	s.measured("bounces", int64(edges), "edges", 20)
	if err := d.Contactor.Set(false, 0); err != nil {
		return err
	}
	if took, err = s.follow(d.Contactor, false, iec61851.OpenLimit); err != nil {
		return fmt.Errorf("welded, or it does not open: %w", err)
	}
	s.measured("opens after", took.Milliseconds(), "ms", opens.Milliseconds())
	return nil
}

// lines is how many contactors close one after the other.
func lines(e *boards.EVSE) int64 {
	if e.Contactors.Wiring == hal.WiringSerial && e.Phases != 1 {
		return 2
	}
	return 1
}

func (s *session) follow(c hal.Contactor, want bool, limit time.Duration) (time.Duration, error) {
	var failed error
	took, ok, err := s.until(limit, func() bool {
		on, err := c.Closed()
		failed = err
		return err != nil || on == want
	})
	if err == nil && failed == nil && !ok {
		failed = fmt.Errorf("the mirror contacts do not say so within %v", limit)
	}
	return took, errors.Join(err, failed)
}

// bounces counts how often the mirror contact changes in a while.
func (s *session) bounces(c hal.Contactor, d time.Duration) (n int, err error) {
	last, first := true, true
	_, _, err = s.until(d, func() bool {
		on, err := c.Closed()
		if err == nil && on != last && !first {
			n++
		}
		last, first = on, false
		return false
	})
	return n, err
}

// exit lets the guard charge a test box, and measures from the first sample outside of state C to the open contact.
func (s *session) exit(e *boards.EVSE) error {
	if err := s.done(fmt.Sprintf("state.B@%d", e.ID), "Plug the test box in state B. It charges three times."); err != nil {
		return err
	}
	c, err := s.charge(e)
	if err != nil {
		return err
	}
	defer c.stop()
	for range 3 {
		if err := s.exitOnce(e, c); err != nil {
			return err
		}
	}
	if err := c.end(); err != nil {
		return err
	}
	return s.done(fmt.Sprintf("state.A@%d", e.ID), "Unplug the test box.")
}

func (s *session) exitOnce(e *boards.EVSE, c *charging) error {
	if err := c.run(func() bool { return c.status().Pilot == term.StateB }, patience); err != nil {
		return fmt.Errorf("state B: %w", err)
	}
	if rest := s.tested.Add(pause).Sub(s.Rig.Now()); !s.tested.IsZero() && rest > 0 {
		_ = c.run(func() bool { return false }, rest)
	}
	s.Person.Do(fmt.Sprintf("to.C@%d", e.ID), "Switch the test box to state C now.")
	if err := c.run(func() bool { return c.status().Closed }, patience); err != nil {
		return fmt.Errorf("contactor closes in state C: %w", err)
	}
	_ = c.run(func() bool { return false }, time.Second) // the contacts rest
	c.tap.clear()
	s.Person.Do(fmt.Sprintf("to.B@%d", e.ID), "Switch the test box to state B now.")
	if err := c.run(func() bool { return !c.tap.open.IsZero() }, patience); err != nil {
		return fmt.Errorf("contactor opens in state B: %w", err)
	}
	s.tested = s.Rig.Now()
	every := max(e.Pilot.Every, c.pace)
	s.measured("seen to command", c.tap.told.Sub(c.tap.left).Milliseconds(), "ms")
	s.measured(ExitValue, (every + c.tap.open.Sub(c.tap.left)).Milliseconds(), "ms", 100)
	return nil
}

// offered is what the test box is offered.
const offered = 10 * unit.Ampere
