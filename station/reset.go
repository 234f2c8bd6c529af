package station

import (
	"strconv"
	"time"

	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/term"
)

// reset is a reboot that was asked for and has not happened yet (B11, B12).
type reset struct {
	why       BootReason // "": none is owed
	rebooting bool       // the runner was told
	tries     int        // how often it was told again
	spent     int        // resets for the CSMS that time has not given back, as of the start
	deadline  time.Time  // when an immediate reset stops waiting for transactions, or a reboot must have happened
}

// scheduled reports whether a reset is owed: no new session begins any more.
func (r reset) scheduled() bool { return r.why != "" }

const (
	// resetPatience is how long an immediate reset waits for transactions to end.
	resetPatience = 15 * time.Second
	// resetFlush is how long the runner may wait for queued messages to leave before the reboot (B12.FR.05).
	resetFlush = 5 * time.Second
	// rebootPatience is how long a reboot may take, flush included, before it counts as failed (ResetRetries).
	rebootPatience = 30 * time.Second
	// resetBurst is how many resets in a row a CSMS may have, and resetEvery how long the station must then have run for
	// another one: each opens the contactors and is written down, and a station that does nothing else serves no driver. A
	// laboratory that certifies resets often.
	resetBurst = 64
	resetEvery = time.Minute
	// evseResetTime is how long an EVSE shows state F when it is reset by itself.
	evseResetTime = 3 * time.Second
)

func (s *Station) resetRequested(id RequestID, r Reset) {
	switch {
	case r.EVSE != 0:
		s.answer(id, s.resetEVSE(r))
	case s.resetting.rebooting:
		s.answer(id, accepted())
	case s.firmware.machine.Installing():
		s.answer(id, rejected("FwUpdateInProgress", "the station restarts when its firmware is installed"))
	case s.resetsSpent() >= resetBurst:
		s.answer(id, rejected("Unspecified", "too many resets; try later"))
	case r.Kind == ResetOnIdle && s.busy(): // B12.FR.01
		s.resetting = reset{why: BootScheduledReset, spent: s.resetting.spent}
		s.answer(id, Status{Status: "Scheduled", Reason: "TxInProgress"})
	default:
		s.answer(id, accepted()) // B12.FR.02
		s.resetNow(r)
	}
}

// resetNow resets the station as soon as its transactions have ended.
func (s *Station) resetNow(r Reset) {
	s.resetting = reset{why: BootRemoteReset, deadline: s.now.Add(resetPatience), spent: s.resetting.spent}
	if r.Kind == ResetImmediateAndResume { // the transactions go on behind the reboot
		s.reboot()
		return
	}
	c := cause{trigger: term.TriggerResetCommand, reason: term.StopImmediateReset} // B12.FR.04
	if r.Hard {
		c.reason = term.StopHardReset
	}
	s.endAll(c)
	s.resetIfIdle()
}

// resetsSpent is how many resets for the CSMS the time since the start has not given back.
func (s *Station) resetsSpent() int {
	return max(s.resetting.spent-int(s.now.Sub(s.started)/resetEvery), 0)
}

// busy reports whether a transaction runs or waits for its car.
func (s *Station) busy() bool {
	for i := range s.evses {
		if s.evses[i].tx != nil {
			return true
		}
	}
	return len(s.queue) > 0
}

// endAll ends every transaction, whatever the stop points say.
func (s *Station) endAll(c cause) {
	for i := range s.evses {
		if e := &s.evses[i]; e.tx != nil && e.tx.Ending == nil {
			s.end(e, c)
		} else if e.tx == nil {
			e.grant = nil
		}
	}
	for len(s.queue) > 0 {
		s.dropFloating(0, c)
	}
}

// resetIfIdle carries out a reset that waited for transactions.
func (s *Station) resetIfIdle() {
	if s.resetting.scheduled() && !s.busy() {
		s.reboot()
	}
}

// reboot keeps the reason over the reboot and orders it.
func (s *Station) reboot() {
	r := &s.resetting
	if !r.scheduled() || r.rebooting {
		return
	}
	r.rebooting, s.resetFailed = true, false
	s.record(BucketMeta, metaBootReason, []byte(r.why))
	s.record(BucketMeta, metaResets, strconv.AppendInt(nil, int64(min(s.resetsSpent()+1, resetBurst)), 10))
	for i := range s.evses {
		if tx := s.evses[i].tx; tx != nil {
			s.saveTransaction(tx)
		}
	}
	s.securityEvent(ResetOrReboot, string(r.why))
	s.orderReboot()
}

func (s *Station) orderReboot() {
	s.resetting.deadline = s.now.Add(rebootPatience)
	s.command(Reboot{Flush: resetFlush})
}

// resetTimers stops waiting for transactions, and orders a reboot that did not happen again, ResetRetries times. After
// that the station goes on as it is: one that serves drivers is better than one that waits for its reboot.
func (s *Station) resetTimers() {
	r := &s.resetting
	switch {
	case !s.due(r.deadline):
	case !r.rebooting:
		s.reboot()
	case r.tries < s.model.Int(model.ResetRetries):
		r.tries++
		s.orderReboot()
	default:
		s.record(BucketMeta, metaBootReason, nil)
		s.resetting = reset{spent: s.resetting.spent}
		s.resetFailed = true
		s.firmware.machine.NotRebooted()
		s.holdForUpdate()
		s.unblock()
	}
}

func (s *Station) resetDeadline() time.Time { return s.resetting.deadline }

// resetEVSE resets one EVSE: its transaction ends, and state F tells the car to start over.
func (s *Station) resetEVSE(r Reset) Status {
	e := s.evse(r.EVSE)
	if e == nil {
		return rejected("UnknownEvse", "")
	}
	if s.model.TextAt(term.Ref{EVSE: r.EVSE}, model.EVSEAllowReset) != "true" { // B11.FR.09, B12.FR.09
		return rejected("UnsupportedRequest", "this EVSE is not reset by itself")
	}
	if r.Kind == ResetImmediateAndResume && e.tx != nil {
		s.startEVSEReset(e, term.TriggerResetCommand)
		return accepted()
	}
	if r.Kind == ResetOnIdle && e.tx != nil { // B12.FR.07
		e.resetLater = true
		return Status{Status: "Scheduled", Reason: "TxInProgress"}
	}
	if e.tx != nil && e.tx.Ending == nil { // B12.FR.08
		s.end(e, cause{trigger: term.TriggerResetCommand, reason: term.StopImmediateReset})
	}
	e.resetLater = true
	s.resetEVSEIfIdle(e)
	return accepted()
}

func (s *Station) resetEVSEIfIdle(e *evse) {
	if e.resetLater && e.tx == nil {
		e.resetLater = false
		e.grant = nil
		s.startEVSEReset(e, "")
	}
}

func (s *Station) startEVSEReset(e *evse, trigger term.TriggerReason) {
	e.reset = s.now.Add(evseResetTime)
	s.progress(e, trigger)
}
