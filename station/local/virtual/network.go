package virtual

import (
	"context"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// wire is the simulated way to the CSMS: real TCP on loopback with latency, and with the delays that lost packets cost.
type wire struct {
	mu      sync.Mutex // everything below
	latency time.Duration
	loss    float64 // percent
}

// retransmission is what the first loss of a packet costs; each further one doubles it (RFC 6298 has 1 s to begin with,
// Linux 200 ms).
const retransmission = 200 * time.Millisecond

// maxRetransmissions bounds the doubling.
const maxRetransmissions = 6

// queued bounds the chunks under way in each direction; a sender beyond it waits, as behind a full window.
const queued = 256

func (w *wire) set(latency time.Duration, loss float64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.latency, w.loss = latency, loss
}

// delay is how long the next chunk takes.
func (w *wire) delay() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	d := w.latency
	for i := 0; i < maxRetransmissions && rand.Float64()*100 < w.loss; i++ {
		d += retransmission << i
	}
	return d
}

// dial connects through the wire.
func (w *wire) dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := &net.Dialer{KeepAlive: 30 * time.Second}
	c, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	lc := &lineConn{Conn: c, wire: w, out: make(chan chunk, queued), in: make(chan chunk, queued), done: make(chan struct{})}
	go lc.pumpOut()
	go lc.pumpIn()
	return lc, nil
}

// chunk is what was written at once, and when it arrives.
type chunk struct {
	data []byte
	at   time.Time
	err  error
}

// lineConn is a connection whose bytes take their time. They never overtake each other.
type lineConn struct {
	net.Conn
	wire    *wire
	out, in chan chunk
	done    chan struct{}
	once    sync.Once
	rest    []byte // of the chunk that Read is in
	err     error
}

func (c *lineConn) Write(b []byte) (int, error) {
	select {
	case c.out <- chunk{data: append([]byte(nil), b...), at: time.Now().Add(c.wire.delay())}:
		return len(b), nil
	case <-c.done:
		return 0, net.ErrClosed
	}
}

func (c *lineConn) pumpOut() {
	for {
		select {
		case ch := <-c.out:
			if !c.await(ch.at) {
				return
			}
			if _, err := c.Conn.Write(ch.data); err != nil {
				_ = c.Close()
				return
			}
		case <-c.done:
			return
		}
	}
}

func (c *lineConn) pumpIn() {
	for {
		b := make([]byte, 4096)
		n, err := c.Conn.Read(b)
		select {
		case c.in <- chunk{data: b[:n], at: time.Now().Add(c.wire.delay()), err: err}:
		case <-c.done:
			return
		}
		if err != nil {
			return
		}
	}
}

// await sleeps until t; false: the connection was closed.
func (c *lineConn) await(t time.Time) bool {
	d := time.Until(t)
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.done:
		return false
	}
}

func (c *lineConn) Read(b []byte) (int, error) {
	for len(c.rest) == 0 {
		if c.err != nil {
			return 0, c.err
		}
		select {
		case ch := <-c.in:
			if !c.await(ch.at) {
				return 0, net.ErrClosed
			}
			c.rest, c.err = ch.data, ch.err
		case <-c.done:
			return 0, net.ErrClosed
		}
	}
	n := copy(b, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func (c *lineConn) Close() error {
	c.once.Do(func() { close(c.done) })
	return c.Conn.Close()
}
