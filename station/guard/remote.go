package guard

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

// Remote is the station's side of a guard in another process. It is used as a Pipe is; Run, on a goroutine of its own,
// carries what waits in the pipe's places over the socket, so that here as well the newest of each thing arrives,
// however long the socket was full.
type Remote struct {
	pipe  *Pipe
	clock instants
	kick  chan struct{}

	began    time.Time     // real, and monotonic
	heard    atomic.Int64  // when the guard last said something, since then; 0: never
	patience time.Duration // with a guard that says nothing, counted twice; see AssureEvery
}

// NewRemote returns the station's side for the given connectors. clock is the station's monotonic one.
func NewRemote(refs []term.Ref, clock func() time.Time) *Remote {
	return &Remote{pipe: NewPipe(refs), clock: newInstants(clock), kick: make(chan struct{}, 1), began: time.Now(), patience: patience}
}

// Permit says what the station allows at a connector. It reports whether there is such a connector.
func (r *Remote) Permit(p term.Permit) bool { defer r.signal(); return r.pipe.Permit(p) }

// Meter passes on a reading of an EVSE's meter.
func (r *Remote) Meter(evse term.EVSEID, m MeterSummary) bool {
	defer r.signal()
	return r.pipe.Meter(evse, m)
}

// Heartbeat tells the guard that the station's loop has moved.
func (r *Remote) Heartbeat() { defer r.signal(); r.pipe.Heartbeat() }

// Service acknowledges latched faults of what ref covers.
func (r *Remote) Service(ref term.Ref) { defer r.signal(); r.pipe.Service(ref) }

// Take appends what has changed since the last Take.
func (r *Remote) Take(dst []iec61851.Notice) []iec61851.Notice { return r.pipe.Take(dst) }

// Wake is signalled when there is something to Take.
func (r *Remote) Wake() <-chan struct{} { return r.pipe.Wake() }

// Status returns the newest status of a connector; false before the guard's first.
func (r *Remote) Status(ref term.Ref) (iec61851.Status, bool) { return r.pipe.Status(ref) }

func (r *Remote) signal() {
	select {
	case r.kick <- struct{}{}:
	default:
	}
}

// Heard is when the guard last said something, in real time; zero: it never did.
func (r *Remote) Heard() time.Time {
	if n := r.heard.Load(); n != 0 {
		return r.began.Add(time.Duration(n))
	}
	return time.Time{}
}

// ErrSilent says that a guard is there and does not move.
var ErrSilent = errors.New("the guard is silent")

// A guard in another process says something each AssureEvery. One that says nothing for twice the patience hangs. Twice,
// for a station that was stopped itself finds its first deadline passed, and what was said meanwhile behind it.
const (
	AssureEvery = time.Second
	patience    = 2500 * time.Millisecond
)

// Absent says that there is no guard. What Run has said already it does not say twice.
func (r *Remote) Absent() { r.pipe.lost(r.clock.clock) }

// Run talks to the guard over conn, a non-blocking SOCK_SEQPACKET socket, until ctx ends (nil), the guard is gone
// (ErrClosed), hangs (ErrSilent), or says what is no frame (ErrFrame). It closes conn, upon which a guard opens everything.
// Without a guard every connector counts as open and faulty, but where ctx has ended: then the station ends, and takes up
// its sessions after the next start. The next Run, with the next guard, says all permits again.
func (r *Remote) Run(ctx context.Context, conn *os.File) error {
	r.pipe.restart()
	asked := ctx
	defer func() {
		if asked.Err() == nil {
			r.Absent()
		}
	}()
	ctx, cancel := context.WithCancel(ctx)
	received := make(chan error, 1)
	go func() {
		defer cancel()
		received <- r.receive(conn)
	}()
	sent := make(chan error, 1)
	go func() {
		defer cancel()
		sent <- r.send(ctx, conn)
	}()
	<-ctx.Done()
	closed := conn.Close() // ends both, whatever they wait for
	err := errors.Join(ignoreClosed(<-received), ignoreClosed(<-sent), closed)
	return err
}

// ignoreClosed drops the error that our own closing causes.
func ignoreClosed(err error) error {
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}

func (r *Remote) receive(conn *os.File) error {
	var frame [StatusSize + 1]byte // one more: a longer datagram shows
	for missed := 0; ; missed = 0 {
		n, err := r.read(conn, frame[:])
		for ; errors.Is(err, os.ErrDeadlineExceeded); n, err = r.read(conn, frame[:]) {
			if missed++; missed > 1 {
				return ErrSilent
			}
		}
		if n == 0 {
			return gone("receive from", err)
		}
		var s iec61851.Status
		at, err := decodeStatus(frame[:n], &s)
		if err != nil {
			return fmt.Errorf("receive from the guard: %w", err)
		}
		s.At = r.clock.time(at)
		r.heard.Store(int64(time.Since(r.began)))
		r.pipe.arrived(&s)
	}
}

// read reads, for as long as the patience.
func (r *Remote) read(conn *os.File, frame []byte) (int, error) {
	_ = conn.SetReadDeadline(time.Now().Add(r.patience)) // what is wrong with conn the reading says, in its own words
	return conn.Read(frame)
}

func (r *Remote) send(ctx context.Context, conn *os.File) error {
	var frame [CommandSize]byte
	for {
		var c Command
		for r.pipe.next(&c) {
			encodeCommand(&frame, &c, r.clock.nano(r.clock.clock()))
			if _, err := conn.Write(frame[:]); err != nil {
				return gone("send to", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-r.kick:
		}
	}
}

// gone says that the socket has ended.
func gone(doing string, err error) error {
	if errors.Is(err, os.ErrClosed) {
		return err
	}
	return fmt.Errorf("%s the guard: %w", doing, ErrClosed)
}

// restart prepares for a guard that knows nothing of us: every permit is to be said again, and its counters begin anew.
func (p *Pipe) restart() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.boxes {
		b := &p.boxes[i]
		b.hasPermit, b.first = b.permit.Ref == b.ref, true
	}
}

// lost tells the station that nobody guards: what a guard leaves behind is open, by itself or by the watchdog.
func (p *Pipe) lost(clock func() time.Time) {
	for i := range p.boxes {
		s, known := p.Status(p.boxes[i].ref)
		if !known {
			s.Ref = p.boxes[i].ref
		}
		if s.Closed {
			s.Closed, s.Opened = false, iec61851.OpenedByFault
		}
		s.At, s.Offered, s.Duty = clock(), 0, unit.DutyHigh
		s.Faults, s.Seen = s.Faults.With(term.FaultInternal), s.Seen.With(term.FaultInternal)
		p.arrived(&s)
	}
}

// next is Receive for one who may wait for the mutex.
func (p *Pipe) next(c *Command) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fetch(c)
}

// arrived is Send for one who may wait for the mutex. What is known already wakes nobody.
func (p *Pipe) arrived(s *iec61851.Status) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.boxes {
		if b := &p.boxes[i]; b.ref == s.Ref && b.knows(s) {
			b.newest.At = s.At
			return
		}
	}
	p.deliver(s)
}

// knows reports whether a status says no more than the newest one.
func (b *box) knows(s *iec61851.Status) bool {
	again := *s
	again.At, again.Seen = b.newest.At, b.newest.Seen
	return b.hasStatus && !b.first && again == b.newest && s.Seen == 0
}
