package dialect16

import (
	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// transactionEvent tells a step of a transaction: its begin, the values between, its end. Everything else that 2.x tells
// here is told by StatusNotification. nil: there is nothing to tell.
//
// A transaction of 1.6 begins with a tag and a connector. The core's may begin before they are known (TxStartPoint); it is
// told from the first step at which they are. One that comes to its end without them was none for 1.6.
func (d *Dialect) transactionEvent(e *station.TransactionEvent, t *ocpp.Table) msg16.Message {
	s := stateOf(t, e.Transaction)
	switch {
	case e.Phase == station.PhaseEnded:
		return stopTransaction(e, s)
	case e.Phase == station.PhaseStarted, s.kind == stateWaiting:
		return d.startTransaction(e, s, t)
	}
	return d.valuesDuring(e, s)
}

// startTransaction tells the begin (1.6, 4.8), or notes what is known of it as long as something is missing. Told again, it
// is the same.
func (d *Dialect) startTransaction(e *station.TransactionEvent, s state, t *ocpp.Table) msg16.Message {
	token := e.Token
	if token.IsZero() {
		token = s.token
	}
	if token.IsZero() || !d.placed(e.Ref) {
		if s.kind == stateNone || s.kind == stateWaiting {
			wait(t, e.Transaction, token)
		}
		return nil
	}
	return &msg16.StartTransactionRequest{
		ConnectorID:   int(d.topology.number(e.Ref)),
		IdTag:         idTag(token),
		MeterStart:    wattHours(max(e.Register, 0)),
		ReservationID: msg16.Opt[int]{V: e.ReservationID, Has: e.HasReservation},
		Timestamp:     e.At,
	}
}

// placed reports whether a place names one connector.
func (d *Dialect) placed(r term.Ref) bool {
	return r.Connector != 0 && d.topology.number(r) != 0 || d.topology.alone(r.EVSE)
}

// startReply reads the id and what the CSMS says of the tag.
func (d *Dialect) startReply(c ocpp.Call, payload string, t *ocpp.Table) (station.Reply, error) {
	var m msg16.StartTransactionResponse
	if err := d.decode(&m, payload); err != nil {
		return nil, err
	}
	var told msg16.StartTransactionRequest
	zero := d.decode(&told, string(c.Payload)) == nil && told.MeterStart == 0
	name(t, c.Transaction, CSMSTransactionID(m.TransactionID), zero)
	return station.TokenReply{Has: true, Info: tokenInfoOf(&m.IdTagInfo)}, nil
}

// Abandoned notes that a transaction will never get an id: what is told of it from now on bears -1 (errata 3.18).
func (d *Dialect) Abandoned(c ocpp.Call, t *ocpp.Table) {
	if c.Transaction != "" {
		giveUp(t, c.Transaction)
	}
}

// idOf is the id by which the CSMS knows a transaction.
func (s state) idOf() CSMSTransactionID {
	if s.kind == stateNamed {
		return s.id
	}
	return unnamed
}

// valuesDuring tells the values of a step (1.6, 4.7), nil where there are none.
func (d *Dialect) valuesDuring(e *station.TransactionEvent, s state) msg16.Message {
	values := appendMeterValues(nil, e.Values)
	if len(values) == 0 {
		return nil
	}
	return &msg16.MeterValuesRequest{
		ConnectorID:   int(d.topology.number(e.Ref)),
		TransactionID: msg16.Some(int(s.idOf())),
		MeterValue:    values,
	}
}

// stopTransaction tells the end (1.6, 4.10), nil if the begin was never to be told. The tag is that which stopped it (1.6,
// 6.49), however long ago; one that did not, is not told with the end.
func stopTransaction(e *station.TransactionEvent, s state) msg16.Message {
	if s.kind == stateWaiting {
		return nil
	}
	m := &msg16.StopTransactionRequest{
		MeterStop:       wattHours(meterStop(e, s)),
		Timestamp:       e.At,
		TransactionID:   int(s.idOf()),
		Reason:          reason(e),
		TransactionData: appendMeterValues(nil, e.Values),
	}
	for _, token := range []term.IdToken{e.Token, e.StoppedBy} {
		if !token.IsZero() {
			m.IdTag = msg16.Some(idTag(token))
		}
	}
	return m
}

// stopReply reads what the CSMS says of the tag that stopped the transaction, if it says anything.
func (d *Dialect) stopReply(payload string) (station.Reply, error) {
	var m msg16.StopTransactionResponse
	if err := d.decode(&m, payload); err != nil {
		return nil, err
	}
	reply := station.TokenReply{Has: m.IdTagInfo.Has}
	if reply.Has {
		reply.Info = tokenInfoOf(&m.IdTagInfo.V)
	}
	return reply, nil
}
