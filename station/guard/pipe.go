package guard

import (
	"sync"

	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

// Pipe is a Link within one process: a mailbox with one place for each thing that can be said about each connector.
// What is newer replaces what was not fetched yet, so that it never fills up and the newest always arrives. The
// guard's side only tries the mutex: a station's goroutine that holds it costs the guard one cycle at most.
type Pipe struct {
	wake chan struct{}

	mu        sync.Mutex // everything below
	boxes     []box
	heartbeat bool
}

// box is the mailbox of one connector. The meter belongs to the EVSE and lies with its first connector.
type box struct {
	ref                    term.Ref
	permit                 term.Permit
	meter                  MeterSummary
	hasPermit, hasMeter    bool
	service                bool
	newest, taken          iec61851.Status
	hasStatus, statusTaken bool
	first                  bool // the next status is the first of a guard that was connected anew
}

// NewPipe returns the link for the given connectors.
func NewPipe(refs []term.Ref) *Pipe {
	p := &Pipe{wake: make(chan struct{}, 1), boxes: make([]box, len(refs))}
	for i, r := range refs {
		p.boxes[i].ref = r
	}
	return p
}

// Permit says what the station allows at a connector; a newer permit replaces one that the guard has not fetched. It
// reports whether there is such a connector.
func (p *Pipe) Permit(permit term.Permit) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.boxes {
		if b := &p.boxes[i]; b.ref == permit.Ref {
			b.permit, b.hasPermit = permit, true
			return true
		}
	}
	return false
}

// Meter passes on a reading of an EVSE's meter. While a contactor of the EVSE is closed a reading is owed every 500 ms.
func (p *Pipe) Meter(evse term.EVSEID, m MeterSummary) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.boxes {
		if b := &p.boxes[i]; b.ref.EVSE == evse {
			b.meter, b.hasMeter = m, true
			return true
		}
	}
	return false
}

// Heartbeat tells the guard that the station's loop has moved.
func (p *Pipe) Heartbeat() {
	p.mu.Lock()
	p.heartbeat = true
	p.mu.Unlock()
}

// Service acknowledges latched faults of a connector; a Ref without connector or EVSE means all that it covers.
func (p *Pipe) Service(ref term.Ref) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.boxes {
		if covers(ref, p.boxes[i].ref) {
			p.boxes[i].service = true
		}
	}
}

// covers reports whether ref names r, its EVSE or the station.
func covers(ref, r term.Ref) bool {
	return (ref.EVSE == 0 || ref.EVSE == r.EVSE) && (ref.Connector == 0 || ref.Connector == r.Connector)
}

// Receive is the guard's side.
func (p *Pipe) Receive(c *Command) bool {
	if !p.mu.TryLock() {
		return false
	}
	defer p.mu.Unlock()
	return p.fetch(c)
}

// fetch takes the next command out of its place.
func (p *Pipe) fetch(c *Command) bool {
	if p.heartbeat {
		p.heartbeat = false
		*c = Command{Kind: CommandHeartbeat}
		return true
	}
	for i := range p.boxes {
		b := &p.boxes[i]
		switch {
		case b.hasPermit:
			b.hasPermit = false
			*c = Command{Kind: CommandPermit, Ref: b.ref, Permit: b.permit}
		case b.hasMeter:
			b.hasMeter = false
			*c = Command{Kind: CommandMeter, Ref: b.ref, Meter: b.meter}
		case b.service:
			b.service = false
			*c = Command{Kind: CommandService, Ref: b.ref}
		default:
			continue
		}
		return true
	}
	return false
}

// Send is the guard's side.
func (p *Pipe) Send(s *iec61851.Status) bool {
	if !p.mu.TryLock() {
		return false
	}
	defer p.mu.Unlock()
	p.deliver(s)
	return true
}

// deliver puts a status into its place and wakes the station.
func (p *Pipe) deliver(s *iec61851.Status) {
	for i := range p.boxes {
		b := &p.boxes[i]
		if b.ref != s.Ref {
			continue
		}
		var seen iec61851.FaultSet
		if b.hasStatus && !b.statusTaken {
			seen = b.newest.Seen
		}
		if b.first {
			b.first, b.taken.Closings = false, s.Closings
		}
		b.newest, b.hasStatus, b.statusTaken = *s, true, false
		b.newest.Seen |= seen
	}
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Wake is signalled when there is something to Take.
func (p *Pipe) Wake() <-chan struct{} { return p.wake }

// Take appends what has changed since the last Take, connector by connector in the order of NewPipe. However long
// that is ago, it ends with the newest state.
func (p *Pipe) Take(dst []iec61851.Notice) []iec61851.Notice {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.boxes {
		b := &p.boxes[i]
		if !b.hasStatus || b.statusTaken {
			continue
		}
		dst = iec61851.AppendNotices(dst, &b.taken, &b.newest)
		b.taken, b.statusTaken = b.newest, true
	}
	return dst
}

// Status returns the newest status of a connector; false before the guard's first cycle.
func (p *Pipe) Status(ref term.Ref) (iec61851.Status, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.boxes {
		if b := &p.boxes[i]; b.ref == ref {
			return b.newest, b.hasStatus
		}
	}
	return iec61851.Status{}, false
}
