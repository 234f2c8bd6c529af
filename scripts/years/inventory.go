package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
)

// profileReport is an answer to GetChargingProfiles, which comes in parts.
type profileReport struct {
	id    int
	at    time.Time
	conn  int
	may   map[int][]*chargingProfile // what there might be when it was asked for, by id
	must  map[int]*chargingProfile   // and what there was beyond doubt
	found map[int]*chargingProfile
}

// reportPatience is how long the parts of a report may take.
const reportPatience = 10 * time.Minute

// oldGhost is when a remote start cannot begin a transaction any more: nobody has come for the longest EVConnectionTimeOut.
const oldGhost = 15 * time.Minute

// getProfiles asks the station which profiles it has; what is in doubt is known then.
func (c *csms) getProfiles() {
	s, l := c.s, c.limits
	if l.report != nil && s.now.Sub(l.report.at) < reportPatience && l.report.conn == s.wire.open {
		return
	}
	l.report = nil
	r := &profileReport{id: c.calls, at: s.now, conn: s.wire.open, may: map[int][]*chargingProfile{}, must: map[int]*chargingProfile{}, found: map[int]*chargingProfile{}}
	if !c.ask("GetChargingProfiles", fmt.Sprintf(`{"requestId":%d,"chargingProfile":{}}`, r.id), func(status string, _ *rpc.Frame) {
		switch {
		case l.report != r:
		case status == "NoProfiles":
			l.compare(r)
		case status == "": // no smart charging
			l.report, l.looked = nil, true
		}
	}) {
		return
	}
	l.report = r
	for _, e := range l.slots {
		r.may[e.id], r.must[e.id] = slices.Clone(e.may), e.sure()
	}
	s.later(reportPatience, func() {
		if l.report == r {
			l.report = nil
		}
	})
}

// inventory asks a station that is well which profiles it has, until it has said so (I12).
func (s *sim) inventory() {
	l := s.csms.limits
	if s.plan.kinds&kindSmart == 0 || s.err != nil {
		return
	}
	l.looked = false
	for n := 0; s.err == nil && !l.looked; n++ {
		if n == 40 {
			s.broken("I12", "healed, and the charging profiles were not told: %s", s.how())
		}
		s.csms.getProfiles()
		s.play(s.now.Add(lookEvery))
	}
}

// part takes a part of a report.
func (l *limits) part(m *msg2.ReportChargingProfilesRequest) {
	r := l.report
	if r == nil || r.id != m.RequestID || r.conn != l.s.wire.open {
		return
	}
	for i := range m.ChargingProfile {
		p := reported(&m.ChargingProfile[i], m.EVSEID)
		r.found[p.id] = p
	}
	if !m.Tbc.V {
		l.compare(r)
	}
}

// compare holds a report against the books: what was accepted is there, whatever has happened to the station since, and what was
// cleared, or was of a transaction that is over, is not (K01.FR.27, K02.FR.05, K10).
func (l *limits) compare(r *profileReport) {
	l.report, l.looked = nil, true
	l.s.count.inventories++
	if l.unknown {
		l.adopt(r)
		return
	}
	ids := make([]int, 0, len(l.slots))
	for _, e := range l.slots {
		ids = append(ids, e.id)
	}
	for id := range r.found {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	for _, id := range ids {
		l.s.count.checks++
		l.settle(r, id)
	}
	l.ghosts = slices.DeleteFunc(l.ghosts, func(g *ghost) bool {
		old := r.at.Sub(g.at) > oldGhost
		if old {
			l.slot(g.profile.id).doubt--
		}
		return old
	})
	l.tidy()
}

// settle compares what there is under one id.
func (l *limits) settle(r *profileReport, id int) {
	e, found := l.slot(id), r.found[id]
	if found == nil {
		if must := r.must[id]; must != nil && e.sure() == must && l.mustStay(must) {
			l.s.broken("I3", "profile %d was accepted and is gone: %s", id, must.json())
		}
		if e.since.Before(r.at) {
			e.may = []*chargingProfile{nil}
		}
		return
	}
	known := l.knows(append(slices.Clone(r.may[id]), e.may...), found)
	if known == nil {
		l.s.broken("I3", "profile %d lives, and the CSMS has never set it like this, or has cleared it: %s", id, found.json())
		return
	}
	switch {
	case !e.since.Before(r.at):
	case !slices.Contains(e.may, known): // its transaction has ended since, or its start has not been heard of
		if known.tx == "" && found.tx != "" {
			e.may = []*chargingProfile{found, nil}
		}
	case known.ended:
		e.may = []*chargingProfile{known, nil}
	default:
		e.may = []*chargingProfile{known}
	}
}

// knows finds a reported profile among those that there may be, and among those of remote starts.
func (l *limits) knows(may []*chargingProfile, found *chargingProfile) *chargingProfile {
	for _, p := range may {
		if p != nil && p.text(true) == found.text(true) {
			return p
		}
	}
	for _, g := range l.ghosts {
		if g.profile.text(false) == found.text(false) {
			return g.profile
		}
	}
	return nil
}

// adopt believes a report after the device has lied.
func (l *limits) adopt(r *profileReport) {
	l.unknown = false
	for _, e := range l.slots {
		switch {
		case !e.since.Before(r.at):
			e.believe(r.found[e.id])
		default:
			e.may = []*chargingProfile{r.found[e.id]}
		}
		delete(r.found, e.id)
	}
	for id, p := range r.found {
		l.slot(id).may = []*chargingProfile{p}
	}
	l.tidy()
}
