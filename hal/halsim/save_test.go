package halsim

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

func TestHeldReadings(t *testing.T) {
	l := newLab(t, nil, nil)
	l.ok(l.w.SetMeter(1, MeterOptions{
		Energy: ptr(1000 * unit.WattHour), Voltage: &[3]unit.Voltage{231000, 232000, 233000}, Current: &[3]unit.Current{1000, 2000, 3000},
		Frequency: ptr(49900 * unit.Frequency(1)),
	}))
	l.run(time.Hour)
	r := l.read(1)
	if r.Import != 1000*unit.WattHour || r.Voltage != [3]unit.Voltage{231000, 232000, 233000} || r.Current != [3]unit.Current{1000, 2000, 3000} ||
		r.Frequency != 49900 || r.Power != 1394*unit.Watt {
		t.Errorf("%+v", r)
	}
	l.wants(l.w.SetMeter(1, MeterOptions{Energy: ptr(999 * unit.WattHour)}), ErrImpossible)
	l.wants(l.w.SetMeter(1, MeterOptions{Current: &[3]unit.Current{-1}}), ErrBadValue)
	l.wants(l.w.SetMeter(7, MeterOptions{}), ErrNotFound)
	l.ok(l.w.SetMeter(1, MeterOptions{Release: true}))
	l.run(time.Hour)
	if r := l.read(1); r.Import != 1000*unit.WattHour || r.Current[0] != 0 {
		t.Errorf("released: %+v", r)
	}
}

func TestHeldCurrentIsCounted(t *testing.T) {
	l := newLab(t, nil, nil)
	l.ok(l.w.SetMeter(1, MeterOptions{Voltage: &[3]unit.Voltage{230000, 230000, 230000}, Current: &[3]unit.Current{10000, 0, 0}}))
	l.run(time.Hour)
	if got := l.read(1).Import; got != 2300*unit.WattHour {
		t.Errorf("%v", got)
	}
}

func TestMeterFailure(t *testing.T) {
	l := newLab(t, nil, nil)
	m, err := l.w.Meter(1)
	l.ok(err)
	l.ok(l.w.SetFault(FaultOptions{Ref: term.Ref{EVSE: 1}, Code: term.FaultMeter, Active: true}))
	if _, err := m.Read(context.Background()); err == nil {
		t.Error("a dead meter answers")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	l.ok(l.w.ClearFaults())
	if _, err := m.Read(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// TestKillAtAnyInstant kills the process again and again: what was plugged is plugged, and no register that was ever
// read is lower afterwards.
func TestKillAtAnyInstant(t *testing.T) {
	path := filepath.Join(t.TempDir(), "world.json")
	keep := func(s *Saved) error { return s.WriteFile(path) }
	l := newLab(t, nil, keep)
	l.supply(fixed, 32, EVOptions{Capacity: ptr(100 * unit.KiloWattHour), SoC: ptr(10 * unit.OnePercent)})
	seen, soc := unit.Energy(0), unit.Percent(0)
	for n := range 200 {
		l.run(time.Duration(n*137) * time.Millisecond)
		r := l.read(1)
		if r.Import < seen {
			t.Fatalf("kill %d: %v after %v", n, r.Import, seen)
		}
		seen = r.Import
		now := l.now
		saved, err := ReadFile(path)
		l.ok(err)
		l = newLab(t, saved, keep)
		l.now = l.now.Add(now.Sub(epoch))
		ev := l.ev(1)
		if ev == nil || ev.SoC < soc {
			t.Fatalf("kill %d: car %+v after %v", n, ev, soc)
		}
		soc = ev.SoC
		if got := l.read(1).Import; got < seen {
			t.Fatalf("kill %d: %v after %v", n, got, seen)
		}
		d := l.dev(fixed)
		l.ok(d.Pilot.SetDuty(5000))
		l.run(time.Second)
		l.ok(d.Contactor.Set(true, 3))
	}
	if seen < 3*unit.KiloWattHour {
		t.Errorf("only %v flowed: the test sees too little", seen)
	}
}

func TestSavedWorldIsTheWorld(t *testing.T) {
	l := newLab(t, nil, nil)
	l.supply(socket, 16, EVOptions{SoC: ptr(33 * unit.OnePercent), Departure: ptr(time.Hour), Phases: ptr(uint8(1)), Ventilation: ptr(true)})
	l.ok(l.dev(socket).Lock.SetLocked(true))
	l.ok(l.w.SetBay(1, true))
	l.run(time.Minute)
	l.ok(l.w.SetFault(FaultOptions{Ref: socket, Code: term.FaultContactor, Active: true}))
	data, err := json.Marshal(l.w.Saved())
	l.ok(err)
	var s Saved
	l.ok(json.Unmarshal(data, &s))
	m := newLab(t, &s, nil)
	again, err := json.Marshal(m.w.Saved())
	l.ok(err)
	if string(data) != string(again) {
		t.Errorf("saved\n%s\nloaded and saved\n%s", data, again)
	}
	st := m.w.State().EVSEs[1]
	if !st.Relay || !st.Connectors[0].Locked || !st.Connectors[0].Plugged || !m.w.State().EVSEs[0].Bay {
		t.Errorf("%+v", st)
	}
}

func TestBadSavedWorlds(t *testing.T) {
	cfg := Config{Clock: func() time.Time { return epoch }, EVSEs: []EVSE{{ID: 1, Phases: 1, MaxCurrent: 1, Connectors: []Connector{{ID: 1}}}}}
	for name, s := range map[string]*Saved{
		"newer version":     {Version: savedVersion + 1},
		"negative register": {Version: savedVersion, EVSEs: []SavedEVSE{{ID: 1, Import: -1}}},
		"car of nothing":    {Version: savedVersion, EVSEs: []SavedEVSE{{ID: 1, Connectors: []SavedConnector{{ID: 1, AtEV: true, Car: &SavedCar{}}}}}},
	} {
		if _, err := New(cfg, s); !errors.Is(err, ErrBadValue) {
			t.Errorf("%s: %v", name, err)
		}
	}
	dir := t.TempDir()
	if s, err := ReadFile(filepath.Join(dir, "none")); s != nil || err != nil {
		t.Errorf("no file: %v %v", s, err)
	}
	bad := filepath.Join(dir, "bad")
	if err := os.WriteFile(bad, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFile(bad); err == nil {
		t.Error("a torn file was read")
	}
	if err := (&Saved{}).WriteFile(filepath.Join(dir, "none", "world")); err == nil {
		t.Error("written into a folder that is not there")
	}
}

// TestNothingIsReportedUnkept: a reading whose register cannot be kept does not leave the meter.
func TestNothingIsReportedUnkept(t *testing.T) {
	var broken error
	l := newLab(t, nil, func(*Saved) error { return broken })
	l.supply(fixed, 16, EVOptions{})
	l.run(time.Hour)
	broken = errors.New("disk full")
	m, err := l.w.Meter(1)
	l.ok(err)
	if _, err := m.Read(context.Background()); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	broken = nil
	if r := l.read(1); r.Import < 10*unit.KiloWattHour {
		t.Errorf("%v", r.Import)
	}
}
