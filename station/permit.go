package station

import (
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
	"github.com/evsed/evsed/station/transaction"
)

// MinOffer is the least current that the control pilot can offer (IEC 61851-1 Annex A).
const MinOffer = 6 * unit.Ampere

// wantPermit derives what a connector is allowed from the state as it is now.
func (s *Station) wantPermit(e *evse, c *connector) term.Permit {
	p := term.Permit{Ref: c.ref}
	idle := e.tx == nil && e.grant == nil
	used := e.tx != nil && e.is(c) // a session at another connector of the EVSE gives this one back no service
	p.Fail = !e.reset.IsZero() || idle && (s.inoperative || e.inoperative) || c.inoperative && !used
	if !e.is(c) {
		return p
	}
	if s.mayCharge(e, c) {
		p.Max = s.limit(e, c)
		p.Close = p.Max > 0 // what profiles pause is open
	}
	// The plug stays locked from the authorization to the orderly end of the transaction (E10.FR.01), and while a
	// deauthorized driver has not shown up again (E05.FR.11, C15.FR.05).
	p.Lock = !c.cfg.Tethered && c.present && (e.entitled() || e.keepLocked)
	return p
}

// entitled reports whether an authorization holds here.
func (e *evse) entitled() bool {
	return e.grant != nil && e.grant.ValidAt(e.cfg.ID) && (e.tx == nil || e.tx.Ending == nil)
}

// mayCharge reports whether the connector in use may deliver energy as far as driver, transaction and faults go; how much
// is another question.
func (s *Station) mayCharge(e *evse, c *connector) bool {
	blocked := c.faults.stopping() || e.stopping() || s.faults.stopping()
	return e.entitled() && s.billed(e) && s.counted(e) && !e.grant.Suspended && !blocked && e.reset.IsZero()
}

// billed reports whether energy has a transaction to be counted in: one that runs, or one that its first flow begins.
func (s *Station) billed(e *evse) bool {
	return e.tx != nil || s.settings.start&transaction.EnergyTransfer != 0 && s.mayBegin(e)
}

// limit is the current that may be offered now, per phase: the least of what the hardware can, the cable, and what the
// profiles allow; 0 where that is less than a pilot can offer.
func (s *Station) limit(e *evse, c *connector) unit.Current {
	most := min(e.cfg.MaxCurrent, e.bounds.offers())
	if c.rating > 0 {
		most = min(most, c.rating)
	}
	return most
}

// issuePermits hands out what changed: less power at once, more power behind the records of this step.
func (s *Station) issuePermits() {
	for i := range s.evses {
		e := &s.evses[i]
		if e.cfg.Refused != "" { // no guard drives it
			continue
		}
		for j := range e.conns {
			c := &e.conns[j]
			want := s.wantPermit(e, c)
			if c.issued && want == c.permit || !e.resume.IsZero() { // a resumed session keeps plug and lock as found
				continue
			}
			if c.permit.Close && !want.Close {
				e.cut = s.now
			}
			if want.Close && !c.permit.Close {
				s.allowUncounted(e)
			}
			s.lowered(e, c.permit, want)
			if least := lesser(want, c.permit); c.issued && least != c.permit {
				s.out.Cut = append(s.out.Cut, least)
				c.permit = least
			}
			if !c.issued || want != c.permit {
				s.out.Permits = append(s.out.Permits, want)
			}
			c.permit, c.issued = want, true
		}
	}
}

// lesser returns the part of want that is less power than have: what takes effect before anything is durable. Of the
// lock it says what it said: while no power is lost it can wait.
func lesser(want, have term.Permit) term.Permit {
	p := have
	p.Close = want.Close && have.Close
	p.Max = min(want.Max, have.Max)
	p.Fail = want.Fail || have.Fail
	return p
}
