package station

import (
	"slices"

	"github.com/evsed/evsed/station/auth"
	"github.com/evsed/evsed/station/reserve"
	"github.com/evsed/evsed/station/term"
)

// plan is which EVSEs are held back. It is worked out anew when an EVSE or a reservation has changed.
type plan struct {
	reserve.Planner
	holding bool // some EVSE is held back
	wants   []reserve.Want
	places  []reserve.Place
	before  []reserve.Place // that the plan in force was made of
	claims  []reserve.Want
}

// planReservations holds EVSEs back for the reservations, and lets go of those that need not be any more. Reservations
// that cannot be kept end. It reports whether something has changed that may change the plan again.
func (s *Station) planReservations() bool {
	r, p := &s.reserved, &s.reserved.plan
	p.wants = p.wants[:0]
	if s.settings.reserving {
		for i := range r.list.All() {
			p.wants = append(p.wants, r.list.All()[i].Want())
		}
	}
	if len(p.wants) == 0 && !p.holding {
		return false
	}
	p.places = s.places(p.places[:0])
	if slices.EqualFunc(p.places, p.before, samePlace) && slices.EqualFunc(p.wants, p.claims, sameWant) {
		return false
	}
	lost, holds := p.Plan(p.places, p.wants)
	p.before, p.claims = append(p.before[:0], p.places...), append(p.claims[:0], p.wants...)
	var ended []reserve.Reservation
	for _, i := range lost {
		ended = append(ended, r.list.All()[i])
	}
	freed := s.hold(holds)
	for i := range ended {
		s.endReservation(ended[i].ID, s.whyLost(&ended[i]))
	}
	for _, e := range freed { // H04.FR.02, H02.FR.03, H02.FR.05
		s.letGo(e)
	}
	return len(ended) > 0 || len(freed) > 0
}

// hold notes which EVSEs are held back and for which reservation, and returns those that were and are not any more.
func (s *Station) hold(holds []int) []*evse {
	var freed []*evse
	s.reserved.plan.holding = false
	for i := range s.evses {
		e, was := &s.evses[i], s.evses[i].reserved
		if e.reserved = holds[i] >= 0; e.reserved {
			e.heldFor = s.reserved.list.All()[holds[i]].ID
			s.reserved.plan.holding = true
		} else if was {
			freed = append(freed, e)
		}
	}
	return freed
}

// letGo serves whoever has waited for an EVSE that was held back.
func (s *Station) letGo(e *evse) {
	if e.grant != nil || !e.facts.Connected {
		return
	}
	s.claimFloating(e)
	s.grantAnybody(e)
	if e.grant != nil {
		s.progress(e, term.TriggerAuthorized)
	}
}

// whyLost says how a reservation came to its end: its EVSE is out of service, or somebody has begun to use it while
// reservations were switched off (2.0.1 part 2, "Referenced Components and Variables").
func (s *Station) whyLost(r *reserve.Reservation) string {
	if e := s.evse(r.EVSE); e != nil && s.inService(e) && len(s.typesInService(e)) > 0 && !s.idle(e) {
		return reservationExpired
	}
	return reservationRemoved
}

// places tells what each EVSE is good for.
func (s *Station) places(ps []reserve.Place) []reserve.Place {
	for i := range s.evses {
		ps = append(ps, s.place(&s.evses[i]))
	}
	return ps
}

func (s *Station) place(e *evse) reserve.Place {
	p := reserve.Place{EVSE: e.cfg.ID, Types: s.typesInService(e)}
	switch {
	case len(p.Types) == 0 || !s.inService(e) || !s.idle(e):
	case s.empty(e):
		p.Use = reserve.Free
	case e.reserved: // G01.FR.09
		p.Use = reserve.Kept
	}
	return p
}

// typesInService lists the types of the connectors that work.
func (s *Station) typesInService(e *evse) []string {
	if !slices.ContainsFunc(e.conns, func(c connector) bool { return !c.inService() }) {
		return e.types
	}
	var types []string
	for j := range e.conns {
		if c := &e.conns[j]; c.inService() {
			types = append(types, c.cfg.Type)
		}
	}
	return types
}

// passing are faults that end no reservation: what was told to the driver is kept over them.
const passing faultSet = 1<<term.FaultPowerLoss | 1<<term.FaultStorage

// inService reports whether an EVSE has neither a fault that stops it, nor was it put out of service: one of these ends its
// reservations. A reset does not (B11.FR.05).
func (s *Station) inService(e *evse) bool {
	return !s.inoperative && !e.inoperative && e.cfg.Refused == "" && !(e.faults &^ passing).stopping() && !(s.faults &^ passing).stopping()
}

func (c *connector) inService() bool { return !c.inoperative && !(c.faults &^ passing).stopping() }

// idle reports whether nobody has begun a session at an EVSE. A car of somebody who has not shown a card may stand there,
// even in a transaction of its own (H03, TxStartPoint EVConnected).
func (s *Station) idle(e *evse) bool {
	return e.grant == nil && !e.keepLocked && e.resume.IsZero() && (e.tx == nil || e.tx.Owner.IsZero())
}

// empty reports whether there is neither car nor cable nor transaction at an EVSE.
func (s *Station) empty(e *evse) bool {
	return e.tx == nil && !slices.ContainsFunc(e.conns, func(c connector) bool { return c.car || c.detachable() })
}

