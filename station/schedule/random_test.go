package schedule_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/schedule"
	"github.com/evsed/evsed/station/term"
)

// gen makes random worlds in which much happens within reach seconds around base.
type gen struct {
	*rand.Rand
	base  time.Time
	reach int
}

func newGen(seed, n uint64, reach int) *gen {
	g := &gen{Rand: rand.New(rand.NewPCG(seed, n)), reach: reach}
	// Around an hour of the night: days begin, clocks of countries are put forward, a year ends.
	days := []time.Time{
		time.Date(2026, 3, 29, 0, 0, 0, 0, time.UTC), time.Date(2024, 2, 29, 23, 0, 0, 0, time.UTC),
		time.Date(2016, 12, 31, 23, 30, 0, 0, time.UTC), time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	g.base = days[g.IntN(len(days))].Add(time.Duration(g.IntN(7200)) * time.Second)
	return g
}

func (g *gen) one(of int) bool { return g.IntN(of) == 0 }

// near is an instant around base, sometimes with a fraction of a second.
func (g *gen) near() time.Time {
	t := g.base.Add(time.Duration(g.IntN(3*g.reach)-g.reach) * time.Second)
	if g.one(5) {
		t = t.Add(time.Duration(g.IntN(1e9)))
	}
	return t
}

func (g *gen) length() time.Duration { return time.Duration(1+g.IntN(2*g.reach)) * time.Second }

func (g *gen) supply() schedule.Supply {
	y := schedule.Supply{Phases: 1, Max: unit.Current(g.IntN(64_000)), Switch: true, Phase: int8(g.IntN(4))}
	if !g.one(3) {
		y.Phases, y.Switch = 3, !g.one(3)
	}
	return y
}

// world with least to most profiles, as far as the rules let them pass.
func (g *gen) world(least, most, periods int) *world {
	w := &world{cfg: schedule.Config{
		Rules: schedule.Rules{
			MaxStackLevel: 1 + g.IntN(6), MaxPeriods: 1024, MaxProfiles: most, Amperes: !g.one(6), Phases: 3,
			ChoosePhase: g.one(2), Loose: g.one(2),
		},
		Voltage: unit.Voltage(110+g.IntN(130)) * unit.Volt, Station: g.supply(),
	}}
	w.cfg.Rules.Watts = !w.cfg.Rules.Amperes || !g.one(6)
	w.cfg.Rules.Phases = 3 - 2*g.IntN(5)/4
	w.cfg.Rules.MaxStackLevel += most
	w.cfg.Station.Max += 1 + unit.Current(g.IntN(64_000))
	for range 1 + g.IntN(3) {
		w.cfg.EVSEs = append(w.cfg.EVSEs, g.supply())
		x := tx{}
		if !g.one(3) {
			x.id = term.TransactionID("T" + string(rune('0'+len(w.cfg.EVSEs))))
			if !g.one(4) {
				x.start = g.near()
			}
		}
		w.txs = append(w.txs, x)
	}
	s := w.set()
	n := least + g.IntN(most-least+1)
	for tries := 0; s.Len() < n && tries < 6*n+30*(least-1); tries++ {
		// What the rules do not let pass is left out.
		_, _, _ = s.Put(g.offer(w, periods))
	}
	w.installed = s.List(schedule.Filter{}, nil)
	return w
}

func (g *gen) offer(w *world, periods int) schedule.Offer {
	purposes := []schedule.Purpose{
		schedule.PurposeTx, schedule.PurposeTx, schedule.PurposeDefault, schedule.PurposeDefault, schedule.PurposeDefault,
		schedule.PurposeStation, schedule.PurposeExternal,
	}
	p := schedule.Profile{ID: g.IntN(1000), StackLevel: g.IntN(w.cfg.Rules.MaxStackLevel), Purpose: purposes[g.IntN(len(purposes))]}
	o := schedule.Offer{Installed: schedule.Installed{EVSE: term.EVSEID(g.IntN(len(w.txs) + 1)), Source: schedule.SourceCSO, Received: g.near()}}
	switch p.Purpose {
	case schedule.PurposeTx:
		o.EVSE = term.EVSEID(1 + g.IntN(len(w.txs)))
		p.Transaction = w.txs[o.EVSE-1].id
	case schedule.PurposeStation:
		o.EVSE = 0
	case schedule.PurposeExternal:
		o.Source = schedule.SourceEMS
	}
	p.Kind = []schedule.Kind{schedule.Absolute, schedule.Recurring, schedule.Relative}[g.IntN(3)]
	if p.Kind == schedule.Recurring {
		p.Recurrency = []schedule.Recurrency{schedule.Daily, schedule.Weekly}[g.IntN(2)]
	}
	if g.one(3) {
		p.ValidFrom = g.near()
	}
	if g.one(3) {
		p.ValidTo = g.near()
	}
	p.Schedules = []schedule.Schedule{g.schedule(w, p.Kind, periods)}
	if p.Purpose == schedule.PurposeTx && g.one(4) {
		o.Negotiated = true
		p.Schedules = append(p.Schedules, g.schedule(w, p.Kind, periods))
	}
	o.Profile = p
	return o
}

func (g *gen) schedule(w *world, k schedule.Kind, periods int) schedule.Schedule {
	c := schedule.Schedule{ID: g.IntN(9), Unit: schedule.Amperes}
	if g.one(2) {
		c.Unit = schedule.Watts
	}
	if k != schedule.Relative && !(w.cfg.Rules.Loose && g.one(4)) {
		c.Start = g.near()
		if k == schedule.Recurring {
			c.Start = c.Start.AddDate(0, 0, -g.IntN(20))
		}
	}
	if !g.one(3) {
		c.Duration = g.length()
		if k == schedule.Recurring && g.one(3) { // about as long as the recurrence
			c.Duration = time.Duration(86400*(1+6*g.IntN(2))+g.IntN(400)-200) * time.Second
		}
	}
	at := time.Duration(0)
	for range 1 + g.IntN(periods) {
		d := schedule.Period{Start: at, Limit: int64(g.IntN(40)) * 1000}
		if g.one(3) {
			d.Limit = int64(g.IntN(40_000))
		}
		if c.Unit == schedule.Watts {
			d.Limit *= 300
		}
		if g.one(3) {
			d.Phases = int8(1 + g.IntN(3))
			if d.Phases == 1 && g.one(2) {
				d.PhaseToUse = int8(1 + g.IntN(3))
			}
		}
		c.Periods = append(c.Periods, d)
		step := time.Duration(1+g.IntN(g.reach)) * time.Second
		if k == schedule.Recurring && g.one(3) { // so that periods of the day before reach into this one
			step = time.Duration(80000+g.IntN(9000)) * time.Second
		}
		at += step
	}
	return c
}

// question of a world: half of them begin or end at an edge, give or take a second.
func (g *gen) question(w *world, seconds int) question {
	q := question{evse: g.IntN(len(w.txs) + 1), from: g.near(), seconds: seconds, unit: schedule.Amperes}
	if !w.cfg.Rules.Amperes || w.cfg.Rules.Watts && g.one(2) {
		q.unit = schedule.Watts
	}
	if edges := w.edges(q.from); len(edges) > 0 {
		e := edges[g.IntN(len(edges))].Add(time.Duration(g.IntN(3)-1) * time.Second)
		if g.one(4) {
			q.from = e
		} else if n := int(e.Sub(q.from) / time.Second); g.one(2) && n > seconds/2 && n < 2*seconds {
			q.seconds = n
		}
	}
	return q
}

// edges are instants at which something may change, about those of the day of t.
func (w *world) edges(t time.Time) (out []time.Time) {
	add := func(e time.Time) {
		if !e.IsZero() && e.Sub(t).Abs() < 30*24*time.Hour {
			out = append(out, e)
		}
	}
	for _, in := range w.installed {
		p := &in.Profile
		add(p.ValidFrom)
		add(p.ValidTo)
		c := &p.Schedules[0]
		start := c.Start
		if start.IsZero() {
			start = in.Received
			if in.EVSE > 0 {
				start = w.txs[in.EVSE-1].start
			}
		}
		if start.IsZero() {
			continue
		}
		for p.Kind == schedule.Recurring && start.Before(t.Add(-24*time.Hour)) {
			start = start.Add(24 * time.Hour)
		}
		add(start.Add(c.Duration))
		for _, d := range c.Periods {
			add(start.Add(d.Start))
		}
	}
	return out
}

// shrink makes w as small as it can be with fails still true.
func shrink(w *world, fails func(*world) bool) *world {
	for again := true; again; {
		again = false
		for _, smaller := range w.smaller() {
			if fails(smaller) {
				w, again = smaller, true
				break
			}
		}
	}
	return w
}

// smaller are worlds that lack one thing.
func (w *world) smaller() (out []*world) {
	try := func(f func(*world)) {
		c := *w
		c.txs = slices.Clone(w.txs)
		c.installed = slices.Clone(w.installed)
		for i := range c.installed {
			c.installed[i].Profile = c.installed[i].Profile.Clone()
		}
		f(&c)
		out = append(out, &c)
	}
	for i := range w.installed {
		try(func(c *world) { c.installed = slices.Delete(c.installed, i, i+1) })
	}
	for i := range w.txs {
		if w.txs[i].id != "" {
			try(func(c *world) { c.txs[i] = tx{} })
		}
	}
	for i := range w.installed {
		p := &w.installed[i].Profile
		if !p.ValidFrom.IsZero() {
			try(func(c *world) { c.installed[i].Profile.ValidFrom = time.Time{} })
		}
		if !p.ValidTo.IsZero() {
			try(func(c *world) { c.installed[i].Profile.ValidTo = time.Time{} })
		}
		for j := range p.Schedules {
			if len(p.Schedules) > 1 {
				try(func(c *world) {
					c.installed[i].Profile.Schedules = slices.Delete(c.installed[i].Profile.Schedules, j, j+1)
				})
			}
			if p.Schedules[j].Duration != 0 {
				try(func(c *world) { c.installed[i].Profile.Schedules[j].Duration = 0 })
			}
			for k := range p.Schedules[j].Periods {
				if d := p.Schedules[j].Periods[k]; d.Phases != 0 {
					try(func(c *world) {
						x := &c.installed[i].Profile.Schedules[j].Periods[k]
						x.Phases, x.PhaseToUse = 0, 0
					})
				}
				if k > 0 {
					try(func(c *world) {
						x := &c.installed[i].Profile.Schedules[j]
						x.Periods = slices.Delete(x.Periods, k, k+1)
					})
				}
			}
		}
	}
	return out
}

// String shows a world for people.
func (w *world) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "rules %+v, %v\nstation %+v\n", w.cfg.Rules, w.cfg.Voltage, w.cfg.Station)
	stamp := func(t time.Time) string {
		if t.IsZero() {
			return "-"
		}
		return t.Format("2006-01-02T15:04:05.999")
	}
	for i, y := range w.cfg.EVSEs {
		fmt.Fprintf(&b, "EVSE %d %+v, transaction %q since %s\n", i+1, y, w.txs[i].id, stamp(w.txs[i].start))
	}
	for _, in := range w.installed {
		p := &in.Profile
		fmt.Fprintf(&b, "profile %d on EVSE %d: %s level %d %s%s valid %s to %s, tx %q, received %s\n", p.ID, in.EVSE, p.Purpose,
			p.StackLevel, p.Recurrency, p.Kind, stamp(p.ValidFrom), stamp(p.ValidTo), p.Transaction, stamp(in.Received))
		for _, c := range p.Schedules {
			fmt.Fprintf(&b, "  %s from %s for %v:", c.Unit, stamp(c.Start), c.Duration)
			for _, d := range c.Periods {
				fmt.Fprintf(&b, " %d:%d", d.Start/time.Second, d.Limit)
				if d.Phases != 0 {
					fmt.Fprintf(&b, "x%d@%d", d.Phases, d.PhaseToUse)
				}
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}
