package bringup

import (
	"errors"
	"fmt"
	"time"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/gpio"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/iec61851"
)

// step is one row of the bring-up.
type step struct {
	id, title string
	each      bool // at each EVSE; otherwise once, and the EVSE is nil
	needs     func(*boards.Board, *boards.EVSE) bool
	do        func(*session, *boards.EVSE) error
}

// stepNames is made at every start: it opens the devices for the others.
const stepNames = "names"

// steps are the bring-up, in its order.
var steps = []step{
	{id: stepNames, title: "names of all wires resolve", do: (*session).names},
	{id: "inputs", title: "inputs follow whoever presses them", needs: func(b *boards.Board, _ *boards.EVSE) bool { return len(b.Inputs) > 0 }, do: (*session).pressAll},
	{id: "proximity", title: "proximity: no cable, 13 A, 32 A", each: true, needs: socket, do: (*session).proximity},
	{id: "pilot.levels", title: "pilot: +12 V and -12 V", each: true, do: (*session).levels},
	{id: "pilot.pwm", title: "pilot: frequency and duty, by a scope", each: true, do: (*session).pwm},
	{id: "pilot.states", title: "pilot: states A B C E, diode, earth", each: true, do: (*session).states},
	{id: stepContactor, title: "contactor: time, bounce, weld", each: true, needs: ours, do: (*session).contactor},
	{id: StepExit, title: "C to B: the contactor opens in time", each: true, do: (*session).exit},
	{id: "rcd", title: "fault-current device trips", each: true, needs: func(_ *boards.Board, e *boards.EVSE) bool { return e.RCD != nil }, do: (*session).rcd},
	{id: "lock", title: "lock closes and opens", each: true, needs: func(_ *boards.Board, e *boards.EVSE) bool { return e.Lock != nil }, do: (*session).lock},
	{id: "temperature", title: "thermometers read what it is", each: true, needs: func(_ *boards.Board, e *boards.EVSE) bool { return len(e.Temperatures) > 0 }, do: (*session).temperature},
	{id: "meter", title: "meter counts in the right direction", each: true, needs: func(_ *boards.Board, e *boards.EVSE) bool { return e.Meter != nil }, do: (*session).meter},
	{id: "power", title: "power cut: everything is open afterwards", do: (*session).powerCut},
}

// StepExit is the id of the step that measures how soon the contactor opens when a vehicle leaves state C, and ExitValue the
// name of that time, in ms.
const (
	StepExit  = "exit"
	ExitValue = "C to open"
)

const stepContactor = "contactor"

// ours reports whether the contactor is the guard's; a safety controller closes none without a car.
func ours(_ *boards.Board, e *boards.EVSE) bool { return !e.Contactors.MCU }

func socket(_ *boards.Board, e *boards.EVSE) bool { return !e.Connector.Tethered }

// names opens every wire of the board.
func (s *session) names(*boards.EVSE) error {
	if err := s.open(); err != nil {
		return err
	}
	for _, in := range s.Board.Inputs {
		if in.MCU != "" || guarded(in) || s.inputs[in.Name] != nil {
			continue
		}
		line, err := s.Rig.Kernel().Input(spec(&in.Line))
		if err != nil {
			return fmt.Errorf("input %s: %w", in.Name, err)
		}
		s.inputs[in.Name] = line
	}
	t, err := s.Board.Table(0, 0)
	if err != nil {
		return err
	}
	s.measured("wires of the guard", int64(len(t.Parts)), "")
	s.measured("other inputs", int64(len(s.inputs)), "")
	return nil
}

// guarded reports whether an input is the guard's: it opens everything.
func guarded(in boards.Input) bool {
	return in.Meaning == boards.MeaningEmergencyStop || in.Meaning == boards.MeaningDoor
}

var biases = map[boards.Bias]gpio.Bias{boards.BiasPullUp: gpio.BiasUp, boards.BiasPullDown: gpio.BiasDown, boards.BiasNone: gpio.BiasNone}

