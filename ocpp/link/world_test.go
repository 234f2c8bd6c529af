package link

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/link/faultnet"
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

	net    *faultnet.Network
	server http.Server
}

// in runs f in a bubble with a CSMS that behaves as serve says, and a link that is configured by change.
func in(t *testing.T, change func(*Options), serve func(w *world, n int, rw http.ResponseWriter, r *http.Request), f func(w *world)) {
	t.Helper()
	inTLS(t, nil, change, serve, f)
}

// inTLS is in with a CSMS that speaks TLS; nil: it does not.
func inTLS(t *testing.T, conf func() *tls.Config, change func(*Options), serve func(w *world, n int, rw http.ResponseWriter, r *http.Request), f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, events: make(chan station.Event, 64), gone: make(chan struct{}), start: time.Now()}
		w.net = faultnet.NewNetwork()
		w.server.ErrorLog = log.New(io.Discard, "", 0)
		var n atomic.Int64
		w.server.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { serve(w, int(n.Add(1)), rw, r) })
		var listener net.Listener = w.net
		if conf != nil {
			listener = tls.NewListener(w.net, conf())
			w.net.SetWire(func(_ int, c net.Conn) net.Conn { return faultnet.Line(c, func() time.Duration { return 0 }) }) // with a buffer, as TCP has one
		}
		go w.server.Serve(listener)
		o := Options{
			Config: Config{
				Identity:     "CS 1",
				Profiles:     []Profile{profileOf(1, "ws://csms.test/ocpp")},
				PingInterval: 60 * time.Second, BackOffMinimum: 10 * time.Second, BackOffRange: 0, BackOffRepeat: 3,
			},
			Dialects: []ocpp.Dialect{plain{rpc.V21}, plain{rpc.V201}},
			Events:   w.events,
			IDPrefix: "t-",
			Dial:     w.net.Dial,
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
	w.net.Close()
	w.server.Close()
	time.Sleep(time.Minute) // virtual: what the server's side of dead connections still waits for
}

// dialled is when connections were asked for, since the start.
func (w *world) dialled() (at []time.Duration) {
	for _, t := range w.net.Dials() {
		at = append(at, t.Sub(w.start))
	}
	return at
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
	return websocket.Accept(rw, r, &websocket.AcceptOptions{Subprotocols: csmsSpeaks})
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

// csmsSpeaks are those that the CSMS of a world speaks.
var csmsSpeaks = []string{"ocpp2.1", "ocpp2.0.1"}

// mute keeps the WebSocket alive and never says a word.
func mute(rw http.ResponseWriter, r *http.Request) { faultnet.Mute(csmsSpeaks...).ServeHTTP(rw, r) }

var errNoRoute = errors.New("no route")
