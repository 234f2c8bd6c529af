package halsim

import (
	"testing"
	"time"

	"github.com/evsed/evsed/hal/unit"
)

// TestNothingHappensBeforeNext: a world that is only looked at when Next says so shows the same events at the same instants
// as one that is looked at every 10 ms.
func TestNothingHappensBeforeNext(t *testing.T) {
	story := func(next func(l *lab) time.Duration) []Event {
		l := newLab(t, nil, nil)
		l.supply(fixed, 16, EVOptions{TargetEnergy: ptr(300 * unit.WattHour), Reaction: ptr(time.Second)})
		for end := l.now.Add(20 * time.Minute); l.now.Before(end); {
			d := min(next(l), end.Sub(l.now))
			if d <= 0 {
				t.Fatalf("no progress at %v", l.now)
			}
			l.run(d)
			l.w.State()
		}
		if len(l.events) < 5 {
			t.Fatalf("%d events", len(l.events))
		}
		return l.events
	}
	often := story(func(*lab) time.Duration { return 10 * time.Millisecond })
	looks := 0
	seldom := story(func(l *lab) time.Duration { looks++; return l.w.Next(time.Hour).Sub(l.now) })
	if len(often) != len(seldom) {
		t.Fatalf("%d events, and %d when looked at seldom", len(often), len(seldom))
	}
	for i := range often {
		if often[i] != seldom[i] {
			t.Errorf("event %d: %+v, and %+v when looked at seldom", i, often[i], seldom[i])
		}
	}
	if looks > 100 {
		t.Errorf("%d looks in 20 minutes", looks)
	}
}

// TestCoarseTick: a coarse tick changes what a full battery has taken by nothing that a bill would show.
func TestCoarseTick(t *testing.T) {
	took := func(tick time.Duration) unit.Energy {
		l := newLab(t, nil, nil)
		l.w.cfg.Tick = tick
		l.supply(fixed, 32, EVOptions{SoC: ptr(70 * unit.OnePercent), Capacity: ptr(20 * unit.KiloWattHour)})
		l.run(2 * time.Hour)
		return l.read(1).Import
	}
	fine, coarse := took(defaultTick), took(10*time.Second)
	if d := fine - coarse; d > unit.WattHour || d < -unit.WattHour {
		t.Errorf("%v in ticks of 100 ms, %v in ticks of 10 s", fine, coarse)
	}
}