func spec(l *boards.Line) gpio.Spec {
	return gpio.Spec{Name: l.Name, ActiveLow: l.ActiveLow, Bias: biases[l.Bias], Debounce: l.Debounce}
}

// pressAll waits for each input to be pressed and released.
func (s *session) pressAll(*boards.EVSE) error {
	for _, in := range s.Board.Inputs {
		if err := s.press(in); err != nil {
			return fmt.Errorf("input %s: %w", in.Name, err)
		}
	}
	return nil
}

var errPressed = errors.New("it is active before somebody presses it: wrong polarity, or the wire is broken")

func (s *session) press(in boards.Input) error {
	get, err := s.reads(in)
	if err != nil {
		return err
	}
	if on, err := get(); err != nil || on {
		return errors.Join(err, errIf(on, errPressed))
	}
	s.Person.Do("press."+in.Name, fmt.Sprintf("Press %s now (or open the door, close the contact).", in.Name))
	if err := s.awaits(get, true); err != nil {
		return err
	}
	s.Person.Do("release."+in.Name, "Seen. Release it now.")
	return s.awaits(get, false)
}

func errIf(on bool, err error) error {
	if on {
		return err
	}
	return nil
}

// reads is how an input is read.
func (s *session) reads(in boards.Input) (func() (bool, error), error) {
	if !guarded(in) {
		line := s.inputs[in.Name]
		if line == nil {
			return nil, errors.New("only its controller reads it: that has to be tested there")
		}
		return line.Get, nil
	}
	for i := range s.guards.Connectors {
		if d := s.guards.Connectors[i].Inputs; d != nil {
			return d.EmergencyStop, nil
		}
	}
	return nil, errors.New("the line table does not have it")
}

func (s *session) awaits(get func() (bool, error), want bool) error {
	var failed error
	_, ok, err := s.until(patience, func() bool {
		on, err := get()
		failed = err
		return err != nil || on == want
	})
	switch {
	case err != nil || failed != nil:
		return errors.Join(err, failed)
	case !ok:
		return fmt.Errorf("nothing seen within %v", patience)
	}
	return nil
}

// proximity reads an empty socket and two cables.
func (s *session) proximity(e *boards.EVSE) error {
	d := s.devices(e)
	for _, c := range []struct {
		key, text string
		rating    unit.Current
		state     iec61851.CableState
	}{
		{"pp.none", "Take every cable out of the socket.", 0, iec61851.CableAbsent},
		{"pp.13", "Plug a cable that is coded 13 A (1500 Ohm).", 13 * unit.Ampere, iec61851.CablePresent},
		{"pp.32", "Plug a cable that is coded 32 A (220 Ohm) instead.", 32 * unit.Ampere, iec61851.CablePresent},
	} {
		if err := s.done(fmt.Sprintf("%s@%d", c.key, e.ID), c.text); err != nil {
			return err
		}
		if err := s.wait(200 * time.Millisecond); err != nil {
			return err
		}
		r, err := d.Proximity.Resistance()
		if err != nil {
			return err
		}
		s.measured(c.key, int64(r/unit.Ohm), "Ohm")
		if rating, state := iec61851.CableRating(r, e.Phases); state != c.state || rating != c.rating {
			return fmt.Errorf("%s: %v is a cable of %v, want %v: pull-up, rail or gain is wrong", c.key, r, rating, c.rating)
		}
	}
	return s.done(fmt.Sprintf("pp.none@%d", e.ID), "Take the cable out again.")
}

// Levels of the pilot, in mV. The outer ones are what a generator has to keep; the others lie well between the thresholds.
const (
	level12  = 12000
	within12 = 600
	within   = 1000
)

