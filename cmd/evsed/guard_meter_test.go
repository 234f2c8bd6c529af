package main

import (
	"testing"
	"time"

	"github.com/evsed/evsed/hal/rig"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/guard"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

// metered is a guard process whose station passes on the same reading again and again.
type metered struct {
	*guarded
	name    string
	reading guard.MeterSummary
	want    term.Fault // and after it the contactor is open, but where
	goesOn  bool
	opens   int64 // of the contactor before
}

func (m *metered) faulty() bool {
	s, _ := m.remote.Status(guardRef)
	return s.Faults.Has(m.want)
}

// TestGuardJudgesReadings: a guard process hears the meter through its socket. What flows against the permit opens the
// contactor, and so do readings that are old when they come, where the board's policy is to stop without a meter.
func TestGuardJudgesReadings(t *testing.T) {
	t.Parallel()
	var all []*metered
	begin := func(name string, policy iec61851.MeterPolicy, current unit.Current, age time.Duration, want term.Fault, goesOn bool) {
		w, err := rig.NewWorld()
		if err != nil {
			t.Fatal(err)
		}
		table := guardTable()
		table.Connectors[0].Meter = policy
		m := &metered{guarded: startGuarded(t, w, table), name: name, want: want, goesOn: goesOn}
		m.reading = guard.MeterSummary{Age: age, Phases: 3, Voltage: [3]unit.Voltage{230000, 230000, 230000}, Current: [3]unit.Current{current, current, current}}
		m.charge()
		m.opens = w.Opens(0)
		all = append(all, m)
	}
	begin("as permitted", iec61851.MeterStop, 16*unit.Ampere, 0, term.FaultNone, true)
	begin("far too much", iec61851.MeterStop, 30*unit.Ampere, 0, term.FaultOverCurrent, false)
	begin("a little too much for too long", iec61851.MeterStop, 18500, 0, term.FaultOverCurrent, false)
	begin("old", iec61851.MeterStop, 16*unit.Ampere, iec61851.ReadingLimit, term.FaultMeter, false)
	begin("old, at a board that goes on", iec61851.MeterReport, 16*unit.Ampere, iec61851.ReadingLimit, term.FaultMeter, true)

	start := time.Now()
	all[0].within(iec61851.ReadingLimit+slow, "what shall open is open, what shall be told is told", func() bool {
		done := time.Since(start) > iec61851.ReadingLimit+500*time.Millisecond // what shall go on has had its chance not to
		for _, m := range all {
			m.remote.Meter(1, m.reading)
			done = done && (m.goesOn || m.open()) && (m.want == term.FaultNone || m.faulty())
		}
		return done
	})
	for _, m := range all {
		if s, _ := m.remote.Status(guardRef); m.goesOn == m.open() || m.goesOn && m.world.Opens(0) != m.opens || m.want == term.FaultNone && s.Faults != 0 {
			t.Errorf("%s: %+v", m.name, s)
		}
	}
}
