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

	// MaxMessage bounds a message. One that is longer than Limits.Frame is read to its end, part by part, or thrown away,
	// so that the session goes on; beyond, the connection is closed with 1009.
	MaxMessage = 32 << 20

	slowCore     = time.Second // a message that waited longer was held up by the core
	firstBuffer  = 4 << 10     // bytes; nearly every message of a CSMS is shorter
	keptBuffer   = 16 << 10    // bytes of read buffer that outlast the messages that need them
	tracedOfLong = 256         // bytes of a message that is too long that are traced: type and id stand there
)

// life counts what arrives on a connection, whatever it is.
type life struct {
	n     atomic.Uint64
	pings pace // of the reader alone
}

func (l *life) heard() { l.n.Add(1) }

// ping takes a ping, slowly if there are many, and tells whether to answer it.
func (l *life) ping() bool {
	answer := l.pinged(time.Now())
	if !answer {
		time.Sleep(MessageEvery)
	}
	return answer
}

// pinged counts a ping and tells whether to answer it. Of many only some need to be (RFC 6455, 5.5.3).
func (l *life) pinged(now time.Time) bool {
	l.heard()
	if now.Before(l.pings.free(PingEvery, PingBurst)) {
		return false
	}
	l.pings.spend(now, PingEvery)
	return true
}

// message is what the reader hands to the owner. Its bytes are the reader's again after conn.next.
type message struct {
	data []byte
	part part
}

// part is what of a message there is.
type part uint8

const (
	whole     part = iota
	beginning      // of one that is longer than the limit
	middle
	end
)

// wire is what a connection runs over: a WebSocket, or what stands for one (soap.go).
type wire interface {
	Close(code websocket.StatusCode, reason string) error
	CloseNow() error
}

// conn is an open connection: a reader, a writer and a pinger. The first of them that fails ends it.
type conn struct {
	wire  wire
	ws    *websocket.Conn
	life  *life
	limit int // bytes of a frame

	in        chan message
	next      chan bool // the owner is done with the message, and wants more of it
	out       chan []byte
	ping      chan time.Duration // a new ping interval
	strangers chan *Distrust     // who called over SOAP and was not let in
	handing   atomic.Bool        // the reader waits for the owner
	waited    atomic.Bool        // and has waited long since the last ping
	writing   atomic.Bool

	once   sync.Once
	why    error
	wish   *Close        // how to close after why; nil: there is nobody to tell
	failed chan struct{} // closed when why is set
	quit   chan struct{} // closed by shut
	wrote  chan struct{} // closed when the writer has ended
	done   chan struct{} // closed when every goroutine has ended
	wg     sync.WaitGroup
}

func newConn(l *life, limit int) *conn {
	return &conn{
		life: l, limit: limit,
		in: make(chan message), next: make(chan bool, 1), out: make(chan []byte), ping: make(chan time.Duration, 1), strangers: make(chan *Distrust, 1),
		failed: make(chan struct{}), quit: make(chan struct{}), wrote: make(chan struct{}), done: make(chan struct{}),
	}
}

// startConn begins to read, write and ping. shut must be called once.
func startConn(ws *websocket.Conn, l *life, limit int, ping time.Duration) *conn {
	c := newConn(l, limit)
	c.wire, c.ws = ws, ws
	ws.SetReadLimit(MaxMessage)
	c.wg.Go(c.readAll)
	c.wg.Go(c.writeAll)
	c.wg.Go(func() { c.pingAll(ping) })
	return c
}

// fail ends the connection. The first reason stays.
func (c *conn) fail(why error) {
	c.once.Do(func() {
		if c.why = why; errors.Is(why, errBinary) {
			c.wish = &Close{Code: codeUnsupported, Reason: why.Error()}
		}
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
			c.wire.Close(websocket.StatusCode(wish.Code), wish.Reason)
		}
		c.wire.CloseNow()
		c.wg.Wait()
	}()
}

// readAll hands over one message after the other. While the owner does not take one, nothing is read: a slow core
// slows the CSMS down.
func (c *conn) readAll() {
	buf := make([]byte, 0, firstBuffer)
	for {
		kind, r, err := c.ws.Reader(context.Background())
		if err == nil && kind != websocket.MessageText {
			err = errBinary
		}
		n := 0
		if err == nil {
			buf, n, err = c.message(r, buf[:0])
		}
		if err != nil {
			c.fail(readFault(err))
			return
		}
		if n <= keptBuffer && cap(buf) > keptBuffer { // long ones have come to an end
			buf = make([]byte, 0, firstBuffer)
		}
	}
}

// errBinary ends a connection: OCPP-J is text (part 4, 4.1.2), and a peer that sends something else speaks something else.
var errBinary = errors.New("binary message")

// hand gives m to the owner, waits until it has been dealt with and returns whether more of the message is wanted.
func (c *conn) hand(m message) (bool, error) {
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
		return false, errShut
	}
	select {
	case more := <-c.next:
		return more, nil
	case <-c.quit:
		return false, errShut
	}
}

var errShut = errors.New("connection is shut")

// message reads one message into buf and hands it over: whole, or in parts of buf's length if it is longer than the
// limit. n is how much of buf it needed.
func (c *conn) message(r io.Reader, buf []byte) (_ []byte, n int, err error) {
	buf, err = c.fill(r, buf, c.limit+1)
	n = len(buf)
	if errors.Is(err, io.EOF) {
		_, err = c.hand(message{data: buf})
		return buf, n, err
	}
	if err != nil {
		return buf, n, err
	}
	more, err := c.hand(message{data: buf, part: beginning})
	for last := false; err == nil && !last; {
		p := message{part: middle}
		p.data, err = c.fill(r, buf[:0], c.limit)
		if last = errors.Is(err, io.EOF); last {
			p.part, err = end, nil
		}
		if more && err == nil {
			more, err = c.hand(p)
		}
	}
	return buf, n, err
}

// fill reads until buf holds n bytes, or to the end of the message: io.EOF then. A buffer that gets long is made as long
// as any may be at once, not again and again.
func (c *conn) fill(r io.Reader, buf []byte, n int) ([]byte, error) {
	for len(buf) < n {
		if len(buf) == cap(buf) {
			size := min(2*cap(buf), n)
			if size > keptBuffer {
				size = n
			}
			buf = append(make([]byte, 0, size), buf...)
		}
		got, err := r.Read(buf[len(buf):min(cap(buf), n)])
		c.life.heard()
		buf = buf[:len(buf)+got]
		if err != nil {
			return buf, err
		}
	}
	return buf, nil
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
