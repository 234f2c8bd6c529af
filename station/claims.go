package station

import (
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/limit"
	"github.com/evsed/evsed/station/term"
)

// LimitClaimed sets or ends what somebody outside of the core allows: a thermometer, the site's fuse, the relay of a grid
// operator. EVSE 0 is the station as a whole, whose EVSEs share what is allowed. One owner has one claim on each EVSE and one
// on the station; a new one takes the place of the last. Owner is Temperature, SiteFuse, EMS or GridOperator.
type LimitClaimed struct {
	EVSE   term.EVSEID
	Owner  limit.Owner
	Max    unit.Current // per phase
	Reason string       // stable code, like LIM-GRID
	Off    bool         // there is no such limit any more
}

func (LimitClaimed) event() {}

// outside is a claim from outside of the core.
type outside struct {
	on     bool
	max    unit.Current
	reason string
}

// claimable says whether an owner's claims come from outside of the core.
func claimable(o limit.Owner) bool {
	switch o {
	case limit.Temperature, limit.SiteFuse, limit.EMS, limit.GridOperator:
		return true
	}
	return false
}

// limitClaimed takes a claim; the permits that follow from it are the step's: lower at once, higher behind its records.
func (s *Station) limitClaimed(ev LimitClaimed) {
	if !claimable(ev.Owner) {
		return
	}
	c := outside{on: !ev.Off, max: max(ev.Max, 0), reason: ev.Reason}
	if ev.Off {
		c = outside{}
	}
	if ev.EVSE == 0 {
		s.charging.outside[ev.Owner] = c
		for i := range s.evses {
			s.claimOutside(&s.evses[i], ev.Owner)
		}
		return
	}
	if e := s.evse(ev.EVSE); e != nil {
		e.bounds.outside[ev.Owner] = c
		s.claimOutside(e, ev.Owner)
	}
}

// claimOutside lets the lower of the EVSE's and the station's claim count at an EVSE.
func (s *Station) claimOutside(e *evse, o limit.Owner) {
	c := e.bounds.outside[o]
	if all := s.charging.outside[o]; all.on && (!c.on || all.max < c.max) {
		c = all
	}
	if !c.on {
		e.bounds.arbiter.Drop(o)
		return
	}
	e.bounds.arbiter.Set(s.now, o, limit.Claim{Value: limit.Value{Max: c.max}, Reason: c.reason})
}

// stationLimit is what the EVSEs share, per phase: the least of the profiles' and of what is claimed from outside. -1: nothing
// limits them together.
func (s *Station) stationLimit() unit.Current {
	most := unit.Current(-1)
	if s.settings.smart {
		wall := s.wall()
		l, until := s.charging.set.Limit(0, wall)
		s.lookAgain(until, wall)
		if l.Purpose != "" {
			most = l.Max
		}
	}
	for o := range s.charging.outside {
		if c := &s.charging.outside[o]; c.on && (most < 0 || c.max < most) {
			most = c.max
		}
	}
	return most
}

// claimed reports whether somebody outside limits the station as a whole.
func (s *Station) claimed() bool {
	for o := range s.charging.outside {
		if s.charging.outside[o].on {
			return true
		}
	}
	return false
}

// claimFromStart sets what holds from the first step on.
func (s *Station) claimFromStart(claims []LimitClaimed) {
	for _, c := range claims {
		s.limitClaimed(c)
	}
}
