package station

import (
	"slices"
	"time"

	"github.com/evsed/evsed/station/schedule"
	"github.com/evsed/evsed/station/term"
	"github.com/evsed/evsed/station/transaction"
)

// floating are sessions that have no EVSE yet: a token was accepted before any car was plugged in, at a reader that
// serves several EVSEs.
type floating []waiting

type waiting struct {
	grant   *transaction.Grant
	tx      *transaction.Tx // with TxStartPoint Authorized it has already begun, without an EVSE
	evses   []term.EVSEID   // which EVSEs the reader serves; empty: all
	kind    string          // connector type that was reserved; "": any will do
	since   time.Time
	profile *schedule.Profile // that came with the remote start
}

// enqueue lets an authorization wait for a car, if need be one at a connector of the kind that was reserved.
func (s *Station) enqueue(p presented, g *transaction.Grant, kind string) {
	w := waiting{grant: g, evses: p.evses, kind: kind, since: s.now, profile: p.profile}
	if s.settings.start.Starts(transaction.Facts{Authorized: true}, 0) { // E01.FR.03
		w.tx = s.newTransaction()
		w.tx.Grant, w.tx.Owner, w.tx.State = g, g.Token, term.ChargingIdle
		trigger := term.TriggerAuthorized
		if g.HasRemote {
			trigger = term.TriggerRemoteStart
		}
		s.emit(w.tx, nil, PhaseStarted, trigger, func(*TransactionEvent) {})
	}
	s.keepStarting(w)
	s.queue = append(s.queue, w)
}

// claimFloating gives a car that was just plugged in the oldest authorization that waits for it.
func (s *Station) claimFloating(e *evse) {
	if e.tx != nil || e.active < 0 || !s.operativeAt(e, &e.conns[e.active]) || s.heldBack(e) {
		return
	}
	i := slices.IndexFunc(s.queue, func(w waiting) bool {
		return (len(w.evses) == 0 || slices.Contains(w.evses, e.cfg.ID)) && w.grant.ValidAt(e.cfg.ID) && w.grant.For(e.conns[e.active].ref.Connector)
	})
	if i < 0 {
		return
	}
	w := s.queue[i]
	s.queue = slices.Delete(s.queue, i, i+1)
	e.grant, e.granted, e.starting = w.grant, s.now, w.profile
	s.forgetStarting(w)
	if w.grant.Refused {
		s.energyBudget(e)
	}
	if w.tx != nil {
		w.tx.Ref = s.refOf(e)
		s.bindTransaction(e, w.tx)
		e.facts.Authorized = true
	}
}

// dropFloating ends a session that never got a car.
func (s *Station) dropFloating(i int, c cause) {
	w := s.queue[i]
	s.queue = slices.Delete(s.queue, i, i+1)
	if w.tx == nil {
		return
	}
	w.tx.Grant = nil
	s.emit(w.tx, nil, PhaseEnded, c.trigger, func(ev *TransactionEvent) {
		ev.StoppedReason, ev.Token, ev.Info = c.reason, c.token, c.info
	})
	s.record(BucketTransaction, string(w.tx.ID), nil)
	s.forgetStarting(w)
	s.resetIfIdle()
}

// resumeFloating takes over a session that waited for its car when the power was cut. Its time runs anew.
func (s *Station) resumeFloating(tx *transaction.Tx) {
	w := waiting{grant: tx.Grant, tx: tx, since: s.now, profile: s.charging.starting[tx.ID]}
	s.queue = append(s.queue, w)
	if tx.Grant == nil || tx.Ref.EVSE != 0 || !s.resumable(tx, false) {
		s.dropFloating(len(s.queue)-1, cause{trigger: term.TriggerAbnormalCondition, reason: term.StopPowerLoss})
	}
}

func (s *Station) floatingTimers() {
	for len(s.queue) > 0 && s.due(s.queue[0].since.Add(s.settings.connectionTimeout)) {
		s.dropFloating(0, cause{trigger: term.TriggerEVConnectTimeout, reason: term.StopTimeout}) // E03.FR.05
	}
}

func (s *Station) floatingDeadline() time.Time {
	if len(s.queue) == 0 {
		return time.Time{}
	}
	return s.queue[0].since.Add(s.settings.connectionTimeout)
}
