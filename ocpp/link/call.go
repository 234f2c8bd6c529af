package link

import (
	"errors"
	"strconv"
	"time"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
)

const (
	// A connection on which this many CALLs in a row got no answer is dead, unless MessageAttempts is more: then the
	// CSMS may stay silent as often as it may refuse, up to MaxSilences.
	MinSilences = 3
	MaxSilences = 10

	codeNormal      = 1000 // WebSocket close codes
	codeGoingAway   = 1001
	codeUnsupported = 1003
	codePolicy      = 1008
	initialPayload  = 512 // bytes of room for a frame; most fit
)

// flight is the CALL under way. There is at most one (part 4, 4.1.1).
type flight struct {
	job *job
	id  string
	due time.Time // when its answer is given up

	unprocessed bool // over SOAP: see doubt.go
}

// take ends the flight and returns its job, if any.
func (f *flight) take() *job {
	j := f.job
	*f = flight{}
	return j
}

// pump sends the next CALL if none is under way. Reports that become no call at all are settled on the way.
func (e *Engine) pump(now time.Time) {
	for e.open && !e.closing && e.flight.job == nil {
		j := e.pick(now)
		if j == nil {
			return
		}
		e.start(now, j)
	}
}

// start encodes j if need be and sends its next call.
func (e *Engine) start(now time.Time, j *job) {
	if e.adopt(j) {
		return // its beginning goes first
	}
	if j.calls == nil {
		calls, err := e.d.Encode(j.report, e.table)
		switch {
		case err != nil:
			e.settle(j, internal(err))
			return
		case len(calls) == 0: // nothing of this in this generation
			e.settle(j, station.Untold{})
			return
		}
		j.calls = calls
	}
	if j.lane == laneKept {
		e.backlog.sent++
	}
	e.transmit(now, j)
}

func (e *Engine) transmit(now time.Time, j *job) {
	c := j.calls[j.next]
	e.flight = flight{job: j, id: e.messageID(), due: now.Add(e.cfg.MessageTimeout)}
	e.stats.Calls++
	e.frame(rpc.AppendCall(make([]byte, 0, len(c.Payload)+64), e.flight.id, c.Action, e.cfg.Quirks.payload(c.Payload)))
}

// answered handles an answer to the call under way, a response or an error; nil: it is not one.
func (e *Engine) answered(id string, response bool) *job {
	if e.flight.job == nil || id != e.flight.id {
		e.stats.Stray++ // late, repeated or unknown: it says nothing about what is under way
		return nil
	}
	e.alive, e.silences = true, 0
	e.stats.Answers++
	j := e.flight.take()
	if j.lane != laneKept {
		e.proved(j, response)
	}
	return j
}

func (e *Engine) result(now time.Time, f rpc.Frame) {
	j := e.answered(f.ID, true)
	if j == nil {
		return
	}
	reply, err := e.d.Result(j.calls[j.next], f.Payload, e.table)
	if err != nil {
		code, text := decodeFault(err)
		if e.d.Version() >= rpc.V21 {
			e.frame(rpc.AppendCallResultError(nil, f.ID, code, text))
		}
		e.badMessage(now, "response to "+j.calls[j.next].Action+": "+text)
		e.badResult(j, code, text)
		return
	}
	if j.next++; j.next < len(j.calls) {
		e.proceed(now, j)
		return
	}
	e.settle(j, reply)
}

// proceed goes on with the next call of a report. A kept one is still the head of its lane, and its next call is a
// message of its own, with attempts of its own.
func (e *Engine) proceed(now time.Time, j *job) {
	switch {
	case j.lane == laneKept:
		if j.next > e.backlog.stuck { // not one that was told before the other failed
			e.backlog.sent, e.backlog.refusals = 0, 0
		}
		if e.table.Urgent() { // a power cut before the last answer must not lose what the first said
			e.reply(&job{report: station.Report{Body: j.report.Body}}, station.Acknowledged{})
		}
	case e.may(j):
		e.transmit(now, j)
	default: // the registration has changed meanwhile
		e.interrupted(now, j)
	}
}

// badResult settles a report whose CALLRESULT cannot be read. A CALLRESULT means that the CSMS has handled the call
// (part 4, 4.2.2): a kept report has been delivered, and sending it again would bring it there twice.
func (e *Engine) badResult(j *job, code rpc.ErrorCode, text string) {
	if j.lane == laneKept {
		e.settle(j, station.Acknowledged{})
		return
	}
	e.settle(j, station.Refused{Code: string(code), Description: text})
}

