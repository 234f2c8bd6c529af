package station

import (
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
	"github.com/evsed/evsed/station/transaction"
)

// cause is why the authorization of a session ends.
type cause struct {
	trigger term.TriggerReason
	reason  term.StopReason
	token   term.IdToken // that was shown to stop it
	info    []term.AdditionalInfo
}

// tryStart begins a transaction if a start point is reached.
func (s *Station) tryStart(e *evse, trigger term.TriggerReason) {
	if !s.settings.start.Starts(e.facts, e.spent) || !s.mayBegin(e) {
		return
	}
	if trigger == "" {
		trigger = term.TriggerChargingStateChanged
	}
	tx := s.newTransaction()
	if e.signing.tx != "" { // the meter knows it by that already
		tx.ID = e.signing.tx
	}
	tx.Ref, tx.State, tx.Grant = s.refOf(e), e.state, e.grant
	if e.grant != nil {
		tx.Owner = e.grant.Token
	}
	tx.Charged = e.state == term.ChargingCharging
	s.bindTransaction(e, tx)
	s.emit(tx, e, PhaseStarted, trigger, func(ev *TransactionEvent) {
		ev.Values = s.signBegin(e, s.beginValues(e))
	})
}

// mayBegin reports whether a transaction may begin at an EVSE, as far as registration, availability and faults go.
func (s *Station) mayBegin(e *evse) bool {
	return s.mayStartSessions() && s.operative(e) && (e.active < 0 || s.operativeAt(e, &e.conns[e.active]))
}

func (s *Station) newTransaction() *transaction.Tx {
	return &transaction.Tx{ID: term.TransactionID(s.cfg.NewID()), StartedAt: s.wall()}
}

// bindTransaction makes tx the running transaction of an EVSE.
func (s *Station) bindTransaction(e *evse, tx *transaction.Tx) {
	e.tx = tx
	if e.read {
		tx.Begin, tx.HasBegin, tx.Last = e.reading.Import, true, e.reading.Import
	}
	e.signing.bind(tx)
	s.startSampling(e)
	s.markReady(e)
	s.adoptProfile(e)
}

// refOf tells EVSE and, once a car is on the line, the connector (E01.FR.16).
func (s *Station) refOf(e *evse) term.Ref {
	if e.active >= 0 && e.conns[e.active].car {
		return e.conns[e.active].ref
	}
	return term.Ref{EVSE: e.cfg.ID}
}

// settleUnregistered begins what could not begin before the first acceptance (B02.FR.03).
func (s *Station) settleUnregistered() {
	for i := range s.evses {
		if e := &s.evses[i]; e.facts.Connected && e.tx == nil {
			s.progress(e, term.TriggerCablePluggedIn)
		}
	}
}

// update tells a step of the running transaction.
func (s *Station) update(e *evse, trigger term.TriggerReason) {
	s.updateWith(e, cause{trigger: trigger})
}

func (s *Station) updateWith(e *evse, c cause) {
	tx := e.tx
	if ref := s.refOf(e); ref.Connector != 0 {
		tx.Ref = ref
	}
	tx.State = e.state
	arrived := !tx.PlugTold && tx.Ref.Connector != 0 // the certification tests look for them as soon as the EVSE is known (TC_J_08)
	s.emit(tx, e, PhaseUpdated, c.trigger, func(ev *TransactionEvent) {
		if !c.token.IsZero() { // E07.FR.02
			ev.Token, ev.Info = c.token, c.info
		}
		if !tx.BeginTold && (arrived || e.state == term.ChargingCharging) { // E01.FR.17
			ev.Values = s.beginValues(e)
		}
	})
}

