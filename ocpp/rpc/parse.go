package rpc

import "unicode/utf8"

// parser reads one frame. What it knows when something is wrong decides the answer.
type parser struct {
	b  Body
	v  Version
	f  Frame
	id bool // f.ID was read
}

// Parse reads one frame as a station or CSMS that speaks v. The error is always a *FrameError.
//
// A CALL that cannot be read is answered with a CALLERROR, as is what cannot even be told to be one; a
// CALLRESULT that cannot be read with a CALLRESULTERROR since 2.1 (part 4, 4.2.3). Errors and SENDs are
// never answered, so that two ends never argue forever.
func Parse(raw []byte, v Version, lim Limits) (Frame, error) {
	lim = lim.filled()
	if len(raw) > lim.Frame {
		return Frame{}, TooLong(raw[:lim.Frame], v)
	}
	p := parser{v: v}
	p.b.Reset(string(raw), lim)
	p.b.Begin(v)
	utf8Fault := p.b.bad
	if utf8Fault {
		p.b.bad, p.b.pos = false, 0 // read on: the id may be whole
	}
	if err := p.frame(); err != nil {
		return Frame{}, err
	}
	if utf8Fault {
		return Frame{}, p.wrong(FormatViolation, "not valid UTF-8")
	}
	return p.f, nil
}

// TooLong returns the answer to a frame of which only the first bytes were read, because it is longer than
// the limit.
func TooLong(prefix []byte, v Version) *FrameError {
	p := parser{v: v}
	p.b.Reset(string(prefix), Limits{})
	if err := p.head(); err != nil {
		return err
	}
	return p.wrong(FormatViolation, "frame too long")
}

func (p *parser) frame() *FrameError {
	if err := p.head(); err != nil {
		return err
	}
	switch p.f.Type {
	case Call, Send:
		return p.call()
	case CallResult:
		return p.payload()
	}
	return p.failure()
}

// head reads the type and the id.
func (p *parser) head() *FrameError {
	if p.b.peek() != '[' {
		return p.wrong(RpcFrameworkError, "frame is not a JSON array")
	}
	p.b.enter()
	known := p.kind()
	if !p.comma() || p.b.peek() != '"' {
		return p.wrong(RpcFrameworkError, "message id cannot be read")
	}
	id := p.b.text()
	if p.b.bad || !utf8.ValidString(id) {
		return p.wrong(RpcFrameworkError, "message id cannot be read")
	}
	if tooLongID(id) {
		return p.wrong(RpcFrameworkError, "message id longer than 36 characters")
	}
	p.f.ID, p.id = id, true
	if !known {
		return p.wrong(MessageTypeNotSupported, "message type not supported")
	}
	if p.f.Type == 0 {
		return p.wrong(RpcFrameworkError, "message type is not an integer")
	}
	return nil
}

// kind reads the message type; false is a number that this version does not have.
func (p *parser) kind() bool {
	c := p.b.peek()
	if c != '-' && (c < '0' || c > '9') {
		p.b.skip()
		return true
	}
	n, whole := p.b.number().Int()
	if p.b.bad {
		return true
	}
	last := int64(CallError)
	if p.v >= V21 {
		last = int64(Send)
	}
	if !whole || n < int64(Call) || n > last {
		return false
	}
	p.f.Type = MessageType(n)
	return true
}

func (p *parser) comma() bool {
	if p.b.peek() != ',' {
		return false
	}
	p.b.pos++
	return true
}

// call reads action and payload.
func (p *parser) call() *FrameError {
	if !p.comma() || p.b.peek() != '"' {
		return p.wrong(RpcFrameworkError, "action cannot be read")
	}
	p.f.Action = p.b.text()
	if p.b.bad {
		return p.wrong(RpcFrameworkError, "action cannot be read")
	}
	return p.payload()
}

func (p *parser) payload() *FrameError {
	if !p.comma() {
		return p.wrong(RpcFrameworkError, "payload missing")
	}
	c := p.b.peek()
	p.f.Payload = string(p.b.Raw())
	switch {
	case p.b.bad:
		return p.wrong(FormatViolation, p.b.reason)
	case p.f.Payload == "null": // tolerated where there is no payload (part 4, 4.1.5)
		p.f.Payload = "{}"
	case c != '{':
		return p.wrong(ProtocolError, "payload is not an object")
	}
	return p.tail()
}

// tail checks that nothing follows.
func (p *parser) tail() *FrameError {
	if p.b.peek() != ']' {
		return p.wrong(RpcFrameworkError, "wrong number of elements")
	}
	p.b.pos++
	if p.b.peek(); p.b.pos < len(p.b.s) {
		return p.wrong(RpcFrameworkError, "data after the frame")
	}
	return nil
}

// failure reads what follows the id of an error. Description and details may be missing or null: the call
// has failed all the same, and waiting for its time-out would help nobody.
func (p *parser) failure() *FrameError {
	if !p.comma() || p.b.peek() != '"' {
		return p.wrong(RpcFrameworkError, "error code cannot be read")
	}
	p.f.ErrorCode = ErrorCode(p.b.text()).Canonical()
	p.f.ErrorDetails = "{}"
	if p.comma() {
		if p.b.peek() == '"' {
			p.f.ErrorDescription = p.b.text()
		} else {
			p.b.skip()
		}
	}
	if p.comma() {
		object := p.b.peek() == '{'
		if details := p.b.Raw(); object {
			p.f.ErrorDetails = string(details)
		}
	}
	if p.b.bad {
		return p.wrong(FormatViolation, p.b.reason)
	}
	return p.tail()
}

// wrong makes the error and chooses its answer.
func (p *parser) wrong(code ErrorCode, reason string) *FrameError {
	e := &FrameError{ID: UnknownID, Type: p.f.Type, Code: code, Reason: reason}
	if p.id {
		e.ID = p.f.ID
	}
	switch {
	case p.f.Type == Call || p.f.Type == 0 && !p.silent(code):
		e.Answer = CallError
	case p.f.Type == CallResult && p.v >= V21 && p.id:
		e.Answer = CallResultError
	}
	return e
}

// silent: 1.6 ignores message types it does not know (OCPP-J 1.6, 4.1.3).
func (p *parser) silent(code ErrorCode) bool {
	return p.v <= V16 && code == MessageTypeNotSupported
}
