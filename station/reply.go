package station

import "github.com/evsed/evsed/station/term"

// replyReceived takes the outcome of a report. A kept one leaves the outbox here, in the same batch of records as what its
// answer causes: a power cut in between loses neither.
func (s *Station) replyReceived(ev ReplyReceived) {
	switch ev.Reply.(type) {
	case Unanswered, Untold: // nobody has spoken
	default:
		s.heardReply(ev)
	}
	if ev.Class == Kept {
		s.settleKept(ev)
	}
	s.out.Records = append(s.out.Records, ev.Side...)
	s.out.MustSync = s.out.MustSync || ev.MustKeep
	switch body := ev.Of.(type) {
	case BootNotification:
		if r, ok := ev.Reply.(BootReply); ok {
			s.bootReply(r)
		} else {
			s.bootUnanswered()
		}
	case Heartbeat:
		s.boot.beating = false
		if r, ok := ev.Reply.(HeartbeatReply); ok {
			s.timeFromCSMS(r.Now)
			s.planAgain()
			s.sweepCache()
		} else {
			s.heartbeatUnanswered()
		}
	case Authorize:
		r, ok := ev.Reply.(TokenReply)
		s.answered(ev.ID, r.Info, ok && r.Has)
	case *TransactionEvent:
		if r, ok := ev.Reply.(TokenReply); ok && r.Has {
			s.tokenTold(body, r.Info)
		}
	case SignCertificate:
		s.signAnswered(body, ev.Reply)
	case StatusNotification:
		s.statusAnswered(body, ev.Reply)
	case ChargingProfiles:
		_, ok := ev.Reply.(Acknowledged)
		s.profilesTold(ev.ID, ok)
	case NotifyReport:
		_, ok := ev.Reply.(Acknowledged)
		s.partDone(ev.ID, ok)
	}
}

// heardReply notes that the CSMS lives. BootNotification speaks for itself: only an acceptance makes the station online.
func (s *Station) heardReply(ev ReplyReceived) {
	if _, boot := ev.Of.(BootNotification); !boot {
		s.heard()
	}
}

// settleKept takes a kept report out of the outbox: acknowledged, or to the dead letters after the last attempt
// (E13.FR.04). The deletion owes no sync of its own.
func (s *Station) settleKept(ev ReplyReceived) {
	switch ev.Reply.(type) {
	case Unanswered:
		return // the link goes on trying
	case Refused:
		s.record(BucketDeadLetter, ev.ID.Key(), EncodeReport(Report{ID: ev.ID, Class: Kept, Body: ev.Of}))
		s.out.MustSync = true
	}
	s.record(BucketOutbox, ev.ID.Key(), nil)
}

// faultChanged raises or clears a fault, and ends what cannot go on with it (E06.FR.16).
func (s *Station) faultChanged(ev FaultChanged) {
	set, why := s.faultsAt(ev.Ref)
	if set == nil {
		return
	}
	if !ev.Active {
		ev.Info = ""
	}
	why.set(ev.Fault, ev.Info)
	if !set.set(ev.Fault, ev.Active) {
		return
	}
	if ev.Fault == term.FaultTamper && ev.Active {
		s.securityEvent(TamperDetectionActivated, ev.Info)
	}
	for i := range s.evses {
		e := &s.evses[i]
		if ev.Ref.EVSE != 0 && ev.Ref.EVSE != e.cfg.ID {
			continue
		}
		if reason, ends := endingFault(ev.Fault); ends && ev.Active && e.hit(ev.Ref) {
			s.abort(e, reason)
		}
		s.progress(e, "")
	}
}

func (s *Station) faultsAt(r term.Ref) (*faultSet, *trouble) {
	if r.EVSE == 0 {
		return &s.faults, &s.trouble
	}
	if r.Connector == 0 {
		if e := s.evse(r.EVSE); e != nil {
			return &e.faults, &e.trouble
		}
		return nil, nil
	}
	if _, c := s.connector(r); c != nil {
		return &c.faults, &c.trouble
	}
	return nil, nil
}

// hit reports whether a fault at a Ref concerns the session of this EVSE.
func (e *evse) hit(r term.Ref) bool {
	return r.Connector == 0 || e.active < 0 || e.conns[e.active].ref.Connector == r.Connector
}

// endingFault names the faults after which a session does not go on by itself. Others suspend it until they clear.
func endingFault(f term.Fault) (term.StopReason, bool) {
	switch f {
	case term.FaultGround:
		return term.StopGroundFault, true
	case term.FaultOverCurrent:
		return term.StopOvercurrent, true
	case term.FaultEmergencyStop:
		return term.StopEmergencyStop, true
	case term.FaultContactor, term.FaultPowerSwitch, term.FaultInternal:
		return term.StopOther, true
	}
	return "", false
}

// storageChanged follows the health of the storage: while it is ill no new session is begun, the running ones end from the reserve.
func (s *Station) storageChanged(ev StorageChanged) {
	if s.storage == ev.Code {
		return
	}
	s.storage = ev.Code
	s.faults.set(term.FaultStorage, ev.Code != "")
	if ev.Code != "" {
		s.securityEvent(MemoryExhaustion, ev.Code)
	} else {
		s.unblock()
	}
}