// emit writes and reports one TransactionEvent. Its number is taken here, with its record (E01.FR.07).
func (s *Station) emit(tx *transaction.Tx, e *evse, phase Phase, trigger term.TriggerReason, edit func(*TransactionEvent)) {
	ev := &TransactionEvent{Phase: phase, At: s.stampNow(), ClockUnsure: !s.clock.known, Trigger: trigger, SeqNo: tx.NextSeq,
		Offline: !s.online(), Transaction: tx.ID, ChargingState: tx.State, ChargingTime: tx.Charging, PhasesUsed: -1, Begin: -1, Register: -1}
	if tx.Ref.EVSE != 0 {
		ev.Ref = tx.Ref
	}
	if tx.HasBegin {
		ev.Begin, ev.Register = tx.Begin, tx.Last
	}
	if e != nil {
		tx.Bay = e.bay
		ev.ChargingTime = s.chargingTime(e)
		s.tellPlug(tx, e, ev)
	}
	if g := tx.Grant; g != nil && !g.Told { // E01.FR.10, E02.FR.01, E03.FR.01, C05.FR.05
		g.Told = true
		ev.Token, ev.Info = g.Token, g.Info
		ev.RemoteStartID, ev.HasRemoteStart = g.Remote, g.HasRemote // C05.FR.03, F01.FR.25
		if g.Reservation != nil {                                   // H01.FR.15, E01.FR.13, E02.FR.03, E03.FR.03
			ev.ReservationID, ev.HasReservation = *g.Reservation, true
		}
		if g.HasRemote && phase != PhaseEnded { // F02.FR.21: whatever else came together with it
			ev.Trigger = term.TriggerRemoteStart
		}
	}
	edit(ev)
	if ev.Values != nil {
		atStart := phase == PhaseStarted || tx.State == term.ChargingCharging
		tx.BeginTold = tx.BeginTold || atStart && hasContext(ev.Values, term.TransactionBegin)
	}
	tx.NextSeq++
	tx.Seen = ev.At
	s.report(Kept, "", ev)
	if !s.lazy(phase, trigger) {
		s.out.MustSync = true
	}
	if phase != PhaseEnded {
		s.saveTransaction(tx)
	}
}

// lazy reports whether an event may wait for the next sync: samples, while nobody listens anyway. A power cut then
// loses samples, never numbers: the record that counts the number waits with it.
func (s *Station) lazy(phase Phase, trigger term.TriggerReason) bool {
	return phase == PhaseUpdated && !s.online() &&
		(trigger == term.TriggerMeterValuePeriodic || trigger == term.TriggerMeterValueClock)
}

// tellPlug adds what is told once per change: the cable's rating and the number of phases in use (E02.FR.18, E02.FR.19).
func (s *Station) tellPlug(tx *transaction.Tx, e *evse, ev *TransactionEvent) {
	if tx.Ref.Connector != 0 && !tx.PlugTold && e.active >= 0 {
		tx.PlugTold = true
		if c := &e.conns[e.active]; !c.cfg.Tethered {
			ev.CableMax = c.rating
		}
	}
	if n := e.phasesUsed(); n > 0 && n != tx.Phases {
		tx.Phases = n
		ev.PhasesUsed = n
	}
}

// phaseUsed is the current above which a line counts as used.
const phaseUsed = 500 * unit.Milliampere

// phasesUsed is the number of lines that carry current: measured, but where there is one line only. 0 is not known.
func (e *evse) phasesUsed() int8 {
	if !e.closed() || !e.read {
		return 0
	}
	if e.cfg.Phases == 1 {
		return 1
	}
	var n int8
	for _, c := range e.reading.Current {
		if c > phaseUsed || c < -phaseUsed {
			n++
		}
	}
	return n
}

// saveTransaction records the running transaction, so that it can go on or end after a power cut.
func (s *Station) saveTransaction(tx *transaction.Tx) {
	kept := *tx
	if e := s.evse(tx.Ref.EVSE); e != nil && e.tx == tx {
		kept.Charging = s.chargingTime(e) // with what has flowed until now
	}
	s.record(BucketTransaction, string(tx.ID), kept.Marshal())
}

// withdraw ends the authorization of an EVSE's session, and with it the transaction if a stop point says so.
func (s *Station) withdraw(e *evse, c cause) {
	e.own()
	e.grant = nil
	if e.tx == nil {
		s.progress(e, "")
		s.release(e)
		return
	}
	if e.tx.Ending != nil {
		return
	}
	e.tx.Grant = nil
	if e.tx.Reason == "" {
		e.tx.Reason, e.tx.StoppedBy = c.reason, c.token
	}
	if !e.resume.IsZero() {
		s.withdrawRestored(e, c)
		return
	}
	before := e.facts
	e.state = s.view(e).ChargingState()
	s.countEnergy(e)
	e.facts = s.factsOf(e)
	e.spent &= e.facts.Points()
	switch {
	case s.settings.stop.Stops(before, e.facts), before.Alive() && !e.facts.Alive(),
		!e.facts.Connected && s.settings.stop&transaction.ParkingBayOccupancy == 0: // E03.FR.05
		s.end(e, c)
	default:
		s.updateWith(e, c)
	}
}

// own notes whose cable it is.
func (e *evse) own() {
	if e.grant != nil {
		e.ownerToken = e.grant.Token
	}
}

