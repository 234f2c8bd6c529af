package schedule

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// t0 is a Friday.
var t0 = time.Date(2026, 3, 27, 12, 0, 0, 0, time.UTC)

func at(seconds int) time.Time { return t0.Add(time.Duration(seconds) * time.Second) }

// strict are rules of OCPP 2.x, without any bound that matters.
var strict = Rules{MaxStackLevel: 99, MaxPeriods: 1024, MaxProfiles: 1000, Amperes: true, Watts: true}

// twoEVSEs has two of 32 A on three phases, which can do with one, behind 50 A.
func twoEVSEs(r Rules) *Set {
	y := Supply{Phases: 3, Max: 32 * unit.Ampere, Switch: true}
	return New(Config{Rules: r, Station: Supply{Phases: 3, Max: 50 * unit.Ampere, Switch: true}, EVSEs: []Supply{y, y}})
}

// amps are periods: start in seconds, limit in A, and again.
func amps(v ...int) []Period {
	var out []Period
	for i := 0; i < len(v); i += 2 {
		out = append(out, Period{Start: time.Duration(v[i]) * time.Second, Limit: int64(v[i+1]) * 1000})
	}
	return out
}

func watts(v ...int) Schedule { return Schedule{ID: 1, Unit: Watts, Periods: amps(v...)} }

// absolute is an Absolute schedule from at(start) on, for so many seconds.
func absolute(start, seconds int, p []Period) Schedule {
	return Schedule{ID: 1, Start: at(start), Duration: time.Duration(seconds) * time.Second, Unit: Amperes, Periods: p}
}

func profile(id, level int, purpose Purpose, kind Kind, c ...Schedule) Profile {
	return Profile{ID: id, StackLevel: level, Purpose: purpose, Kind: kind, Schedules: c}
}

func put(t *testing.T, s *Set, evse term.EVSEID, p Profile) {
	t.Helper()
	src := SourceCSO
	if p.Purpose == PurposeExternal {
		src = SourceEMS
	}
	if _, _, r := s.Put(Offer{Installed: Installed{EVSE: evse, Source: src, Received: t0, Profile: p}}); r != nil {
		t.Fatalf("put profile %d: %s (%s)", p.ID, r.Text, r.Code)
	}
}

// show writes periods as "0:16x3 100:6x1".
func show(c Composite) string {
	var b []string
	for _, p := range c.Periods {
		s := fmt.Sprintf("%d:%sx%d", p.Start/time.Second, unit.AppendMilli(nil, p.Limit), p.Phases)
		if p.PhaseToUse != 0 {
			s += fmt.Sprintf("@%d", p.PhaseToUse)
		}
		b = append(b, s)
	}
	return strings.Join(b, " ")
}

func compose(t *testing.T, s *Set, evse term.EVSEID, from time.Time, seconds int, u Unit) string {
	t.Helper()
	c, r := s.Compose(evse, from, time.Duration(seconds)*time.Second, u, make([]Period, 0, 1024))
	if r != nil {
		t.Fatalf("compose: %s", r.Text)
	}
	if c.Duration != time.Duration(seconds)*time.Second {
		t.Errorf("duration %v, want %d s", c.Duration, seconds)
	}
	return show(c)
}

