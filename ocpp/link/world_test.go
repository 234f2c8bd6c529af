package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
)

// world is a link, a CSMS and the wires between them, in one synctest bubble.
type world struct {
	t      *testing.T
	l      *Link
	events chan station.Event
	cancel context.CancelFunc
	gone   chan struct{} // Run has returned
	start  time.Time

	mu     sync.Mutex // guards what follows
	dials  []time.Duration
	wire   func(n int, c net.Conn) net.Conn // nil: as it is
	server *pipeServer
}

// pipeServer is an HTTP server whose connections come from net.Pipe.
type pipeServer struct {
	http.Server
	conns  chan net.Conn
	closed chan struct{}
}

func (s *pipeServer) Accept() (net.Conn, error) {
	select {
	case c := <-s.conns:
		return c, nil
	case <-s.closed:
		return nil, net.ErrClosed
	}
}
func (s *pipeServer) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }
func (s *pipeServer) Close() error   { return nil }

// in runs f in a bubble with a CSMS that behaves as serve says, and a link that is configured by change.
func in(t *testing.T, change func(*Options), serve func(w *world, n int, rw http.ResponseWriter, r *http.Request), f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, events: make(chan station.Event, 64), gone: make(chan struct{}), start: time.Now()}
		w.server = &pipeServer{conns: make(chan net.Conn), closed: make(chan struct{})}
		w.server.ErrorLog = log.New(io.Discard, "", 0)
		n := 0
		w.server.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			w.mu.Lock()
			n++
			i := n
			w.mu.Unlock()
			serve(w, i, rw, r)
		})
		go w.server.Serve(w.server)
		o := Options{
			Config: Config{
				Identity:     "CS 1",
				Profiles:     []Profile{profileOf(1, "ws://csms.test/ocpp")},
				PingInterval: 60 * time.Second, BackOffMinimum: 10 * time.Second, BackOffRange: 0, BackOffRepeat: 3,
			},
			Dialects: []ocpp.Dialect{plain{rpc.V21}, plain{rpc.V201}},
			Events:   w.events,
			IDPrefix: "t-",
			Dial:     w.dial,
		}
		if change != nil {
			change(&o)
		}
		l, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		w.l = l
		ctx, cancel := context.WithCancel(context.Background())
		w.cancel = cancel
		go func() { defer close(w.gone); l.Run(ctx) }()
		defer w.stop()
		f(w)
	})
}

func profileOf(slot int, url string) Profile {
	return Profile{Slot: slot, NetworkProfile: station.NetworkProfile{URL: url}}
}

// stop ends the link and the server; the bubble itself checks that nothing stays behind.
func (w *world) stop() {
	w.cancel()
	before := time.Now()
	<-w.gone
	if d := time.Since(before); d > 100*time.Millisecond {
		w.t.Errorf("the link took %v to stop", d)
	}
	close(w.server.closed)
	w.server.Server.Close()
	time.Sleep(time.Minute) // virtual: what the server's side of dead connections still waits for
}

func (w *world) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	w.mu.Lock()
	w.dials = append(w.dials, time.Since(w.start))
	n, wire := len(w.dials), w.wire
	w.mu.Unlock()
	var c net.Conn = near
	if wire != nil {
		if c = wire(n, near); c == nil {
			<-ctx.Done()
			return nil, ctx.Err()
		}
	}
	select {
	case w.server.conns <- far:
		return c, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (w *world) dialled() []time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]time.Duration(nil), w.dials...)
}

// next returns the next event for the core, waiting for it at most d.
func (w *world) next(d time.Duration) station.Event {
	w.t.Helper()
	select {
	case ev := <-w.events:
		return ev
	case <-time.After(d + time.Millisecond):
		w.t.Fatalf("no event within %v; dials %v, %+v", d, w.dialled(), w.l.Stats())
		return nil
	}
}

func (w *world) want(d time.Duration, line string) station.Event {
	w.t.Helper()
	ev := w.next(d)
	if got := showEvent(ev); !strings.HasPrefix(got, line) {
		w.t.Fatalf("event %s, want %s", got, line)
	}
	return ev
}

// accept takes the WebSocket of r with the newest subprotocol.
func accept(rw http.ResponseWriter, r *http.Request) (*websocket.Conn, error) {
	return websocket.Accept(rw, r, &websocket.AcceptOptions{Subprotocols: []string{"ocpp2.1", "ocpp2.0.1"}})
}

// faithful answers every CALL with {} and gives every answer to got, until the connection ends.
func faithful(rw http.ResponseWriter, r *http.Request, got func(*websocket.Conn, string)) {
	ws, err := accept(rw, r)
	if err != nil {
		return
	}
	defer ws.CloseNow()
	for {
		_, data, err := ws.Read(context.Background())
		if err != nil {
			return
		}
		f, err := rpc.Parse(data, rpc.V21, rpc.Limits{})
		if err != nil {
			panic(fmt.Sprintf("frame %q: %v", data, err))
		}
		if got != nil {
			got(ws, string(data))
		}
		if f.Type != rpc.Call {
			continue
		}
		if ws.Write(context.Background(), websocket.MessageText, rpc.AppendCallResult(nil, f.ID, []byte("{}"))) != nil {
			return
		}
	}
}

func faithfulServer(_ *world, _ int, rw http.ResponseWriter, r *http.Request) { faithful(rw, r, nil) }

// mute keeps the WebSocket alive and never says a word.
func mute(rw http.ResponseWriter, r *http.Request) {
	ws, err := accept(rw, r)
	if err != nil {
		return
	}
	defer ws.CloseNow()
	for {
		if _, _, err := ws.Read(context.Background()); err != nil {
			return
		}
	}
}

// hole is a wire that, after so many bytes, swallows what is written and brings nothing more. It never errs.
type hole struct {
	net.Conn
	mu      sync.Mutex // guards in, out
	in, out int        // bytes still let through; < 0: all
	block   bool       // written bytes block the writer instead
	closed  chan struct{}
	once    sync.Once
}

func newHole(c net.Conn, in, out int, block bool) *hole {
	return &hole{Conn: c, in: in, out: out, block: block, closed: make(chan struct{})}
}

// some takes at most n from *budget.
func (h *hole) some(budget *int, n int) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	if *budget < 0 {
		return n
	}
	n = min(n, *budget)
	*budget -= n
	return n
}

func (h *hole) Read(p []byte) (int, error) {
	n := h.some(&h.in, len(p))
	if n == 0 {
		<-h.closed
		return 0, io.ErrClosedPipe
	}
	m, err := h.Conn.Read(p[:n])
	h.mu.Lock()
	if h.in >= 0 {
		h.in += n - m
	}
	h.mu.Unlock()
	return m, err
}

func (h *hole) Write(p []byte) (int, error) {
	n := h.some(&h.out, len(p))
	if n > 0 {
		if m, err := h.Conn.Write(p[:n]); err != nil {
			return m, err
		}
	}
	if n < len(p) && h.block {
		<-h.closed
		return n, io.ErrClosedPipe
	}
	return len(p), nil
}

func (h *hole) Close() error {
	h.once.Do(func() { close(h.closed) })
	return h.Conn.Close()
}

var errNoRoute = errors.New("no route")