// endBy ends a transaction whose stop point was left by what trigger says.
func (s *Station) endBy(e *evse, trigger term.TriggerReason) {
	c := cause{trigger: trigger, reason: e.tx.Reason}
	if c.reason == "" {
		switch trigger {
		case term.TriggerEVCommunicationLost, term.TriggerEVDeparted:
			c.reason = term.StopEVDisconnected
		case term.TriggerChargingStateChanged:
			c.reason = term.StopByEV
		default:
			c.reason = term.StopOther
		}
	}
	if c.trigger == "" {
		c.trigger = term.TriggerChargingStateChanged
	}
	s.end(e, c)
}

// endPatience is how long the end of a transaction waits for the contactor and for the last reading.
const endPatience = 10 * time.Second

// end decides the end of a transaction. It is told once the contactor is open and the meter has been read behind it,
// so that the last watt-hour is on the bill.
func (s *Station) end(e *evse, c cause) {
	e.own()
	e.grant = nil
	e.tx.Grant = nil
	e.tx.Ending = &transaction.Ending{Trigger: c.trigger, Reason: c.reason, At: s.wall(), Token: c.token, Info: c.info}
	e.ending = s.now.Add(endPatience)
	s.out.MustSync = true
	s.saveTransaction(e.tx)
	if s.tryEnd(e); e.tx != nil {
		s.command(PollMeter{EVSE: e.cfg.ID})
	}
}

// tryEnd tells the end if the contactor is open and the register was read behind it.
func (s *Station) tryEnd(e *evse) {
	if e.tx == nil || e.tx.Ending == nil || e.closed() || s.mayStillClose(e) || !e.resume.IsZero() {
		return
	}
	if e.read && !e.reading.At.Before(e.opened) && s.signedOff(e) {
		s.tellEnd(e)
	}
}

// closingTime is how long after its permit has gone a contactor may still report that it closed: the command was on its
// way when the permit was withdrawn.
const closingTime = 700 * time.Millisecond

// mayStillClose reports whether the contactor may have been told to close and has not said so yet.
func (s *Station) mayStillClose(e *evse) bool {
	if e.active < 0 || !e.conns[e.active].pilot.Ready() {
		return false
	}
	return e.conns[e.active].permit.Close || s.now.Before(e.cut.Add(closingTime))
}

// tellEnd tells the end with what is known of the meter.
func (s *Station) tellEnd(e *evse) {
	tx, end := e.tx, e.tx.Ending
	e.state = s.view(e).ChargingState()
	s.countEnergy(e)
	tx.State = e.state
	s.emit(tx, e, PhaseEnded, end.Trigger, func(ev *TransactionEvent) {
		ev.StoppedReason = end.Reason
		if !end.Token.IsZero() {
			ev.Token, ev.Info = end.Token, end.Info
		} else if end.Reason == tx.Reason {
			ev.StoppedBy = tx.StoppedBy
		}
		ev.Values = s.endValues(e)
	})
	s.record(BucketTransaction, string(tx.ID), nil)
	s.endProfiles(e)
	keep := end.Trigger == term.TriggerDeauthorized && end.Reason == term.StopDeAuthorized // E05.FR.11, C15.FR.05
	if e.active >= 0 && !tx.Owner.IsZero() {
		e.conns[e.active].over = end.Reason
	}
	e.tx, e.ending, e.resume, e.ready = nil, time.Time{}, time.Time{}, time.Time{}
	e.facts = s.factsOf(e)
	e.spent = e.facts.Points()
	if keep && e.facts.Connected && e.conns[e.active].detachable() {
		e.keepLocked = true
	}
	e.meter = metering{series: e.meter.series, wants: e.meter.wants, asked: e.meter.asked}
	s.forgetSigning(e)
	s.sessionOver(e)
}

// sessionOver does what waited for the end of a session.
func (s *Station) sessionOver(e *evse) {
	s.release(e)
	s.applyScheduled()
	s.resetEVSEIfIdle(e)
	s.resetIfIdle()
}

// abort ends a transaction because of a fault, whatever the stop points say (E06.FR.16).
func (s *Station) abort(e *evse, reason term.StopReason) {
	if e.tx == nil {
		e.grant = nil
		return
	}
	if e.tx.Ending == nil {
		s.end(e, cause{trigger: term.TriggerAbnormalCondition, reason: reason})
	}
}

// connectionTimeout ends an authorization for which nobody plugged in (E03.FR.05, E03.FR.15, E10.FR.02).
func (s *Station) connectionTimeout(e *evse) {
	s.withdraw(e, cause{trigger: term.TriggerEVConnectTimeout, reason: term.StopTimeout})
}

func hasContext(values []term.MeterValue, c term.ReadingContext) bool {
	for _, v := range values {
		for _, sv := range v.Sampled {
			if sv.Context == c {
				return true
			}
		}
	}
	return false
}
