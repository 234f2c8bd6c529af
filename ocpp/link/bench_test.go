package link

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
)

// BenchmarkEngineCall is one CALL of the station and its answer, through the rules alone.
func BenchmarkEngineCall(b *testing.B) {
	e := NewEngine(EngineOptions{IDPrefix: "b"})
	e.Gate(epoch, station.RegistrationAccepted)
	e.Opened(epoch, plain{rpc.V201}, 1, 0)
	answer := make([]byte, 0, 64)
	b.ReportAllocs()
	for b.Loop() {
		out := e.Send(epoch, station.Report{ID: 1, Body: station.Heartbeat{}})
		f, err := rpc.Parse(out.Frames[0], rpc.V201, rpc.Limits{})
		if err != nil {
			b.Fatal(err)
		}
		answer = rpc.AppendCallResult(answer[:0], f.ID, []byte("{}"))
		if out = e.Frame(epoch, answer); len(out.Events) != 1 {
			b.Fatal("no reply")
		}
	}
}

// BenchmarkEngineRequest is one CALL of the CSMS and its answer, through the rules alone.
func BenchmarkEngineRequest(b *testing.B) {
	e := NewEngine(EngineOptions{IDPrefix: "b"})
	e.Opened(epoch, plain{rpc.V201}, 1, 0)
	var body station.ResponseBody = station.Status{Status: "Accepted"}
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		n++
		now := epoch.Add(time.Duration(n) * KeptEvery) // the budget never ends
		out := e.Frame(now, fmt.Appendf(nil, `[2,"%d","ClearCache",{}]`, n))
		id := out.Events[0].(station.RequestReceived).ID
		if out = e.Respond(now, station.Response{ID: id, Body: body}); len(out.Frames) != 1 {
			b.Fatal("no answer")
		}
	}
}

// answering is a CSMS on the loopback interface that answers every CALL with {}.
func answering(tb testing.TB) string {
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { faithful(rw, r, nil) }))
	tb.Cleanup(s.Close)
	return "ws" + strings.TrimPrefix(s.URL, "http")
}

// loopback returns a link that is connected to url and its events.
func loopback(tb testing.TB, url string) (*Link, <-chan station.Event) {
	events := make(chan station.Event, 16)
	l, err := New(Options{
		Config: Config{Identity: "CS1", Profiles: []Profile{profileOf(1, url)}}, Dialects: plainDialects, Events: events, IDPrefix: "b",
	})
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	gone := make(chan struct{})
	go func() { defer close(gone); l.Run(ctx) }()
	tb.Cleanup(func() { cancel(); <-gone })
	if got := showEvent(<-events); got != "up" {
		tb.Fatal(got)
	}
	l.SetGate(station.RegistrationAccepted)
	return l, events
}

// BenchmarkLoopback is one CALL and its answer over TCP, and how many times longer that takes than the WebSocket alone.
func BenchmarkLoopback(b *testing.B) {
	url := answering(b)
	ctx := context.Background()
	ws, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{Subprotocols: []string{"ocpp2.1"}})
	if err != nil {
		b.Fatal(err)
	}
	defer ws.CloseNow()
	l, events := loopback(b, url)
	var bare, whole time.Duration
	n := 0
	for b.Loop() {
		n++
		t0 := time.Now()
		if err := ws.Write(ctx, websocket.MessageText, []byte(`[2,"b1","Heartbeat",{"r":1}]`)); err != nil {
			b.Fatal(err)
		}
		if _, _, err := ws.Read(ctx); err != nil {
			b.Fatal(err)
		}
		t1 := time.Now()
		l.Send(station.Report{ID: 1, Body: station.Heartbeat{}})
		if ev := <-events; showEvent(ev) != "reply 1 Acknowledged" {
			b.Fatal(showEvent(ev))
		}
		bare += t1.Sub(t0)
		whole += time.Since(t1)
	}
	b.ReportMetric(float64(bare.Nanoseconds())/float64(n), "ns/bare")
	b.ReportMetric(float64(whole.Nanoseconds())/float64(n), "ns/link")
	b.ReportMetric(float64(whole)/float64(bare), "x-bare")
}

// The link works over real TCP, with its own dialer, and stops at once.
func TestLoopback(t *testing.T) {
	l, events := loopback(t, answering(t))
	for i := station.ReportID(1); i <= 20; i++ {
		l.Send(station.Report{ID: i, Body: station.Heartbeat{}})
		if got, want := showEvent(<-events), fmt.Sprintf("reply %d Acknowledged", i); got != want {
			t.Fatalf("event %s, want %s", got, want)
		}
	}
}

func TestClosedPortIsAnError(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	if c, err := dialTCP(t.Context(), "tcp", ln.Addr().String()); err == nil {
		c.Close()
		t.Error("connected to a closed port")
	}
}
