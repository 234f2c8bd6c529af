package bringup

import (
	"errors"
	"fmt"
	"time"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/guard"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

// charging is the guard at work at one EVSE, stepped by the bring-up.
type charging struct {
	s     *session
	ref   term.Ref
	guard *guard.Guard
	pipe  *guard.Pipe
	tap   *tap
	pace  time.Duration
	beat  time.Time
	due   time.Time
}

// charge starts a guard that may close the contactor of an EVSE for a current of 10 A.
func (s *session) charge(e *boards.EVSE) (*charging, error) {
	c := s.devices(e)
	own := *c
	own.Meter = iec61851.MeterNone // nobody reads it now
	k := &charging{s: s, ref: own.Ref, tap: &tap{Contactor: own.Contactor, pilot: own.Pilot, now: s.Rig.Now}, pace: guard.DefaultPollPlugged}
	own.Devices.Contactor, own.Devices.Pilot = k.tap, tapped{k.tap}
	cfg := s.guards
	cfg.Connectors, cfg.Watchdog = []guard.Connector{own}, nil
	if cfg.PollPlugged > 0 {
		k.pace = cfg.PollPlugged
	}
	k.pipe = guard.NewPipe([]term.Ref{k.ref})
	var err error
	if k.guard, err = guard.New(cfg, k.pipe); err != nil {
		return nil, err
	}
	k.pipe.Permit(term.Permit{Ref: k.ref, Close: true, Lock: true, Max: offered})
	return k, nil
}

// heartbeat is how often the guard hears that its station moves.
const heartbeat = time.Second

// run cycles the guard until something holds.
func (c *charging) run(holds func() bool, limit time.Duration) error {
	for end := c.s.Rig.Now().Add(limit); ; {
		now := c.s.Rig.Now()
		if now.Sub(c.beat) >= heartbeat {
			c.beat = now
			c.pipe.Heartbeat()
		}
		if !now.Before(c.due) {
			c.due = now.Add(c.guard.Cycle(now))
		} else {
			_, _ = c.tap.Closed() // the contact is looked at more often than the guard does
		}
		if holds() {
			return nil
		}
		if !now.Before(end) {
			return fmt.Errorf("not within %v (%s)", limit, c.picture())
		}
		if err := c.s.wait(poll); err != nil {
			return err
		}
	}
}

func (c *charging) status() iec61851.Status {
	st, _ := c.pipe.Status(c.ref)
	return st
}

func (c *charging) picture() string {
	st := c.status()
	return fmt.Sprintf("state %v, contactor closed %v, faults %q", st.Pilot, st.Closed, st.Faults.String())
}

// stop opens everything at once.
func (c *charging) stop() { _ = c.guard.Stop() }

// end withdraws the permit, waits until the plug is free, and opens everything.
func (c *charging) end() error {
	c.pipe.Permit(term.Permit{Ref: c.ref})
	err := c.run(func() bool { s := c.status(); return !s.Closed && !s.Locked }, iec61851.OffLimit+2*iec61851.LockTravel)
	c.stop()
	if err != nil {
		return fmt.Errorf("let go of the plug: %w", err)
	}
	return nil
}

// tap notes when pilot and contactor of a guard did what.
type tap struct {
	hal.Contactor
	pilot hal.ControlPilot
	now   func() time.Time
	raw   term.PilotState
	left  time.Time // the first sample outside of state C
	told  time.Time // the contactor was told to open
	open  time.Time // its mirror contact said so
}

func (t *tap) clear() { t.left, t.told, t.open = time.Time{}, time.Time{}, time.Time{} }

// Set passes a command on.
func (t *tap) Set(closed bool, phases uint8) error {
	if !closed && t.told.IsZero() {
		t.told = t.now()
	}
	return t.Contactor.Set(closed, phases)
}

// Closed passes on what the mirror contact says.
func (t *tap) Closed() (bool, error) {
	on, err := t.Contactor.Closed()
	if err == nil && !on && !t.told.IsZero() && t.open.IsZero() {
		t.open = t.now()
	}
	return on, err
}

// tapped is the pilot of a tap.
type tapped struct{ *tap }

// Sample passes a sample on.
func (t tapped) Sample() (hal.PilotSample, error) {
	v, err := t.pilot.Sample()
	t.raw = iec61851.Classify(v.High, t.raw)
	if t.raw == term.StateC || t.raw == term.StateD {
		t.left = time.Time{}
	} else if t.left.IsZero() {
		t.left = t.now()
	}
	return v, err
}

// SetDuty passes a duty on.
func (t tapped) SetDuty(d unit.Duty) error { return t.pilot.SetDuty(d) }

var errNoReading = errors.New("no reading")
