package main

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// chargingProfile is a profile as the CSMS has sent it, with one schedule.
type chargingProfile struct {
	id, stack int
	evse      term.EVSEID
	purpose   msg2.ChargingProfilePurpose
	kind      msg2.ChargingProfileKind
	every     msg2.RecurrencyKind
	from, to  time.Time
	tx        string
	start     time.Time
	seconds   int // 0: without an end
	unit      msg2.ChargingRateUnit
	periods   []chargingPeriod
	ended     bool // the end of its transaction was recorded
}

type chargingPeriod struct {
	start  int   // seconds
	milli  int64 // mA or mW
	phases int   // 0: not given
}

// text tells two profiles apart; the transaction of one that came with a remote start is not known when it is sent.
func (p *chargingProfile) text(withTx bool) string {
	tx := ""
	if withTx {
		tx = p.tx
	}
	unix := func(t time.Time) int64 {
		if t.IsZero() {
			return 0
		}
		return t.Unix()
	}
	return fmt.Sprint(p.id, p.stack, p.evse, p.purpose, p.kind, p.every, unix(p.from), unix(p.to), unix(p.start), p.seconds, p.unit, p.periods, tx)
}

// reported is a profile as the station tells it.
func reported(m *msg2.ChargingProfile, evse int) *chargingProfile {
	p := &chargingProfile{id: m.ID, stack: m.StackLevel, evse: term.EVSEID(evse), purpose: msg2.ChargingProfilePurpose(clone(m.ChargingProfilePurpose)),
		kind: msg2.ChargingProfileKind(clone(m.ChargingProfileKind)), every: msg2.RecurrencyKind(clone(m.RecurrencyKind)),
		from: m.ValidFrom.V, to: m.ValidTo.V, tx: clone(m.TransactionID.V)}
	if len(m.ChargingSchedule) != 1 {
		return p
	}
	c := &m.ChargingSchedule[0]
	p.start, p.seconds, p.unit = c.StartSchedule.V, c.Duration.V, msg2.ChargingRateUnit(clone(c.ChargingRateUnit))
	for i := range c.ChargingSchedulePeriod {
		d := &c.ChargingSchedulePeriod[i]
		milli, _ := d.Limit.V.Milli()
		p.periods = append(p.periods, chargingPeriod{d.StartPeriod, milli, d.NumberPhases.V})
	}
	return p
}

// clone copies what lies in a buffer of the wire.
func clone[T ~string](v T) string { return string(append([]byte(nil), v...)) }

// nominal is the voltage that turns watts into amperes.
const nominal = int64(station.NominalVoltage / 1000)

// power is what a period lets a phase carry, in sixths of a milliwatt: there amperes and watts are both whole numbers.
func (p *chargingProfile) power(d *chargingPeriod) int64 {
	if p.unit == msg2.ChargingRateUnitA {
		return d.milli * nominal * 6
	}
	return d.milli * 6 / int64(cmp.Or(d.phases, 3)) // K01.FR.49, .50
}

// says is what the profile allows at a second, or the least and the most of it where that depends on when charging began.
// active: it has a word at all; sure: that is beyond doubt.
func (p *chargingProfile) says(t int64) (least, most int64, active, sure bool) {
	if !p.from.IsZero() && t < p.from.Unix() || !p.to.IsZero() && t >= p.to.Unix() {
		return 0, 0, false, true
	}
	if p.kind == msg2.ChargingProfileKindRelative {
		least, most = p.power(&p.periods[0]), p.power(&p.periods[0])
		for i := range p.periods {
			least, most = min(least, p.power(&p.periods[i])), max(most, p.power(&p.periods[i]))
		}
		return least, most, true, p.seconds == 0
	}
	at := t - p.start.Unix()
	if at < 0 {
		return 0, 0, false, true
	}
	switch p.every {
	case msg2.RecurrencyKindDaily:
		at %= 24 * 3600
	case msg2.RecurrencyKindWeekly:
		at %= 7 * 24 * 3600
	}
	if p.seconds > 0 && at >= int64(p.seconds) {
		return 0, 0, false, true
	}
	for i := range p.periods {
		if int64(p.periods[i].start) <= at {
			least = p.power(&p.periods[i])
		}
	}
	return least, least, true, true
}

// rank orders the profiles of a stack (K02.FR.04, K01.FR.17).
func (p *chargingProfile) rank() int {
	r := 2*p.stack + min(int(p.evse), 1)
	if p.purpose == msg2.ChargingProfilePurposeTxProfile {
		r += 1000
	}
	return r
}

// slot is what there may be under an id; nil among it: nothing.
type slot struct {
	id    int
	may   []*chargingProfile
	since time.Time // something was asked about it last
	doubt int       // remote starts under way whose profile has this id
}

// sure returns the profile that is there beyond doubt.
func (e *slot) sure() *chargingProfile {
	if len(e.may) == 1 && e.doubt == 0 && e.may[0] != nil && !e.may[0].ended {
		return e.may[0]
	}
	return nil
}

// believe adds what may be there.
func (e *slot) believe(p *chargingProfile) {
	if !slices.Contains(e.may, p) {
		e.may = append(e.may, p)
	}
}

// doubts takes something out of what may be there.
func (e *slot) doubts(p *chargingProfile) {
	if e.may = slices.DeleteFunc(e.may, func(q *chargingProfile) bool { return q == p }); len(e.may) == 0 {
		e.may = append(e.may, nil)
	}
}

