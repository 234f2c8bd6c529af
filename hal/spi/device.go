package spi

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// What is wrong with a transfer, wrapped with the device.
var (
	ErrUnplugged = errors.New("device is gone")
	ErrClosed    = errors.New("device is closed")
)

// MaxTransfer bounds one transfer: what spidev takes unless its module is told otherwise.
const MaxTransfer = 4096

// Wire carries out transfers, one at a time.
type Wire interface {
	// Transfer clocks out w while it clocks in r, which is as long.
	Transfer(w, r []byte) error
	Close() error
}

// Device is one chip.
type Device struct {
	name string
	jobs chan *job
	quit chan struct{}
	done chan struct{}
	once sync.Once
}

type job struct {
	ctx  context.Context
	w, r []byte
	err  error
	done chan struct{}
}

// On makes a device of a wire. open is called again after a transfer that ended with ErrUnplugged, at most every
// reopenEvery, and may fail with it.
func On(name string, open func() (Wire, error)) *Device {
	d := &Device{name: name, jobs: make(chan *job), quit: make(chan struct{}), done: make(chan struct{})}
	go d.run(open)
	return d
}

// String names the device.
func (d *Device) String() string { return "SPI device " + d.name }

// Close ends the device: whoever waits is told ErrClosed.
func (d *Device) Close() error {
	d.once.Do(func() { close(d.quit) })
	<-d.done
	return nil
}

// Transfer clocks out w while it clocks in r, with the chip selected throughout. r is as long as w.
func (d *Device) Transfer(ctx context.Context, w, r []byte) error {
	if len(w) == 0 || len(w) > MaxTransfer || len(r) != len(w) {
		return fmt.Errorf("%s: transfer of %d and %d bytes: want as many, 1 to %d", d, len(w), len(r), MaxTransfer)
	}
	// Copies: a caller whose deadline has come is gone before the kernel is.
	j := &job{ctx: ctx, w: append([]byte(nil), w...), r: make([]byte, len(r)), done: make(chan struct{})}
	select {
	case d.jobs <- j:
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", d, ctx.Err())
	case <-d.done:
		return fmt.Errorf("%s: %w", d, ErrClosed)
	}
	select {
	case <-j.done:
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", d, ctx.Err())
	}
	if j.err != nil {
		return fmt.Errorf("%s: %w", d, j.err)
	}
	copy(r, j.r)
	return nil
}

// reopenEvery is how long a device that is gone is left alone.
const reopenEvery = time.Second

// run owns the wire.
func (d *Device) run(open func() (Wire, error)) {
	defer close(d.done)
	var w Wire
	var next time.Time
	for {
		select {
		case <-d.quit:
			if w != nil {
				w.Close()
			}
			return
		case j := <-d.jobs:
			w, j.err = serve(j, w, &next, open)
			close(j.done)
		}
	}
}

// serve carries out one transfer and returns the wire if it is still there.
func serve(j *job, w Wire, next *time.Time, open func() (Wire, error)) (Wire, error) {
	if err := j.ctx.Err(); err != nil {
		return w, err
	}
	if w == nil {
		now := time.Now()
		if now.Before(*next) {
			return nil, ErrUnplugged
		}
		fresh, err := open()
		if err != nil {
			*next = now.Add(reopenEvery)
			return nil, err
		}
		w = fresh
	}
	err := w.Transfer(j.w, j.r)
	if errors.Is(err, ErrUnplugged) {
		w.Close()
		*next = time.Now().Add(reopenEvery)
		return nil, err
	}
	return w, err
}
