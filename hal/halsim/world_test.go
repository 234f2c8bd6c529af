package halsim

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

var (
	fixed  = term.Ref{EVSE: 1, Connector: 1} // fixed cable
	socket = term.Ref{EVSE: 2, Connector: 1} // socket with lock, single phase
)

// lab is a world without a station: the test drives generator, contactor and lock by hand.
type lab struct {
	t      *testing.T
	now    time.Time
	w      *World
	events []Event
}

func newLab(t *testing.T, saved *Saved, keep func(*Saved) error) *lab {
	t.Helper()
	l := &lab{t: t, now: epoch}
	w, err := New(Config{
		Clock: func() time.Time { return l.now }, Seed: 7, Keep: keep, Observe: func(e Event) { l.events = append(l.events, e) },
		EVSEs: []EVSE{
			{ID: 1, Phases: 3, MaxCurrent: 32 * unit.Ampere, Connectors: []Connector{{ID: 1, Light: true}}},
			{ID: 2, Phases: 1, MaxCurrent: 32 * unit.Ampere, Connectors: []Connector{{ID: 1, Socket: true, Lock: true}, {ID: 2}}},
		},
	}, saved)
	if err != nil {
		t.Fatal(err)
	}
	l.w = w
	return l
}

func (l *lab) run(d time.Duration) { l.now = l.now.Add(d) }

func (l *lab) ok(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *lab) wants(err, want error) {
	l.t.Helper()
	if !errors.Is(err, want) {
		l.t.Errorf("got %v, want %v", err, want)
	}
}

func (l *lab) dev(ref term.Ref) hal.Devices {
	l.t.Helper()
	d, err := l.w.Devices(ref)
	l.ok(err)
	return d
}

func (l *lab) read(id term.EVSEID) hal.MeterReading {
	l.t.Helper()
	m, err := l.w.Meter(id)
	l.ok(err)
	r, err := m.Read(context.Background())
	l.ok(err)
	return r
}

// supply plugs a car, offers a current and closes the contactor.
func (l *lab) supply(ref term.Ref, amps unit.Current, ev EVOptions) {
	l.t.Helper()
	l.ok(l.w.Plug(ref.EVSE, ref.Connector, PlugOptions{EV: ev}))
	d := l.dev(ref)
	l.ok(d.Pilot.SetDuty(iec61851.DutyForCurrent(amps * unit.Ampere)))
	l.run(time.Second)
	l.ok(d.Contactor.Set(true, 3))
	l.run(time.Second)
}

func (l *lab) ev(id term.EVSEID) *EVState {
	for _, e := range l.w.State().EVSEs {
		if e.ID == id {
			return e.EV
		}
	}
	return nil
}

func ptr[T any](v T) *T { return &v }

func TestPilotLevels(t *testing.T) {
	for _, tc := range []struct {
		name      string
		state     term.PilotState
		plugged   bool
		ready     bool
		vented    bool
		fault     term.Fault
		duty      unit.Duty
		high, low float64
	}{
		{"no car", term.StateA, false, false, false, 0, unit.DutyHigh, 12, 12},
		{"no car, PWM", term.StateA, false, false, false, 0, 2666, 12, -12},
		{"car", term.StateB, true, false, false, 0, unit.DutyHigh, 8.98, 8.98},
		{"car, PWM", term.StateB, true, false, false, 0, 2666, 8.98, -12},
		{"car ready", term.StateC, true, true, false, 0, 2666, 5.99, -12},
		{"car ready, ventilation", term.StateD, true, true, true, 0, 2666, 2.93, -12},
		{"diode shorted", term.StateC, true, true, false, term.FaultDiode, 2666, 5.62, -5.62},
		{"short to earth", term.StateE, true, true, false, term.FaultPilot, 2666, 0, 0},
		{"state F", term.StateF, true, true, false, 0, unit.DutyLow, -12, -12},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := newLab(t, nil, nil)
			if tc.plugged {
				l.ok(l.w.Plug(1, 1, PlugOptions{EV: EVOptions{Ready: &tc.ready, Ventilation: &tc.vented}}))
			}
			d := l.dev(fixed)
			l.ok(d.Pilot.SetDuty(tc.duty))
			l.run(5 * time.Second)
			if tc.fault != 0 {
				l.ok(l.w.SetFault(FaultOptions{Ref: fixed, Code: tc.fault, Active: true}))
			}
			s, err := d.Pilot.Sample()
			l.ok(err)
			for _, v := range []struct {
				got  unit.Voltage
				want float64
			}{{s.High, tc.high}, {s.Low, tc.low}} {
				if math.Abs(float64(v.got)/1000-v.want) > 0.05 {
					t.Errorf("got %v and %v, want %v V and %v V", s.High, s.Low, tc.high, tc.low)
				}
			}
			if got := l.w.State().EVSEs[0].Pilot; got != tc.state {
				t.Errorf("state %v, want %v", got, tc.state)
			}
		})
	}
}

