package i2c

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// What is wrong with a transfer, wrapped with bus and address.
var (
	ErrNoAnswer  = errors.New("chip does not answer") // nobody acknowledges the address, or a byte
	ErrStuck     = errors.New("bus is stuck")         // a line is held low, or arbitration was lost
	ErrUnplugged = errors.New("adapter is gone")
	ErrClosed    = errors.New("bus is closed")
)

// MaxTransfer bounds one message.
const MaxTransfer = 1024

// Adapter carries out transfers, one at a time.
type Adapter interface {
	// Transfer writes w and then, without letting go of the bus, reads r in full. Either may be empty, not both.
	Transfer(address uint8, w, r []byte) error
	Close() error
}

// Bus is an I2C bus that several chips share.
type Bus struct {
	name string
	jobs chan *job
	quit chan struct{}
	done chan struct{}
	once sync.Once

	mu    sync.Mutex // guards taken
	taken [128]bool  // addresses that have a Device
}

type job struct {
	ctx     context.Context
	address uint8
	w, r    []byte
	err     error
	done    chan struct{}
}

// On makes a bus of an adapter. open is called again after a transfer that ended with ErrUnplugged, at most every
// reopenEvery, and may fail with it.
func On(name string, open func() (Adapter, error)) *Bus {
	b := &Bus{name: name, jobs: make(chan *job), quit: make(chan struct{}), done: make(chan struct{})}
	go b.run(open)
	return b
}

// Close ends the bus: whoever waits is told ErrClosed.
func (b *Bus) Close() error {
	b.once.Do(func() { close(b.quit) })
	<-b.done
	return nil
}

// Device is one chip on the bus.
type Device struct {
	bus     *Bus
	address uint8
}

// Device takes an address, 0x08 to 0x77, for one driver.
func (b *Bus) Device(address uint8) (*Device, error) {
	if address < 0x08 || address > 0x77 {
		return nil, fmt.Errorf("I2C bus %s: address 0x%02x: want 0x08 to 0x77", b.name, address)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.taken[address] {
		return nil, fmt.Errorf("I2C bus %s: address 0x%02x has a driver already", b.name, address)
	}
	b.taken[address] = true
	return &Device{bus: b, address: address}, nil
}

// Release gives the address back.
func (d *Device) Release() {
	d.bus.mu.Lock()
	defer d.bus.mu.Unlock()
	d.bus.taken[d.address] = false
}

// String names bus and address.
func (d *Device) String() string { return fmt.Sprintf("0x%02x on I2C bus %s", d.address, d.bus.name) }

// Transfer writes w and then reads r in full, in one transaction. Either may be empty, not both.
func (d *Device) Transfer(ctx context.Context, w, r []byte) error {
	if len(w)+len(r) == 0 || len(w) > MaxTransfer || len(r) > MaxTransfer {
		return fmt.Errorf("chip %s: transfer of %d and %d bytes: want 1 to %d", d, len(w), len(r), MaxTransfer)
	}
	// Copies: a caller whose deadline has come is gone before the kernel is.
	j := &job{ctx: ctx, address: d.address, w: append([]byte(nil), w...), r: make([]byte, len(r)), done: make(chan struct{})}
	select {
	case d.bus.jobs <- j:
	case <-ctx.Done():
		return fmt.Errorf("chip %s: wait for the bus: %w", d, ctx.Err())
	case <-d.bus.done:
		return fmt.Errorf("chip %s: %w", d, ErrClosed)
	}
	select {
	case <-j.done:
	case <-ctx.Done():
		return fmt.Errorf("chip %s: %w", d, ctx.Err())
	}
	if j.err != nil {
		return fmt.Errorf("chip %s: %w", d, j.err)
	}
	copy(r, j.r)
	return nil
}

// reopenEvery is how long an adapter that is gone is left alone.
const reopenEvery = time.Second

// run owns the adapter.
func (b *Bus) run(open func() (Adapter, error)) {
	defer close(b.done)
	var a Adapter
	var next time.Time
	for {
		select {
		case <-b.quit:
			if a != nil {
				a.Close()
			}
			return
		case j := <-b.jobs:
			a, j.err = b.serve(j, a, &next, open)
			close(j.done)
		}
	}
}

// serve carries out one transfer and returns the adapter if it is still there.
func (b *Bus) serve(j *job, a Adapter, next *time.Time, open func() (Adapter, error)) (Adapter, error) {
	if err := j.ctx.Err(); err != nil {
		return a, err
	}
	if a == nil {
		now := time.Now()
		if now.Before(*next) {
			return nil, ErrUnplugged
		}
		fresh, err := open()
		if err != nil {
			*next = now.Add(reopenEvery)
			return nil, err
		}
		a = fresh
	}
	err := a.Transfer(j.address, j.w, j.r)
	if errors.Is(err, ErrUnplugged) {
		a.Close()
		*next = time.Now().Add(reopenEvery)
		return nil, err
	}
	return a, err
}