// covers: K01.FR.10 K01.FR.11 K01.FR.12 K01.FR.13 K01.FR.14 K01.FR.15 K01.FR.17 K01.FR.30 K01.FR.36 K01.FR.37 K01.FR.49 K01.FR.50 K01.FR.51 K02.FR.04 K02.FR.08 K08.FR.02 K08.FR.03 K08.FR.04 K08.FR.06
func TestCompose(t *testing.T) {
	daily := func(p Profile, r Recurrency) Profile { p.Recurrency = r; return p }
	valid := func(p Profile, from, to int) Profile { p.ValidFrom, p.ValidTo = at(from), at(to); return p }
	tx := func(p Profile) Profile { p.Transaction = "T"; return p }
	minus := func(d time.Duration, c Schedule) Schedule { c.Start = c.Start.Add(-d); return c }
	type on struct {
		evse term.EVSEID
		p    Profile
	}
	for _, c := range []struct {
		name    string
		set     []on
		tx      int // start of a transaction T at EVSE 1, seconds; 1: none
		evse    term.EVSEID
		seconds int
		unit    Unit
		want    string
	}{
		{"nothing is the supply", nil, 1, 1, 300, Amperes, "0:32x3"},
		{"nothing is the connection of the station", nil, 1, 0, 300, Amperes, "0:50x3"},
		{"watts are of all phases", nil, 1, 1, 300, Watts, "0:22080x3"},
		{"stacking: the higher level, then the lower", []on{
			{1, profile(1, 0, PurposeDefault, Absolute, absolute(0, 400, amps(0, 6, 100, 8, 200, 10)))},
			{1, profile(2, 1, PurposeDefault, Absolute, absolute(0, 150, amps(0, 7, 100, 9)))},
		}, 1, 1, 350, Amperes, "0:7x3 100:9x3 150:8x3 200:10x3"},
		{"combining: TxProfile over TxDefaultProfile, both under the station's", []on{
			{0, profile(1, 0, PurposeStation, Absolute, absolute(0, 86400, amps(0, 10)))},
			{1, profile(2, 0, PurposeDefault, Absolute, absolute(0, 300, amps(0, 6, 60, 10, 120, 8, 180, 15, 260, 8)))},
			{1, tx(profile(3, 0, PurposeTx, Absolute, absolute(0, 260, amps(0, 8, 50, 11, 140, 16, 200, 6, 240, 12))))},
		}, -10, 1, 400, Amperes, "0:8x3 50:10x3 200:6x3 240:10x3 260:8x3 300:10x3"},
		{"daily begins anew, and ends with its duration", []on{
			{0, daily(profile(1, 0, PurposeDefault, Recurring, minus(72*time.Hour, absolute(100, 50, amps(0, 7, 20, 8)))), Daily)},
		}, 1, 1, 86400 + 200, Amperes, "0:32x3 100:7x3 120:8x3 150:32x3 86500:7x3 86520:8x3 86550:32x3"},
		{"weekly, longer than a week is not executed", []on{
			{0, daily(profile(1, 0, PurposeDefault, Recurring, minus(7*24*time.Hour, absolute(100, 8*86400, amps(0, 7, 7*86400-10, 8, 7*86400+10, 9)))), Weekly)},
		}, 1, 1, 300, Amperes, "0:7x3 90:8x3 100:7x3"},
		{"recurring does not begin before its start", []on{
			{0, daily(profile(1, 0, PurposeDefault, Recurring, absolute(100, 0, amps(0, 7))), Daily)},
		}, 1, 1, 300, Amperes, "0:32x3 100:7x3"},
		{"validity", []on{
			{0, valid(profile(1, 0, PurposeDefault, Absolute, absolute(-50, 0, amps(0, 7, 120, 8))), 30, 100)},
		}, 1, 1, 300, Amperes, "0:32x3 30:7x3 70:8x3 100:32x3"},
		{"relative counts from the start of charging", []on{
			{0, profile(1, 0, PurposeDefault, Relative, Schedule{Unit: Amperes, Periods: amps(0, 7, 120, 8)})},
		}, -100, 1, 300, Amperes, "0:7x3 20:8x3"},
		{"relative without a transaction, as if one began", []on{
			{0, profile(1, 0, PurposeDefault, Relative, Schedule{Unit: Amperes, Periods: amps(0, 7, 120, 8)})},
		}, 1, 1, 300, Amperes, "0:7x3 120:8x3"},
		{"watts without phases are of three", []on{
			{0, profile(1, 0, PurposeDefault, Relative, watts(0, 11000, 60, 6900))},
		}, 1, 1, 300, Amperes, "0:15.942x3 60:10x3"},
		{"watts come back as they were", []on{
			{0, profile(1, 0, PurposeDefault, Relative, watts(0, 11000, 60, 6900))},
		}, 1, 1, 300, Watts, "0:11000x3 60:6900x3"},
		{"one phase", []on{
			{0, profile(1, 0, PurposeDefault, Relative, Schedule{Unit: Watts, Periods: []Period{{Limit: 3_680_000, Phases: 1}}})},
			{0, profile(2, 0, PurposeStation, Absolute, absolute(50, 50, amps(0, 10)))},
		}, 1, 1, 300, Amperes, "0:16x1 50:10x1 100:16x1"},
		{"the station is the sum of its EVSEs", []on{
			{1, profile(1, 0, PurposeDefault, Absolute, absolute(0, 100, amps(0, 6)))},
			{2, profile(2, 0, PurposeDefault, Absolute, absolute(0, 200, amps(0, 8)))},
			{0, profile(3, 0, PurposeStation, Absolute, absolute(50, 20, amps(0, 10)))},
		}, 1, 0, 300, Amperes, "0:14x3 50:10x3 70:14x3 100:40x3 200:50x3"},
		{"what the EVSE is told overrules what all are, at its level only", []on{
			{0, profile(1, 1, PurposeDefault, Absolute, absolute(0, 100, amps(0, 6)))},
			{1, profile(2, 0, PurposeDefault, Absolute, absolute(0, 200, amps(0, 8)))},
		}, 1, 1, 300, Amperes, "0:6x3 100:8x3 200:32x3"},
		{"external constraints of the EVSE and of the station, the lower", []on{
			{0, profile(1, 0, PurposeExternal, Absolute, absolute(0, 100, amps(0, 10)))},
			{1, profile(2, 1, PurposeExternal, Absolute, absolute(0, 200, amps(0, 12)))},
		}, 1, 1, 300, Amperes, "0:10x3 100:12x3 200:32x3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := twoEVSEs(strict)
			if c.tx <= 0 {
				s.Begin(1, "T", at(c.tx))
			}
			for _, o := range c.set {
				put(t, s, o.evse, o.p)
			}
			if got := compose(t, s, c.evse, t0, c.seconds, c.unit); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}