func samePlace(a, b reserve.Place) bool {
	return a.EVSE == b.EVSE && a.Use == b.Use && slices.Equal(a.Types, b.Types)
}

func sameWant(a, b reserve.Want) bool { return a.EVSE == b.EVSE && a.Type == b.Type }

// without returns places in which an EVSE is taken.
func without(ps []reserve.Place, id term.EVSEID) []reserve.Place {
	for i := range ps {
		if ps[i].EVSE == id {
			ps[i].Use = reserve.Taken
		}
	}
	return ps
}

// waitingWants are the claims of the sessions that wait for a car.
func (s *Station) waitingWants(ws []reserve.Want) []reserve.Want {
	for _, w := range s.queue {
		ws = append(ws, reserve.Want{EVSEs: w.evses, Type: w.kind, Empty: true})
	}
	return ws
}

// mayUse reports whether a token may be used at an EVSE as far as reservations go, and which of them it uses up there. A
// token of which the group is not known yet (unsure) may turn out to be of the one that has reserved (H03.FR.08).
func (s *Station) mayUse(e *evse, p presented) (*reserve.Reservation, bool) {
	list := s.standing()
	for i := range list {
		if r := &list[i]; r.EVSE == e.cfg.ID { // H03.FR.01, H03.FR.04
			return r, p.matches(r)
		}
	}
	for i := range list {
		if r := &list[i]; r.EVSE == 0 && p.matches(r) && s.spares(e, r) {
			return r, true
		}
	}
	return nil, s.spares(e, nil)
}

// standing are the reservations that count now.
func (s *Station) standing() []reserve.Reservation {
	if !s.settings.reserving {
		return nil
	}
	return s.reserved.list.All()
}

func (p presented) matches(r *reserve.Reservation) bool {
	return r.For(p.token, p.group, p.known) || p.unsure && !r.Group.IsZero()
}

// spares reports whether an EVSE can be used, by a reservation for any EVSE or by a stranger, and the other reservations be
// kept (H01.FR.07, H01.FR.09, H03.FR.02, H03.FR.03).
func (s *Station) spares(e *evse, by *reserve.Reservation) bool {
	if by != nil && by.Type != "" && !slices.Contains(s.typesInService(e), by.Type) {
		return false
	}
	list := s.standing()
	if len(list) == 0 {
		return true
	}
	wants := wantsOf(list, by)
	return s.reserved.plan.Serves(without(s.places(nil), e.cfg.ID), wants)
}

// wantsOf returns what reservations claim, but for one.
func wantsOf(list []reserve.Reservation, but *reserve.Reservation) []reserve.Want {
	ws := make([]reserve.Want, 0, len(list)+1)
	for i := range list {
		if but == nil || list[i].ID != but.ID {
			ws = append(ws, list[i].Want())
		}
	}
	return ws
}

// reservedTarget returns the EVSE that was reserved by its number for a token that is shown now; nil for none.
func (s *Station) reservedTarget(p presented) *evse {
	for i := range s.reserved.list.All() {
		r := &s.reserved.list.All()[i]
		if e := s.evse(r.EVSE); e != nil && p.at(r.EVSE) && p.matches(r) && s.open(e, p) && s.operative(e) {
			return e
		}
	}
	return nil
}

// roomToWait reports whether a token may wait for a car with every reservation kept, and which reservation it uses up. It is
// asked for where some EVSE is free for it.
func (s *Station) roomToWait(p presented) (*reserve.Reservation, bool) {
	list := s.standing()
	if len(list) == 0 {
		return nil, true
	}
	for i := range list {
		if r := &list[i]; r.EVSE == 0 && p.matches(r) && s.waits(p, r) {
			return r, true
		}
	}
	return nil, s.waits(p, nil)
}

// waits reports whether there is an EVSE for each session that waits for its car, for one more, and for each reservation
// but the one that it uses up.
func (s *Station) waits(p presented, by *reserve.Reservation) bool {
	one := reserve.Want{EVSEs: p.evses, Empty: true}
	if by != nil {
		one.Type = by.Type
	}
	wants := append(wantsOf(s.standing(), by), one)
	return s.reserved.plan.Serves(s.places(nil), s.waitingWants(wants))
}

// hasReserved reports whether the CSMS has made a reservation for this very token: where nobody can be asked, that is its
// word for it (H03, step 4: to authorize such a token is up to the station).
func (s *Station) hasReserved(t term.IdToken) bool {
	return slices.ContainsFunc(s.standing(), func(r reserve.Reservation) bool { return r.Token.Equal(t) })
}

// authorizeReserved accepts a token that nobody here knows because it has a reservation, where local data may start a
// transaction at all.
func (s *Station) authorizeReserved(p presented, v auth.Verdict) {
	if v.Code == auth.CodeUnknownOffline && s.settings.auth.LocalAuthorizeOffline && s.hasReserved(p.token) {
		p.promised = true
		s.authorize(p, term.TokenInfo{Status: term.TokenAccepted})
		return
	}
	s.signalRefused(p.evses, v.Code)
}

// heldBack reports whether nobody but the holder of a reservation may begin a session at an EVSE.
func (s *Station) heldBack(e *evse) bool {
	list := s.standing()
	return slices.ContainsFunc(list, func(r reserve.Reservation) bool { return r.EVSE == e.cfg.ID }) || !s.spares(e, nil)
}
