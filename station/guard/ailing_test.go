package guard_test

import (
	"errors"
	"testing"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/guard"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

// ailing is a pilot that says why it cannot be read.
type ailing struct {
	hal.ControlPilot
	err error
}

func (a *ailing) Sample() (hal.PilotSample, error) {
	if a.err != nil {
		return hal.PilotSample{}, a.err
	}
	return a.ControlPilot.Sample()
}

// warm is a thermometer.
type warm struct {
	at  unit.Temperature
	err error
}

func (w *warm) Temperature() (unit.Temperature, error) { return w.at, w.err }

// TestPilotFaultSaysWhy: with the fault goes the first reason why nobody could see the pilot, and none once it is over.
func TestPilotFaultSaysWhy(t *testing.T) {
	pilot := &ailing{}
	b := newBench(t, func(c *guard.Config) {
		pilot.ControlPilot = c.Connectors[0].Pilot
		c.Connectors[0].Pilot = pilot
	})
	why := func() (told hal.Ailment) {
		for _, n := range b.notices {
			if n.Ref == cable && n.Kind == iec61851.FaultChanged && n.Fault == term.FaultPilot && n.Active {
				told = n.Ailment
			}
		}
		return told
	}
	for _, row := range []struct {
		first, then error
		want        hal.Ailment
	}{
		{hal.AilSilent, hal.AilReset, hal.AilSilent},
		{hal.AilFrozen, hal.AilFrozen, hal.AilFrozen},
		{hal.AilReset, hal.AilVersion, hal.AilVersion},
		{hal.AilVersion, hal.AilSilent, hal.AilVersion},
		{errors.New("input/output error"), hal.AilFrozen, hal.AilUnreadable},
	} {
		b.notices = nil
		pilot.err = row.first
		b.run(time.Second)
		pilot.err = row.then
		b.run(time.Second)
		if s := b.status(cable); !s.Faults.Has(term.FaultPilot) || s.Ailment != row.want || why() != row.want {
			t.Errorf("%v, then %v: %+v, told %v", row.first, row.then, s, why())
		}
		if n := testing.AllocsPerRun(200, func() { b.now = b.now.Add(b.g.Cycle(b.now)) }); n != 0 {
			t.Errorf("%v: %v allocations a cycle", row.first, n)
		}
		pilot.err = nil
		b.run(3 * time.Second)
		if s := b.status(cable); s.Faults != 0 || s.Ailment != hal.AilNone {
			t.Errorf("over: %+v", s)
		}
	}
}

// TestTemperaturesAreTold: in steps of half a degree, unknown where the thermometer fails, and without allocating.
func TestTemperaturesAreTold(t *testing.T) {
	socketHeat, cableHeat := &warm{at: 20_040}, &warm{at: 30_000}
	b := newBench(t, func(c *guard.Config) { c.Connectors[0].Socket, c.Connectors[0].Cable = socketHeat, cableHeat })
	want := func(what string, socket, cable0 iec61851.Heat) {
		t.Helper()
		b.run(time.Second)
		if s := b.status(cable); s.SocketHeat != socket || s.CableHeat != cable0 {
			t.Errorf("%s: %+v, %+v", what, s.SocketHeat, s.CableHeat)
		}
	}
	known := func(at unit.Temperature) iec61851.Heat { return iec61851.Heat{Known: true, At: at} }
	want("at the start", known(20_000), known(30_000))
	socketHeat.at, cableHeat.at = 20_499, 29_601
	want("a little", known(20_000), known(30_000))
	socketHeat.at, cableHeat.at = 20_570, 29_400
	want("half a degree", known(20_500), known(29_400))
	socketHeat.err = errors.New("no such device")
	want("lost", iec61851.Heat{}, known(29_400))
	if s := b.status(cable); !s.Faults.Has(term.FaultHighTemperature) {
		t.Errorf("%+v", s)
	}
	socketHeat.err, socketHeat.at = nil, 1<<31-1
	want("absurd", known(3_000_000), known(29_400))
	if n := testing.AllocsPerRun(500, func() {
		socketHeat.at = -socketHeat.at
		b.now = b.now.Add(b.g.Cycle(b.now) + 250*time.Millisecond)
	}); n != 0 {
		t.Errorf("%v allocations a cycle", n)
	}
}
