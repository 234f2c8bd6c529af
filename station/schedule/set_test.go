package schedule

import (
	"fmt"
	"testing"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

func wantLimit(t *testing.T, s *Set, evse term.EVSEID, now time.Time, want string, id int, until time.Time) {
	t.Helper()
	l, u := s.Limit(evse, now)
	if got := fmt.Sprintf("%vx%d", l.Max, l.Phases); got != want || l.Profile != id || !u.Equal(until) {
		t.Errorf("limit at %v is %s of profile %d until %v, want %s of %d until %v", now.Sub(t0), got, l.Profile, u, want, id, until)
	}
}

// covers: K01.FR.07 K01.FR.32 K01.FR.42 K10.FR.05 K10.FR.07
func TestLimit(t *testing.T) {
	s := twoEVSEs(strict)
	never := time.Time{}
	wantLimit(t, s, 1, t0, "32 Ax3", 0, never)
	wantLimit(t, s, 0, t0, "50 Ax3", 0, never)
	put(t, s, 0, profile(1, 0, PurposeDefault, Relative, Schedule{Unit: Amperes, Periods: amps(0, 8, 60, 16, 120, 16, 180, 10)}))
	wantLimit(t, s, 1, t0, "8 Ax3", 1, never) // before charging it is always its beginning
	s.Begin(1, "T", time.Time{})
	wantLimit(t, s, 1, at(100), "8 Ax3", 1, never)
	s.Begin(1, "T", at(100))
	wantLimit(t, s, 1, at(100), "8 Ax3", 1, at(160))
	wantLimit(t, s, 1, at(159), "8 Ax3", 1, at(160))
	wantLimit(t, s, 1, at(160), "16 Ax3", 1, at(280))
	put(t, s, 0, profile(2, 0, PurposeStation, Absolute, absolute(170, 30, amps(0, 12))))
	wantLimit(t, s, 1, at(165), "16 Ax3", 1, at(170))
	wantLimit(t, s, 1, at(170), "12 Ax3", 2, at(200))
	wantLimit(t, s, 0, at(170), "12 Ax3", 2, at(200))
	wantLimit(t, s, 1, at(100), "8 Ax3", 1, at(160)) // the clock was set back
	wantLimit(t, s, 1, at(9000), "10 Ax3", 1, never)
	s.End(1)
	wantLimit(t, s, 1, at(9000), "8 Ax3", 1, never)
	s.Clear(Filter{IDs: []int{1}})
	wantLimit(t, s, 1, at(9000), "32 Ax3", 0, never)
}

// TestLimitOfLater: what begins in weeks is not forgotten (a recurrence that is not yet valid, K01.FR.36).
func TestLimitOfLater(t *testing.T) {
	s := twoEVSEs(strict)
	p := profile(1, 0, PurposeDefault, Recurring, absolute(0, 600, amps(0, 8)))
	p.Recurrency, p.ValidFrom = Daily, t0.AddDate(0, 0, 20).Add(time.Hour)
	put(t, s, 1, p)
	begins := t0.AddDate(0, 0, 21)
	wantLimit(t, s, 1, t0, "32 Ax3", 0, begins)
	wantLimit(t, s, 1, begins, "8 Ax3", 1, begins.Add(10*time.Minute))
}

// TestOver: what says nothing any more, and what may still (K01.FR.12, K01.FR.37).
func TestOver(t *testing.T) {
	minute := absolute(100, 60, amps(0, 8))
	endless := absolute(100, 0, amps(0, 8))
	relative := Schedule{Duration: time.Minute, Unit: Amperes, Periods: amps(0, 8)}
	daily := profile(1, 0, PurposeDefault, Recurring, minute)
	daily.Recurrency = Daily
	until := func(p Profile, seconds int) Profile { p.ValidTo = at(seconds); return p }
	const never = 1 << 30
	for _, tt := range []struct {
		name string
		p    Profile
		over int // second since which it is; never
	}{
		{"a minute", profile(1, 0, PurposeDefault, Absolute, minute), 160},
		{"without end", profile(1, 0, PurposeDefault, Absolute, endless), never},
		{"valid for a while", until(profile(1, 0, PurposeDefault, Absolute, endless), 500), 500},
		{"valid for longer than it lasts", until(profile(1, 0, PurposeDefault, Absolute, minute), 500), 160},
		{"never valid while it lasts", until(profile(1, 0, PurposeDefault, Absolute, minute), 100), 0},
		{"every day", daily, never},
		{"every day for a while", until(daily, 150), 150},
		{"every day, and no second occurrence", until(daily, day), 160},
		{"with each session", profile(1, 0, PurposeDefault, Relative, relative), never},
		{"with each session for a while", until(profile(1, 0, PurposeDefault, Relative, relative), 500), 500},
	} {
		s := twoEVSEs(strict)
		put(t, s, 1, tt.p)
		for _, second := range []int{0, 1, 99, 100, 149, 150, 159, 160, 499, 500, 2 * day, never - 1} {
			if got := len(s.Over(at(second))) == 1; got != (second >= tt.over) {
				t.Errorf("%s: over at second %d: %t", tt.name, second, got)
			}
		}
	}
}

// covers: K02.FR.05
func TestTxProfileEndsWithItsTransaction(t *testing.T) {
	s := twoEVSEs(strict)
	s.Begin(1, "T", t0)
	s.Begin(2, "U", t0)
	tx := func(id int, tx string) Profile {
		p := profile(id, id, PurposeTx, Relative, Schedule{Unit: Amperes, Periods: amps(0, 6)})
		p.Transaction = "T"
		if tx != "" {
			p.Transaction = "U"
		}
		return p
	}
	put(t, s, 1, tx(1, ""))
	put(t, s, 1, tx(2, ""))
	put(t, s, 2, tx(3, "U"))
	if got := s.End(1); len(got) != 2 || got[0] != 1 || got[1] != 2 || s.Len() != 1 {
		t.Errorf("removed %v; %d profiles are left", got, s.Len())
	}
	if got := s.End(1); len(got) != 0 {
		t.Errorf("ended again: removed %v", got)
	}
}

// TestTxProfileOfAnother: one that was restored without its transaction says nothing.
func TestTxProfileOfAnother(t *testing.T) {
	s := twoEVSEs(strict)
	p := profile(1, 0, PurposeTx, Relative, Schedule{Unit: Amperes, Periods: amps(0, 6)})
	p.Transaction = "T"
	s.Restore(Installed{EVSE: 1, Profile: p})
	wantLimit(t, s, 1, t0, "32 Ax3", 0, time.Time{})
	s.Begin(1, "T", t0)
	wantLimit(t, s, 1, t0, "6 Ax3", 1, time.Time{})
}

// TestLooseStarts: a schedule that has no start (OCPP 1.6 7.13).
func TestLooseStarts(t *testing.T) {
	r := strict
	r.Loose = true
	s := twoEVSEs(r)
	s.Begin(1, "T", at(30))
	put(t, s, 0, profile(1, 0, PurposeDefault, Absolute, Schedule{Unit: Amperes, Periods: amps(0, 8, 60, 16)}))
	put(t, s, 0, profile(2, 0, PurposeStation, Relative, Schedule{Unit: Amperes, Periods: amps(0, 7, 20, 50), Duration: time.Hour}))
	if got := compose(t, s, 1, t0, 300, Amperes); got != "0:7x3 20:32x3 30:8x3 90:16x3" {
		t.Errorf("got %s", got)
	}
	p := profile(3, 0, PurposeTx, Relative, Schedule{Unit: Amperes, Periods: amps(0, 9)})
	in, _, x := s.Put(Offer{Installed: Installed{EVSE: 1, Source: SourceCSO, Profile: p}})
	if x != nil || in.Profile.Transaction != "T" {
		t.Errorf("installed %+v: %v", in, x)
	}
}

// TestComposeRunsOutOfRoom: it says how far it came.
func TestComposeRunsOutOfRoom(t *testing.T) {
	s := twoEVSEs(strict)
	put(t, s, 1, profile(1, 0, PurposeDefault, Absolute, absolute(0, 0, amps(0, 6, 10, 7, 20, 8, 30, 9))))
	c, x := s.Compose(1, t0, time.Hour, Amperes, make([]Period, 0, 3))
	if x != nil || show(c) != "0:6x3 10:7x3 20:8x3" || c.Duration != 30*time.Second {
		t.Errorf("got %s for %v: %v", show(c), c.Duration, x)
	}
	if c, _ := s.Compose(1, at(15), 0, Amperes, nil); show(c) != "0:7x3" || c.Duration != 0 {
		t.Errorf("for no time: %s for %v", show(c), c.Duration)
	}
}

// covers: K09.FR.04 K09.FR.05 K09.FR.06 K10.FR.03 K10.FR.04 K10.FR.09
func TestClearAndList(t *testing.T) {
	fresh := func() *Set {
		s := twoEVSEs(strict)
		for id, evse := range []int{2, 1, 1, 0, 0, 0} {
			p := profile(id, id, PurposeDefault, Absolute, absolute(0, 0, amps(0, 6)))
			src := SourceCSO
			switch id {
			case 3:
				p.Purpose = PurposeStation
			case 4:
				p.Purpose, src = PurposeExternal, SourceSO
			}
			s.Restore(Installed{EVSE: term.EVSEID(evse), Source: src, Profile: p})
		}
		return s
	}
	for _, c := range []struct {
		name          string
		f             Filter
		listed, clear string
	}{
		{"all", Filter{}, "[3 5 4 1 2 0]", "[0 1 2 3 5]"},
		{"by ID", Filter{IDs: []int{2, 0, 77}}, "[2 0]", "[0 2]"},
		{"an ID that there is not", Filter{IDs: []int{77}}, "[]", "[]"},
		{"external, by ID", Filter{IDs: []int{4}}, "[4]", "[]"}, // K10.FR.09
		{"by EVSE", Filter{HasEVSE: true, EVSE: 1}, "[1 2]", "[1 2]"},
		{"of the station", Filter{HasEVSE: true}, "[3 5 4]", "[3 5]"},
		{"by purpose", Filter{Purpose: PurposeStation}, "[3]", "[3]"},
		{"by level", Filter{HasStack: true, Stack: 5}, "[5]", "[5]"},
		{"by all of it", Filter{HasEVSE: true, EVSE: 1, HasStack: true, Stack: 2, Purpose: PurposeDefault}, "[2]", "[2]"},
		{"by what does not go together", Filter{HasEVSE: true, EVSE: 1, HasStack: true, Stack: 5}, "[]", "[]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := fresh()
			ids := []int{}
			for _, in := range s.List(c.f, nil) {
				ids = append(ids, in.Profile.ID)
			}
			if got := fmt.Sprint(ids); got != c.listed {
				t.Errorf("listed %s, want %s", got, c.listed)
			}
			n := s.Len()
			removed := s.Clear(c.f)
			if got := fmt.Sprint(removed); got != c.clear || s.Len() != n-len(removed) {
				t.Errorf("cleared %s, want %s; %d of %d are left", got, c.clear, s.Len(), n)
			}
		})
	}
	if got := fresh().List(Filter{}, []Source{SourceSO, SourceEMS}); len(got) != 1 || got[0].Profile.ID != 4 {
		t.Errorf("listed by source: %+v", got)
	}
}

