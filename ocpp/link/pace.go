package link

import "time"

// How fast a CSMS may talk. It is not read faster, so that TCP slows it down; nothing is lost, and nobody is told. A CSMS
// that waits for each answer, as it must (part 4, 4.1.1), is slower than that over any real network. A flood costs a small
// board a part of its time then, and so little memory that the collector keeps up.
const (
	MessageEvery = time.Millisecond // a message that is not the answer to a CALL of ours, and each
	MessageSize  = 1 << 10          // bytes of it more
	MessageBurst = 256              // of these at once

	PingEvery = 10 * time.Millisecond // a ping that is answered
	PingBurst = 32
)

// pace says when there may be more of something.
type pace struct{ paid time.Time } // until when all that came is paid for

// messageCost is how long a message takes that way. The parts of a long one are cheap: nothing is made of them, or a list
// that has a budget of its own.
func messageCost(m message) time.Duration {
	if m.part != whole {
		return MessageEvery
	}
	return time.Duration(1+len(m.data)/MessageSize) * MessageEvery
}

// spend counts one.
func (p *pace) spend(now time.Time, every time.Duration) {
	if p.paid.Before(now) {
		p.paid = now
	}
	p.paid = p.paid.Add(every)
}

// free returns from when on there may be another one.
func (p *pace) free(every time.Duration, burst int) time.Time {
	return p.paid.Add(-time.Duration(burst) * every)
}
