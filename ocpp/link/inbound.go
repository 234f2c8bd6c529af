package link

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
)

const (
	// MaxInbound bounds the requests of the CSMS that wait for the core's response. One is what part 4 (4.1.1) allows;
	// the rest is for a CSMS that gives up sooner than the core.
	MaxInbound = 8

	// ResponseTimeout is how long the core may take for a response before the CSMS is told that there is none.
	ResponseTimeout = 2 * time.Minute

	// RecentIDs is how many used message ids of the CSMS are remembered.
	RecentIDs = 64

	// BadMessageEvery is the least time between two BadMessage events: each becomes a record on flash, and a flood
	// must not wear it out.
	BadMessageEvery = 10 * time.Second

	listAction = "SendLocalList" // whose items go to the stage while it is read
	tooOften   = "too much that is kept; try later"

	// firstRequest keeps the numbers of the link's requests apart from those of local interfaces.
	firstRequest station.RequestID = 1 << 63
)

// inbound holds the CALLs of the CSMS that have no answer yet, oldest first, and the ids of those that had one.
type inbound struct {
	calls  []inCall
	next   station.RequestID
	recent [RecentIDs]string
	again  [RecentIDs]uint8 // how often each was used since its answer
	newest int
}

type inCall struct {
	request station.RequestID
	id      string
	action  string
	body    station.Request
	due     time.Time
}

// reset forgets a connection: its CALLs can be answered no more, and the next one begins anew with ids.
func (in *inbound) reset() {
	clear(in.calls)
	in.calls = in.calls[:0]
	in.recent, in.again = [RecentIDs]string{}, [RecentIDs]uint8{}
}

// under tells whether the CALL with an id waits for the core's response.
func (in *inbound) under(id string) bool {
	return slices.ContainsFunc(in.calls, func(c inCall) bool { return c.id == id })
}

// answered tells whether an id was used by a CALL that has had its answer.
func (in *inbound) answered(id string) bool { return id != "" && slices.Contains(in.recent[:], id) }

// busy tells whether an action waits for the core's response.
func (in *inbound) busy(action string) bool {
	return slices.ContainsFunc(in.calls, func(c inCall) bool { return c.action == action })
}

func (in *inbound) remember(id string) {
	in.newest = (in.newest + 1) % RecentIDs
	in.recent[in.newest], in.again[in.newest] = id, 0
}

// ReplaysTold is the how-manieth use of an answered id is a replay. The first may be a CSMS that did not get the answer.
const ReplaysTold = 2

// replayed counts one more use of an id that had its answer, and reports whether it is one to tell: nobody who only lost an
// answer asks that often. An id is told once.
func (in *inbound) replayed(id string) bool {
	i := slices.Index(in.recent[:], id)
	if i < 0 || in.again[i] >= ReplaysTold {
		return false
	}
	in.again[i]++
	return in.again[i] == ReplaysTold
}

// take removes the call at i and remembers its id.
func (in *inbound) take(i int) inCall {
	c := in.calls[i]
	in.remember(c.id)
	in.calls = append(in.calls[:i], in.calls[i+1:]...)
	return c
}

func (in *inbound) deadline() time.Time {
	if len(in.calls) == 0 {
		return time.Time{}
	}
	return in.calls[0].due
}

// Frame takes one message that arrived. raw may be reused afterwards.
func (e *Engine) Frame(now time.Time, raw []byte) *Output {
	e.begin()
	if e.open && !e.closing {
		e.dispatch(now, raw)
	}
	return e.end(now)
}

func (e *Engine) dispatch(now time.Time, raw []byte) {
	f, err := rpc.Parse(raw, e.d.Version(), e.cfg.Limits)
	if err != nil {
		e.unreadable(now, err)
		return
	}
	switch f.Type {
	case rpc.Call:
		e.request(now, f)
	case rpc.CallResult:
		e.result(now, f)
	case rpc.CallError:
		e.callError(now, f)
	default: // a SEND is never answered, and no SEND is meant for a station; CALLRESULTERROR: we said what we know
		e.stats.Unexpected++
	}
}