// TestSetOwnsItsProfiles: what the caller does to his copy afterwards is his.
func TestSetOwnsItsProfiles(t *testing.T) {
	s := twoEVSEs(strict)
	p := profile(1, 0, PurposeDefault, Absolute, absolute(0, 0, amps(0, 6)))
	put(t, s, 1, p)
	p.Schedules[0].Periods[0].Limit = 1
	wantLimit(t, s, 1, t0, "6 Ax3", 1, time.Time{})
}

func TestConfigure(t *testing.T) {
	s := twoEVSEs(strict)
	put(t, s, 1, profile(1, 0, PurposeDefault, Relative, watts(0, 6900)))
	wantLimit(t, s, 1, t0, "10 Ax3", 1, time.Time{})
	y := Supply{Phases: 1, Max: 500_000 * unit.Ampere}
	s.Configure(Config{Rules: strict, Voltage: 115 * unit.Volt, EVSEs: []Supply{y, y}})
	wantLimit(t, s, 1, t0, "20 Ax1", 1, time.Time{}) // of three phases, of which there is one (OCPP 1.6 errata 4.0, 3.34)
	wantLimit(t, s, 0, t0, "100000 Ax3", 0, time.Time{})
	if s.Restore(Installed{EVSE: 3, Profile: profile(2, 0, PurposeDefault, Relative, watts(0, 1))}); s.Len() != 1 {
		t.Error("a profile of an EVSE that there is not was restored")
	}
}