func TestProximityCodes(t *testing.T) {
	for amps, want := range map[unit.Current]unit.Resistance{13: 1500, 16: 1500, 20: 680, 32: 220, 63: 100} {
		l := newLab(t, nil, nil)
		d := l.dev(socket)
		if r, _ := d.Proximity.Resistance(); r < 100*unit.KiloOhm {
			t.Errorf("empty socket reads %v", r)
		}
		l.ok(l.w.Plug(2, 1, PlugOptions{Side: SideEVSE, CableMax: amps * unit.Ampere}))
		if r, _ := d.Proximity.Resistance(); r != want*unit.Ohm {
			t.Errorf("%v A: %v", amps, r)
		}
	}
	l := newLab(t, nil, nil)
	l.wants(l.w.Plug(2, 1, PlugOptions{CableMax: 10 * unit.Ampere}), ErrBadValue)
}

func TestContactorTakesItsTime(t *testing.T) {
	l := newLab(t, nil, nil)
	k := l.dev(fixed).Contactor
	closed := func() bool {
		is, err := k.Closed()
		l.ok(err)
		return is
	}
	l.ok(k.Set(true, 3))
	l.run(closeTime - time.Millisecond)
	if closed() {
		t.Error("closed too soon")
	}
	l.run(time.Millisecond)
	bounces := 0
	for last := closed(); l.now.Before(epoch.Add(closeTime + bounceTime)); l.run(time.Millisecond) {
		if is := closed(); is != last {
			bounces, last = bounces+1, is
		}
	}
	if bounces == 0 || !closed() {
		t.Errorf("%d bounces, then closed %v", bounces, closed())
	}
	l.run(time.Second)
	l.ok(l.w.SetFault(FaultOptions{Ref: fixed, Code: term.FaultContactor, Active: true}))
	l.ok(k.Set(false, 0))
	l.run(time.Second)
	if !closed() {
		t.Error("a welded contact has opened")
	}
	l.ok(l.w.ClearFaults())
	l.run(time.Second)
	if closed() {
		t.Error("a repaired contact stays closed")
	}
	l.ok(l.w.SetFault(FaultOptions{Ref: fixed, Code: term.FaultContactor, Active: true}))
	l.ok(k.Set(true, 3))
	l.run(time.Second)
	if closed() {
		t.Error("a jammed contact has closed")
	}
}

func TestLock(t *testing.T) {
	for _, tc := range []struct {
		behaviour    LockBehaviour
		locks, opens bool
	}{{LockNormal, true, true}, {LockFailsToLock, false, true}, {LockFailsToUnlock, true, false}} {
		l := newLab(t, nil, nil)
		d := l.dev(socket).Lock
		l.ok(l.w.SetLock(2, 1, tc.behaviour))
		l.ok(d.SetLocked(true))
		l.run(lockTravel - time.Millisecond)
		if is, _ := d.Locked(); is {
			t.Error("locked too soon")
		}
		l.run(time.Millisecond)
		if is, _ := d.Locked(); is != tc.locks {
			t.Errorf("behaviour %d: locked %v", tc.behaviour, is)
		}
		l.ok(d.SetLocked(false))
		l.run(time.Second)
		if is, _ := d.Locked(); is == tc.opens {
			t.Errorf("behaviour %d: locked %v after unlocking", tc.behaviour, is)
		}
	}
	l := newLab(t, nil, nil)
	l.wants(l.w.SetLock(1, 1, LockNormal), ErrImpossible)
	l.wants(l.w.SetLock(2, 9, LockNormal), ErrNotFound)
	l.wants(l.w.SetLock(2, 1, 9), ErrBadValue)
}

func TestScheduledFaults(t *testing.T) {
	l := newLab(t, nil, nil)
	l.ok(l.w.SetFault(FaultOptions{Ref: fixed, Code: term.FaultGround, Active: true, After: time.Second}))
	l.ok(l.w.SetFault(FaultOptions{Ref: fixed, Code: term.FaultGround, After: 3 * time.Second}))
	d := l.dev(fixed)
	for s, want := range []bool{false, true, true, false} {
		if is, _ := d.RCD.Tripped(); is != want {
			t.Errorf("%d s: tripped %v", s, is)
		}
		l.run(time.Second)
	}
	var at []time.Duration
	for _, e := range l.events {
		if e.Kind == EventFault {
			at = append(at, e.At.Sub(epoch))
		}
	}
	if len(at) != 2 || at[0] != time.Second || at[1] != 3*time.Second {
		t.Errorf("fault events at %v", at)
	}
	for range maxScheduled {
		l.ok(l.w.SetFault(FaultOptions{Ref: fixed, Code: term.FaultGround, Active: true, After: time.Hour}))
	}
	l.wants(l.w.SetFault(FaultOptions{Ref: fixed, Code: term.FaultGround, Active: true, After: time.Hour}), ErrImpossible)
	l.ok(l.w.ClearFaults())
	l.run(2 * time.Hour)
	if is, _ := d.RCD.Tripped(); is {
		t.Error("a cleared plan was carried out")
	}
}

