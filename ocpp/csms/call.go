package csms

import (
	"context"
	"fmt"
	"strconv"

	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
)

// Result is the outcome of a CALL to a station.
type Result struct {
	Payload   string        // of the response
	Message   msg2.Message  // the response, nil where it is not valid
	Message16 msg16.Message // in its place where 1.6 is spoken
	Err       error         // *CallError, *rpc.DecodeError, ErrNotConnected and the like
}

// Pending is a CALL under way.
type Pending struct {
	id, action string
	done       chan struct{}
	result     Result
}

// Done is closed when the outcome is there.
func (p *Pending) Done() <-chan struct{} { return p.done }

// Result returns the outcome; call it after Done.
func (p *Pending) Result() Result { return p.result }

func (p *Pending) finish(r Result) {
	p.result = r
	close(p.done)
}

// Begin opens a CALL to a station and returns its frame, for a caller that carries frames himself; the outcome arrives by
// Handle. payload goes out as it is, also if it is wrong. One CALL at a time: ErrBusy otherwise.
func (c *CSMS) Begin(name, action string, payload []byte) (*Pending, []byte, error) {
	c.mu.Lock()
	s := c.stations[name]
	switch {
	case s == nil || !s.open:
		c.mu.Unlock()
		return nil, nil, ErrNotConnected
	case s.pending != nil:
		c.mu.Unlock()
		return nil, nil, ErrBusy
	}
	c.calls++
	p := &Pending{id: "csms-" + strconv.Itoa(c.calls), action: action, done: make(chan struct{})}
	s.pending = p
	s.mayBeAsked(action, payload)
	c.mu.Unlock()
	frame := rpc.AppendCall(nil, p.id, action, payload)
	c.o.Trace(name, true, frame)
	return p, frame, nil
}

// mayBeAsked notes what a station in Pending may send because of a call; the CSMS is locked.
func (s *station) mayBeAsked(action string, payload []byte) {
	if s.version == rpc.V16 {
		s.asked[triggered16(action, payload)] = true
		return
	}
	if action != "TriggerMessage" {
		return
	}
	var b rpc.Body
	var x msg2.TriggerMessageRequest
	b.Reset(string(payload), rpc.Limits{})
	if msg2.Decode(&b, &x, s.version) == nil {
		s.asked[string(x.RequestedMessage)] = true
	}
}

// Abandon gives a CALL up. Its answer, should it still come, is late then and no error.
func (c *CSMS) Abandon(name string, p *Pending) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.stations[name]; s != nil && s.pending == p {
		s.pending = nil
	}
}

// Call asks a station that is connected over a socket, after the calls before, and waits for the outcome. The error is
// Result.Err.
func (c *CSMS) Call(ctx context.Context, name, action string, payload []byte) (Result, error) {
	r := c.call(ctx, name, action, payload)
	return r, r.Err
}

func (c *CSMS) call(ctx context.Context, name, action string, payload []byte) Result {
	c.mu.Lock()
	s := c.stations[name]
	c.mu.Unlock()
	if s == nil {
		return Result{Err: ErrNotConnected}
	}
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return Result{Err: ctx.Err()}
	}
	defer func() { <-s.turn }()
	p, frame, err := c.Begin(name, action, payload)
	if err != nil {
		return Result{Err: err}
	}
	defer c.Abandon(name, p)
	c.mu.Lock()
	with := s.conn
	c.mu.Unlock()
	if with == nil {
		return Result{Err: ErrNotConnected}
	}
	if err := with.write(ctx, frame); err != nil {
		c.resolve(name, p.id, Result{Err: fmt.Errorf("call %s: %w", name, err)}) // unless the connection's end did
	}
	select {
	case <-p.Done():
		return p.Result()
	case <-ctx.Done():
		return Result{Err: ctx.Err()}
	}
}

// Ask is Call with a typed request; the error is one of encoding, or Result.Err.
func (c *CSMS) Ask(ctx context.Context, name string, m msg2.Message) (msg2.Message, error) {
	v, ok := c.Connected(name)
	if !ok {
		return nil, ErrNotConnected
	}
	payload, err := msg2.AppendJSON(nil, m, v)
	if err != nil {
		return nil, err
	}
	r := c.call(ctx, name, msg2.Action(m), payload)
	return r.Message, r.Err
}

// result takes a CALLRESULT; the return is the answer to one that is wrong, where the version has such an answer.
func (c *CSMS) result(name string, v msg2.Version, f *rpc.Frame) []byte {
	c.mu.Lock()
	p := c.stations[name].pending
	c.mu.Unlock()
	if p == nil || p.id != f.ID {
		return nil // late, or never asked for: nobody waits
	}
	r := Result{Payload: f.Payload}
	m, known := msg2.NewResponse(p.action, v)
	if v == rpc.V16 {
		known = false
		if old, ok := msg16.NewResponse(p.action); ok {
			if r.Err = decode16(old, f.Payload); r.Err == nil {
				r.Message16 = old
			}
		}
	}
	if known {
		var b rpc.Body
		b.Reset(f.Payload, rpc.Limits{})
		if r.Err = msg2.Decode(&b, m, v); r.Err == nil {
			r.Message = m
		}
	}
	var answer []byte
	if r.Err != nil {
		c.ledger.fault(name, "response to %s: %v", p.action, r.Err)
		if v >= msg2.V21 {
			answer = rpc.AppendCallResultError(nil, f.ID, rpc.FormatViolation, r.Err.Error())
		}
	}
	c.resolve(name, f.ID, r)
	return answer
}

// resolve ends the CALL of an id, if it is still under way.
func (c *CSMS) resolve(name, id string, r Result) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stations[name]
	if s == nil || s.pending == nil || s.pending.id != id {
		return
	}
	p := s.pending
	s.pending = nil
	p.finish(r)
}
