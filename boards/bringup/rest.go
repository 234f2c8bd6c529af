package bringup

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

// rcd has the device test itself where the board can, and a person press its button.
func (s *session) rcd(e *boards.EVSE) error {
	d := s.devices(e).Devices
	if t, ok := d.RCD.(hal.SelfTester); ok && e.RCD.Test != nil {
		if err := s.selfTest(d.RCD, t); err != nil {
			return err
		}
	}
	if on, err := d.RCD.Tripped(); err != nil || on {
		return errors.Join(err, errIf(on, errors.New("it says tripped before anybody tests it: polarity, or a broken wire")))
	}
	s.Person.Do(fmt.Sprintf("rcd.trip@%d", e.ID), "Press the test button of the fault-current device now.")
	if err := s.awaits(d.RCD.Tripped, true); err != nil {
		return err
	}
	s.Person.Do(fmt.Sprintf("rcd.reset@%d", e.ID), "Seen. Switch it on again.")
	return s.awaits(d.RCD.Tripped, false)
}

// selfTest waits for one test from its begin to its end.
func (s *session) selfTest(r hal.ResidualCurrentDevice, t hal.SelfTester) error {
	if _, ok, err := s.until(10*time.Second, func() bool { return t.SelfTest(true) }); err != nil || !ok {
		return errors.Join(err, errIf(!ok, errors.New("the self-test does not begin")))
	}
	took, ok, err := s.until(10*time.Second, func() bool { return !t.SelfTest(true) })
	if err != nil || !ok {
		return errors.Join(err, errIf(!ok, errors.New("the self-test does not end")))
	}
	s.measured("self-test", took.Milliseconds(), "ms")
	on, err := r.Tripped()
	return errors.Join(err, errIf(on, errors.New("the self-test has failed: the device does not trip, or does not come back")))
}

// lock drives the bolt both ways.
func (s *session) lock(e *boards.EVSE) error {
	d := s.devices(e).Devices
	if err := s.done(fmt.Sprintf("plug@%d", e.ID), "Plug a cable into the socket, without a car."); err != nil {
		return err
	}
	for _, to := range []bool{true, false} {
		name := map[bool]string{true: "locks after", false: "opens after"}[to]
		if err := d.Lock.SetLocked(to); err != nil {
			return err
		}
		var failed error
		took, ok, err := s.until(iec61851.LockTravel, func() bool {
			on, err := d.Lock.Locked()
			failed = err
			return err != nil || on == to
		})
		switch {
		case err != nil || failed != nil:
			return errors.Join(err, failed)
		case !ok:
			return fmt.Errorf("%s: the feedback does not follow within %v: motor lines swapped, pulse too short, or polarity", name, iec61851.LockTravel)
		}
		s.measured(name, took.Milliseconds(), "ms", iec61851.LockTravel.Milliseconds())
		if _, _, err := s.until(time.Second, func() bool { _, _ = d.Lock.Locked(); return false }); err != nil { // the pulse ends
			return err
		}
	}
	return s.done(fmt.Sprintf("unplug@%d", e.ID), "Take the cable out.")
}

// temperature compares the guard's thermometers with one that a person has.
func (s *session) temperature(e *boards.EVSE) error {
	a, err := s.ask(fmt.Sprintf("ambient@%d", e.ID), "Temperature around the station in degrees Celsius", "skip")
	if err != nil {
		return err
	}
	if strings.HasPrefix(a, "s") {
		return errSkip
	}
	ambient, err := strconv.ParseInt(strings.TrimSpace(a), 10, 32)
	if err != nil {
		return fmt.Errorf("%q: want whole degrees", a)
	}
	d := s.devices(e).Devices
	for _, t := range []struct {
		name string
		hal.Thermometer
	}{{"socket", d.Socket}, {"cable", d.Cable}} {
		if t.Thermometer == nil {
			continue
		}
		v, err := t.Temperature()
		if err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		s.measured(t.name, int64(v/unit.Celsius), "degrees", ambient-8, ambient+8)
	}
	return nil
}

// meter charges a load and looks at what the meter makes of it.
func (s *session) meter(e *boards.EVSE) error {
	m, err := s.Rig.Meter(e.ID)
	if err != nil {
		return err
	}
	if m == nil {
		return errNoReading
	}
	if err := s.done(fmt.Sprintf("state.B@%d", e.ID), "Plug the test box in state B, with 1 A or more of load."); err != nil {
		return err
	}
	c, err := s.charge(e)
	if err != nil {
		return err
	}
	defer c.stop()
	s.Person.Do(fmt.Sprintf("load.C@%d", e.ID), "Switch the test box to state C now.")
	if err := c.run(func() bool { return c.status().Closed }, patience); err != nil {
		return fmt.Errorf("contactor closes in state C: %w", err)
	}
	_ = c.run(func() bool { return false }, 5*time.Second) // the load
	r, err := s.readMeter(m)
	if err != nil {
		return err
	}
	s.Person.Do(fmt.Sprintf("load.off@%d", e.ID), "Switch the test box to state B now.")
	if err := c.run(func() bool { return c.status().Pilot == term.StateB && !c.status().Closed }, patience); err != nil {
		return fmt.Errorf("contactor opens in state B: %w", err)
	}
	s.tested = s.Rig.Now()
	const least, most = 207, 253 // 230 V, a tenth up and down
	for line := range int(r.Phases) {
		s.measured(fmt.Sprintf("voltage L%d", line+1), int64(r.Voltage[line]/unit.Volt), "V", least, most)
	}
	for line := range int(min(r.Phases, max(e.Phases, 1))) {
		s.measured(fmt.Sprintf("current L%d", line+1), int64(r.Current[line]), "mA", 500, int64(e.MaxCurrent))
	}
	s.measured("power to the car", int64(r.Power/unit.Watt), "W", 100, 100_000)
	if err := c.end(); err != nil {
		return err
	}
	return s.done(fmt.Sprintf("state.A@%d", e.ID), "Unplug the test box.")
}

// readMeter is one reading, within the time that the guard would wait for one.
func (s *session) readMeter(m hal.Meter) (hal.MeterReading, error) {
	ctx, cancel := context.WithTimeout(s.ctx, iec61851.ReadingLimit)
	defer cancel()
	r, err := m.Read(ctx)
	if err == nil && r.Phases == 0 {
		err = errNoReading
	}
	return r, err
}

// ErrPower ends a bring-up until the power was cut.
var ErrPower = errors.New("cut the power of the station now, switch it on again, and go on with evsed board bringup resume")

// powerCut wants everything to be open, and to stay so, after the power was gone.
func (s *session) powerCut(*boards.EVSE) error {
	if boot := s.Rig.Boot(); s.report.Cut == "" || s.report.Cut == boot {
		s.report.Cut = boot
		return ErrPower
	}
	if err := s.wait(time.Second); err != nil { // contacts that somebody has just moved rest
		return err
	}
	for i := range s.guards.Connectors {
		c := &s.guards.Connectors[i]
		_, closed, err := s.until(3*time.Second, func() bool { on, err := c.Contactor.Closed(); return on && err == nil })
		if err != nil {
			return err
		}
		if closed {
			return fmt.Errorf("connector %v: the contactor is closed after the power came back", c.Ref)
		}
	}
	return nil
}