// samples looks at the pilot for a while and returns the least and the greatest of both halves.
func (s *session) samples(d hal.Devices) (least, most hal.PilotSample, err error) {
	for n := range 20 {
		if err := s.wait(10 * time.Millisecond); err != nil {
			return least, most, err
		}
		v, err := d.Pilot.Sample()
		if err != nil {
			return least, most, err
		}
		if n < 5 { // detectors settle, filters fill
			least, most = v, v
			continue
		}
		least = hal.PilotSample{High: min(least.High, v.High), Low: min(least.Low, v.Low)}
		most = hal.PilotSample{High: max(most.High, v.High), Low: max(most.Low, v.Low)}
	}
	return least, most, nil
}

// levels measures the generator's two ends with nothing plugged in.
func (s *session) levels(e *boards.EVSE) error {
	d := s.devices(e).Devices
	if err := s.done(fmt.Sprintf("state.A@%d", e.ID), "Unplug everything: the pilot has to be open."); err != nil {
		return err
	}
	if err := d.Pilot.SetDuty(unit.DutyHigh); err != nil {
		return err
	}
	low, high, err := s.samples(d)
	if err != nil {
		return err
	}
	s.measured("high", int64(high.High), "mV", level12-within12, level12+within12)
	s.measured("ripple", int64(high.High-low.High), "mV", 300)
	if err := d.Pilot.SetDuty(unit.DutyLow); err != nil {
		return err
	}
	low, _, err = s.samples(d)
	if err != nil {
		return err
	}
	s.measured("low", int64(low.Low), "mV", -level12-within12, -level12+within12)
	return d.Pilot.SetDuty(unit.DutyHigh)
}

// pwm asks for what a scope shows of the generator.
func (s *session) pwm(e *boards.EVSE) error {
	d := s.devices(e).Devices
	for i, percent := range []int64{50, 10, 16, 25, 40, 53} {
		if err := d.Pilot.SetDuty(unit.Duty(percent) * unit.DutyPercent); err != nil {
			return err
		}
		if err := s.wait(100 * time.Millisecond); err != nil {
			return err
		}
		if i == 0 {
			if err := s.scope(fmt.Sprintf("frequency@%d", e.ID), "Frequency of the pilot on the scope", "frequency", "Hz", 995, 1005); err != nil {
				return err
			}
		}
		text := fmt.Sprintf("Duty cycle on the scope (%d.0 %% is set)", percent)
		if err := s.scope(fmt.Sprintf("duty.%d@%d", percent, e.ID), text, fmt.Sprintf("duty %d", percent), "0.1 %", 10*percent-5, 10*percent+5); err != nil {
			return err
		}
	}
	return d.Pilot.SetDuty(unit.DutyHigh)
}

// states reads what a test box puts on the line.
func (s *session) states(e *boards.EVSE) error {
	d := s.devices(e).Devices
	for _, c := range []struct {
		key, text string
		nominal   int64
	}{
		{"state.B", "Set the test box to state B.", 9000},
		{"state.C", "Set the test box to state C.", 6000},
		{"state.E", "Set the test box to state E (pilot short to earth).", 0},
		{"earth", "Set the test box to state B, and break its earth.", 12000},
	} {
		if err := s.state(e, d, c.key, c.text, c.nominal); err != nil {
			return err
		}
	}
	if err := s.done(fmt.Sprintf("diode@%d", e.ID), "Mend the earth. State B again, with the diode shorted."); err != nil {
		return err
	}
	if err := d.Pilot.SetDuty(50 * unit.DutyPercent); err != nil {
		return err
	}
	_, high, err := s.samples(d)
	if err != nil {
		return err
	}
	s.measured("diode shorted, low half", int64(high.Low), "mV", -10000, 0)
	return s.done(fmt.Sprintf("state.A@%d", e.ID), "Unplug the test box.")
}

func (s *session) state(e *boards.EVSE, d hal.Devices, key, text string, nominal int64) error {
	if err := s.done(fmt.Sprintf("%s@%d", key, e.ID), text); err != nil {
		return err
	}
	low, high, err := s.samples(d)
	if err != nil {
		return err
	}
	s.measured(key+" least", int64(low.High), "mV", nominal-within, nominal+within)
	s.measured(key+" most", int64(high.High), "mV", nominal-within, nominal+within)
	return nil
}
