package halsim

import (
	"math"
	"testing"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

func TestCarDrawsTheLeastOfBothSides(t *testing.T) {
	for _, tc := range []struct {
		name  string
		offer unit.Current
		ev    EVOptions
		want  [3]unit.Current
	}{
		{"station limits", 10, EVOptions{}, [3]unit.Current{10, 10, 10}},
		{"car limits", 32, EVOptions{MaxCurrent: ptr(16 * unit.Ampere)}, [3]unit.Current{16, 16, 16}},
		{"one line", 16, EVOptions{Phases: ptr(uint8(1))}, [3]unit.Current{16, 0, 0}},
		{"two lines", 16, EVOptions{Phases: ptr(uint8(2))}, [3]unit.Current{16, 16, 0}},
		{"too little for this car", 8, EVOptions{MinCurrent: ptr(10 * unit.Ampere)}, [3]unit.Current{}},
		{"full", 16, EVOptions{SoC: ptr(unit.HundredPercent)}, [3]unit.Current{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := newLab(t, nil, nil)
			l.supply(fixed, tc.offer, tc.ev)
			for i, got := range l.w.State().EVSEs[0].Current {
				if math.Abs(float64(got-tc.want[i]*unit.Ampere)) > 10 {
					t.Errorf("line %d: %v, want %d A", i+1, got, tc.want[i])
				}
			}
		})
	}
}

// TestLookingDoesNotChangeTheWorld: a world that is looked at every 7 ms ends like one that is looked at once.
func TestLookingDoesNotChangeTheWorld(t *testing.T) {
	end := func(every time.Duration) (unit.Energy, EVState) {
		l := newLab(t, nil, nil)
		l.supply(fixed, 32, EVOptions{SoC: ptr(79 * unit.OnePercent), Capacity: ptr(10 * unit.KiloWattHour)})
		for stop := l.now.Add(10 * time.Minute); l.now.Before(stop); l.run(min(every, stop.Sub(l.now))) {
			l.read(1)
		}
		return l.read(1).Import, *l.ev(1)
	}
	e1, ev1 := end(7 * time.Millisecond)
	e2, ev2 := end(10 * time.Minute)
	if e1 != e2 || ev1 != ev2 {
		t.Errorf("looked at often: %v %+v; once: %v %+v", e1, ev1, e2, ev2)
	}
}

func TestMeterIntegratesWhatFlows(t *testing.T) {
	l := newLab(t, nil, nil)
	l.supply(fixed, 16, EVOptions{})
	start, soc := l.read(1), l.ev(1).SoC
	var sum float64
	for range 3600 {
		sum += float64(l.read(1).Power) / 3600
		l.run(time.Second)
	}
	got := l.read(1)
	if flowed := got.Import - start.Import; math.Abs(float64(flowed)-sum) > 0.001*sum+float64(registerStep) {
		t.Errorf("register %v, sum of the power %.0f mWh", flowed, sum)
	}
	gained := float64(l.ev(1).SoC-soc) / float64(unit.HundredPercent) * 60e6
	if math.Abs(gained-float64(got.Import-start.Import)) > 0.01*gained {
		t.Errorf("battery gained %.0f mWh of %v", gained, got.Import-start.Import)
	}
	for i, v := range got.Voltage {
		if v < 228*unit.Volt || v > 231*unit.Volt {
			t.Errorf("line %d: %v", i+1, v)
		}
	}
}

func TestChargingCurve(t *testing.T) {
	l := newLab(t, nil, nil)
	l.supply(fixed, 16, EVOptions{SoC: ptr(70 * unit.OnePercent), Capacity: ptr(10 * unit.KiloWattHour), MaxCurrent: ptr(16 * unit.Ampere)})
	last := 16100 * unit.Milliampere
	for soc := unit.Percent(0); soc < unit.HundredPercent; l.run(10 * time.Second) {
		s := l.w.State().EVSEs[0]
		soc = s.EV.SoC
		switch i := s.Current[0]; {
		case soc < 80*unit.OnePercent && i < 15900:
			t.Fatalf("at %v: %v, want full current below 80 %%", soc, i)
		case i > last:
			t.Fatalf("at %v: current rises from %v to %v", soc, last, i)
		default:
			last = i
		}
		if l.now.Sub(epoch) > 5*time.Hour {
			t.Fatalf("not full after %v: %v", l.now.Sub(epoch), soc)
		}
	}
	if last > 7*unit.Ampere {
		t.Errorf("%v at the end of the taper", last)
	}
	l.run(time.Second)
	if s := l.w.State().EVSEs[0]; s.Pilot != term.StateB || s.Current[0] != 0 {
		t.Errorf("full: pilot %v, %v", s.Pilot, s.Current[0])
	}
}

func TestTargetEnergyStopsExactly(t *testing.T) {
	l := newLab(t, nil, nil)
	l.supply(fixed, 32, EVOptions{TargetEnergy: ptr(1500 * unit.WattHour)})
	l.run(time.Hour)
	if s := l.w.State().EVSEs[0]; s.Energy != 1500*unit.WattHour || s.Pilot != term.StateB {
		t.Errorf("%v in state %v", s.Energy, s.Pilot)
	}
	l.ok(l.w.SetEV(1, EVOptions{TargetEnergy: ptr(unit.Energy(-1))}))
	l.run(time.Minute)
	if s := l.w.State().EVSEs[0]; s.Pilot != term.StateC {
		t.Errorf("state %v without a target", s.Pilot)
	}
}

func TestReadyAndDeparture(t *testing.T) {
	l := newLab(t, nil, nil)
	l.ok(l.w.Plug(1, 1, PlugOptions{EV: EVOptions{ReadyAfter: ptr(10 * time.Second), Departure: ptr(time.Minute)}}))
	l.ok(l.dev(fixed).Pilot.SetDuty(2666))
	for _, step := range []struct {
		at   time.Duration
		want term.PilotState
	}{{9 * time.Second, term.StateB}, {10 * time.Second, term.StateC}, {59 * time.Second, term.StateC}, {61 * time.Second, term.StateB}} {
		l.now = epoch.Add(step.at)
		if got := l.w.State().EVSEs[0].Pilot; got != step.want {
			t.Errorf("at %v: %v, want %v", step.at, got, step.want)
		}
	}
	l.ok(l.w.SetEV(1, EVOptions{Departure: ptr(-time.Second)}))
	l.run(time.Second)
	l.ok(l.w.SetEV(1, EVOptions{Ready: ptr(false)}))
	l.run(time.Second)
	if got := l.w.State().EVSEs[0].Pilot; got != term.StateB {
		t.Errorf("not ready: %v", got)
	}
}

func TestNoOfferNoStateC(t *testing.T) {
	l := newLab(t, nil, nil)
	l.ok(l.w.Plug(1, 1, PlugOptions{}))
	for _, duty := range []unit.Duty{unit.DutyHigh, 500, 750, 9800} {
		l.ok(l.dev(fixed).Pilot.SetDuty(duty))
		l.run(time.Minute)
		if got := l.w.State().EVSEs[0].Pilot; got != term.StateB {
			t.Errorf("duty %v: %v", duty, got)
		}
	}
}

func TestCarFollowsThePilot(t *testing.T) {
	l := newLab(t, nil, nil)
	l.supply(fixed, 16, EVOptions{Reaction: ptr(2 * time.Second)})
	l.run(10 * time.Second)
	d := l.dev(fixed)
	l.ok(d.Pilot.SetDuty(iec61851.DutyForCurrent(10 * unit.Ampere)))
	l.run(1900 * time.Millisecond)
	if i := l.w.State().EVSEs[0].Current[0]; i < 15*unit.Ampere {
		t.Errorf("%v before the reaction time", i)
	}
	l.run(200 * time.Millisecond)
	if i := l.w.State().EVSEs[0].Current[0]; i > 10*unit.Ampere {
		t.Errorf("%v after the reaction time", i)
	}
	l.ok(d.Pilot.SetDuty(unit.DutyHigh))
	l.run(2200 * time.Millisecond)
	if s := l.w.State().EVSEs[0]; s.Current[0] != 0 || s.Pilot != term.StateB {
		t.Errorf("PWM off: %v, %v", s.Current[0], s.Pilot)
	}
}

func TestWakeToggles(t *testing.T) {
	l := newLab(t, nil, nil)
	l.ok(l.w.Plug(1, 1, PlugOptions{}))
	l.ok(l.w.SetEV(1, EVOptions{Wake: true}))
	got := ""
	for range 6 {
		l.run(wakePulse / 2)
		got += l.w.State().EVSEs[0].Pilot.String()
		l.run(wakePulse / 2)
	}
	if got != "CBCBBB" {
		t.Errorf("the pilot went %s", got)
	}
}

func TestPlugMatrix(t *testing.T) {
	l := newLab(t, nil, nil)
	un := func(id term.EVSEID, s Side) error {
		done, err := l.w.Unplug(id, 1, UnplugOptions{Side: s})
		if err == nil && !done {
			t.Error("not done")
		}
		return err
	}
	l.wants(l.w.Plug(9, 1, PlugOptions{}), ErrNotFound)
	l.wants(l.w.Plug(1, 9, PlugOptions{}), ErrNotFound)
	l.wants(l.w.Plug(1, 1, PlugOptions{Side: SideEVSE}), ErrImpossible)
	l.wants(l.w.Plug(1, 1, PlugOptions{Side: 9}), ErrBadValue)
	l.wants(un(1, SideBoth), ErrImpossible)
	l.ok(l.w.Plug(1, 1, PlugOptions{}))
	l.wants(l.w.Plug(1, 1, PlugOptions{}), ErrImpossible)
	l.wants(un(1, SideEVSE), ErrImpossible)
	l.ok(un(1, SideBoth))

	l.ok(l.w.Plug(2, 1, PlugOptions{Side: SideEV}))
	c := l.w.State().EVSEs[1].Connectors[0]
	if c.Plugged || c.Pilot != term.StateA {
		t.Errorf("the cable hangs at the car only: %+v", c)
	}
	l.wants(l.w.Plug(2, 1, PlugOptions{}), ErrImpossible)
	l.ok(l.w.Plug(2, 1, PlugOptions{Side: SideEVSE}))
	if c = l.w.State().EVSEs[1].Connectors[0]; !c.Plugged || c.Pilot != term.StateB {
		t.Errorf("both sides: %+v", c)
	}
	l.ok(un(2, SideEV))
	if c = l.w.State().EVSEs[1].Connectors[0]; !c.Plugged || c.Pilot != term.StateA {
		t.Errorf("the cable hangs at the station only: %+v", c)
	}
	l.wants(un(2, SideEV), ErrImpossible)
	l.ok(l.dev(socket).Lock.SetLocked(true))
	l.run(time.Second)
	l.wants(un(2, SideEVSE), ErrImpossible)
	l.ok(l.w.Plug(2, 1, PlugOptions{Side: SideEV}))
	l.wants(un(2, SideBoth), ErrImpossible)
	l.wants(l.w.SetEV(1, EVOptions{}), ErrImpossible)
	l.ok(l.w.SetEV(2, EVOptions{}))
}

func TestOrderlyUnplugWaits(t *testing.T) {
	l := newLab(t, nil, nil)
	l.supply(socket, 16, EVOptions{})
	lock := l.dev(socket).Lock
	l.ok(lock.SetLocked(true))
	l.run(10 * time.Second)
	done, err := l.w.Unplug(2, 1, UnplugOptions{Orderly: true})
	l.ok(err)
	if done {
		t.Error("done at once")
	}
	l.run(time.Minute)
	if c := l.w.State().EVSEs[1].Connectors[0]; !c.Plugged || c.Pilot != term.StateB {
		t.Errorf("while locked: %+v", c)
	}
	l.ok(lock.SetLocked(false))
	l.run(lockTravel + leaveDelay + time.Millisecond)
	if c := l.w.State().EVSEs[1].Connectors[0]; c.Plugged {
		t.Errorf("still plugged: %+v", c)
	}
}

func TestBadCars(t *testing.T) {
	l := newLab(t, nil, nil)
	l.ok(l.w.Plug(1, 1, PlugOptions{}))
	for name, o := range map[string]EVOptions{
		"maximum":  {MaxCurrent: ptr(1000 * unit.Ampere)},
		"minimum":  {MinCurrent: ptr(-unit.Ampere)},
		"crossed":  {MinCurrent: ptr(40 * unit.Ampere)},
		"phases":   {Phases: ptr(uint8(4))},
		"capacity": {Capacity: ptr(unit.Energy(0))},
		"soc":      {SoC: ptr(101 * unit.OnePercent)},
		"factor":   {PowerFactor: ptr(int32(1001))},
		"delay":    {ReadyAfter: ptr(-time.Second)},
		"reaction": {Reaction: ptr(time.Hour)},
	} {
		before := *l.ev(1)
		l.wants(l.w.SetEV(1, o), ErrBadValue)
		if after := *l.ev(1); after != before {
			t.Errorf("%s: a refused change changed the car: %+v", name, after)
		}
	}
}
