package station

import (
	"time"

	"github.com/evsed/evsed/station/term"
)

// reset is a reboot that was asked for and has not happened yet (B11, B12).
type reset struct {
	pending  bool
	onIdle   bool
	deadline time.Time // an immediate reset happens now at the latest
}

func (r reset) scheduled() bool { return r.pending }

const (
	// resetPatience is how long an immediate reset waits for transactions to end.
	resetPatience = 15 * time.Second
	// resetFlush is how long the runner may wait for queued messages to leave before the reboot (B12.FR.05).
	resetFlush = 5 * time.Second
	// evseResetTime is how long an EVSE shows state F when it is reset by itself.
	evseResetTime = 3 * time.Second
)

func (s *Station) resetRequested(id RequestID, r Reset) {
	if r.EVSE != 0 {
		s.answer(id, s.resetEVSE(r))
		return
	}
	busy := s.busy()
	if r.Kind == ResetOnIdle && busy { // B12.FR.01
		s.resetting = reset{pending: true, onIdle: true}
		s.noteReset(BootScheduledReset)
		s.answer(id, Status{Status: "Scheduled", Reason: "TxInProgress"})
		return
	}
	s.answer(id, accepted()) // B12.FR.02
	s.resetting = reset{pending: true, deadline: s.now.Add(resetPatience)}
	s.noteReset(BootRemoteReset)
	if r.Kind == ResetImmediate { // B12.FR.04; ImmediateAndResume leaves them to be resumed
		s.endAll(cause{trigger: term.TriggerResetCommand, reason: term.StopImmediateReset})
	}
	if r.Kind == ResetImmediateAndResume || !s.busy() {
		s.reboot()
	}
}

// noteReset keeps the reason over the reboot.
func (s *Station) noteReset(why BootReason) {
	s.record(BucketMeta, metaBootReason, []byte(why))
	s.out.MustSync = true
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
	if s.resetting.pending && !s.busy() {
		s.reboot()
	}
}

func (s *Station) reboot() {
	if !s.resetting.pending {
		return
	}
	s.resetting = reset{}
	s.securityEvent(ResetOrReboot, "")
	s.command(Reboot{Flush: resetFlush})
}

func (s *Station) resetTimers() {
	if s.due(s.resetting.deadline) {
		s.reboot()
	}
}

func (s *Station) resetDeadline() time.Time { return s.resetting.deadline }

// resetEVSE resets one EVSE: its transaction ends, and state F tells the car to start over.
func (s *Station) resetEVSE(r Reset) Status {
	e := s.evse(r.EVSE)
	if e == nil {
		return rejected("UnknownEvse", "")
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
		e.reset = s.now.Add(evseResetTime)
		s.progress(e, "")
	}
}
