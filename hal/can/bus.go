package can

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// State says how a bus is.
type State uint8

// States of a bus.
const (
	StateDown    State = iota // the interface is down or gone; it is tried again
	StateActive               // it works
	StateWarning              // it works, with errors
	StateOff                  // the controller has left the bus; the kernel brings it back if restart-ms is set
)

var stateNames = [...]string{"down", "active", "warning", "bus off"}

func (s State) String() string {
	if int(s) >= len(stateNames) {
		return "state?"
	}
	return stateNames[s]
}

// Errors of a bus.
var (
	ErrDown   = errors.New("the CAN interface is down")
	ErrBusOff = errors.New("the CAN controller has left the bus: want restart-ms at its interface (ip link set can0 type can restart-ms 100)")
	ErrClosed = errors.New("the CAN bus is closed")
)

const (
	reopenEvery = time.Second
	lookEvery   = 500 * time.Millisecond // how long one Read waits: an interface that is gone wakes no reader
	fullRetry   = time.Millisecond
	maxInboxes  = 64 // of one bus
)

// Info is a bus as it is.
type Info struct {
	State   State
	Since   time.Time
	Trouble Trouble // since the bus was opened
	Frames  uint64  // that came
	Lost    uint64  // that no inbox had room for
	BusOffs uint64
	Err     error // why it is down
}

// Options of a bus.
type Options struct {
	Filters []Filter // in the kernel, for the whole bus; none: everything
	Open    func() (Socket, error)
	Observe func(Info) // called by the bus's goroutine when the state has changed; nil: nobody
}

// Bus is one CAN interface. Its methods may be called from any goroutine.
type Bus struct {
	name   string
	opts   Options
	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{}

	mu      sync.Mutex // everything below
	socket  Socket     // nil while it is down
	inboxes []*Inbox
	info    Info
}

// Open starts the bus of an interface. One that is down is no error: it is tried again each second.
func Open(name string, filters ...Filter) (*Bus, error) {
	return Start(name, Options{Filters: filters, Open: func() (Socket, error) { return openSocket(name, filters) }})
}

// Start starts a bus over a socket that o opens.
func Start(name string, o Options) (*Bus, error) {
	if name == "" || o.Open == nil {
		return nil, errors.New("open a CAN bus: want the name of an interface")
	}
	b := &Bus{name: name, opts: o, done: make(chan struct{})}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	s, err := o.Open()
	b.info = Info{State: StateActive, Since: time.Now()}
	if err != nil {
		b.info.State, b.info.Err = StateDown, err
	} else {
		b.socket = s
	}
	go b.run()
	return b, nil
}

// Name is the interface's.
func (b *Bus) Name() string { return b.name }

// Info says how the bus is.
func (b *Bus) Info() Info {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.info
}

// Close ends the bus; who waits for a frame gets ErrClosed.
func (b *Bus) Close() error {
	b.cancel()
	b.mu.Lock()
	if b.socket != nil {
		_ = b.socket.Close()
	}
	b.mu.Unlock()
	<-b.done
	return nil
}

// Send gives a frame to the interface by ctx's deadline.
func (b *Bus) Send(ctx context.Context, f Frame) error {
	if err := f.check(); err != nil {
		return fmt.Errorf("send on %s: %w", b.name, err)
	}
	out := f.encode()
	for {
		err := b.write(ctx, out[:])
		if err == nil || !full(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("send on %s: the queue stays full: %w", b.name, ctx.Err())
		case <-b.ctx.Done():
			return ErrClosed
		case <-time.After(fullRetry):
		}
	}
}

func (b *Bus) write(ctx context.Context, out []byte) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("send on %s: %w", b.name, err)
	}
	b.mu.Lock()
	s, state := b.socket, b.info.State
	b.mu.Unlock()
	switch {
	case b.ctx.Err() != nil:
		return ErrClosed
	case s == nil:
		return fmt.Errorf("send on %s: %w", b.name, ErrDown)
	case state == StateOff:
		return fmt.Errorf("send on %s: %w", b.name, ErrBusOff)
	}
	deadline, _ := ctx.Deadline()
	_ = s.SetWriteDeadline(deadline)
	_, err := s.Write(out)
	switch {
	case err == nil || full(err):
		return err
	case down(err):
		return fmt.Errorf("send on %s: %w", b.name, ErrDown)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("send on %s: %w", b.name, context.DeadlineExceeded)
	}
	return fmt.Errorf("send on %s: %w", b.name, err)
}

