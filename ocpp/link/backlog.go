package link

import (
	"time"

	"github.com/evsed/evsed/station"
)

const (
	// HeadWindow is how many entries are read from the outbox at once.
	HeadWindow = 8

	// OutboxRetry is the wait after the outbox could not be read.
	OutboxRetry = 10 * time.Second
)

// Outbox is where the kept reports are. Head returns durable entries in key order, those after the key after, at most
// max; none means that there are none.
type Outbox interface {
	Head(after string, max int) ([]Entry, error)
}

// Entry is a kept report as it is stored. The value is not changed.
type Entry struct {
	Key   string
	Value []byte
}

// backlog walks through the outbox. It goes on by its own cursor and does not wait for the entry to be deleted, which
// the core does when it hears of the outcome.
type backlog struct {
	outbox Outbox
	window []Entry
	after  string // key of the last entry that was settled or read into the window
	dry    bool   // the outbox had nothing more when it was last read

	ready     *job // the first entry of the window, if Ahead has got so far
	looked    bool // Ahead has done what it can for now
	head      *job // the entry whose turn it is
	prelude   *job // what has to be told before the head; counted as the head is
	sent      int  // transmissions of the head
	refusals  int  // of these, how many were answered with an error
	silent    bool // the last of them got no answer
	unheard   bool // and that on the connection that is still open: an answer to another call tells that the CSMS ignores it
	notBefore time.Time

	doubt   doubt           // over SOAP: see doubt.go
	refusal station.Refused // what the attempt in doubt is refused with if it counts
	proofBy time.Time       // when another answer is not waited for any longer
	stuck   int             // which of the head's calls failed last
}

func (b *backlog) woken() { b.dry = false }

func (b *backlog) empty() bool {
	return b.outbox == nil || b.head == nil && len(b.window) == 0 && b.dry
}

// opened: on a new connection a report that got no answer does not wait again; the back-off was its wait.
func (b *backlog) opened() {
	if b.silent && b.doubt != unprocessed {
		b.silent, b.unheard, b.notBefore = false, false, time.Time{}
	}
}

// closed drops what was encoded for the connection that is gone.
func (b *backlog) closed() {
	b.unheard = false
	for _, j := range []*job{b.head, b.ready, b.prelude} {
		if j != nil {
			j.calls, j.next = nil, 0
		}
	}
}

// due is when the head may be sent, as far as time alone decides; zero for now.
func (b *backlog) due() time.Time {
	if b.doubt != sure && b.proofBy.After(b.notBefore) {
		return b.proofBy
	}
	return b.notBefore
}

// turn is what is to be sent next.
func (b *backlog) turn() *job {
	if b.prelude != nil {
		return b.prelude
	}
	return b.head
}

// settled makes room for the next entry.
func (b *backlog) settled() {
	b.head, b.looked = nil, false
	b.again()
}

// again begins to count anew.
func (b *backlog) again() {
	b.prelude = nil
	b.sent, b.refusals, b.silent, b.unheard, b.notBefore = 0, 0, false, false, time.Time{}
	b.doubt, b.stuck = sure, 0
}

// keptReady tells whether a kept report may be sent now, reading the outbox if it has to.
func (e *Engine) keptReady(now time.Time) bool {
	b := &e.backlog
	if b.outbox == nil || e.gate != station.RegistrationAccepted {
		return false // B01.FR.08: cached messages too
	}
	if e.doubted(now) || b.notBefore.After(now) {
		return false
	}
	b.notBefore = time.Time{}
	for b.head == nil {
		if len(b.window) == 0 && !e.readOutbox(now) {
			return false
		}
		e.nextEntry()
	}
	return true
}

// readOutbox fills the window; false: there is nothing to be had now.
func (e *Engine) readOutbox(now time.Time) bool {
	b := &e.backlog
	if b.dry {
		return false
	}
	entries, err := b.outbox.Head(b.after, HeadWindow)
	if err != nil {
		b.notBefore = now.Add(OutboxRetry)
		return false
	}
	if len(entries) == 0 {
		b.dry = true
		return false
	}
	b.window = entries
	return true
}

// nextEntry makes the first entry of the window the head. One that cannot be decoded is given up at once: it will not
// get better, and the reports behind it must not wait for ever.
func (e *Engine) nextEntry() {
	b := &e.backlog
	entry := b.window[0]
	b.window, b.after = b.window[1:], entry.Key
	if b.ready != nil {
		b.head, b.ready = b.ready, nil
		return
	}
	id, err := station.ParseReportID(entry.Key)
	if err != nil {
		e.stats.Skipped++
		return
	}
	r, err := e.decodeEntry(entry)
	if err != nil {
		e.reply(&job{report: station.Report{ID: id, Class: station.Kept, Body: station.Unreadable(entry.Value)}}, internal(err))
		return
	}
	b.head = &job{report: r, lane: laneKept}
}

func (e *Engine) decodeEntry(entry Entry) (station.Report, error) {
	id, err := station.ParseReportID(entry.Key)
	if err != nil {
		return station.Report{}, err
	}
	r, err := e.decode(id, entry.Value)
	r.ID, r.Class = id, station.Kept
	return r, err
}

// retryKept sets when the head is sent again: MessageAttemptInterval times the preceding transmissions (E13.FR.03),
// with a bound, because silence is retried for ever.
func (e *Engine) retryKept(now time.Time, silent bool) {
	b := &e.backlog
	b.silent, b.unheard = silent, silent && e.open && b.doubt == sure
	if b.unheard || b.doubt != sure && e.open && !e.closing {
		e.event(station.Unheard{})
	}
	b.notBefore = now.Add(time.Duration(min(b.sent, e.cfg.MessageAttempts)) * e.cfg.AttemptInterval)
}