func (e *Engine) callError(now time.Time, f rpc.Frame) {
	j := e.answered(f.ID, false)
	if j == nil {
		return
	}
	refused := station.Refused{Code: describe(string(f.ErrorCode)), Description: describe(f.ErrorDescription)}
	if _, boot := j.report.Body.(station.BootNotification); !boot && f.ErrorCode == rpc.SecurityError {
		e.event(station.Unregistered{})
	}
	e.out.Stranger = e.overSOAP() && f.ErrorCode == rpc.SecurityError
	if j.lane != laneKept {
		e.settle(j, refused)
		return
	}
	if unknown(j, f.ErrorCode) {
		e.settle(j, station.Acknowledged{})
		return
	}
	if e.overSOAP() {
		e.doubtful(now, unprocessed, refused)
	} else if e.backlog.refusals++; e.backlog.refusals >= e.cfg.MessageAttempts { // E13.FR.04
		e.settle(j, refused)
		return
	}
	e.retryKept(now, false) // E13.FR.02
}

// unknown tells whether a CSMS does not have the message for a kept report that is no part of a transaction, as one of 1.6
// without the security extension has none for a security event. It will have none tomorrow: that holds up no bill, and is
// told as far as it can be.
func unknown(j *job, code rpc.ErrorCode) bool {
	_, bill := j.report.Body.(*station.TransactionEvent)
	return !bill && (code == rpc.NotImplemented || code == rpc.NotSupported)
}

// expireFlight gives up the answer to the call under way when its time has come.
func (e *Engine) expireFlight(now time.Time) {
	if e.flight.job == nil || e.flight.due.After(now) {
		return
	}
	e.stats.Silences++
	e.silences++
	patience := min(max(MinSilences, e.cfg.MessageAttempts), MaxSilences)
	if e.overSOAP() { // what got no answer has no connection (soap.go)
		e.Unprocessed()
		e.missed(now)
		patience = 1
	}
	if e.silences >= patience {
		e.hangUp(codeGoingAway, strconv.Itoa(e.silences)+" calls without an answer")
	}
	e.interrupted(now, e.flight.take())
}

// interrupted says what becomes of a report that got no answer: never that it is lost.
func (e *Engine) interrupted(now time.Time, j *job) {
	switch j.lane {
	case laneNow:
		e.settle(j, station.Unanswered{})
	case laneLatest:
		e.latest.putBack(j)
	case laneKept:
		e.retryKept(now, true)
	}
}

// settle ends a report.
func (e *Engine) settle(j *job, r station.Reply) {
	e.abandoned(j, r)
	if j.prelude {
		e.preluded(j, r)
		return
	}
	if j.lane == laneKept {
		e.backlog.settled()
		if ev, ok := j.report.Body.(*station.TransactionEvent); ok {
			e.told(ev, generationOf(e.d.Version()))
		}
	}
	e.reply(j, r)
}

// abandoned tells the dialect that a call of a kept report will never be answered.
func (e *Engine) abandoned(j *job, r station.Reply) {
	d, rests := e.d.(ocpp.Abandoner)
	if _, refused := r.(station.Refused); refused && rests && j.lane == laneKept && j.next < len(j.calls) {
		d.Abandoned(j.calls[j.next], e.table)
	}
}

func (e *Engine) reply(j *job, r station.Reply) {
	must := e.table.Urgent()
	e.event(station.ReplyReceived{ID: j.report.ID, Class: j.report.Class, Of: j.report.Body, Reply: r, Side: e.table.Drain(), MustKeep: must})
}

// internal says that a report cannot be told because of a fault of our own.
func internal(err error) station.Refused {
	return station.Refused{Code: string(rpc.InternalError), Description: describe(err.Error())}
}

// decodeFault returns the error code and text for something that could not be decoded.
func decodeFault(err error) (rpc.ErrorCode, string) {
	var request *ocpp.RequestError
	if errors.As(err, &request) {
		return request.Code, describe(request.Description)
	}
	var decode *rpc.DecodeError
	if errors.As(err, &decode) {
		return decode.Code, describe(decode.Error())
	}
	return rpc.InternalError, describe(err.Error())
}
