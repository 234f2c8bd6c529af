package modbus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// MaxQueue is how many requests wait for one bus; more are refused with ErrQueue. It is far above what the meters,
// readers and monitors of one bus ask for within one deadline.
const MaxQueue = 64

// Options say how patient a bus is. The zero value is right for meters.
type Options struct {
	Timeout  time.Duration // from the end of a request to its answer, besides the time that both take on a line; 0 is 500 ms
	Attempts int           // how often a read is sent before it fails; 0 is 2. Writes are sent once
}

func (o Options) complete() Options {
	if o.Timeout <= 0 {
		o.Timeout = 500 * time.Millisecond
	}
	if o.Attempts <= 0 {
		o.Attempts = 2
	}
	return o
}

// How a unit that stays silent is asked: after as many failed requests less and less often, so that it does not take
// the bus from the others; and how long a busy unit is left alone.
const (
	silentAfter   = 3
	firstWithheld = 500 * time.Millisecond
	lastWithheld  = 5 * time.Second
	busyPause     = 100 * time.Millisecond
)

// wire carries one request and brings its answer.
type wire interface {
	exchange(r request, p patience) ([]uint16, error)
	broadcasts(unit uint8) bool // nobody answers
	interrupt() error           // ends an exchange that waits, by any goroutine
	hangUp()                    // by the owner, which ends
}

// Bus is a line or a connection with its units. Its methods may be called by any goroutine.
type Bus struct {
	name  string
	wire  wire
	opts  Options
	queue chan *job
	done  chan struct{}
	once  sync.Once
	wg    sync.WaitGroup

	units [256]unitState // of the owner
}

// unitState is how a unit has answered of late.
type unitState struct {
	failed int
	next   time.Time
}

// job is one request that waits for its answer.
type job struct {
	ctx context.Context
	request
	reply chan result
}

type result struct {
	values []uint16
	err    error
}

var _ Client = (*Bus)(nil)

func newBus(name string, w wire, o Options) *Bus {
	b := &Bus{name: name, wire: w, opts: o.complete(), queue: make(chan *job, MaxQueue), done: make(chan struct{})}
	b.wg.Go(b.run)
	return b
}

// Close ends the bus: what waits fails with ErrClosed, and the line is given back.
func (b *Bus) Close() error {
	var err error
	b.once.Do(func() {
		close(b.done)
		err = b.wire.interrupt()
	})
	b.wg.Wait()
	return err
}

// Read implements Client.
func (b *Bus) Read(ctx context.Context, unit uint8, kind Kind, address, count uint16) ([]uint16, error) {
	r, err := newRead(unit, kind, address, count)
	if err == nil && b.wire.broadcasts(unit) {
		err = ErrBroadcast
	}
	var values []uint16
	if err == nil {
		values, err = b.do(ctx, r)
	}
	if err != nil {
		return nil, fmt.Errorf("read %d of %v %d of unit %d on %s: %w", count, kind, address, unit, b.name, err)
	}
	return values, nil
}

// Write implements Client.
func (b *Bus) Write(ctx context.Context, unit uint8, kind Kind, address uint16, values ...uint16) error {
	r, err := newWrite(unit, kind, address, values)
	if err == nil {
		_, err = b.do(ctx, r)
	}
	if err != nil {
		return fmt.Errorf("write %d of %v %d of unit %d on %s: %w", len(values), kind, address, unit, b.name, err)
	}
	return nil
}

// ReadWrite implements Client.
func (b *Bus) ReadWrite(ctx context.Context, unit uint8, read, count, write uint16, values ...uint16) ([]uint16, error) {
	r, err := newReadWrite(unit, read, count, write, values)
	if err == nil && b.wire.broadcasts(unit) {
		err = ErrBroadcast
	}
	var got []uint16
	if err == nil {
		got, err = b.do(ctx, r)
	}
	if err != nil {
		return nil, fmt.Errorf("write %d and read %d of unit %d on %s: %w", write, read, unit, b.name, err)
	}
	return got, nil
}

// do queues a request and waits for its answer or the context's end.
func (b *Bus) do(ctx context.Context, r request) ([]uint16, error) {
	j := &job{ctx: ctx, request: r, reply: make(chan result, 1)}
	select {
	case <-b.done:
		return nil, ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	default:
	}
	select {
	case b.queue <- j:
	default:
		return nil, ErrQueue
	}
	select {
	case got := <-j.reply:
		return got.values, got.err
	case <-ctx.Done():
		return nil, b.silence(ctx.Err())
	case <-b.done:
		return nil, ErrClosed
	}
}

// silence is the end of a caller's patience; it counts as no answer.
func (b *Bus) silence(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w: %w", ErrNoAnswer, err)
	}
	return err
}

// run is the owner of the bus.
func (b *Bus) run() {
	defer b.wire.hangUp()
	for {
		select {
		case <-b.done:
			return
		case j := <-b.queue:
			if err := j.ctx.Err(); err != nil {
				continue // nobody waits any more
			}
			values, err := b.serve(j)
			j.reply <- result{values, err}
		}
	}
}

// serve carries one request out, repeating it where that is right.
func (b *Bus) serve(j *job) ([]uint16, error) {
	u := &b.units[j.unit]
	now := time.Now()
	if now.Before(u.next) {
		return nil, fmt.Errorf("%w: %w, next in %v", ErrNoAnswer, ErrWithheld, u.next.Sub(now).Round(100*time.Millisecond))
	}
	attempts := b.opts.Attempts
	if !j.again || u.failed >= silentAfter {
		attempts = 1
	}
	for try := 1; ; try++ {
		values, err := b.wire.exchange(j.request, b.patience(j.ctx))
		if !worthAnother(err) || try >= attempts || j.ctx.Err() != nil {
			u.count(err)
			return values, err
		}
		if errors.Is(err, DeviceBusy) && !b.rest(j.ctx, busyPause) {
			return values, err
		}
	}
}

// patience is how long an attempt may take: one answer's time, and not past the caller's deadline.
type patience struct {
	timeout time.Duration
	limit   time.Time // zero: none
}

// until is when an attempt that begins now ends.
func (p patience) until(now time.Time) time.Time {
	t := now.Add(p.timeout)
	if !p.limit.IsZero() && p.limit.Before(t) {
		return p.limit
	}
	return t
}

func (b *Bus) patience(ctx context.Context) patience {
	limit, _ := ctx.Deadline()
	return patience{timeout: b.opts.Timeout, limit: limit}
}

// rest waits; false if there is no time for it.
func (b *Bus) rest(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
	case <-b.done:
	}
	return false
}

// worthAnother tells errors that may pass from those that will come again.
func worthAnother(err error) bool {
	for _, e := range []error{ErrNoAnswer, ErrShort, ErrCRC, ErrForeign, ErrAnswer, ErrNoise, DeviceBusy} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// count keeps how a unit answered. A refusal is an answer.
func (u *unitState) count(err error) {
	var e Exception
	if err == nil || errors.As(err, &e) && e != GatewayNoAnswer {
		*u = unitState{}
		return
	}
	if !worthAnother(err) {
		return // the line, not the unit
	}
	u.failed++
	if u.failed >= silentAfter {
		wait := firstWithheld << min(u.failed-silentAfter, 8)
		u.next = time.Now().Add(min(wait, lastWithheld))
	}
}
