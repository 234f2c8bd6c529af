package link

import (
	"time"

	"github.com/evsed/evsed/station"
)

// Over SOAP a kept report that failed says nothing by itself: a fault, a status of HTTP or silence may be the fault of that
// report, or of a CSMS whose database is down and that answers all calls so. A simple call that is answered tells them apart
// (OCPP-S 1.6 errata 3.2), so that there is one between any two attempts: the Heartbeat with which the core answers Unheard
// and begins a connection. Only an attempt after which it was answered counts. Over a WebSocket, where an answer can be lost
// without the connection, that holds of silence alone; see ignored.

// doubt is what is not known about the last attempt to tell a kept report over SOAP.
type doubt uint8

const (
	sure        doubt = iota
	lost              // the connection broke: another answer only tells that it is back
	unprocessed       // the CSMS got it and did not take it: another answer tells that it is the report's fault
)

// NoAnswer is the code of a kept report that a living CSMS never answered.
const NoAnswer = "NoAnswer"

// overSOAP tells whether the open connection is one of SOAP.
func (e *Engine) overSOAP() bool {
	_, ok := e.d.(soapDialect)
	return ok
}

// reopened begins to wait for the other answer on a new connection.
func (e *Engine) reopened(now time.Time) {
	b := &e.backlog
	if !e.overSOAP() {
		b.doubt = sure
	}
	b.proofBy = now.Add(e.proofTime())
}

// Unprocessed tells, before Closed, that the CSMS got the call under way and that what came back is no answer, or nothing.
func (e *Engine) Unprocessed() {
	if e.flight.job != nil {
		e.flight.unprocessed = true
	}
}

// missed notes what the call under way leaves in doubt if it gets no answer.
func (e *Engine) missed(now time.Time) {
	if j := e.flight.job; j == nil || j.lane != laneKept || !e.overSOAP() {
		return
	}
	d := lost
	if e.flight.unprocessed {
		d = unprocessed
	}
	e.doubtful(now, d, ignoredRefusal)
}

// doubtful notes that an attempt failed; what is its refusal, if it has one.
func (e *Engine) doubtful(now time.Time, d doubt, what station.Refused) {
	b := &e.backlog
	b.doubt, b.refusal, b.proofBy = d, what, now.Add(e.proofTime())
	if j := b.turn(); j != nil {
		b.stuck = j.next
	}
}

// proofTime is how long the other answer is waited for: that of a call that waits behind another one.
func (e *Engine) proofTime() time.Duration { return 2 * e.cfg.MessageTimeout }

// doubted tells whether the next attempt has to wait for an answer to another call.
func (e *Engine) doubted(now time.Time) bool {
	b := &e.backlog
	if b.doubt != sure && !b.proofBy.After(now) { // nobody asked: a core that is about to end, say
		b.doubt = sure
	}
	return b.doubt != sure
}

// proved hears of an answer to a call that is no kept report: the CSMS lives. response tells a response from an error.
func (e *Engine) proved(j *job, response bool) {
	b := &e.backlog
	switch _, heartbeat := j.report.Body.(station.Heartbeat); {
	case b.doubt == sure:
		e.ignored()
	case response && b.doubt == unprocessed:
		b.doubt = sure
		e.failedAttempt(b.refusal)
	case response || heartbeat || j.boot(): // what is refused a Heartbeat is not at its best
		b.doubt = sure
	}
}

// ignored counts a failed attempt once the CSMS has answered another call after it was silent to a kept report: it lives and
// does not want this one (E13, TC_E_41_CS). Silence alone proves nothing: a mute CSMS loses no report.
func (e *Engine) ignored() {
	b := &e.backlog
	if !b.unheard || b.head == nil {
		return
	}
	b.unheard = false
	e.failedAttempt(ignoredRefusal)
}

var ignoredRefusal = station.Refused{Code: NoAnswer, Description: "other calls are answered, this one is not"}

// failedAttempt counts an attempt that the head's own fault has spoilt, and gives the head up after the last (E13.FR.04).
func (e *Engine) failedAttempt(r station.Refused) {
	b := &e.backlog
	if b.refusals++; b.refusals < e.cfg.MessageAttempts {
		return
	}
	j := b.turn()
	if j.calls == nil { // encoded for a connection that is gone
		j.calls, _ = e.d.Encode(j.report, e.table)
		j.next = b.stuck
	}
	e.settle(j, r)
}
