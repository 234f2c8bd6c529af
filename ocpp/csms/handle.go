package csms

import (
	"errors"
	"time"

	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
)

// reply is what goes back to the station.
type reply struct {
	frame []byte // nil: nothing
	delay time.Duration
	close bool
}

// Handle takes a frame of a station that was opened, and returns what the CSMS answers at once. A delay that a hook asked
// for is left to the caller.
func (c *CSMS) Handle(name string, frame []byte) (answers [][]byte) {
	r := c.handle(name, frame)
	if r.close {
		c.Close(name)
	}
	if r.frame != nil {
		answers = append(answers, r.frame)
	}
	return answers
}

func (c *CSMS) handle(name string, frame []byte) reply {
	v, ok := c.Connected(name)
	if !ok {
		return reply{}
	}
	c.o.Trace(name, false, frame)
	r := c.answer(name, v, frame)
	if r.frame != nil {
		c.o.Trace(name, true, r.frame)
	}
	return r
}

func (c *CSMS) answer(name string, v msg2.Version, frame []byte) reply {
	f, err := rpc.Parse(frame, v, rpc.Limits{})
	if err != nil {
		c.ledger.fault(name, "frame %.80q: %v", frame, err)
		var fe *rpc.FrameError
		if !errors.As(err, &fe) {
			return reply{}
		}
		if fe.Type == rpc.CallResult || fe.Type == rpc.CallError {
			c.resolve(name, fe.ID, Result{Err: err})
		}
		return reply{frame: rpc.AppendAnswer(nil, fe)}
	}
	switch f.Type {
	case rpc.Call, rpc.Send:
		return c.request(name, v, &f)
	case rpc.CallResult:
		return reply{frame: c.result(name, v, &f)}
	case rpc.CallError:
		c.resolve(name, f.ID, Result{Err: &CallError{f.ErrorCode, f.ErrorDescription}})
	case rpc.CallResultError:
		c.ledger.fault(name, "calls our answer %s wrong: %s: %s", f.ID, f.ErrorCode, f.ErrorDescription)
	}
	return reply{}
}

// request checks a CALL or SEND and answers it.
func (c *CSMS) request(name string, v msg2.Version, f *rpc.Frame) reply {
	refuse := func(code rpc.ErrorCode, why string) reply {
		c.ledger.fault(name, "%s: %s: %s", f.Action, code, why)
		if f.Type == rpc.Send {
			return reply{}
		}
		return reply{frame: rpc.AppendCallError(nil, f.ID, code, why)}
	}
	if v == rpc.V16 {
		m, bad := read16(f)
		if bad != nil {
			return refuse(bad.Code, bad.Description)
		}
		if why := c.mayNot(name, f.Action); why != "" {
			return refuse(rpc.SecurityError, why)
		}
		return c.respond(Request{Station: name, Version: v, Action: f.Action, ID: f.ID, Payload: f.Payload, Message16: m}, false)
	}
	info, _ := msg2.Lookup(f.Action)
	m, known := msg2.NewRequest(f.Action, v)
	switch {
	case !known:
		return refuse(rpc.NotImplemented, "unknown action")
	case info.From&msg2.FromStation == 0:
		return refuse(rpc.NotSupported, "a station does not send this")
	case info.Response != (f.Type == rpc.Call):
		return refuse(rpc.ProtocolError, "wrong message type")
	}
	var b rpc.Body
	b.Reset(f.Payload, rpc.Limits{})
	if err := msg2.Decode(&b, m, v); err != nil {
		code := rpc.FormatViolation
		if de := (*rpc.DecodeError)(nil); errors.As(err, &de) {
			code = de.Code
		}
		return refuse(code, err.Error())
	}
	if why := c.mayNot(name, f.Action); why != "" {
		return refuse(rpc.SecurityError, why)
	}
	return c.respond(Request{Station: name, Version: v, Action: f.Action, ID: f.ID, Payload: f.Payload, Message: m}, f.Type == rpc.Send)
}

