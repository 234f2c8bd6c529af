package pn532

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/evsed/evsed/hal/i2c"
)

// Link carries frames to a chip and back.
type Link interface {
	// wake makes a sleeping chip listen to the frame that is sent at once afterwards.
	wake(ctx context.Context) error
	send(ctx context.Context, b []byte) error
	// receive waits for a frame, of at most so many bytes if all is well; errChecksum and errShort say that one was
	// spoilt.
	receive(ctx context.Context, most int) (frame, error)
	// drop forgets what has come.
	drop(ctx context.Context) error
	close() error
}

// Port is a serial port at 115200 8N1, like *serial.Port.
type Port interface {
	Read([]byte) (int, error)
	Write([]byte) (int, error)
	SetDeadline(time.Time) error
	Drop() error
	Close() error
}

// OverSerial speaks to a chip at a UART ("HSU"). The port belongs to the link from then on.
func OverSerial(p Port) Link { return &serialLink{port: p} }

type serialLink struct {
	port Port
	buf  []byte // came and is not a whole frame yet
}

// wakeBytes are two edges that wake the chip, and time for its clock to settle: at 115200 bit/s more than a
// millisecond (manual, 7.2.11).
var wakeBytes = []byte{0x55, 0x55, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}

func (l *serialLink) wake(ctx context.Context) error { return l.send(ctx, wakeBytes) }

func (l *serialLink) send(ctx context.Context, b []byte) error {
	l.port.SetDeadline(deadline(ctx))
	_, err := l.port.Write(b)
	return err
}

func (l *serialLink) receive(ctx context.Context, _ int) (frame, error) {
	chunk := make([]byte, 64)
	for {
		f, n, err := next(l.buf)
		l.buf = l.buf[n:]
		if err == nil || !errors.Is(err, errShort) {
			return f, err
		}
		if err := ctx.Err(); err != nil {
			return frame{}, l.cut(err)
		}
		l.port.SetDeadline(l.until(ctx))
		n, err = l.port.Read(chunk)
		if err != nil {
			return frame{}, l.cut(err)
		}
		l.buf = append(l.buf, chunk[:n]...)
	}
}

// until is when to give up: a frame that has begun comes without a break.
func (l *serialLink) until(ctx context.Context) time.Time {
	end := deadline(ctx)
	if soon := time.Now().Add(gap); len(l.buf) > 1 && (end.IsZero() || soon.Before(end)) {
		return soon
	}
	return end
}

// gap is the longest break within a frame: an adapter at USB sends what it has every 16 ms.
const gap = 60 * time.Millisecond

// cut tells half a frame from silence.
func (l *serialLink) cut(err error) error {
	if len(l.buf) > 1 {
		l.buf = nil
		return fmt.Errorf("%w: %w", errShort, err)
	}
	return err
}

func (l *serialLink) drop(ctx context.Context) error {
	l.buf = nil
	l.port.SetDeadline(deadline(ctx))
	return l.port.Drop()
}

func (l *serialLink) close() error { return l.port.Close() }

func deadline(ctx context.Context) time.Time {
	t, _ := ctx.Deadline()
	return t
}

// Address is the chip's address on an I2C bus; it has no other.
const Address = 0x24

// OverI2C speaks to a chip on an I2C bus.
func OverI2C(d *i2c.Device) Link { return i2cLink{d} }

type i2cLink struct{ chip *i2c.Device }

const busyPause = 3 * time.Millisecond // between two looks at the ready bit

// wake addresses the chip: that wakes it, and it holds the clock until it is awake (manual, 6.2.4).
func (l i2cLink) wake(ctx context.Context) error {
	err := l.chip.Transfer(ctx, nil, make([]byte, 1))
	if errors.Is(err, i2c.ErrNoAnswer) {
		return pause(ctx, busyPause) // it did not get up in time; the next transfer finds it awake
	}
	return err
}

func (l i2cLink) send(ctx context.Context, b []byte) error { return l.chip.Transfer(ctx, b, nil) }

// receive waits for the ready bit that precedes each read, and reads the frame in one go: a second read begins anew
// with the ready bit, and what was not read of a frame is lost but for a NACK.
func (l i2cLink) receive(ctx context.Context, most int) (frame, error) {
	status := make([]byte, 1)
	for {
		err := l.chip.Transfer(ctx, nil, status)
		if err != nil && !errors.Is(err, i2c.ErrNoAnswer) {
			return frame{}, err
		}
		if err == nil && status[0]&1 != 0 {
			break
		}
		if late := pause(ctx, busyPause); late != nil {
			if err != nil {
				return frame{}, err
			}
			return frame{}, late
		}
	}
	f, err := l.read(ctx, most)
	if !errors.Is(err, errShort) {
		return f, err
	}
	if err := l.send(ctx, nackBytes); err != nil {
		return frame{}, err
	}
	if err := pause(ctx, busyPause); err != nil {
		return frame{}, err
	}
	return l.read(ctx, maxFrame)
}

func (l i2cLink) read(ctx context.Context, n int) (frame, error) {
	b := make([]byte, 1+n)
	if err := l.chip.Transfer(ctx, nil, b); err != nil {
		return frame{}, err
	}
	f, _, err := next(b[1:])
	return f, err
}

// drop reads away an answer that nobody waits for any more.
func (l i2cLink) drop(ctx context.Context) error {
	status := make([]byte, 1)
	if err := l.chip.Transfer(ctx, nil, status); err != nil || status[0]&1 == 0 {
		return nil // asleep or with nothing to say: both are fine here
	}
	_, err := l.read(ctx, maxFrame)
	if errors.Is(err, errShort) || errors.Is(err, errChecksum) {
		return nil
	}
	return err
}

func (l i2cLink) close() error {
	l.chip.Release()
	return nil
}

// pause waits, or says that ctx is over.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
