package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station/term"
)

// csms is a CSMS as a station sees it: it answers, well or badly, keeps books, and asks for something now and then.
type csms struct {
	s            *sim
	books        *books
	limits       *limits
	reservations *reservations
	body         rpc.Body
	event        msg2.TransactionEventRequest
	status       map[term.Ref]msg2.ConnectorStatus
	at           map[term.Ref]time.Time // when it came

	open       bool
	version    rpc.Version
	registered msg2.RegistrationStatus
	mute       bool
	moody      bool // answers with errors
	unwilling  bool // answers a BootNotification with Pending or Rejected
	offset     time.Duration
	verdicts   map[string]string // of tokens, by their value

	then    func() // hears that the answer under way has arrived
	calls   int
	pending *question
	late    map[string]string // calls that were given up, by id: their action
}

// question is a CALL to the station.
type question struct {
	id, action string
	at         time.Time
	done       func(status string, f *rpc.Frame)
}

func newCSMS(s *sim) *csms {
	c := &csms{s: s, status: map[term.Ref]msg2.ConnectorStatus{}, at: map[term.Ref]time.Time{}, verdicts: map[string]string{}, late: map[string]string{}}
	c.books, c.limits, c.reservations = newBooks(s), newLimits(s), &reservations{s: s}
	s.wire.s = s
	for _, t := range tokens {
		c.verdicts[t.value] = t.verdict
	}
	return c
}

func (c *csms) connected(v rpc.Version) { c.open, c.version = true, v }

func (c *csms) disconnected() {
	c.open = false
	c.pending = nil
	clear(c.late)
}

// receive takes a frame of the station.
func (c *csms) receive(f *rpc.Frame) {
	switch f.Type {
	case rpc.Call:
		c.request(f)
	case rpc.CallResult, rpc.CallError:
		c.answer(f)
	case rpc.CallResultError:
		if c.s.plan.kinds&kindErrors == 0 {
			c.s.broken("I6", "the station calls an answer wrong: %s", f.ErrorDescription)
		}
	}
}

// request answers a CALL.
func (c *csms) request(f *rpc.Frame) {
	m, known := c.message(f.Action)
	if !known {
		c.s.broken("I6", "the station sent %s, which %v does not know", f.Action, c.version)
		return
	}
	c.body.Reset(f.Payload, rpc.Limits{})
	if err := msg2.Decode(&c.body, m, c.version); err != nil {
		c.s.broken("I6", "%s is no valid message: %v: %.300s", f.Action, err, f.Payload)
		return
	}
	_, boot := m.(*msg2.BootNotificationRequest)
	if !boot && c.registered != msg2.RegistrationStatusAccepted {
		if c.registered == msg2.RegistrationStatusRejected {
			c.s.broken("I6", "%s while the CSMS has rejected the station", f.Action)
		}
		c.reply(rpc.AppendCallError(nil, f.ID, rpc.SecurityError, "not registered"))
		return
	}
	if c.mute && !boot || c.mute && c.s.chance(2) {
		if x, ok := m.(*msg2.TransactionEventRequest); ok && c.s.chance(2) {
			c.books.enter(x, f.Payload, c.version) // taken, and not a word about it
		}
		return
	}
	if c.moody && !boot && c.s.chance(3) {
		c.refuse(m, f)
		return
	}
	c.reply(rpc.AppendCallResult(nil, f.ID, c.response(m, f)))
}

func (c *csms) message(action string) (msg2.Message, bool) {
	if action == "TransactionEvent" {
		return &c.event, true
	}
	return msg2.NewRequest(action, c.version)
}

// refuse answers with an error, or with what is no answer.
func (c *csms) refuse(m msg2.Message, f *rpc.Frame) {
	switch c.s.rng.IntN(8) {
	case 0: // a CALLRESULT says that the CSMS has taken it, whatever else it holds (part 4, 4.2.2)
		c.response(m, f)
		c.reply(rpc.AppendCallResult(nil, f.ID, []byte(`{"status":5,"currentTime":"never","idTokenInfo":7}`)))
		return
	case 1:
		c.reply([]byte(`[3,"` + f.ID)) // half an answer
	case 2:
		if c.s.plan.kinds&kindPending != 0 {
			c.registered = ""
			c.reply(rpc.AppendCallError(nil, f.ID, rpc.SecurityError, "who are you"))
			return
		}
		fallthrough
	default:
		c.reply(rpc.AppendCallError(nil, f.ID, pick(c.s, rpc.InternalError, rpc.GenericError, rpc.FormatViolation), "not today"))
	}
}