// mayNot says why a station may not send an action now: before it was accepted it registers, and in Pending it does what it
// was asked for (B02.FR.02, B03.FR.02).
func (c *CSMS) mayNot(name, action string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stations[name]
	switch {
	case action == "BootNotification", s.status == msg2.RegistrationStatusAccepted:
	case s.status == msg2.RegistrationStatusPending && (s.asked[action] || action == "NotifyReport"):
	case s.status == "":
		return "no BootNotification came before"
	default:
		return "the station is " + string(s.status)
	}
	return ""
}

// respond takes a valid request to the books and answers it.
func (c *CSMS) respond(r Request, send bool) reply {
	a := c.planned(r)
	if a.Ignore {
		return reply{close: a.Close}
	}
	c.note(r)
	if x, ok := r.Message.(*msg2.TransactionEventRequest); ok {
		r.Repeat = c.ledger.enter(r.Station, x, r.Payload, r.Version, a.Error == nil)
	}
	if a.Error == nil {
		c.book16(&r)
	}
	out := reply{delay: a.Delay, close: a.Close}
	if !a.Drop && !send {
		out.frame = c.response(r, a)
	}
	c.o.Observe(r)
	return out
}

// note keeps what is remembered of a request beside the books.
func (c *CSMS) note(r Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stations[r.Station]
	s.received[r.Action]++
	var at plug
	var status msg2.ConnectorStatus
	switch m := r.Message.(type) {
	case *msg2.StatusNotificationRequest:
		at, status = plug{m.EVSEID, m.ConnectorID}, m.ConnectorStatus
	default:
		old, ok := r.Message16.(*msg16.StatusNotificationRequest)
		if !ok {
			return
		}
		at, status = plug{old.ConnectorID, 1}, msg2.ConnectorStatus(old.Status)
	}
	if _, known := s.plugs[at]; known || len(s.plugs) < MaxPlugs {
		s.plugs[at] = status
	}
}

// response is the frame that answers a request.
func (c *CSMS) response(r Request, a Answer) []byte {
	if a.Error != nil {
		return rpc.AppendCallError(nil, r.ID, a.Error.Code, a.Error.Description)
	}
	if r.Message16 != nil {
		return c.response16(r, a)
	}
	m := a.Message
	if m == nil && a.Raw == nil {
		m = c.usual(r)
	}
	payload := a.Raw
	if m != nil {
		var err error
		if payload, err = msg2.AppendJSON(nil, m, r.Version); err != nil { // no answer is right for all stations
			return rpc.AppendCallError(nil, r.ID, rpc.NotSupported, err.Error())
		}
	}
	c.registered(r.Station, m)
	return rpc.AppendCallResult(nil, r.ID, payload)
}

// response16 is the frame that answers a request of 1.6.
func (c *CSMS) response16(r Request, a Answer) []byte {
	m := a.Message16
	if m == nil && a.Raw == nil {
		m = c.usual16(r)
	}
	payload := a.Raw
	if m != nil {
		var err error
		if payload, err = msg16.AppendJSON(nil, m); err != nil {
			return rpc.AppendCallError(nil, r.ID, rpc.NotSupported, err.Error())
		}
	}
	if boot, ok := m.(*msg16.BootNotificationResponse); ok {
		c.setStatus(r.Station, msg2.RegistrationStatus(boot.Status))
	}
	return rpc.AppendCallResult(nil, r.ID, payload)
}

// registered notes what a BootNotification was answered.
func (c *CSMS) registered(name string, m msg2.Message) {
	if boot, ok := m.(*msg2.BootNotificationResponse); ok {
		c.setStatus(name, boot.Status)
	}
}

func (c *CSMS) setStatus(name string, status msg2.RegistrationStatus) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stations[name]
	s.status = status
	clear(s.asked)
}
