package schedule

import (
	"time"

	"github.com/evsed/evsed/station/term"
)

// Composite is what may be drawn over a time: the schedule that results from all profiles (K08).
type Composite struct {
	EVSE     term.EVSEID
	Start    time.Time     // whole seconds
	Duration time.Duration // what was asked for; less if there was no room for more periods
	Unit     Unit
	Periods  []Period // as few as needed; each names its phases
}

// Compose returns the composite schedule of an EVSE, or of the whole station (EVSE 0), from the wall time from on, in
// unit u or, if that is "", the one that the rules prefer. Its periods lie in buf, and are no more than cap(buf), at
// least 1.
//
// Without a transaction that is ready to deliver energy it is as if one became so at from (K08.FR.06). What the station
// may draw is what its EVSEs may, and no more than its own profiles and its connection allow (K08.FR.03): amperes are
// those of the phase that has all EVSEs, watts the sum.
func (s *Set) Compose(evse term.EVSEID, from time.Time, d time.Duration, u Unit, buf []Period) (Composite, *Refusal) {
	if evse < 0 || int(evse) > len(s.txs) { // K08.FR.05
		return Composite{}, refuse(ReasonEVSE, "evse-unknown", "no EVSE %d", evse)
	}
	r := &s.cfg.Rules
	if u == "" {
		u = Watts
		if r.Amperes || !r.Watts {
			u = Amperes
		}
	} else if !(u == Amperes && r.Amperes || u == Watts && r.Watts) { // K08.FR.07
		return Composite{}, refuse(ReasonUnit, "unit-unsupported", "charging rate unit %s is not supported", u)
	}
	if !s.work.fresh {
		s.derive()
	}
	t := from.Unix()
	length := max(int64(d/time.Second), 0)
	periods, covered := s.compose(evse, t, length, u, buf[:0:max(cap(buf), 0)])
	return Composite{
		EVSE: evse, Start: time.Unix(t, 0).UTC(), Duration: time.Duration(covered) * time.Second, Unit: u, Periods: periods,
	}, nil
}

// compose walks through all stacks at once, from one change to the next.
func (s *Set) compose(evse term.EVSEID, t, length int64, u Unit, out []Period) ([]Period, int64) {
	horizon := t + max(length, 1)
	c := composer{volts: s.volts(), unit: u, place: s.view(evse)}
	s.walk(c.place.own, evse, t, horizon, false)
	s.walk(c.place.all, evse, t, horizon, false)
	if evse == 0 {
		c.evses = s.work.views
		for i := range c.evses {
			c.evses[i] = s.view(term.EVSEID(i + 1))
			c.evses[i].all = nil // they are those of the station, which counts for the sum
			s.walk(c.evses[i].own, term.EVSEID(i+1), t, horizon, false)
		}
	}
	for at := t; ; {
		p, until := c.permitted()
		p.Start = time.Duration(at-t) * time.Second
		if n := len(out); n == 0 || !out[n-1].equal(&p) {
			if n > 0 && n == cap(out) {
				return out, at - t
			}
			out = append(out, p)
		}
		if until >= t+length {
			return out, length
		}
		at = until
		c.place.seek(at, horizon)
		for i := range c.evses {
			c.evses[i].seek(at, horizon)
		}
	}
}

// equal reports whether two periods say the same.
func (d *Period) equal(o *Period) bool {
	return d.Limit == o.Limit && d.Phases == o.Phases && d.PhaseToUse == o.PhaseToUse
}

// composer says what may be drawn where its walks are.
type composer struct {
	place view
	evses []view // of the station
	volts int64
	unit  Unit
}

func (c *composer) permitted() (Period, int64) {
	var m merged
	c.place.merge(&m)
	if c.evses != nil {
		return c.sum(&m)
	}
	p := Period{Phases: m.lines, PhaseToUse: m.line}
	if c.unit == Amperes {
		p.Limit = m.limit / c.volts
	} else {
		p.Limit = m.limit * int64(m.lines) / sixths
	}
	return p, m.until
}

// sum is what all EVSEs may draw, and no more than m, what the station may.
func (c *composer) sum(m *merged) (Period, int64) {
	var e merged
	var current, power int64 // sixths of uW: of the phase that has all EVSEs, and of all phases
	lines := int8(1)
	until := m.until
	for i := range c.evses {
		c.evses[i].merge(&e)
		current += e.limit
		power += e.limit * int64(e.lines)
		lines = max(lines, e.lines)
		until = min(until, e.until)
	}
	p := Period{Phases: min(m.lines, lines)}
	if c.unit == Amperes {
		p.Limit = min(current, m.limit) / c.volts
	} else {
		p.Limit = min(power, m.limit*int64(m.lines)) / sixths
	}
	return p, until
}