// limits are the books of the CSMS about profiles: what the station has accepted, and what it may have where an answer was lost.
type limits struct {
	s       *sim
	slots   []*slot // by id
	ghosts  []*ghost
	unknown bool // the device has lied: anything may be there
	report  *profileReport
	looked  bool        // a report was compared
	over    []time.Time // by EVSE, 0 all: since when more is offered than allowed; zero: it is not
	stack   []candidate // room
}

// ghost is the profile of a remote start whose transaction is not known.
type ghost struct {
	remote  int
	profile *chargingProfile
	at      time.Time
}

func newLimits(s *sim) *limits { return &limits{s: s, over: make([]time.Time, len(s.plan.evses)+1)} }

// slot returns what is known of an id.
func (l *limits) slot(id int) *slot {
	i, ok := slices.BinarySearchFunc(l.slots, id, func(e *slot, id int) int { return e.id - id })
	if !ok {
		l.slots = slices.Insert(l.slots, i, &slot{id: id, may: []*chargingProfile{nil}})
	}
	return l.slots[i]
}

// tidy forgets the ids under which there is nothing.
func (l *limits) tidy() {
	l.slots = slices.DeleteFunc(l.slots, func(e *slot) bool { return len(e.may) == 1 && e.may[0] == nil && e.doubt == 0 })
}

// ending notes that the end of a transaction was recorded: its profiles go with it (K02.FR.05).
func (l *limits) ending(tx string) {
	for _, e := range l.slots {
		for _, p := range e.may {
			if p != nil && p.tx == tx && tx != "" {
				p.ended = true
			}
		}
	}
}

// closed notes that the CSMS has heard of the end of a transaction.
func (l *limits) closed(tx string) {
	for _, e := range l.slots {
		for _, p := range slices.Clone(e.may) {
			if p != nil && p.tx == tx && tx != "" {
				e.doubts(p)
				e.believe(nil)
			}
		}
	}
	l.tidy()
}

// deceived notes that the device has lost what it called durable.
func (l *limits) deceived() { l.unknown, l.report = true, nil }

// began notes that a transaction has begun by a remote start.
func (l *limits) began(remote int, tx string, evse int, over bool) {
	i := slices.IndexFunc(l.ghosts, func(g *ghost) bool { return g.remote == remote })
	if i < 0 {
		return
	}
	g := l.ghosts[i]
	l.ghosts = slices.Delete(l.ghosts, i, i+1)
	e := l.slot(g.profile.id)
	e.doubt--
	p := *g.profile
	p.tx, p.evse = tx, term.EVSEID(evse)
	switch {
	case over || evse == 0:
	case e.since.After(g.at): // which came first?
		e.believe(&p)
	default:
		e.may = []*chargingProfile{&p}
	}
	e.since = l.s.now
	l.tidy()
}

// candidate is a profile that may lead a stack.
type candidate struct {
	p    *chargingProfile
	sure bool // it is there
}

// lead is the least and the most that the leader of a stack may allow at a second, free where none leads.
func (l *limits) lead(t, free int64, in func(*chargingProfile) bool) (least, most int64) {
	l.stack = l.stack[:0]
	for _, e := range l.slots {
		for _, p := range e.may {
			if p != nil && in(p) {
				l.stack = append(l.stack, candidate{p, len(e.may) == 1 && e.doubt == 0 && !p.ended})
			}
		}
	}
	for _, g := range l.ghosts {
		if in(g.profile) {
			l.stack = append(l.stack, candidate{g.profile, false})
		}
	}
	slices.SortStableFunc(l.stack, func(a, b candidate) int { return b.p.rank() - a.p.rank() })
	least, most = 1<<62, -1
	for _, c := range l.stack {
		a, b, active, sure := c.p.says(t)
		if !active {
			continue
		}
		least, most = min(least, a), max(most, b)
		if c.sure && sure {
			return least, most
		}
	}
	return min(least, free), max(most, free)
}

// supply is what an EVSE, or with 0 the station, has without profiles, and its lines.
func (l *limits) supply(e term.EVSEID) (power int64, lines int) {
	for i := range l.s.plan.evses {
		if x := &l.s.plan.evses[i]; e == 0 || e == x.ID {
			power += int64(x.MaxCurrent) * nominal * 6
			lines = max(lines, x.Phases)
		}
	}
	return power, lines
}

// own is what the profiles of an EVSE allow, that of the station apart.
func (l *limits) own(e term.EVSEID, t int64) (least, most int64) {
	free, _ := l.supply(e)
	least, most = l.lead(t, free, func(p *chargingProfile) bool {
		return p.purpose == msg2.ChargingProfilePurposeTxProfile && p.evse == e || p.purpose == msg2.ChargingProfilePurposeTxDefaultProfile && (p.evse == 0 || p.evse == e)
	})
	return min(least, free), min(most, free)
}

// all is what the profiles allow the station.
func (l *limits) all(t int64) (least, most int64) {
	free, _ := l.supply(0)
	least, most = l.lead(t, free, func(p *chargingProfile) bool {
		return p.purpose == msg2.ChargingProfilePurposeChargingStationMaxProfile
	})
	return min(least, free), min(most, free)
}
