package link

import (
	"time"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/rpc"
)

// long is a CALL of the CSMS that is longer than a frame may be, and that the dialect can read while it arrives.
type long struct {
	call   rpc.Frame // id and action
	cut    *rpc.Cutter
	stream ocpp.Stream
}

// Long takes the beginning of a message that is longer than Limits.Frame. True: the rest of it is wanted, by More.
// Otherwise it may be thrown away. beginning may be reused afterwards.
func (e *Engine) Long(now time.Time, beginning []byte) (*Output, bool) {
	e.begin()
	if e.open && !e.closing {
		e.openLong(now, beginning)
	}
	return e.end(now), e.long != nil
}

// More takes the next part of a message, and with last its end. False: nothing more of it is wanted.
func (e *Engine) More(now time.Time, part []byte, last bool) (*Output, bool) {
	e.begin()
	if e.long != nil && e.longer(now, part) && last {
		e.closeLong(now)
	}
	return e.end(now), e.long != nil
}

const longHead = 512 // bytes in which id and action stand

func (e *Engine) openLong(now time.Time, beginning []byte) {
	version := e.d.Version()
	head := beginning[:min(longHead, len(beginning))]
	call, ok := rpc.Peek(head, version)
	streamer, can := e.d.(ocpp.Streamer)
	if !ok || !can {
		e.malformed(now, rpc.TooLong(head, version))
		return
	}
	list, stream := streamer.Stream(call.Action, e.stage)
	if stream == nil {
		e.malformed(now, rpc.TooLong(head, version))
		return
	}
	if e.admit(now, call) {
		e.long = &long{call: call, cut: rpc.NewCutter(list, stream.Piece), stream: stream}
		e.longer(now, beginning)
	}
}

// longer reads on; false: it is over.
func (e *Engine) longer(now time.Time, part []byte) bool {
	l := e.long
	e.lists.spent += (len(part) + page - 1) / page // what was begun may end
	err := l.cut.Write(part)
	if err != nil {
		e.dropLong()
		e.requested(now, l.call, nil, 0, err)
	}
	return err == nil
}

// closeLong makes the request.
func (e *Engine) closeLong(now time.Time) {
	l := e.long
	f, bad := rpc.Parse(l.cut.Rest(), e.d.Version(), e.cfg.Limits)
	if bad != nil {
		e.dropLong()
		e.unreadable(now, bad)
		return
	}
	e.long = nil
	req, err := l.stream.Request(f.Payload)
	e.requested(now, f, req, l.cut.Size(), err)
}

// dropLong gives up what was being read.
func (e *Engine) dropLong() {
	if e.long != nil {
		e.long.stream.Abort()
		e.long = nil
	}
}
