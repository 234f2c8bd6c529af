package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/schedule"
)

// What the composite schedule of a day may cost, and by how much the limit of a moment may cost more where more profiles are
// installed: nothing, but for what a cache of the processor makes of it.
const (
	goalComposite     = 50 * time.Microsecond
	goalCompositeMost = time.Millisecond
	goalLimitGrowth   = 2.0
)

// Profiles of a station: what a busy one has, and far more than it takes.
const (
	someProfiles = 64
	manyProfiles = 1000
)

const daySeconds = 24 * 60 * 60

// scheduleBegin is when the day begins that is looked at.
var scheduleBegin = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)

// chargingDay is a station with charging profiles for a day.
type chargingDay struct {
	set       *schedule.Set
	installed []schedule.Installed
	buf       []schedule.Period
	seconds   []int64 // limits, in sixths of a milliwatt per phase
}

// newChargingDay installs n profiles of 24 periods: of all purposes that a CSMS sets, in amperes and watts, once or daily, each
// anywhere in the day and on a level of its own.
func newChargingDay(n int) *chargingDay {
	y := schedule.Supply{Phases: 3, Max: 32 * unit.Ampere}
	d := &chargingDay{buf: make([]schedule.Period, 0, 30_000), seconds: make([]int64, daySeconds)}
	d.set = schedule.New(schedule.Config{EVSEs: []schedule.Supply{y, y}, Rules: schedule.Rules{MaxStackLevel: n, MaxPeriods: 24, MaxProfiles: n, Amperes: true, Watts: true}})
	d.set.Begin(1, "tx", scheduleBegin.Add(-time.Hour))
	r := rand.New(rand.NewPCG(uint64(n), 24))
	for i := range n {
		length := 3600 + r.IntN(6*3600)
		c := schedule.Schedule{Unit: schedule.Amperes, Start: scheduleBegin.Add(time.Duration(r.IntN(daySeconds)) * time.Second), Duration: time.Duration(length) * time.Second}
		least := int64(1000)
		if i%3 == 0 {
			c.Unit, least = schedule.Watts, 690_000
		}
		for j := range 24 {
			c.Periods = append(c.Periods, schedule.Period{Start: time.Duration(length*j/24) * time.Second, Limit: int64(6+(i+j)%26) * least})
		}
		p := schedule.Profile{ID: i, StackLevel: i, Kind: schedule.Absolute, Schedules: []schedule.Schedule{c}}
		in := schedule.Installed{EVSE: 1, Source: schedule.SourceCSO}
		switch i % 4 {
		case 0:
			p.Purpose, p.Transaction = schedule.PurposeTx, "tx"
		case 1:
			p.Purpose, in.EVSE = schedule.PurposeStation, 0
		default:
			p.Purpose = schedule.PurposeDefault
		}
		if i%5 == 0 {
			p.Kind, p.Recurrency = schedule.Recurring, schedule.Daily
			p.Schedules[0].Start = c.Start.AddDate(0, 0, -3)
		}
		in.Profile = p
		d.set.Restore(in)
		d.installed = append(d.installed, in)
	}
	return d
}

// compose asks for the composite schedule of the day.
func (d *chargingDay) compose() schedule.Composite {
	c, refusal := d.set.Compose(1, scheduleBegin, daySeconds*time.Second, schedule.Amperes, d.buf)
	if refusal != nil {
		panic(refusal.Text)
	}
	return c
}

// dumbly finds the limit of each second of the day by looking at every profile.
func (d *chargingDay) dumbly() {
	for t := range d.seconds {
		d.seconds[t] = d.dumb(scheduleBegin.Unix() + int64(t))
	}
}

// dumb looks at every profile for the limit of one second.
func (d *chargingDay) dumb(t int64) int64 {
	own, all, least := -1, -1, int64(32_000*230*6)
	var ownLimit, allLimit int64
	for i := range d.installed {
		p := &d.installed[i].Profile
		limit, ok := dumbLimit(p, t)
		if !ok {
			continue
		}
		rank := p.StackLevel
		switch p.Purpose {
		case schedule.PurposeStation:
			if rank > all {
				all, allLimit = rank, limit
			}
			continue
		case schedule.PurposeTx:
			rank += manyProfiles + 1
		}
		if rank > own {
			own, ownLimit = rank, limit
		}
	}
	if own >= 0 {
		least = min(least, ownLimit)
	}
	if all >= 0 {
		least = min(least, allLimit)
	}
	return least
}

