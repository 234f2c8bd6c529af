package serial

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// What is wrong with a port, wrapped with its name.
var (
	ErrUnplugged = errors.New("device is gone")      // the adapter was unplugged, or is not there yet
	ErrHeld      = errors.New("port is in use")      // by another process, or by this one
	ErrClosed    = errors.New("port is closed")      //
	ErrTimeout   = os.ErrDeadlineExceeded            // nothing came, or nothing left, before the deadline
	ErrDirection = errors.New("no RS-485 direction") // asked for, and the driver cannot
)

// How long a lost device is left alone between two attempts to open it: the first interval doubles up to the last.
const (
	firstReopen = 250 * time.Millisecond
	lastReopen  = 5 * time.Second
)

// line is a device while it is open.
type line interface {
	Read(p []byte, until time.Time) (int, error)
	Write(p []byte, until time.Time) (int, error)
	Drop() error
	Close() error
}

// Port is an open serial port. One goroutine reads and writes; Close may be called by any.
type Port struct {
	cfg  Config
	open func(Config) (line, error)
	done chan struct{}

	deadline time.Time
	wait     time.Duration // back-off while the device is gone
	next     time.Time     // when it is tried again
	told     bool          // Notify knows that it is gone

	mu     sync.Mutex // guards line and closed
	line   line
	closed bool
}

// Open opens a port and keeps everybody else from it. With c.Late a device that is not there is no error.
func Open(c Config) (*Port, error) { return open(c, openDevice) }

func open(c Config, device func(Config) (line, error)) (*Port, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	p := &Port{cfg: c, open: device, done: make(chan struct{})}
	l, err := device(c)
	switch {
	case err == nil:
		p.line = l
	case c.Late && errors.Is(err, ErrUnplugged):
	default:
		return nil, p.wrap("open", err)
	}
	return p, nil
}

// Name is the port's name as it was configured.
func (p *Port) Name() string { return p.cfg.Port }

// Char is how long one character takes on the line.
func (p *Port) Char() time.Duration { return p.cfg.Char() }

// SetDeadline sets until when reads and writes wait; the zero time is no deadline. It concerns the calls after it.
func (p *Port) SetDeadline(t time.Time) error {
	p.deadline = t
	return nil
}

// Read returns what has come, at least one byte. It waits until the deadline (ErrTimeout).
func (p *Port) Read(b []byte) (int, error) {
	l, err := p.ready(true)
	if err != nil {
		return 0, p.wrap("read", err)
	}
	n, err := l.Read(b, p.deadline)
	return n, p.wrap("read", p.judge(err))
}

// Write hands b to the driver, all of it or an error. It waits until the deadline (ErrTimeout).
func (p *Port) Write(b []byte) (int, error) {
	l, err := p.ready(false)
	if err != nil {
		return 0, p.wrap("write", err)
	}
	n, err := l.Write(b, p.deadline)
	return n, p.wrap("write", p.judge(err))
}

// Drop throws away what has come and was not read.
func (p *Port) Drop() error {
	l, err := p.ready(false)
	if err != nil {
		return p.wrap("drop input", err)
	}
	return p.wrap("drop input", p.judge(l.Drop()))
}

// Close gives the port back; a Read that waits ends with ErrClosed.
func (p *Port) Close() error {
	p.mu.Lock()
	l, was := p.line, p.closed
	p.line, p.closed = nil, true
	p.mu.Unlock()
	if was {
		return nil
	}
	close(p.done)
	if l == nil {
		return nil
	}
	return p.wrap("close", l.Close())
}

// ready returns the open device. A lost one is opened again when its time has come; patient callers wait for that.
func (p *Port) ready(patient bool) (line, error) {
	p.mu.Lock()
	l, closed := p.line, p.closed
	p.mu.Unlock()
	if closed {
		return nil, ErrClosed
	}
	if l != nil {
		return l, nil
	}
	if err := p.pause(patient); err != nil {
		return nil, err
	}
	return p.reopen()
}

// pause waits until the lost device may be tried again, or says that it is too early for that.
func (p *Port) pause(patient bool) error {
	d := time.Until(p.next)
	if d <= 0 {
		return nil
	}
	if !patient {
		return ErrUnplugged
	}
	early := false
	if !p.deadline.IsZero() && p.deadline.Before(p.next) {
		d, early = max(0, time.Until(p.deadline)), true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-p.done:
		return ErrClosed
	case <-timer.C:
	}
	if early {
		return ErrUnplugged
	}
	return nil
}

// reopen tries a lost device once.
func (p *Port) reopen() (line, error) {
	l, err := p.open(p.cfg)
	if err != nil {
		p.wait = min(max(2*p.wait, firstReopen), lastReopen)
		p.next = time.Now().Add(p.wait)
		p.lost(err)
		return nil, fmt.Errorf("%w: %w", ErrUnplugged, err)
	}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		l.Close()
		return nil, ErrClosed
	}
	p.line = l
	p.mu.Unlock()
	p.wait, p.next = 0, time.Time{}
	if p.told {
		p.told = false
		p.notify(nil)
	}
	return l, nil
}

// judge closes a device that has gone.
func (p *Port) judge(err error) error {
	if !errors.Is(err, ErrUnplugged) {
		return err
	}
	p.mu.Lock()
	l, closed := p.line, p.closed
	p.line = nil
	p.mu.Unlock()
	if closed {
		return ErrClosed
	}
	if l != nil {
		l.Close()
	}
	p.wait = firstReopen
	p.next = time.Now().Add(p.wait)
	p.lost(err)
	return err
}

func (p *Port) lost(err error) {
	if p.told {
		return
	}
	p.told = true
	p.notify(p.wrap("use", err))
}

func (p *Port) notify(err error) {
	if p.cfg.Notify != nil {
		p.cfg.Notify(err)
	}
}

func (p *Port) wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s serial port %s: %w", doing, p.cfg.Port, err)
}
