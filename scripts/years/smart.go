package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station/term"
)

// mind lets somebody at the CSMS do something again and again.
func (s *sim) mind(k kind, do func()) {
	if s.plan.kinds&k == 0 {
		return
	}
	var next func()
	next = func() {
		s.later(time.Duration(math.Min(s.rng.ExpFloat64()*float64(s.plan.trouble)/4, float64(10*day))), func() {
			if !s.calm {
				do()
			}
			next()
		})
	}
	next()
}

// manage lets the CSMS do something about charging profiles.
func (s *sim) manage() {
	c := s.csms
	ref := pick(s, s.connectors()...)
	switch s.rng.IntN(12) {
	case 0, 1, 2, 3, 4:
		c.setProfile(c.someProfile(ref.EVSE))
	case 5, 6:
		c.clearProfiles(ref.EVSE)
	case 7, 8:
		c.compose(pick(s, ref.EVSE, 0))
	case 9:
		c.getProfiles()
	case 10:
		c.setProfile(c.wrongProfile(ref.EVSE))
	case 11:
		c.startWithProfile(ref.EVSE)
	}
}

// someProfile makes up a profile that a station may accept.
func (c *csms) someProfile(e term.EVSEID) *chargingProfile {
	s := c.s
	p := &chargingProfile{id: 1 + s.rng.IntN(9), stack: s.rng.IntN(4), evse: e, purpose: msg2.ChargingProfilePurposeTxDefaultProfile}
	least := 6
	switch s.rng.IntN(8) {
	case 0, 1:
		p.purpose, p.evse, least = msg2.ChargingProfilePurposeChargingStationMaxProfile, 0, 6*len(s.plan.evses)
	case 2:
		p.evse = 0
	case 3, 4, 5:
		if a := c.running(e); a != nil {
			p.purpose, p.tx = msg2.ChargingProfilePurposeTxProfile, a.id
		}
	}
	if s.chance(5) {
		least = 0
	}
	c.timing(p)
	c.rates(p, least)
	return p
}

// running returns a transaction that runs at an EVSE, as far as is known.
func (c *csms) running(e term.EVSEID) *account {
	for _, id := range c.books.order {
		if a := c.books.open[id]; a.evse == int(e) && !a.ended {
			return a
		}
	}
	return nil
}

// timing says when a profile counts.
func (c *csms) timing(p *chargingProfile) {
	s := c.s
	now := c.clock()
	p.start = now.Add(s.between(-2*day, day/2)).Truncate(time.Second)
	switch kind := s.rng.IntN(5); {
	case kind < 2:
		p.kind, p.every = msg2.ChargingProfileKindRecurring, pick(s, msg2.RecurrencyKindDaily, msg2.RecurrencyKindDaily, msg2.RecurrencyKindWeekly)
	case kind < 3 && p.purpose != msg2.ChargingProfilePurposeChargingStationMaxProfile:
		p.kind, p.start = msg2.ChargingProfileKindRelative, time.Time{}
	default:
		p.kind = msg2.ChargingProfileKindAbsolute
	}
	if s.chance(3) {
		p.seconds = int(s.between(10*time.Minute, 30*time.Hour) / time.Second)
	}
	if s.chance(4) {
		p.from = now.Add(s.between(-day, 6*time.Hour)).Truncate(time.Second)
	}
	if s.chance(4) {
		p.to = now.Add(s.between(6*time.Hour, 20*day)).Truncate(time.Second)
	}
}

// rates are the periods of a profile; least is what leaves every car enough, in amperes.
func (c *csms) rates(p *chargingProfile, least int) {
	s := c.s
	p.unit = pick(s, msg2.ChargingRateUnitA, msg2.ChargingRateUnitA, msg2.ChargingRateUnitW)
	phases := pick(s, 0, 0, 3)
	for n, at := 1+s.rng.IntN(6), 0; n > 0; n-- {
		milli := int64(least*1000 + s.rng.IntN(260)*100)
		if p.unit == msg2.ChargingRateUnitW {
			milli *= 3 * nominal
		}
		p.periods = append(p.periods, chargingPeriod{at, milli, phases})
		at += int(s.between(time.Minute, 5*time.Hour) / time.Second)
	}
}

