package faultnet

import (
	"net"
	"sync"
	"time"
)

// queued bounds the chunks under way in each direction of a Line; a sender beyond it waits, as behind a full window. The
// simulated station holds them in its own memory, which a flood must not make much larger than it is.
const (
	queued  = 64
	segment = 4096       // bytes of a chunk from outside
	spares  = queued + 2 // segments that are kept to be used again: all there can be, so that a flood makes no garbage
)

// Line returns a connection over c whose bytes take their time: each chunk as long as delay says when it sets out. They
// never overtake each other.
func Line(c net.Conn, delay func() time.Duration) net.Conn {
	l := &line{Conn: c, delay: delay, out: make(chan chunk, queued), in: make(chan chunk, queued), spare: make(chan []byte, spares), done: make(chan struct{})}
	go l.pumpOut()
	go l.pumpIn()
	return l
}

// chunk is what was written at once, and when it arrives.
type chunk struct {
	data []byte
	at   time.Time
	err  error
}

type line struct {
	net.Conn
	delay   func() time.Duration
	out, in chan chunk
	spare   chan []byte // read, and free for the next chunk
	done    chan struct{}
	once    sync.Once
	whole   []byte // the chunk that Read is in
	rest    []byte // of it
	err     error
}

func (c *line) Write(b []byte) (int, error) {
	select {
	case <-c.done:
		return 0, net.ErrClosed
	default:
	}
	select {
	case c.out <- chunk{data: append([]byte(nil), b...), at: time.Now().Add(c.delay())}:
		return len(b), nil
	case <-c.done:
		return 0, net.ErrClosed
	}
}

func (c *line) pumpOut() {
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

func (c *line) pumpIn() {
	for {
		b := c.room()
		n, err := c.Conn.Read(b)
		select {
		case c.in <- chunk{data: b[:n], at: time.Now().Add(c.delay()), err: err}:
		case <-c.done:
			return
		}
		if err != nil {
			return
		}
	}
}

// room returns a segment, of those that were read if there is one.
func (c *line) room() []byte {
	select {
	case b := <-c.spare:
		return b[:segment]
	default:
		return make([]byte, segment)
	}
}

// await sleeps until t; false: the connection was closed.
func (c *line) await(t time.Time) bool {
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

func (c *line) Read(b []byte) (int, error) {
	for len(c.rest) == 0 {
		if c.err != nil {
			return 0, c.err
		}
		select {
		case ch := <-c.in:
			if !c.await(ch.at) {
				return 0, net.ErrClosed
			}
			c.whole, c.rest, c.err = ch.data, ch.data, ch.err
		case <-c.done:
			return 0, net.ErrClosed
		}
	}
	n := copy(b, c.rest)
	if n < len(c.rest) {
		c.rest = c.rest[n:]
		return n, nil
	}
	select {
	case c.spare <- c.whole:
	default:
	}
	c.rest, c.whole = nil, nil
	return n, nil
}

func (c *line) Close() error {
	c.once.Do(func() { close(c.done) })
	return c.Conn.Close()
}
