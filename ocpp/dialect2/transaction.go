package dialect2

import (
	"strings"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

var eventTypes = [...]msg2.TransactionEvent{
	station.PhaseStarted: msg2.TransactionEventStarted,
	station.PhaseUpdated: msg2.TransactionEventUpdated,
	station.PhaseEnded:   msg2.TransactionEventEnded,
}

// transactionEvent tells a step of a transaction. The message lies in d and is good until the next one.
func (d *Dialect) transactionEvent(e *station.TransactionEvent) msg2.Message {
	m := &d.event
	msg2.Clear(m)
	m.EventType = eventTypes[e.Phase]
	m.Timestamp = e.At
	m.TriggerReason = d.trigger(e.Trigger)
	m.SeqNo = e.SeqNo
	m.TransactionInfo = transactionInfo(e)
	m.MeterValue = appendMeterValues(m.MeterValue, e.Values, d.v)
	m.NumberOfPhasesUsed = rpc.Opt[int]{V: int(e.PhasesUsed), Has: e.PhasesUsed >= 0}
	m.ReservationID = rpc.Opt[int]{V: e.ReservationID, Has: e.HasReservation && e.ReservationID >= 0} // 1.6 knows others
	m.EVSE = evse(e.Ref)
	if e.Offline { // E04.FR.03; absent means online
		m.Offline = rpc.Some(true)
	}
	if amps := int(e.CableMax / unit.Ampere); amps > 0 {
		m.CableMaxCurrent = rpc.Some(amps)
	}
	if !e.Token.IsZero() {
		m.IdToken = rpc.Some(d.idToken(e.Token, e.Info))
	}
	return m
}

func transactionInfo(e *station.TransactionEvent) msg2.Transaction {
	return msg2.Transaction{
		TransactionID:     string(e.Transaction),
		ChargingState:     msg2.ChargingState(e.ChargingState),
		TimeSpentCharging: rpc.Opt[int]{V: int(e.ChargingTime / time.Second), Has: e.ChargingTime >= 0},
		StoppedReason:     stopped(e.StoppedReason),
		RemoteStartID:     rpc.Opt[int]{V: e.RemoteStartID, Has: e.HasRemoteStart},
	}
}

// stopped returns the word for why a transaction ended. 2.x does not tell which kind of reset it was.
func stopped(r term.StopReason) msg2.Reason {
	if r == term.StopHardReset {
		r = term.StopImmediateReset
	}
	return msg2.Reason(r)
}

// trigger returns the word for why an event is sent. 2.0.1 has no word for a transaction that goes on after a power
// loss; that its charging state changed is true as well, and the state is told beside it.
func (d *Dialect) trigger(t term.TriggerReason) msg2.TriggerReason {
	if d.v == rpc.V201 && t == term.TriggerTxResumed {
		return msg2.TriggerReasonChargingStateChanged
	}
	return msg2.TriggerReason(t)
}

// evse names an EVSE, or a connector of it; absent for the station.
func evse(r term.Ref) rpc.Opt[msg2.EVSE] {
	if r.EVSE == 0 {
		return rpc.Opt[msg2.EVSE]{}
	}
	return rpc.Some(msg2.EVSE{
		ID:          int(r.EVSE),
		ConnectorID: rpc.Opt[int]{V: int(r.Connector), Has: r.Connector != 0},
	})
}

// transactionReply reads the answer to a TransactionEvent.
func (d *Dialect) transactionReply(payload string) (station.Reply, error) {
	m := &d.reply
	defer msg2.Clear(m)
	if err := d.decode(m, payload); err != nil {
		return nil, err
	}
	reply := station.TokenReply{Has: m.IdTokenInfo.Has}
	if reply.Has {
		reply.Info = tokenInfoOf(&m.IdTokenInfo.V)
	}
	return reply, nil
}

// getTransactionStatus reads E14.
func getTransactionStatus(m *msg2.GetTransactionStatusRequest) station.Request {
	return station.GetTransactionStatus{Transaction: term.TransactionID(strings.Clone(m.TransactionID.V))}
}

// transactionStatus answers E14.
func transactionStatus(s station.TransactionStatus) msg2.Message {
	return &msg2.GetTransactionStatusResponse{
		OngoingIndicator: rpc.Opt[bool]{V: s.Ongoing, Has: s.HasOngoing}, // E14.FR.06
		MessagesInQueue:  s.Queued,
	}
}