func TestFaultRefusals(t *testing.T) {
	l := newLab(t, nil, nil)
	l.wants(l.w.SetFault(FaultOptions{Code: term.FaultGround, Active: true}), ErrBadValue)
	l.wants(l.w.SetFault(FaultOptions{Ref: fixed, Code: term.FaultReader, Active: true}), ErrBadValue)
	l.wants(l.w.SetFault(FaultOptions{Ref: term.Ref{EVSE: 5}, Code: term.FaultGround, Active: true}), ErrNotFound)
	l.wants(l.w.SetFault(FaultOptions{Ref: term.Ref{EVSE: 1, Connector: 5}, Code: term.FaultGround, Active: true}), ErrNotFound)
	l.wants(l.w.SetFault(FaultOptions{Ref: fixed, Code: term.FaultGround, Active: true, After: -1}), ErrBadValue)
	l.ok(l.w.SetFault(FaultOptions{Code: term.FaultTamper, Active: true, Info: "lid"}))
	set, info := l.w.StationFaults()
	if !set.Has(term.FaultTamper) || info(term.FaultTamper) != "lid" {
		t.Errorf("%b %q", set, info(term.FaultTamper))
	}
}

func TestPowerOff(t *testing.T) {
	l := newLab(t, nil, nil)
	l.supply(fixed, 16, EVOptions{})
	before := l.read(1).Import
	l.ok(l.w.SetPower(false))
	l.run(time.Hour)
	s := l.w.State()
	if s.Powered || s.EVSEs[0].Relay || s.EVSEs[0].Energy > before+registerStep || !s.EVSEs[0].Connectors[0].AtEV {
		t.Errorf("%+v", s.EVSEs[0])
	}
	m, _ := l.w.Meter(1)
	if _, err := m.Read(context.Background()); err == nil {
		t.Error("the meter answers without power")
	}
	if _, err := l.dev(fixed).Pilot.Sample(); err == nil {
		t.Error("the pilot is measured without power")
	}
	l.ok(l.w.SetPower(true))
	l.run(time.Second)
	if l.w.State().EVSEs[0].Relay {
		t.Error("the contactor closed by itself")
	}
}

func TestSwipes(t *testing.T) {
	l := newLab(t, nil, nil)
	card := Swipe{Token: term.IdToken{Value: "04A1", Type: term.TokenISO14443}, EVSEs: []term.EVSEID{2}}
	l.ok(l.w.Swipe(card))
	if s, ok := l.w.TakeSwipe(); !ok || s.Token != card.Token || s.EVSEs[0] != 2 {
		t.Errorf("%+v %v", s, ok)
	}
	if _, ok := l.w.TakeSwipe(); ok {
		t.Error("one card came twice")
	}
	for range maxSwipes {
		l.ok(l.w.Swipe(card))
	}
	l.wants(l.w.Swipe(card), ErrImpossible)
	if tok, err := l.w.Reader().Next(context.Background()); err != nil || tok != card.Token {
		t.Errorf("%v %v", tok, err)
	}
	l.wants(l.w.Swipe(Swipe{}), ErrBadValue)
	l.wants(l.w.Swipe(Swipe{Token: card.Token, EVSEs: []term.EVSEID{7}}), ErrNotFound)
	l.ok(l.w.SetFault(FaultOptions{Code: term.FaultReader, Active: true}))
	l.wants(l.w.Swipe(card), ErrImpossible)
	done, cancel := context.WithCancel(context.Background())
	cancel()
	for { // the queue is drained first or not: either way it ends
		if _, err := l.w.NextSwipe(done); err != nil {
			break
		}
	}
}

