package sampling

import (
	"math/rand/v2"
	"testing"
	"time"
)

// nextAlignedSlowly steps through the day second by second.
func nextAlignedSlowly(wall time.Time, interval int) time.Time {
	for at := wall.UTC().Truncate(time.Second).Add(time.Second); ; at = at.Add(time.Second) {
		if (at.Hour()*3600+at.Minute()*60+at.Second())%interval == 0 {
			return at
		}
	}
}

func TestNextAlignedAgainstASlowOne(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	intervals := []int{1, 2, 7, 10, 60, 61, 900, 3600, 5000, 43200, 50000, 86400, 100000}
	for range 300 {
		wall := time.Unix(1_700_000_000+rnd.Int64N(1e8), rnd.Int64N(1e9)).In(time.FixedZone("", 5*3600+1800))
		if rnd.IntN(4) == 0 {
			wall = wall.Truncate(15 * time.Minute)
		}
		interval := intervals[rnd.IntN(len(intervals))]
		got, want := NextAligned(wall, time.Duration(interval)*time.Second), nextAlignedSlowly(wall, interval)
		if !got.Equal(want) {
			t.Fatalf("%v every %d s: got %v, want %v", wall, interval, got, want)
		}
	}
	if got := NextAligned(t0, 0); !got.IsZero() {
		t.Errorf("interval 0: got %v", got)
	}
}

func TestAligned(t *testing.T) {
	const quarter = 15 * time.Minute
	at := func(clock string) time.Time {
		d, err := time.Parse("15:04:05.999", clock)
		if err != nil {
			t.Fatal(err)
		}
		return time.Date(2026, 3, 1, d.Hour(), d.Minute(), d.Second(), d.Nanosecond(), time.UTC)
	}
	type step struct {
		clock    string
		interval time.Duration
		due      bool
		next     string
	}
	tests := []struct {
		name  string
		steps []step
	}{
		{"every quarter of an hour", []step{
			{"12:00:00", quarter, false, "12:15:00"}, {"12:14:59.9", quarter, false, "12:15:00"},
			{"12:15:00", quarter, true, "12:30:00"}, {"12:15:00.1", quarter, false, "12:30:00"}, {"12:30:03", quarter, true, "12:45:00"}}},
		{"set forward over instants", []step{
			{"12:00:01", quarter, false, "12:15:00"}, {"14:07:00", quarter, false, "14:15:00"}, {"14:15:00", quarter, true, "14:30:00"}}},
		{"set back by hours", []step{
			{"14:00:01", quarter, false, "14:15:00"}, {"12:07:00", quarter, false, "12:15:00"}, {"12:15:00", quarter, true, "12:30:00"}}},
		{"set back by a little just after", []step{
			{"12:14:00", quarter, false, "12:15:00"}, {"12:15:00.2", quarter, true, "12:30:00"}, {"12:14:59.9", quarter, false, "12:30:00"},
			{"12:15:00", quarter, false, "12:30:00"}, {"12:30:00", quarter, true, "12:45:00"}}},
		{"another interval", []step{
			{"12:01:00", quarter, false, "12:15:00"}, {"12:02:00", time.Minute, false, "12:03:00"}, {"12:03:00", time.Minute, true, "12:04:00"}}},
		{"set back by a little, another interval", []step{
			{"12:14:00", quarter, false, "12:15:00"}, {"12:15:00.2", quarter, true, "12:30:00"}, {"12:14:59.9", 5 * time.Minute, false, "12:20:00"}}},
		{"set forward to just after an instant", []step{
			{"12:00:00", quarter, false, "12:15:00"}, {"12:15:10", quarter, false, "12:30:00"}, {"12:30:09.9", quarter, true, "12:45:00"}}},
		{"too late for a short interval", []step{
			{"12:00:00", time.Second, false, "12:00:01"}, {"12:00:02.5", time.Second, false, "12:00:03"}, {"12:00:03.2", time.Second, true, "12:00:04"}}},
		{"off and on", []step{
			{"12:00:00", quarter, false, "12:15:00"}, {"12:16:00", 0, false, ""}, {"12:29:00", quarter, false, "12:30:00"}, {"12:30:00", quarter, true, "12:45:00"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var a Aligned
			for _, s := range tt.steps {
				var next time.Time
				if s.next != "" {
					next = at(s.next)
				}
				if due := a.Due(at(s.clock), s.interval); due != s.due || !a.Next().Equal(next) {
					t.Errorf("%s: got %v, next %v; want %v, %v", s.clock, due, a.Next(), s.due, next)
				}
			}
		})
	}
}

func TestAlignedTellsEveryInstantOfADayOnce(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	var a Aligned
	wall, told := t0, 0
	a.Due(wall, 900*time.Second)
	for wall.Before(t0.Add(24 * time.Hour)) { // woken late by up to 20 ms, and now and then for nothing
		if next := a.Next(); rnd.IntN(2) == 0 {
			wall = next.Add(time.Duration(rnd.IntN(20)) * time.Millisecond)
		} else {
			wall = wall.Add(next.Sub(wall) / 2)
		}
		if a.Due(wall, 900*time.Second) {
			told++
		}
	}
	if told != 96 {
		t.Errorf("told %d instants, want 96", told)
	}
}

func TestPeriodicDoesNotDrift(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	var p Periodic
	start := time.Unix(0, 123456789)
	now := start.Add(40 * time.Millisecond)
	p.Due(now, start, 10*time.Second)
	for i := 1; i <= 8640; i++ { // a day, always late
		if want := start.Add(time.Duration(i) * 10 * time.Second); !p.Next().Equal(want) {
			t.Fatalf("sample %d is due at %v, want %v", i, p.Next(), want)
		}
		if p.Due(p.Next().Add(-1), start, 10*time.Second) {
			t.Fatalf("sample %d comes too early", i)
		}
		now = p.Next().Add(time.Duration(rnd.IntN(900)) * time.Millisecond)
		if !p.Due(now, start, 10*time.Second) {
			t.Fatalf("sample %d does not come", i)
		}
	}
}

func TestPeriodic(t *testing.T) {
	var p Periodic
	start := time.Unix(1000, 0)
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	check := func(name string, now int, interval int, due bool, next time.Time) {
		t.Helper()
		if got := p.Due(at(now), start, time.Duration(interval)*time.Second); got != due || !p.Next().Equal(next) {
			t.Errorf("%s: got %v, next %v; want %v, %v", name, got, p.Next(), due, next)
		}
	}
	check("begin", 0, 60, false, at(60))
	check("after a long pause once", 250, 60, true, at(300))
	check("not twice", 250, 60, false, at(300))
	check("another interval counts from the start too", 251, 100, false, at(300))
	check("its sample", 300, 100, true, at(400))
	check("off", 400, 0, false, time.Time{})
	check("still off", 9999, 0, false, time.Time{})
	check("on again", 401, 100, false, at(500))
	if got := NextPeriodic(start, at(-5), time.Minute); !got.Equal(at(60)) {
		t.Errorf("before the start: got %v", got)
	}
}