func (c *csms) reply(frame []byte) {
	think := time.Duration(c.s.rng.IntN(20)) * time.Millisecond
	if c.s.plan.kinds&kindAnswers != 0 && !c.s.calm && c.s.chance(2000) {
		think = c.s.between(messageTimeout/2, 2*messageTimeout) // too late, maybe
	}
	c.s.wire.toStation(think, frame, c.then)
	if w := &c.s.wire; w.replied.Before(w.since) {
		w.replied = c.s.now
	}
	c.then = nil
}

// clock is what the CSMS believes of the time.
func (c *csms) clock() time.Time { return c.s.wall().Add(c.offset).Truncate(time.Second) }

// response is the payload that answers a valid request.
func (c *csms) response(m msg2.Message, f *rpc.Frame) []byte {
	switch m := m.(type) {
	case *msg2.BootNotificationRequest:
		c.registered = msg2.RegistrationStatusAccepted
		if c.unwilling {
			c.registered = pick(c.s, msg2.RegistrationStatusPending, msg2.RegistrationStatusRejected)
		}
		return fmt.Appendf(nil, `{"currentTime":%q,"interval":%d,"status":%q}`, c.clock().Format(time.RFC3339), c.interval(), c.registered)
	case *msg2.HeartbeatRequest:
		return fmt.Appendf(nil, `{"currentTime":%q}`, c.clock().Format(time.RFC3339))
	case *msg2.AuthorizeRequest:
		return append(c.tokenInfo(m.IdToken.IdToken, string(m.IdToken.Type)), '}')
	case *msg2.TransactionEventRequest:
		c.books.enter(m, f.Payload, c.version)
		if m.IdToken.Has {
			c.tellsOff(m)
			return append(c.tokenInfo(m.IdToken.V.IdToken, string(m.IdToken.V.Type)), '}')
		}
	case *msg2.StatusNotificationRequest:
		ref := term.Ref{EVSE: term.EVSEID(m.EVSEID), Connector: term.ConnectorID(m.ConnectorID)}
		c.s.check.status(ref, m.ConnectorStatus)
		c.status[ref], c.at[ref] = m.ConnectorStatus, c.s.now
	case *msg2.SecurityEventNotificationRequest:
		c.s.check.security(m)
	case *msg2.ReportChargingProfilesRequest:
		c.limits.part(m)
	case *msg2.ReservationStatusUpdateRequest:
		c.books.heard(reservationKey(m.ReservationID))
		c.reservations.told(m.ReservationID)
	}
	return []byte("{}")
}

// tellsOff notes that the answer to an event ends the session whose token it refuses (I1). An event that waited in the queue may be
// of a session that is over.
func (c *csms) tellsOff(x *msg2.TransactionEventRequest) {
	s := c.s
	if c.verdicts[x.IdToken.V.IdToken] == "Accepted" || !x.EVSE.Has || x.Offline.V || x.EventType == msg2.TransactionEventEnded ||
		x.TriggerReason == msg2.TriggerReasonStopAuthorized || !s.plan.on("StopTxOnInvalidId") || !s.alive || s.store.OutboxLen() > 1 {
		return
	}
	e, lives := term.EVSEID(x.EVSE.V.ID), s.lives
	c.then = func() {
		if s.lives == lives && s.store.OutboxLen() <= 1 {
			s.check.withdrawn(e, "its token was refused")
		}
	}
}

func (c *csms) interval() int {
	if c.registered == msg2.RegistrationStatusAccepted {
		return 3600
	}
	return 10 + c.s.rng.IntN(120)
}