// unreadable answers what Parse could not read.
func (e *Engine) unreadable(now time.Time, err error) {
	var bad *rpc.FrameError
	if !errors.As(err, &bad) {
		bad = &rpc.FrameError{Answer: rpc.CallError, ID: rpc.UnknownID, Code: rpc.InternalError, Reason: err.Error()}
	}
	e.malformed(now, bad)
}

// malformed answers what cannot be read as part 4 says (4.2.3). If it was the answer to the CALL under way, there will
// be no other one.
func (e *Engine) malformed(now time.Time, bad *rpc.FrameError) {
	e.stats.Malformed++
	if bad.Answer == rpc.CallError && e.gate == station.RegistrationRejected {
		bad.Code, bad.Reason = rpc.SecurityError, "station was rejected"
		if e.mute() {
			bad.Answer = 0
		}
	}
	bad.Code = e.cfg.Quirks.code(bad.Code, e.d.Version())
	if f := rpc.AppendAnswer(nil, bad); len(f) > 0 {
		e.frame(f)
	}
	e.badMessage(now, bad.Reason)
	if e.flight.job == nil || bad.ID != e.flight.id {
		return
	}
	switch bad.Type {
	case rpc.CallResult:
		e.badResult(e.answered(bad.ID, true), bad.Code, bad.Reason)
	case rpc.CallError:
		e.callError(now, rpc.Frame{ID: bad.ID, ErrorCode: rpc.GenericError, ErrorDescription: bad.Reason})
	}
}

// request handles a CALL of the CSMS.
func (e *Engine) request(now time.Time, f rpc.Frame) {
	if !e.admit(now, f) {
		return
	}
	req, err := e.d.Request(f.Action, f.Payload, e.table, e.stage)
	e.requested(now, f, req, len(f.Payload), err)
}

// mute tells whether the station must not answer at all: OCPP 1.6 has a rejected station keep silent (4.2), where 2.x has it
// say so.
func (e *Engine) mute() bool {
	return e.gate == station.RegistrationRejected && e.d.Version() <= rpc.V16
}

// admit tells whether a CALL is looked at, and answers it if not.
func (e *Engine) admit(now time.Time, f rpc.Frame) bool {
	switch {
	case e.in.under(f.ID), e.in.answered(f.ID) && !e.cfg.Quirks.has(ReusedMessageIds):
		e.repeated(now, f)
	case e.mute():
		e.stats.Refused++
	case e.gate == station.RegistrationRejected: // B03.FR.08
		e.refuse(f.ID, rpc.SecurityError, "station was rejected")
	case len(e.in.calls) >= MaxInbound:
		e.refuse(f.ID, rpc.GenericError, "too many requests without a response")
	case f.Action == listAction && e.in.busy(listAction):
		e.refuse(f.ID, rpc.GenericError, "another list is being taken; try later")
	case f.Action == listAction && !e.lists.take(now, listCost+len(f.Payload)/page, ListBurst):
		e.refuse(f.ID, rpc.GenericError, tooOften)
	default:
		return true
	}
	return false
}

// requested gives the request that was read to the core, or tells the CSMS what is wrong with it.
func (e *Engine) requested(now time.Time, f rpc.Frame, req station.Request, size int, err error) {
	if err != nil {
		code, text := decodeFault(err)
		e.refuse(f.ID, code, text)
		switch code {
		case rpc.NotImplemented, rpc.NotSupported, rpc.InternalError: // a sound message that we cannot serve
		default:
			e.badMessage(now, f.Action+": "+text)
		}
		return
	}
	if kept(req) && !e.kept.take(now, 1, KeptBurst) {
		e.refuse(f.ID, rpc.GenericError, tooOften)
		return
	}
	e.hand(now, f, req, size)
}

