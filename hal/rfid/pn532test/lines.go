package pn532test

import (
	"io"
	"os"
	"sync"
	"time"

	"github.com/evsed/evsed/hal/i2c"
)

// Port is the host's end of a serial line to the chip, in memory. Time passes in it only while Read waits.
type Port struct {
	e        *Emulator
	mu       sync.Mutex // guards gone, came and deadline
	gone     error
	came     []byte
	deadline time.Time
	done     chan struct{}
	once     sync.Once
}

// Port returns a new serial line.
func (e *Emulator) Port() *Port { return &Port{e: e, done: make(chan struct{})} }

// Unplug pulls the line: everything fails with err until it is nil again.
func (p *Port) Unplug(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gone = err
}

func (p *Port) state() (deadline time.Time, gone error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.deadline, p.gone
}

// SetDeadline is that of *serial.Port.
func (p *Port) SetDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deadline = t
	return nil
}

// Write lets the chip hear b.
func (p *Port) Write(b []byte) (int, error) {
	if _, err := p.state(); err != nil {
		return 0, err
	}
	p.e.mu.Lock()
	defer p.e.mu.Unlock()
	p.e.hear(b)
	return len(b), nil
}

// Read returns what the chip says.
func (p *Port) Read(b []byte) (int, error) {
	for {
		deadline, err := p.state()
		if err != nil {
			return 0, err
		}
		if n := p.take(b); n > 0 {
			return n, nil
		}
		t := time.NewTimer(time.Until(deadline))
		select {
		case <-p.e.wake:
		case <-p.done:
			t.Stop()
			return 0, os.ErrClosed
		case <-t.C:
			return 0, os.ErrDeadlineExceeded
		}
		t.Stop()
	}
}

func (p *Port) take(b []byte) int {
	p.e.mu.Lock()
	defer p.e.mu.Unlock()
	for _, f := range p.e.out {
		p.came = append(p.came, f...)
	}
	p.e.out = nil
	n := copy(b, p.came)
	p.came = p.came[n:]
	return n
}

// Drop is that of *serial.Port.
func (p *Port) Drop() error {
	_, err := p.state()
	if err == nil {
		p.take(nil)
		p.came = nil
	}
	return err
}

// Close ends a Read that waits.
func (p *Port) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

// Serve is the chip at the far end of a serial line, until that ends.
func (e *Emulator) Serve(line io.ReadWriter) error {
	b := make([]byte, 256)
	for {
		n, err := line.Read(b)
		if err != nil {
			return err
		}
		e.mu.Lock()
		e.hear(b[:n])
		out := e.out
		e.out = nil
		e.mu.Unlock()
		for _, f := range out {
			if _, err := line.Write(f); err != nil {
				return err
			}
		}
	}
}

// Chip is the emulator as what there is on an I2C bus.
type Chip struct {
	e    *Emulator
	mu   sync.Mutex // guards gone
	gone bool
}

// Chip returns the I2C side.
func (e *Emulator) Chip() *Chip { return &Chip{e: e} }

// Unplug takes the chip off the bus, or puts it back.
func (c *Chip) Unplug(gone bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone = gone
}

// Open is for i2c.On.
func (c *Chip) Open() (i2c.Adapter, error) { return c, nil }

// Close is for the bus.
func (c *Chip) Close() error { return nil }

// Transfer is one transfer on the bus. Each read begins with the ready bit; a frame that was read, in whole or in part,
// is gone.
func (c *Chip) Transfer(address uint8, w, r []byte) error {
	c.mu.Lock()
	gone := c.gone
	c.mu.Unlock()
	if gone || address != 0x24 {
		return i2c.ErrNoAnswer
	}
	c.e.mu.Lock()
	defer c.e.mu.Unlock()
	if !c.e.awake { // its address wakes it, too late for this transfer
		c.e.awake = true
		return i2c.ErrNoAnswer
	}
	if len(w) > 0 {
		c.e.hear(w)
	}
	if len(r) == 0 {
		return nil
	}
	if len(c.e.out) == 0 {
		r[0] = 0
		return nil
	}
	r[0] = 1
	if len(r) == 1 {
		return nil
	}
	f := c.e.out[0]
	c.e.out = c.e.out[1:]
	copy(r[1:], f)
	return nil
}
