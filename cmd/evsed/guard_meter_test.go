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

// TestGuardJudgesReadings: a guard process hears the meter through its socket. What flows against the permit opens the
// contactor, and so do readings that are old when they come, where the board's policy is to stop without a meter.
func TestGuardJudgesReadings(t *testing.T) {
	for _, test := range []struct {
		name    string
		policy  iec61851.MeterPolicy
		current unit.Current
		age     time.Duration // of each reading when it is sent
		opens   term.Fault
		reports term.Fault
	}{
		{"as permitted", iec61851.MeterStop, 16 * unit.Ampere, 0, 0, 0},
		{"far too much", iec61851.MeterStop, 30 * unit.Ampere, 0, term.FaultOverCurrent, 0},
		{"a little too much for too long", iec61851.MeterStop, 18500, 0, term.FaultOverCurrent, 0},
		{"old", iec61851.MeterStop, 16 * unit.Ampere, iec61851.ReadingLimit, term.FaultMeter, 0},
		{"old, and a board that goes on", iec61851.MeterReport, 16 * unit.Ampere, iec61851.ReadingLimit, 0, term.FaultMeter},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w, err := rig.NewWorld()
			if err != nil {
				t.Fatal(err)
			}
			table := guardTable()
			table.Connectors[0].Meter = test.policy
			g := startGuarded(t, w, table)
			g.charge()
			opens := w.Opens(0)
			has := func(f term.Fault) bool {
				s, _ := g.remote.Status(guardRef)
				return s.Faults.Has(f)
			}
			read := guard.MeterSummary{Age: test.age, Phases: 3, Voltage: [3]unit.Voltage{230000, 230000, 230000}, Current: [3]unit.Current{test.current, test.current, test.current}}
			start := time.Now()
			over := func() bool { // the guard has seen readings for as long as an old one may be
				g.remote.Meter(1, read)
				time.Sleep(10 * time.Millisecond) // a real guard in real time
				return time.Since(start) > iec61851.ReadingLimit+time.Second
			}
			if test.opens != 0 {
				took := g.within(iec61851.ReadingLimit+slow, "the contactor opens", func() bool { over(); return g.open() })
				g.within(slow, "the station hears why", func() bool { return has(test.opens) })
				t.Logf("open after %v", took)
				return
			}
			if test.reports != 0 {
				g.within(iec61851.ReadingLimit+slow, "the station hears of it", func() bool { over(); return has(test.reports) })
			} else {
				g.within(iec61851.ReadingLimit+slow, "the readings are long enough", over)
			}
			if w.Opens(0) != opens {
				s, _ := g.remote.Status(guardRef)
				t.Errorf("the contactor opened: %+v", s)
			}
		})
	}
}
