package main

import (
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/term"
)

// reaction is how long more may be offered than profiles allow after these have changed: the guard's look, and the way there.
const reaction = 200 * time.Millisecond

// clock is the time that schedules go by: the station's own, to a second, as it tells anybody who asks for ClockCtrlr.DateTime.
func (l *limits) clock() int64 {
	v, _ := l.s.core.Live(term.Ref{}, model.DateTime)
	t, err := time.Parse(time.RFC3339, v)
	if err != nil {
		l.s.broken("I0", "the station's clock says %q", v)
	}
	return t.Unix()
}

// step checks that no car is offered more than profiles allow, and all together not more than the station may draw (I3). What
// it offers in the second before or behind a change may be the old or the new.
func (l *limits) step() {
	if len(l.slots) == 0 && len(l.ghosts) == 0 || l.unknown || !l.s.alive || l.s.core == nil {
		return
	}
	sum, offers := unit.Current(0), false
	for _, p := range l.s.check.places {
		sum += p.amps
		offers = offers || p.amps > 0
	}
	if !offers {
		clear(l.over)
		return
	}
	l.s.count.checks++
	t := l.clock()
	for _, p := range l.s.check.places {
		l.judge(p.ref.EVSE, p.amps, l.most(t, func(t int64) int64 { _, m := l.own(p.ref.EVSE, t); return m }))
	}
	l.judge(0, sum, l.most(t, func(t int64) int64 { _, m := l.all(t); return m }))
}

// most is the most that may be meant around a second, in mA.
func (l *limits) most(t int64, of func(int64) int64) unit.Current {
	return unit.Current(max(of(t-1), of(t), of(t+1)) / (6 * nominal))
}

func (l *limits) judge(e term.EVSEID, offered, most unit.Current) {
	since := &l.over[e]
	switch {
	case offered <= most:
		*since = time.Time{}
	case since.IsZero():
		*since = l.s.now
	case l.s.now.Sub(*since) > reaction+l.s.plan.jitter:
		l.s.broken("I3", "EVSE %d (0: all) is offered %v, the profiles that were accepted allow %v", e, offered, most)
	}
}

// raised checks that nothing is raised while another car may still draw what it was offered before: together they would exceed
// what the station may draw (I3).
func (l *limits) raised(at *place) {
	if len(l.slots) == 0 || l.unknown || !l.s.alive || l.s.core == nil {
		return
	}
	sum := unit.Current(0)
	for _, p := range l.s.check.places {
		takes := p.amps
		if p != at && !p.contact {
			continue
		}
		if p != at && l.s.now.Add(l.s.plan.jitter+50*time.Millisecond).Before(p.lowered.Add(iec61851.FollowTime)) {
			takes = max(takes, p.trail)
		}
		sum += takes
	}
	if most := l.most(l.clock(), func(t int64) int64 { _, m := l.all(t); return m }); sum > most {
		l.s.broken("I3", "%v is raised to %v, and the cars may draw %v then; the station may draw %v", at.ref, at.amps, sum, most)
	}
}

// pauses reports whether profiles may be why an EVSE stops, or goes on, without anything having happened there (I14): one that
// may allow less than a pilot can offer, or what it has to share with the others.
func (l *limits) pauses(e term.EVSEID) bool {
	if l.unknown {
		return true
	}
	few := func(p *chargingProfile) bool {
		if p == nil || p.evse != 0 && p.evse != e {
			return false
		}
		if p.purpose == msg2.ChargingProfilePurposeChargingStationMaxProfile {
			return true
		}
		for i := range p.periods {
			if p.power(&p.periods[i]) < int64(station.MinOffer)*nominal*6 {
				return true
			}
		}
		return false
	}
	for _, s := range l.slots {
		for _, p := range s.may {
			if few(p) {
				return true
			}
		}
	}
	for _, g := range l.ghosts {
		if few(g.profile) {
			return true
		}
	}
	return false
}

// composed checks a composite schedule at the instants where it changes and some more (K08), as far as nothing is in doubt.
func (l *limits) composed(c *msg2.CompositeSchedule) {
	if l.unknown {
		return
	}
	l.s.count.composites++
	from, ps := c.ScheduleStart.Unix(), c.ChargingSchedulePeriod
	if ps[0].StartPeriod != 0 {
		l.s.broken("I3", "a composite schedule that begins at %d s", ps[0].StartPeriod)
	}
	for i := range ps {
		end := c.Duration
		if i+1 < len(ps) {
			end = ps[i+1].StartPeriod
		}
		for _, at := range []int{ps[i].StartPeriod, ps[i].StartPeriod + 1, (ps[i].StartPeriod + end) / 2, end - 1} {
			if at < 0 || at >= end {
				continue
			}
			want, sure := l.exactly(term.EVSEID(c.EVSEID), from+int64(at), c.ChargingRateUnit == msg2.ChargingRateUnitA)
			got, _ := ps[i].Limit.V.Milli()
			if l.s.count.checks++; sure && got != want {
				l.s.broken("I3", "the composite schedule of EVSE %d says %d m%s %d s from %v, the profiles %d", c.EVSEID, got, c.ChargingRateUnit, at, c.ScheduleStart, want)
			}
		}
	}
}

// exactly is what a composite schedule has to say of a second, in thousandths of its unit; of EVSE 0 in amperes only.
func (l *limits) exactly(e term.EVSEID, t int64, amperes bool) (v int64, sure bool) {
	least, most := l.all(t)
	if least != most {
		return 0, false
	}
	if e == 0 {
		sum := int64(0)
		for i := range l.s.plan.evses {
			a, b := l.own(l.s.plan.evses[i].ID, t)
			if a != b {
				return 0, false
			}
			sum += a
		}
		return min(sum, least) / (6 * nominal), amperes
	}
	a, b := l.own(e, t)
	if a != b {
		return 0, false
	}
	v = min(a, least)
	_, lines := l.supply(e)
	switch {
	case v < int64(station.MinOffer)*nominal*6: // a pilot offers nothing then
		return 0, true
	case amperes:
		return v / (6 * nominal), true
	}
	return v * int64(lines) / 6, true
}