func dumbLimit(p *schedule.Profile, t int64) (limit int64, ok bool) {
	c := &p.Schedules[0]
	at := t - c.Start.Unix()
	if at < 0 {
		return 0, false
	}
	if p.Kind == schedule.Recurring {
		at %= daySeconds
	}
	if at >= int64(c.Duration/time.Second) {
		return 0, false
	}
	for i := range c.Periods {
		if int64(c.Periods[i].Start/time.Second) > at {
			break
		}
		limit = c.Periods[i].Limit
	}
	if c.Unit == schedule.Watts {
		return limit * 2, true
	}
	return limit * 230 * 6, true
}

// agrees compares both, second by second.
func (d *chargingDay) agrees() error {
	c := d.compose()
	d.dumbly()
	i := 0
	for t, want := range d.seconds {
		for i+1 < len(c.Periods) && c.Periods[i+1].Start <= time.Duration(t)*time.Second {
			i++
		}
		if got := c.Periods[i].Limit; got != want/(6*230) {
			return fmt.Errorf("second %d: composite schedule %d mA, second by second %d mA", t, got, want/(6*230))
		}
	}
	return nil
}

// scheduleSection measures what charging profiles cost.
func scheduleSection(o options) (*section, error) {
	some, many := newChargingDay(someProfiles), newChargingDay(manyProfiles)
	if err := some.agrees(); err != nil {
		return nil, err
	}
	times := func(f func()) func(int) {
		return func(n int) {
			for range n {
				f()
			}
		}
	}
	now := scheduleBegin.Add(12 * time.Hour)
	day := race(o.laps,
		contender{"composite schedule", times(func() { some.compose() })},
		contender{"composite schedule", times(func() { many.compose() })},
		contender{"every second, every profile", times(some.dumbly)})
	moment := race(o.laps,
		contender{"limit now", times(func() { some.set.Limit(1, now) })},
		contender{"limit now", times(func() { many.set.Limit(1, now) })},
		contender{"every profile", times(func() { some.dumb(now.Unix()) })},
		contender{"every profile", times(func() { many.dumb(now.Unix()) })})
	s := &section{
		title: "Charging profiles",
		about: fmt.Sprintf("Profiles of 24 periods each: TxProfiles, TxDefaultProfiles and ChargingStationMaxProfiles in amperes and watts, some daily, each on\n"+
			"a level of its own. The composite schedule is that of 24 hours (of %d profiles %d periods, equal to the dumb evaluation in each of the\n"+
			"%d seconds; of %d profiles %d periods). The ratio is how many times as long as the first of the same profiles it took, lap by lap.",
			someProfiles, len(some.compose().Periods), daySeconds, manyProfiles, len(many.compose().Periods)),
		head: []string{"", "profiles", "min", "median", "allocs", "ratio"},
	}
	row := func(t timing, n int, first timing) {
		s.row(t.name, fmt.Sprint(n), short(t.min), short(t.median), fmt.Sprintf("%.0f", t.allocs), fmt.Sprintf("%.1f", t.against(first)))
	}
	row(day[0], someProfiles, day[0])
	row(day[2], someProfiles, day[0])
	row(day[1], manyProfiles, day[1])
	row(moment[0], someProfiles, moment[0])
	row(moment[2], someProfiles, moment[0])
	row(moment[1], manyProfiles, moment[1])
	row(moment[3], manyProfiles, moment[1])
	s.goal(day[0].median <= goalComposite, fmt.Sprintf("composite schedule of %d profiles", someProfiles), "<= "+short(goalComposite), "%s", short(day[0].median))
	s.goal(day[0].allocs == 0, fmt.Sprintf("composite schedule of %d profiles", someProfiles), "0 allocs", "%.0f", day[0].allocs)
	s.goal(day[1].median <= goalCompositeMost, fmt.Sprintf("composite schedule of %d profiles", manyProfiles), "<= "+short(goalCompositeMost), "%s", short(day[1].median))
	growth := moment[1].against(moment[0])
	s.goal(growth <= goalLimitGrowth, fmt.Sprintf("limit now, %d profiles against %d", manyProfiles, someProfiles), fmt.Sprintf("<= %.0f x", goalLimitGrowth), "%.1f x", growth)
	return s, nil
}