// run is the owner: it reads until the bus is closed.
func (b *Bus) run() {
	defer close(b.done)
	defer b.end()
	var in [frameSize]byte
	for b.ctx.Err() == nil {
		b.mu.Lock()
		s := b.socket
		b.mu.Unlock()
		if s == nil {
			b.reopen()
			continue
		}
		_ = s.SetReadDeadline(time.Now().Add(lookEvery))
		n, err := s.Read(in[:])
		switch {
		case err == nil:
			b.take(in[:n])
		case errors.Is(err, os.ErrDeadlineExceeded), full(err):
		default:
			b.lose(s, err)
		}
	}
}

// reopen waits and tries.
func (b *Bus) reopen() {
	select {
	case <-b.ctx.Done():
		return
	case <-time.After(reopenEvery):
	}
	s, err := b.opts.Open()
	if err != nil {
		return
	}
	b.mu.Lock()
	b.socket, b.info.Err = s, nil
	b.mu.Unlock()
	b.become(StateActive)
	if b.ctx.Err() != nil { // Close looked before there was a socket
		_ = s.Close()
	}
}

func (b *Bus) lose(s Socket, err error) {
	_ = s.Close()
	b.mu.Lock()
	b.socket, b.info.Err = nil, err
	b.mu.Unlock()
	if b.ctx.Err() == nil {
		b.become(StateDown)
	}
}

func (b *Bus) become(s State) {
	b.mu.Lock()
	changed := b.info.State != s
	if changed {
		b.info.State, b.info.Since = s, time.Now()
		if s == StateOff {
			b.info.BusOffs++
		}
	}
	info := b.info
	b.mu.Unlock()
	if changed && b.opts.Observe != nil {
		b.opts.Observe(info)
	}
}

// take hands a frame to who listens for it, or follows what an error frame says.
func (b *Bus) take(in []byte) {
	f, trouble, err := decode(in)
	if err != nil {
		return // no frame of a classic bus: the kernel gives none unless it is asked for FD
	}
	if trouble != 0 {
		b.follow(trouble)
		return
	}
	b.mu.Lock()
	b.info.Frames++
	for _, i := range b.inboxes {
		if i.filter.Match(&f) && !i.put(f) {
			b.info.Lost++
		}
	}
	quiet := b.info.State != StateOff
	b.mu.Unlock()
	if !quiet {
		b.become(StateActive) // who hears is on the bus, whatever was missed
	}
}

func (b *Bus) follow(t Trouble) {
	b.mu.Lock()
	b.info.Trouble |= t
	state := b.info.State
	b.mu.Unlock()
	switch {
	case t&TroubleBusOff != 0:
		b.become(StateOff)
	case t&(TroubleRestart|TroubleActive) != 0:
		b.become(StateActive)
	case t&(TroubleWarning|TroublePassive|TroubleNoAck) != 0 && state == StateActive:
		b.become(StateWarning)
	}
}

func (b *Bus) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.socket != nil {
		_ = b.socket.Close()
	}
	for _, i := range b.inboxes {
		close(i.frames)
	}
	b.inboxes = nil
}

// Inbox is the queue of one listener. When it is full the oldest frame is lost.
type Inbox struct {
	filter Filter
	frames chan Frame
}

// Listen returns an inbox with room for size frames.
func (b *Bus) Listen(f Filter, size int) (*Inbox, error) {
	i := &Inbox{filter: f, frames: make(chan Frame, max(size, 1))}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.ctx.Err() != nil:
		return nil, ErrClosed
	case len(b.inboxes) == maxInboxes:
		return nil, fmt.Errorf("listen on %s: %d listeners are the most", b.name, maxInboxes)
	}
	b.inboxes = append(b.inboxes, i)
	return i, nil
}

// put reports whether no frame was lost. Only the bus's goroutine calls it.
func (i *Inbox) put(f Frame) bool {
	select {
	case i.frames <- f:
		return true
	default:
	}
	select {
	case <-i.frames:
	default:
	}
	select {
	case i.frames <- f:
	default:
	}
	return false
}

// Next waits for the next frame, until ctx ends or the bus is closed.
func (i *Inbox) Next(ctx context.Context) (Frame, error) {
	select {
	case f, ok := <-i.frames:
		if !ok {
			return Frame{}, ErrClosed
		}
		return f, nil
	case <-ctx.Done():
		return Frame{}, ctx.Err()
	}
}

// C is the inbox as a channel, closed with the bus.
func (i *Inbox) C() <-chan Frame { return i.frames }
