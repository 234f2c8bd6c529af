package station

import (
	"time"

	"github.com/evsed/evsed/station/sampling"
	"github.com/evsed/evsed/station/term"
	"github.com/evsed/evsed/station/transaction"
)

// startTransactions takes over the transactions of before the restart.
func (s *Station) startTransactions() {
	for _, tx := range s.restored {
		if e := s.evse(tx.Ref.EVSE); e != nil && e.tx == nil {
			s.takeOver(e, tx)
			continue
		}
		s.resumeFloating(tx)
	}
	s.restored = nil
	for i := range s.evses {
		s.command(PollMeter{EVSE: s.evses[i].cfg.ID})
	}
}

// resumeWait is how long a restored transaction waits for the pilot and the meter before it is ended.
const resumeWait = 15 * time.Second

func (s *Station) takeOver(e *evse, tx *transaction.Tx) {
	e.tx, e.grant, e.state = tx, tx.Grant, tx.State
	e.resume = s.now.Add(resumeWait)
	e.bay = tx.Bay
	e.meter.started = s.now
	if vs, _, err := sampling.ParseBinary(tx.Samples); err == nil {
		e.meter.kept.Restore(vs, 0)
	}
	e.meter.updated, e.meter.ended = sampling.Periodic{}, sampling.Periodic{}
	e.signing.takeOver(e, tx)
}

// tryResume decides about a restored transaction as soon as plug and meter are known.
func (s *Station) tryResume(e *evse) {
	if !e.read {
		return
	}
	c := s.resumedConnector(e)
	switch {
	case c == nil:
		return
	case e.tx.Ending != nil, !s.resumable(e.tx, c.car || c.detachable()):
		s.endResumed(e)
		return
	case c.car, e.tx.Ref.Connector == c.ref.Connector:
		e.use(c)
	}
	before := factsBefore(e.tx)
	s.settleResume(e)
	if s.settings.stop.Stops(before, e.facts) || !e.facts.Alive() { // E17.FR.17
		s.endBy(e, term.TriggerEVCommunicationLost)
		return
	}
	s.armSampling(e)
	s.markReady(e)                     // its record goes with the event
	s.update(e, term.TriggerTxResumed) // E17.FR.14
	if before.Connected && !e.facts.Connected {
		s.goneMeanwhile(e)
	}
	s.progress(e, "")
}

// withdrawRestored ends the authorization of a transaction of which nobody knows yet whether its car is still there: what
// the stop points make of it is told as soon as somebody does.
func (s *Station) withdrawRestored(e *evse, c cause) {
	if s.settings.stop&(transaction.Authorized|transaction.PowerPathClosed) != 0 {
		e.tx.Ending = &transaction.Ending{Trigger: c.trigger, Reason: c.reason, At: s.wall(), Token: c.token, Info: c.info}
		s.out.MustSync = true
		s.saveTransaction(e.tx)
		return
	}
	s.updateWith(e, c)
}

// factsBefore are the facts of a restored transaction before the interruption. That energy does not flow any more is
// the interruption's doing and ends nothing (E17.FR.11).
func factsBefore(tx *transaction.Tx) transaction.Facts {
	return transaction.Facts{Bay: tx.Bay, Connected: tx.State != term.ChargingIdle, Authorized: tx.Grant != nil}
}

// goneMeanwhile handles a car that was unplugged while the power was away, as if it had happened now.
func (s *Station) goneMeanwhile(e *evse) {
	e.evLeft = e.grant != nil
	if e.grant != nil && s.settings.stopOnEVSide && e.active >= 0 {
		s.deauthorizeUnplugged(e, &e.conns[e.active])
	}
}

// settleResume ends the waiting of a restored transaction: facts and state are what they are now.
func (s *Station) settleResume(e *evse) {
	e.resume = time.Time{}
	e.granted = s.now
	if e.state == term.ChargingCharging {
		e.state = term.ChargingSuspendedEVSE // it was not the car that stopped
	}
	e.state = s.view(e).ChargingState()
	e.facts = s.factsOf(e)
}

// resumedConnector returns the connector of a restored transaction once its pilot is known; nil before.
func (s *Station) resumedConnector(e *evse) *connector {
	for j := range e.conns {
		c := &e.conns[j]
		if c.pilot == term.StateUnknown {
			return nil
		}
		if e.tx.Ref.Connector == c.ref.Connector || e.tx.Ref.Connector == 0 && (c.car || j == len(e.conns)-1) {
			return c
		}
	}
	return nil
}

// resumable reports whether the interruption was short enough to go on (TxCtrlr.ResumptionTimeout). Where the clock
// is not known nobody can tell: with the driver's car or cable still there the session goes on, and without them it ends,
// since whoever comes next may be somebody else.
func (s *Station) resumable(tx *transaction.Tx, there bool) bool {
	if s.settings.resumption == 0 {
		return false
	}
	away := s.wall().Sub(tx.Seen)
	return away <= s.settings.resumption && (away >= 0 || there)
}

// endResumed ends a restored transaction that cannot go on. Since the power was cut no energy flowed, so the register
// as it is now is the honest end.
func (s *Station) endResumed(e *evse) {
	c := s.resumedConnector(e)
	if c != nil && c.car {
		e.use(c)
	}
	s.settleResume(e)
	if e.tx.Ending != nil {
		if s.signedOff(e) {
			s.tellEnd(e)
		}
		return
	}
	why := cause{trigger: term.TriggerAbnormalCondition, reason: term.StopPowerLoss} // E17.FR.21
	if s.boot.reason != BootPowerUp {
		why.reason = term.StopReboot // E17.FR.22
	}
	if e.tx.Reason != "" {
		why.reason = e.tx.Reason
	}
	s.end(e, why)
}

// powerFailing ends what could not be resumed, and stops all energy (mains lost, buffer running).
func (s *Station) powerFailing() {
	s.faults.set(term.FaultPowerLoss, true)
	for i := range s.evses {
		e := &s.evses[i]
		if e.tx != nil && e.tx.Ending == nil && s.settings.resumption == 0 {
			s.abort(e, term.StopPowerLoss)
		} else if e.tx != nil {
			s.saveTransaction(e.tx)
			s.progress(e, "")
		}
	}
	s.out.MustSync = true
}