// tokenInfo tells what the CSMS thinks of a token, up to the last bracket.
func (c *csms) tokenInfo(value, kind string) []byte {
	verdict, known := c.verdicts[value]
	if !known {
		verdict = "Unknown"
	}
	if kind == "Central" || kind == "NoAuthorization" {
		verdict = "Accepted"
	}
	c.s.check.verdict(value, verdict)
	if group := groups[value]; group != "" && c.s.plan.kinds&kindReserve != 0 {
		return fmt.Appendf(nil, `{"idTokenInfo":{"status":%q,"groupIdToken":{"idToken":%q,"type":"Central"}}`, verdict, group)
	}
	return fmt.Appendf(nil, `{"idTokenInfo":{"status":%q}`, verdict)
}

// ask sends a CALL to the station; done hears the status word of its answer, "" where there is none.
func (c *csms) ask(action, payload string, done func(status string, f *rpc.Frame)) bool {
	if !c.open || c.pending != nil || c.registered != msg2.RegistrationStatusAccepted {
		return false
	}
	c.calls++
	c.s.count.requests++
	q := &question{id: "q" + strconv.Itoa(c.calls), action: action, at: c.s.now, done: done}
	c.pending = q
	c.s.wire.toStation(0, rpc.AppendCall(nil, q.id, action, []byte(payload)), nil)
	conn := c.s.wire.open
	c.s.later(3*time.Minute, func() {
		if c.pending != q || c.s.wire.open != conn {
			return
		}
		if c.s.plan.kinds&(kindHole|kindAnswers) == 0 {
			c.s.broken("I6", "%s was not answered in 3 minutes", action)
		}
		c.late[q.id] = q.action
		c.pending = nil
	})
	return true
}

// answer takes the station's answer to a CALL: exactly one comes.
func (c *csms) answer(f *rpc.Frame) {
	q := c.pending
	if q == nil || q.id != f.ID {
		if _, late := c.late[f.ID]; !late && c.s.plan.kinds&kindAnswers == 0 { // a doubled question is refused
			c.s.broken("I6", "an answer to %s, which was answered or never asked", f.ID)
		}
		delete(c.late, f.ID)
		return
	}
	if f.Type == rpc.CallError {
		switch {
		case f.ErrorCode != rpc.InternalError:
		case c.s.plan.kinds&kindFlash != 0 && !c.s.calm: // it could not be kept in time: it may count and may not
			c.pending = nil
			return
		default:
			c.s.broken("I6", "%s was answered with an internal error: %s", q.action, f.ErrorDescription)
		}
		c.pending = nil
		q.done("", f)
		return
	}
	c.pending = nil
	m, ok := msg2.NewResponse(q.action, c.version)
	if !ok {
		c.s.broken("I6", "no response is known to %s", q.action)
		return
	}
	c.body.Reset(f.Payload, rpc.Limits{})
	if err := msg2.Decode(&c.body, m, c.version); err != nil {
		c.s.broken("I6", "response to %s is not valid: %v: %.300s", q.action, err, f.Payload)
		return
	}
	q.done(statusOf(m), f)
}

// statusOf is the status word of a response.
func statusOf(m msg2.Message) string {
	switch m := m.(type) {
	case *msg2.RequestStartTransactionResponse:
		return string(m.Status)
	case *msg2.RequestStopTransactionResponse:
		return string(m.Status)
	case *msg2.ResetResponse:
		return string(m.Status)
	case *msg2.ChangeAvailabilityResponse:
		return string(m.Status)
	case *msg2.UnlockConnectorResponse:
		return string(m.Status)
	case *msg2.TriggerMessageResponse:
		return string(m.Status)
	case *msg2.SetNetworkProfileResponse:
		return string(m.Status)
	case *msg2.SetChargingProfileResponse:
		return string(m.Status)
	case *msg2.ClearChargingProfileResponse:
		return string(m.Status)
	case *msg2.GetChargingProfilesResponse:
		return string(m.Status)
	case *msg2.GetCompositeScheduleResponse:
		return string(m.Status)
	case *msg2.ReserveNowResponse:
		return string(m.Status)
	case *msg2.CancelReservationResponse:
		return string(m.Status)
	}
	return ""
}
