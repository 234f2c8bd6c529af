package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

const (
	// WriteTimeout is how long one frame may take to leave. A peer that stops reading fills the TCP window, and then
	// only this ends the wait.
	WriteTimeout = 30 * time.Second

	// MaxPong is the longest wait for a pong; it is less when the ping interval is.
	MaxPong = 20 * time.Second

	// MaxDiscard bounds a frame that is too long: up to here it is read to its end and thrown away, so that the session
	// goes on; beyond, the connection is closed with 1009.
	MaxDiscard = 16 << 20

	slowCore   = time.Second // a message that waited longer was held up by the core
	keptBuffer = 64 << 10    // bytes of read buffer that are kept between frames
	tooLongHas = 256         // bytes of a frame that is too long that are kept: type and id stand there
)

// life counts what arrives on a connection, whatever it is.
type life struct{ n atomic.Uint64 }

func (l *life) heard() { l.n.Add(1) }

// message is what the reader hands to the owner. Its bytes are the reader's again after conn.next.
type message struct {
	data    []byte
	tooLong bool // data is only the beginning
}

// conn is an open connection: a reader, a writer and a pinger. The first of them that fails ends it.
type conn struct {
	ws    *websocket.Conn
	life  *life
	limit int // bytes of a frame

	in      chan message
	next    chan struct{} // the owner is done with the message
	out     chan []byte
	ping    chan time.Duration // a new ping interval
	handing atomic.Bool        // the reader waits for the owner
	waited  atomic.Bool        // and has waited long since the last ping
	writing atomic.Bool

	once   sync.Once
	why    error
	failed chan struct{} // closed when why is set
	quit   chan struct{} // closed by shut
	wrote  chan struct{} // closed when the writer has ended
	done   chan struct{} // closed when every goroutine has ended
	wg     sync.WaitGroup
}

// startConn begins to read, write and ping. shut must be called once.
func startConn(ws *websocket.Conn, l *life, limit int, ping time.Duration) *conn {
	c := &conn{
		ws: ws, life: l, limit: limit,
		in: make(chan message), next: make(chan struct{}, 1), out: make(chan []byte), ping: make(chan time.Duration, 1),
		failed: make(chan struct{}), quit: make(chan struct{}), wrote: make(chan struct{}), done: make(chan struct{}),
	}
	ws.SetReadLimit(MaxDiscard)
	c.wg.Go(c.readAll)
	c.wg.Go(c.writeAll)
	c.wg.Go(func() { c.pingAll(ping) })
	return c
}

// fail ends the connection. The first reason stays.
func (c *conn) fail(why error) {
	c.once.Do(func() {
		c.why = why
		close(c.failed)
	})
}

// shut closes the connection, with a close frame after the frame that is being written if wish is not nil, and returns
// at once; done tells when all is over, which the timeouts of the close handshake bound.
func (c *conn) shut(wish *Close) {
	close(c.quit)
	go func() {
		defer close(c.done)
		if wish != nil {
			select {
			case <-c.wrote:
			case <-time.After(FlushTimeout):
			}
			c.ws.Close(websocket.StatusCode(wish.Code), wish.Reason)
		}
		c.ws.CloseNow()
		c.wg.Wait()
	}()
}

// readAll hands over one message after the other. While the owner does not take one, nothing is read: a slow core
// slows the CSMS down.
func (c *conn) readAll() {
	buf := make([]byte, 0, 4096)
	for {
		_, r, err := c.ws.Reader(context.Background())
		if err == nil {
			buf, err = c.message(r, buf[:0])
		}
		if err != nil {
			c.fail(readFault(err))
			return
		}
		m := message{data: buf}
		if len(buf) > c.limit {
			m = message{data: buf[:min(tooLongHas, c.limit)], tooLong: true}
		}
		if !c.hand(m) {
			return
		}
		if cap(buf) > keptBuffer {
			buf = make([]byte, 0, 4096)
		}
	}
}

// hand gives m to the owner and waits until it has been dealt with; false: the connection is shut.
func (c *conn) hand(m message) bool {
	c.handing.Store(true)
	began := time.Now()
	defer func() {
		if time.Since(began) > slowCore {
			c.waited.Store(true)
		}
		c.handing.Store(false)
	}()
	select {
	case c.in <- m:
	case <-c.quit:
		return false
	}
	select {
	case <-c.next:
		return true
	case <-c.quit:
		return false
	}
}

// message reads one message into buf, at most one byte more than the limit; the rest is read and thrown away.
func (c *conn) message(r io.Reader, buf []byte) ([]byte, error) {
	var waste [512]byte
	for {
		room := waste[:]
		if len(buf) <= c.limit {
			if len(buf) == cap(buf) {
				buf = append(buf, 0)[:len(buf)]
			}
			room = buf[len(buf):min(cap(buf), c.limit+1)]
		}
		n, err := r.Read(room)
		c.life.heard()
		if len(buf) <= c.limit {
			buf = buf[:len(buf)+n]
		}
		if errors.Is(err, io.EOF) {
			return buf, nil
		}
		if err != nil {
			return buf, err
		}
	}
}

func (c *conn) writeAll() {
	defer close(c.wrote)
	for {
		select {
		case f := <-c.out:
			if err := c.write(f); err != nil {
				c.fail(fmt.Errorf("write: %w", err))
				return
			}
		case <-c.quit:
			return
		}
	}
}

func (c *conn) write(f []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), WriteTimeout)
	defer cancel()
	c.writing.Store(true)
	defer c.writing.Store(false)
	return c.ws.Write(ctx, websocket.MessageText, f)
}

// pingAll pings every interval. The connection has failed when after a ping nothing at all was heard for the time of
// a pong, while we were listening and not writing.
func (c *conn) pingAll(interval time.Duration) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		var tick <-chan time.Time
		if interval > 0 {
			timer.Reset(interval)
			tick = timer.C
		}
		select {
		case <-tick:
			if !c.pong(interval) {
				c.fail(errors.New("no pong"))
				return
			}
		case interval = <-c.ping:
		case <-c.quit:
			return
		case <-c.failed:
			return
		}
	}
}

// pong sends a ping and tells whether the peer lives. While the core keeps us from reading none is sent: the peer could
// not get its pong through what we have not read.
func (c *conn) pong(interval time.Duration) bool {
	if c.waited.Swap(false) || c.handing.Load() {
		return true
	}
	before := c.life.n.Load()
	ctx, cancel := context.WithTimeout(context.Background(), min(interval, MaxPong))
	defer cancel()
	err := c.ws.Ping(ctx)
	return err == nil || c.life.n.Load() != before || c.handing.Load() || c.writing.Load()
}

// pingEvery changes the ping interval.
func (c *conn) pingEvery(interval time.Duration) {
	select {
	case <-c.ping:
	default:
	}
	c.ping <- interval
}

// readFault names how the peer ended the connection.
func readFault(err error) error {
	var closed websocket.CloseError
	if errors.As(err, &closed) {
		return fmt.Errorf("closed by the server with %d %q", closed.Code, closed.Reason)
	}
	return fmt.Errorf("read: %w", err)
}
