package station

import "github.com/evsed/evsed/station/term"

// triggerMessage (F06). The response goes out before the message (F06.FR.04): the runner sends Responses first.
func (s *Station) triggerMessage(id RequestID, r TriggerMessage) {
	var targets []*evse
	if r.HasEVSE && r.Ref.EVSE != 0 {
		e := s.evse(r.Ref.EVSE)
		if e == nil {
			s.answer(id, rejected("UnknownEvse", ""))
			return
		}
		targets = append(targets, e)
	} else { // F06.FR.11
		for i := range s.evses {
			targets = append(targets, &s.evses[i])
		}
	}
	switch r.Message {
	case "BootNotification":
		s.triggerBoot(id)
	case "Heartbeat":
		s.answer(id, accepted())
		s.report(Now, "", Heartbeat{})
		s.early()
	case "LogStatusNotification":
		s.answer(id, accepted())
		s.triggeredLog()
	case "FirmwareStatusNotification": // F06.FR.16
		s.answer(id, accepted())
		s.triggeredFirmware()
	case "SignChargingStationCertificate":
		s.answer(id, s.triggerSigning())
	case "StatusNotification":
		s.triggerStatus(id, r, targets)
	case "MeterValues": // F06.FR.06
		s.answer(id, accepted())
		w := wantTrigger
		if r.Sampled {
			w = wantSampled
		}
		for _, e := range targets {
			s.want(e, w)
		}
	case "TransactionEvent":
		s.triggerTransaction(id, targets, r.HasEVSE && r.Ref.EVSE != 0)
	default: // F06.FR.08
		s.answer(id, Status{Status: "NotImplemented", Reason: "UnsupportedRequest"})
	}
}

func (s *Station) triggerBoot(id RequestID) {
	if s.boot.status == RegistrationAccepted { // F06.FR.17
		s.answer(id, rejected("NotEnabled", "the station is accepted already"))
		return
	}
	s.answer(id, accepted())
	s.notifyBoot(BootTriggered, true)
}

// triggerStatus tells the statuses of a place and what is below it; of the station alone where it was named.
func (s *Station) triggerStatus(id RequestID, r TriggerMessage, targets []*evse) {
	ref := r.Ref
	if ref.Connector != 0 {
		if _, c := s.connector(ref); c == nil {
			s.answer(id, rejected("UnknownConnectorId", ""))
			return
		}
	}
	s.answer(id, accepted())
	if ref.EVSE == 0 {
		s.triggerView(term.Ref{}, &s.status, s.stationView())
		if r.HasEVSE {
			return
		}
	}
	for _, e := range targets {
		for j := range e.conns {
			c := &e.conns[j]
			if ref.Connector == 0 || ref.Connector == c.ref.Connector {
				s.triggerView(c.ref, &c.status, s.connectorView(e, c))
			}
		}
	}
}

// triggerTransaction tells the running transactions (F06.FR.07); without one there is nothing to tell.
func (s *Station) triggerTransaction(id RequestID, targets []*evse, one bool) {
	n := 0
	if !one {
		n = s.triggerFloating()
	}
	for _, e := range targets {
		if e.tx != nil && e.tx.Ending == nil && e.resume.IsZero() {
			n++
			s.want(e, wantTriggerTx)
		}
	}
	if n == 0 {
		s.answer(id, rejected("TxNotFound", ""))
		return
	}
	s.answer(id, accepted())
}

// triggerFloating tells the transactions that wait for their car.
func (s *Station) triggerFloating() int {
	n := 0
	for _, w := range s.queue {
		if w.tx != nil {
			n++
			s.emit(w.tx, nil, PhaseUpdated, term.TriggerTrigger, func(*TransactionEvent) {})
		}
	}
	return n
}