// wrongProfile makes up one that a station refuses.
func (c *csms) wrongProfile(e term.EVSEID) *chargingProfile {
	p := c.someProfile(e)
	switch c.s.rng.IntN(5) {
	case 0:
		p.evse = term.EVSEID(len(c.s.plan.evses) + 1)
	case 1:
		p.purpose, p.evse = msg2.ChargingProfilePurposeChargingStationMaxProfile, e
	case 2:
		p.purpose, p.tx, p.evse = msg2.ChargingProfilePurposeTxProfile, "nobody-s", e
	case 3:
		p.stack = 1000
	case 4:
		p.periods[0].start = 60
	}
	return p
}

// json spells a profile.
func (p *chargingProfile) json() string {
	var b strings.Builder
	fmt.Fprintf(&b, `{"id":%d,"stackLevel":%d,"chargingProfilePurpose":%q,"chargingProfileKind":%q`, p.id, p.stack, p.purpose, p.kind)
	word := func(key, value string) {
		if value != "" {
			fmt.Fprintf(&b, `,%q:%q`, key, value)
		}
	}
	when := func(key string, t time.Time) {
		if !t.IsZero() {
			word(key, t.UTC().Format(time.RFC3339))
		}
	}
	word("recurrencyKind", string(p.every))
	word("transactionId", p.tx)
	when("validFrom", p.from)
	when("validTo", p.to)
	fmt.Fprintf(&b, `,"chargingSchedule":[{"id":1,"chargingRateUnit":%q`, p.unit)
	when("startSchedule", p.start)
	if p.seconds > 0 {
		fmt.Fprintf(&b, `,"duration":%d`, p.seconds)
	}
	b.WriteString(`,"chargingSchedulePeriod":[`)
	for i, d := range p.periods {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"startPeriod":%d,"limit":%d.%d`, d.start, d.milli/1000, d.milli%1000/100)
		if d.phases > 0 {
			fmt.Fprintf(&b, `,"numberPhases":%d`, d.phases)
		}
		b.WriteByte('}')
	}
	b.WriteString("]}]}")
	return b.String()
}

// setProfile sends a SetChargingProfile. From the question to its answer the old and the new may count.
func (c *csms) setProfile(p *chargingProfile) {
	l := c.limits
	if l.report != nil {
		return
	}
	if !c.ask("SetChargingProfile", fmt.Sprintf(`{"evseId":%d,"chargingProfile":%s}`, p.evse, p.json()), func(status string, _ *rpc.Frame) {
		e := l.slot(p.id)
		switch _, open := c.books.open[p.tx]; {
		case status == "Accepted" && p.tx != "" && !open: // it has ended meanwhile
			e.doubts(p)
		case status == "Accepted":
			c.s.count.profiles++
			if e.may = []*chargingProfile{p}; p.ended {
				e.believe(nil)
			}
		default:
			e.doubts(p)
		}
		l.tidy()
	}) {
		return
	}
	e := l.slot(p.id)
	e.believe(p)
	e.since = c.s.now
}

// clearProfiles sends a ClearChargingProfile, by id or by what profiles have in common.
func (c *csms) clearProfiles(evse term.EVSEID) {
	s, l := c.s, c.limits
	if l.report != nil {
		return
	}
	id, stack, purpose := 1+s.rng.IntN(9), s.rng.IntN(4), pick(s, msg2.ChargingProfilePurposeTxDefaultProfile, msg2.ChargingProfilePurposeChargingStationMaxProfile)
	payload, match := "", func(*chargingProfile) bool { return false }
	switch s.rng.IntN(5) {
	case 0, 1:
		payload, match = fmt.Sprintf(`{"chargingProfileId":%d}`, id), func(p *chargingProfile) bool { return p.id == id }
	case 2:
		payload, match = fmt.Sprintf(`{"chargingProfileCriteria":{"evseId":%d}}`, evse), func(p *chargingProfile) bool { return p.evse == evse }
	case 3:
		payload, match = fmt.Sprintf(`{"chargingProfileCriteria":{"chargingProfilePurpose":%q}}`, purpose), func(p *chargingProfile) bool { return p.purpose == purpose }
	case 4:
		payload = fmt.Sprintf(`{"chargingProfileCriteria":{"stackLevel":%d,"evseId":%d}}`, stack, evse)
		match = func(p *chargingProfile) bool { return p.stack == stack && p.evse == evse }
	}
	each := func(do func(*slot, *chargingProfile)) {
		for _, e := range slices.Clone(l.slots) {
			for _, p := range slices.Clone(e.may) {
				if p != nil && match(p) {
					do(e, p)
				}
			}
		}
	}
	must := map[*chargingProfile]bool{}
	asked := c.ask("ClearChargingProfile", payload, func(status string, _ *rpc.Frame) {
		if status == "" {
			return
		}
		each(func(e *slot, p *chargingProfile) {
			if status == "Unknown" && must[p] && !p.ended && l.mustStay(p) {
				s.broken("I3", "profile %d was accepted, and the station has none to clear by %s", p.id, payload)
			}
			e.doubts(p)
			e.believe(nil)
		})
		l.tidy()
	})
	if !asked {
		return
	}
	each(func(e *slot, p *chargingProfile) {
		must[p] = e.sure() == p
		e.believe(nil)
		e.since = s.now
	})
	for _, g := range l.ghosts {
		if match(g.profile) || g.profile.evse == evse {
			l.slot(g.profile.id).since = s.now
		}
	}
}

// mustStay reports whether nothing but a request ends a profile: one that can never be valid again may be given up.
func (l *limits) mustStay(p *chargingProfile) bool {
	return !l.unknown && (p.to.IsZero() || l.s.plan.kinds&kindClock == 0 && l.s.wall().Add(time.Minute).Before(p.to))
}

// compose asks for a composite schedule.
func (c *csms) compose(evse term.EVSEID) {
	s := c.s
	payload := fmt.Sprintf(`{"evseId":%d,"duration":%d,"chargingRateUnit":%q}`, evse, 60+s.rng.IntN(40*3600), pick(s, "A", "W"))
	c.ask("GetCompositeSchedule", payload, c.composed(payload))
}

// composed takes the answer to a GetCompositeSchedule.
func (c *csms) composed(payload string) func(string, *rpc.Frame) {
	s := c.s
	return func(status string, f *rpc.Frame) {
		var m msg2.GetCompositeScheduleResponse
		c.body.Reset(f.Payload, rpc.Limits{})
		switch {
		case status == "":
		case status != "Accepted":
			s.broken("I6", "GetCompositeSchedule %s was answered with %s", payload, status)
		case msg2.Decode(&c.body, &m, c.version) != nil || !m.Schedule.Has:
			s.broken("I6", "GetCompositeSchedule %s was answered without a schedule", payload)
		default:
			c.limits.composed(&m.Schedule.V)
		}
	}
}

// startWithProfile starts a transaction with a profile of its own (K05).
func (c *csms) startWithProfile(evse term.EVSEID) {
	s, l := c.s, c.limits
	p := c.someProfile(evse)
	p.purpose, p.tx, p.evse = msg2.ChargingProfilePurposeTxProfile, "", evse
	if l.report != nil {
		return
	}
	remote := c.calls + 1000
	g := &ghost{remote: remote, profile: p, at: s.now}
	payload := fmt.Sprintf(`{"evseId":%d,"remoteStartId":%d,"idToken":{"idToken":"BOB","type":"ISO14443"},"chargingProfile":%s}`, evse, remote, p.json())
	if c.ask("RequestStartTransaction", payload, func(status string, _ *rpc.Frame) {
		if status != "Accepted" {
			s.check.rejects[remote] = status == "Rejected"
			l.exorcise(g)
		}
	}) {
		l.ghosts = append(l.ghosts, g)
		l.slot(p.id).doubt++
		s.present("BOB", []term.EVSEID{evse}, true)
	}
}

// exorcise forgets a profile that came with a start and was never heard of.
func (l *limits) exorcise(g *ghost) {
	if i := slices.Index(l.ghosts, g); i >= 0 {
		l.ghosts = slices.Delete(l.ghosts, i, i+1)
		l.slot(g.profile.id).doubt--
		l.tidy()
	}
}