func TestNewRefuses(t *testing.T) {
	clock := func() time.Time { return epoch }
	for name, cfg := range map[string]Config{
		"no clock":      {EVSEs: []EVSE{{ID: 1, Phases: 1, MaxCurrent: 1, Connectors: []Connector{{ID: 1}}}}},
		"no EVSE":       {Clock: clock},
		"two phases":    {Clock: clock, EVSEs: []EVSE{{ID: 1, Phases: 2, MaxCurrent: 1, Connectors: []Connector{{ID: 1}}}}},
		"no connectors": {Clock: clock, EVSEs: []EVSE{{ID: 1, Phases: 3, MaxCurrent: 1}}},
	} {
		if _, err := New(cfg, nil); !errors.Is(err, ErrBadValue) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestEveryFaultShows: each code of the simulator can be seen at a device or at the meter, and is gone when cleared.
func TestEveryFaultShows(t *testing.T) {
	for f := term.FaultNone + 1; f <= term.FaultStorage; f++ {
		for _, ref := range []term.Ref{{}, {EVSE: 2}, socket, {EVSE: 2, Connector: 2}} {
			allowed := evseFaults
			if ref.EVSE == 0 {
				allowed = stationFaults
			}
			if !allowed.Has(f) {
				continue
			}
			l := newLab(t, nil, nil)
			on := term.Ref{EVSE: 2, Connector: max(ref.Connector, 1)}
			l.supply(on, 16, EVOptions{})
			clean := l.shows(on)
			l.ok(l.w.SetFault(FaultOptions{Ref: ref, Code: f, Active: true}))
			l.run(time.Second)
			if got := l.shows(on); got == clean && ref.EVSE != 0 {
				t.Errorf("%v at %v shows nowhere", f, ref)
			}
			if set, _ := l.w.StationFaults(); set.Has(f) != (ref.EVSE == 0) {
				t.Errorf("%v at %v: station faults %v", f, ref, set)
			}
			l.ok(l.w.ClearFaults())
			l.run(5 * time.Second)
			if got := l.shows(on); got != clean {
				t.Errorf("%v at %v is still there: %+v, was %+v", f, ref, got, clean)
			}
		}
	}
}

// picture is all that a guard and a meter poller can see of a connector, without noise.
type picture struct {
	high, low, supply         unit.Voltage // rounded
	current                   unit.Current // rounded
	ohms                      unit.Resistance
	tripped, stopped, follows bool
	hot, cable, dead          bool
	lines                     iec61851.FaultSet
}

// shows looks at a closed connector; it also tries whether the contact and the car follow an opening.
func (l *lab) shows(ref term.Ref) picture {
	l.t.Helper()
	var p picture
	d := l.dev(ref)
	s, err := d.Pilot.Sample()
	l.ok(err)
	p.high, p.low = (s.High+20*unit.Volt+100)/250, (s.Low+20*unit.Volt+100)/250
	if d.Proximity != nil {
		p.ohms, err = d.Proximity.Resistance()
		l.ok(err)
	}
	p.tripped, _ = d.RCD.Tripped()
	p.stopped, _ = d.Inputs.EmergencyStop()
	hot, _ := d.Socket.Temperature()
	cable, _ := d.Cable.Temperature()
	p.hot, p.cable = hot > 80*unit.Celsius, cable > 80*unit.Celsius
	for f := term.FaultNone + 1; f <= term.FaultStorage; f++ {
		if on, _ := d.Diagnosis.Active(f); on {
			p.lines = p.lines.With(f)
		}
	}
	m, err := l.w.Meter(ref.EVSE)
	l.ok(err)
	r, err := m.Read(context.Background())
	p.dead, p.supply, p.current = err != nil, r.Voltage[0]/(20*unit.Volt), (r.Current[0]+unit.Ampere)/(4*unit.Ampere)
	l.ok(d.Contactor.Set(false, 0))
	l.run(time.Second)
	closed, _ := d.Contactor.Closed()
	p.follows = !closed
	l.ok(d.Contactor.Set(true, 3))
	l.run(time.Second)
	return p
}

func TestWatchdogReleasesTheWires(t *testing.T) {
	l := newLab(t, nil, nil)
	l.supply(fixed, 16, EVOptions{})
	dog := l.w.Watchdog()
	for range 10 {
		l.ok(dog.Pet())
		l.run(watchdogTime - time.Millisecond)
		if s := l.w.State().EVSEs[0]; !s.Relay || s.Duty == unit.DutyHigh {
			t.Fatalf("bitten while petted: %+v", s)
		}
	}
	l.run(time.Second)
	if s := l.w.State().EVSEs[0]; s.Relay || s.Duty != unit.DutyHigh {
		t.Errorf("closed %v, duty %v after the time of the watchdog", s.Relay, s.Duty)
	}
}

func TestGrid(t *testing.T) {
	l := newLab(t, nil, nil)
	l.ok(l.w.SetGrid(207*unit.Volt, 49800))
	if r := l.read(1); r.Voltage[0] < 206*unit.Volt || r.Voltage[0] > 208*unit.Volt || r.Frequency != 49800 {
		t.Errorf("%+v", r)
	}
	l.wants(l.w.SetGrid(-1, 0), ErrBadValue)
}