// hand gives a request, of size bytes, to the core.
func (e *Engine) hand(now time.Time, f rpc.Frame, req station.Request, size int) {
	c := inCall{request: e.in.next, body: req, due: now.Add(ResponseTimeout)}
	c.id, c.action = strings.Clone(f.ID), strings.Clone(f.Action) // the frame may be large
	e.in.next++
	e.in.calls = append(e.in.calls, c)
	e.stats.Requests++
	e.event(station.RequestReceived{ID: c.request, Request: req, Size: size})
}

// repeated handles a CALL whose id was used before on this connection. Nothing is done twice.
func (e *Engine) repeated(now time.Time, f rpc.Frame) {
	e.stats.Repeated++
	if e.in.replayed(f.ID) {
		e.event(station.Replayed{Info: describe(f.Action + ": its message id was used and answered before")})
	}
	if e.d.Version() != rpc.V201 {
		return // a retry may keep its id (2.1 part 4, 4.1.4; OCPP-J 1.6 errata 3.1); the answer to the first serves both
	}
	e.answerError(f.ID, rpc.RpcFrameworkError, "message id was used before")
	e.badMessage(now, f.Action+": message id was used before")
}

func (e *Engine) refuse(id string, code rpc.ErrorCode, text string) {
	e.stats.Refused++
	e.in.remember(strings.Clone(id)) // the frame may be large
	e.answerError(id, code, text)
}

// answerError sends a CALLERROR in the words of the version.
func (e *Engine) answerError(id string, code rpc.ErrorCode, text string) {
	e.frame(rpc.AppendCallError(nil, id, e.cfg.Quirks.code(code, e.d.Version()), text))
}

// Respond takes the core's response to a request. One that came too late, or after the connection was lost, goes
// nowhere: the CSMS has given it up.
func (e *Engine) Respond(now time.Time, r station.Response) *Output {
	e.begin()
	for i := range e.in.calls {
		if e.in.calls[i].request == r.ID {
			e.respond(e.in.take(i), r)
			return e.end(now)
		}
	}
	e.stats.Stray++
	return e.end(now)
}

func (e *Engine) respond(c inCall, r station.Response) {
	if e.closing {
		return
	}
	if r.Error != nil {
		e.stats.Refused++
		e.answerError(c.id, rpc.ErrorCode(r.Error.Code), describe(r.Error.Description))
		return
	}
	f, err := e.encodeResponse(c, r)
	if err != nil { // a fault of ours; the CSMS must not wait for its timeout
		e.stats.Refused++
		e.answerError(c.id, rpc.InternalError, describe(err.Error()))
		return
	}
	e.frame(f)
}

func (e *Engine) encodeResponse(c inCall, r station.Response) ([]byte, error) {
	if r.Body == nil {
		return nil, fmt.Errorf("response to %s has no body", c.action)
	}
	dst := rpc.OpenCallResult(make([]byte, 0, initialPayload), c.id)
	from := len(dst)
	dst, err := e.d.Respond(dst, c.action, c.body, r.Body)
	if err != nil {
		return nil, fmt.Errorf("encode response to %s: %w", c.action, err)
	}
	dst = dst[:from+len(e.cfg.Quirks.payload(dst[from:]))]
	return append(dst, ']'), nil
}

// expireInbound tells the CSMS that there will be no response, so that a lost one does not take its place for ever.
func (e *Engine) expireInbound(now time.Time) {
	for len(e.in.calls) > 0 && !e.in.calls[0].due.After(now) {
		c := e.in.take(0)
		e.stats.Refused++
		e.answerError(c.id, rpc.InternalError, "no response in time")
	}
}

// badTeller thins out BadMessage events.
type badTeller struct {
	last  time.Time
	quiet int // since last
}

func (e *Engine) badMessage(now time.Time, info string) {
	b := &e.bad
	if !b.last.IsZero() && now.Sub(b.last) < BadMessageEvery {
		b.quiet++
		return
	}
	if b.quiet > 0 {
		info = fmt.Sprintf("%s (and %d before)", info, b.quiet)
	}
	b.last, b.quiet = now, 0
	e.event(station.BadMessage{Info: describe(info)})
}
