package modbus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// Port of Modbus/TCP, and how a connection that cannot be made is tried again.
const (
	PortTCP     = 502
	firstRedial = 500 * time.Millisecond
	lastRedial  = 10 * time.Second
)

// tcp is a connection that is made when it is needed.
type tcp struct {
	address string
	dial    func(ctx context.Context, address string) (net.Conn, error)
	life    context.Context
	end     context.CancelFunc

	conn        net.Conn
	transaction uint16
	wait        time.Duration
	next        time.Time
	buf         [2 * (headerTCP + maxPDU)]byte
}

// DialTCP returns the bus behind a Modbus/TCP server or gateway; address is HOST:PORT. The connection is made with the
// first request, and again when it was lost.
func DialTCP(address string, o Options) *Bus {
	var d net.Dialer
	return newTCP(address, o, func(ctx context.Context, address string) (net.Conn, error) {
		return d.DialContext(ctx, "tcp", address)
	})
}

func newTCP(address string, o Options, dial func(context.Context, string) (net.Conn, error)) *Bus {
	w := &tcp{address: address, dial: dial}
	w.life, w.end = context.WithCancel(context.Background())
	return newBus(address, w, o)
}

// broadcasts: a server over TCP answers for unit 0 as for itself (TCP/IP Guide V1.0b, section 4.4.2.1).
func (w *tcp) broadcasts(uint8) bool { return false }

func (w *tcp) interrupt() error {
	w.end()
	return nil
}

func (w *tcp) exchange(r request, p patience) ([]uint16, error) {
	deadline := p.until(time.Now())
	if err := w.connect(deadline); err != nil {
		return nil, err
	}
	conn := w.conn
	stop := context.AfterFunc(w.life, func() { conn.Close() })
	defer stop()
	w.transaction++
	w.conn.SetDeadline(deadline)
	if _, err := w.conn.Write(AppendTCP(nil, w.transaction, r.unit, r.pdu)); err != nil {
		w.hangUp()
		return nil, fmt.Errorf("%w: %w", ErrNoAnswer, err)
	}
	return w.listen(r)
}

// listen reads frames until the one of this transaction; answers to earlier ones have come too late.
func (w *tcp) listen(r request) ([]uint16, error) {
	n := 0
	for {
		transaction, unit, pdu, rest, err := ParseTCP(w.buf[:n])
		switch {
		case errors.Is(err, ErrShort):
			got, err := w.conn.Read(w.buf[n:])
			n += got
			if err != nil && got == 0 {
				return nil, w.broken(n, err)
			}
			continue
		case err != nil:
			w.hangUp()
			return nil, err
		case transaction != w.transaction:
			n = copy(w.buf[:], rest)
			continue
		}
		if len(rest) > 0 {
			w.hangUp()
			return nil, fmt.Errorf("%w: %d bytes after it", ErrAnswer, len(rest))
		}
		if unit != r.unit {
			return nil, fmt.Errorf("%w: unit %d", ErrForeign, unit)
		}
		return r.answer(pdu)
	}
}

// broken says why no answer came. A connection is kept only where the next frame begins at a known place.
func (w *tcp) broken(n int, err error) error {
	late := errors.Is(err, os.ErrDeadlineExceeded)
	if late && n == 0 {
		return ErrNoAnswer
	}
	w.hangUp()
	switch {
	case late:
		return fmt.Errorf("%w: %d bytes", ErrShort, n)
	case errors.Is(err, io.EOF):
		return fmt.Errorf("%w: the server closed the connection", ErrNoAnswer)
	}
	return fmt.Errorf("%w: %w", ErrNoAnswer, err)
}

// connect makes the connection unless there is one.
func (w *tcp) connect(deadline time.Time) error {
	if w.conn != nil {
		return nil
	}
	if now := time.Now(); now.Before(w.next) {
		return fmt.Errorf("%w: not connected, next try in %v", ErrNoAnswer, w.next.Sub(now).Round(100*time.Millisecond))
	}
	ctx, cancel := context.WithDeadline(w.life, deadline)
	defer cancel()
	conn, err := w.dial(ctx, w.address)
	if err != nil {
		w.wait = min(max(2*w.wait, firstRedial), lastRedial)
		w.next = time.Now().Add(w.wait)
		return fmt.Errorf("%w: connect: %w", ErrNoAnswer, err)
	}
	w.conn, w.wait, w.next = conn, 0, time.Time{}
	return nil
}

func (w *tcp) hangUp() {
	if w.conn != nil {
		w.conn.Close()
		w.conn = nil
	}
}
