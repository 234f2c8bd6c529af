package schedule

import (
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// Limit is what may be drawn at a moment.
type Limit struct {
	Max        unit.Current // per phase, rounded down
	Phases     int          // how many lines may be used: all that there are, or 1
	PhaseToUse int8         // the line, where one is to be used and a profile names it; 0: any
	Purpose    Purpose      // of the profile whose limit this is; "": what the supply has
	Profile    int          // its ID
}

// window is a Limit for as long as it lasts.
type window struct {
	from, until int64 // empty: to be computed
	limit       Limit
}

// work is what is derived from profiles and transactions, and room to compute in.
type work struct {
	fresh   bool
	windows []window // by EVSE, 0 the station
	stacks  []lead   // two of the station, then two of each EVSE
	views   []view   // of the EVSEs, while the station is composed
}

// Stacks of a place. Those of the station count for each of its EVSEs.
const (
	stackTx       = iota // of an EVSE: TxProfiles over TxDefaultProfiles
	stackExternal        // external constraints
	stackStation  = stackTx
)

// changed forgets what was derived.
func (s *Set) changed() { s.work.fresh = false }

// derive sorts the profiles into stacks. The external constraints of an EVSE and those of the whole station are two: a
// limit for all EVSEs together is not overruled by one for an EVSE.
func (s *Set) derive() {
	w := &s.work
	if w.stacks == nil {
		w.stacks = make([]lead, 2*(len(s.txs)+1))
		w.windows = make([]window, len(s.txs)+1)
		w.views = make([]view, len(s.txs))
	}
	for i := range w.windows {
		w.windows[i] = window{}
	}
	for i := range w.stacks {
		w.stacks[i].members = w.stacks[i].members[:0]
		w.stacks[i].plans = s.use
	}
	for i := range s.use {
		s.sort(int32(i))
	}
	w.fresh = true
}

func (s *Set) sort(i int32) {
	a := &s.use[i]
	join := func(e term.EVSEID, stack int) {
		l := &s.work.stacks[2*int(e)+stack]
		l.members = append(l.members, i)
	}
	switch {
	case a.purpose == PurposeExternal:
		join(a.evse, stackExternal)
	case a.purpose == PurposeStation:
		join(0, stackStation)
	case a.purpose == PurposeTx:
		if a.evse > 0 && s.txs[a.evse-1].id == a.tx && a.tx != "" {
			join(a.evse, stackTx)
		}
	case a.evse > 0:
		join(a.evse, stackTx)
	default: // effective on every EVSE, owned by the station (K01.FR.14)
		for e := range s.txs {
			join(term.EVSEID(e+1), stackTx)
		}
	}
}

// Limit returns what an EVSE may draw at the wall time at, as far as its profiles, those of the station and its supply
// say, and when that may be another value: ask again then, or when profiles or transactions have changed; zero is
// never. For a transaction that is not yet ready to deliver energy, or none, it is as if it became so now (K08.FR.06).
// Of EVSE 0 it is the limit of all EVSEs together. evse is one of the station.
func (s *Set) Limit(evse term.EVSEID, at time.Time) (Limit, time.Time) {
	t := at.Unix()
	if !s.work.fresh {
		s.derive()
	}
	w := &s.work.windows[evse]
	if t < w.from || t >= w.until {
		*w = s.window(evse, t)
	}
	if w.until == forever {
		return w.limit, time.Time{}
	}
	return w.limit, time.Unix(w.until, 0).UTC()
}

// patience is how many changes of no consequence a window is extended over.
const patience = 64

func (s *Set) window(evse term.EVSEID, t int64) window {
	v := s.view(evse)
	s.walk(v.own, evse, t, forever, true)
	s.walk(v.all, evse, t, forever, true)
	var m merged
	w := window{from: t, until: t}
	for n := 0; n < patience; n++ {
		v.merge(&m)
		if l := s.limit(&m); n == 0 {
			w.limit = l
		} else if l != w.limit {
			break
		}
		w.until = m.until
		if w.until == forever {
			break
		}
		v.seek(w.until, forever)
	}
	return w
}

// view is the stacks of a place and its supply.
type view struct {
	own, all []lead // of the place, and of the station behind an EVSE
	supply   merged
}

func (s *Set) view(evse term.EVSEID) view {
	w := s.work.stacks
	v := view{own: w[2*evse : 2*evse+2]}
	if evse > 0 {
		v.all = w[:2]
	}
	y := s.supply(evse)
	v.supply = merged{limit: s.volts() * int64(y.Max), lines: int8(y.Phases), index: -1, until: forever}
	return v
}

// volts turns milliamperes into sixths of a microwatt.
func (s *Set) volts() int64 { return 6 * int64(s.cfg.Voltage) }

// walk begins walks at t, for an EVSE or the station. Where no transaction is ready to deliver energy, one is as if from
// t on; if frozen, from each moment on.
func (s *Set) walk(ls []lead, evse term.EVSEID, t, horizon int64, frozen bool) {
	start, phases := t, s.supply(evse).Phases
	if evse > 0 && !s.txs[evse-1].start.IsZero() {
		start, frozen = s.txs[evse-1].start.Unix(), false
	}
	for i := range ls {
		ls[i].start, ls[i].frozen, ls[i].phases = start, frozen, phases
		ls[i].reset(t, horizon)
	}
}

func (v *view) seek(t, horizon int64) {
	for i := range v.own {
		if l := &v.own[i]; l.until <= t {
			l.seek(t, horizon)
		}
	}
	for i := range v.all {
		if l := &v.all[i]; l.until <= t {
			l.seek(t, horizon)
		}
	}
}

// merged is the least of several stacks and a supply.
type merged struct {
	limit int64 // per phase, sixths of uW
	lines int8
	line  int8
	index int32 // of the profile that has the least limit; -1: the supply
	until int64
}

// merge takes the lowest of all that is said (SC.01, K08.FR.04): the least current of a phase and the least number of
// phases, so that it is no more than any of them in either unit.
func (v *view) merge(m *merged) {
	*m = v.supply
	for i := range v.own {
		m.add(&v.own[i])
	}
	for i := range v.all {
		m.add(&v.all[i])
	}
}

func (m *merged) add(l *lead) {
	m.until = min(m.until, l.until)
	if !l.leads {
		return
	}
	if l.limit < m.limit {
		m.limit, m.index = l.limit, l.top.plan
	}
	m.lines = min(m.lines, l.lines)
	if m.line == 0 { // a period that names one is for one phase (K01.FR.19)
		m.line = l.line
	}
}

func (s *Set) limit(m *merged) Limit {
	l := Limit{Max: unit.Current(m.limit / s.volts()), Phases: int(m.lines), PhaseToUse: m.line}
	if m.index >= 0 {
		l.Purpose, l.Profile = s.use[m.index].purpose, s.list[m.index].Profile.ID
	}
	return l
}
