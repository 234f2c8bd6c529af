package link

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
)

func TestPace(t *testing.T) {
	var p pace
	for i := range 4 {
		if p.free(time.Second, 4).After(epoch) {
			t.Errorf("none is free after %d of 4", i)
		}
		p.spend(epoch, time.Second)
	}
	if free := p.free(time.Second, 4); !free.Equal(epoch) {
		t.Errorf("the fifth is free at %v", free)
	}
	p.spend(epoch, time.Second)
	if free := p.free(time.Second, 4); !free.Equal(epoch.Add(time.Second)) {
		t.Errorf("the sixth is free at %v", free)
	}
	p.spend(epoch.Add(time.Hour), time.Second)
	if free := p.free(time.Second, 4); !free.Equal(epoch.Add(time.Hour - 3*time.Second)) {
		t.Errorf("after an hour four are not free: %v", free)
	}
}

func TestLongMessagesTakeLonger(t *testing.T) {
	for _, test := range []struct {
		m    message
		want time.Duration
	}{
		{message{}, MessageEvery},
		{message{data: make([]byte, MessageSize-1)}, MessageEvery},
		{message{data: make([]byte, 5*MessageSize)}, 6 * MessageEvery},
		{message{data: make([]byte, DefaultFrame), part: middle}, MessageEvery},
	} {
		if got := messageCost(test.m); got != test.want {
			t.Errorf("%d bytes, part %d: %v, want %v", len(test.m.data), test.m.part, got, test.want)
		}
	}
}

// What nobody asked for is read at its pace, all of it; the answers to what the station asks are not held up.
func TestAFloodIsReadAtItsPace(t *testing.T) {
	const flood = 2000
	var answered chan time.Time
	serve := func(_ *world, _ int, rw http.ResponseWriter, r *http.Request) {
		ws, err := accept(rw, r)
		if err != nil {
			return
		}
		defer ws.CloseNow()
		go func() {
			for i := range flood {
				ws.Write(context.Background(), websocket.MessageText, fmt.Appendf(nil, `[2,"f%d","Nothing",{}]`, i))
			}
		}()
		for n := 0; ; {
			_, data, err := ws.Read(context.Background())
			if err != nil {
				return
			}
			if f, err := rpc.Parse(data, rpc.V21, rpc.Limits{}); err == nil && f.Type == rpc.Call {
				ws.Write(context.Background(), websocket.MessageText, rpc.AppendCallResult(nil, f.ID, []byte("{}")))
			} else if n++; n == flood {
				answered <- time.Now()
			}
		}
	}
	change := func(*Options) { answered = make(chan time.Time, 1) }
	in(t, change, serve, func(w *world) {
		w.want(0, "up")
		began := time.Now()
		if took, least := (<-answered).Sub(began), (flood-MessageBurst)*MessageEvery; took < least-MessageEvery || took > least+MessageEvery {
			t.Errorf("%d messages took %v, want %v", flood, took, least)
		}
		w.l.SetGate(station.RegistrationAccepted)
		time.Sleep(time.Second) // virtual; in the flood they wait their turn
		began = time.Now()
		for i := range station.ReportID(4 * MessageBurst) {
			w.l.Send(station.Report{ID: i, Body: station.Heartbeat{}})
			w.want(0, fmt.Sprintf("reply %d Acknowledged", i))
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("answers took %v", took)
		}
	})
}

func TestPingsAreAnsweredAtTheirPace(t *testing.T) {
	var l life
	answers := 0
	for i := range 1000 {
		if l.pinged(epoch.Add(time.Duration(i) * time.Millisecond)) {
			answers++
		}
	}
	if most := PingBurst + int(time.Second/PingEvery); answers > most || answers < most-1 {
		t.Errorf("%d of 1000 pings in a second are answered", answers)
	}
	if n := l.n.Load(); n != 1000 {
		t.Errorf("%d were heard", n)
	}
}

// The writer holds one frame, and the owner what is in unsent: the longest answer that there is and then nothing more.
func TestUnreadAnswersStopTheReading(t *testing.T) {
	o := owner{}
	for range MaxUnsent - 1 {
		o.unsent = append(o.unsent, make([]byte, 100))
	}
	if o.behind() {
		t.Error("short frames stop the reading too soon")
	}
	if o.unsent = append(o.unsent, nil); !o.behind() {
		t.Error("many frames do not stop the reading")
	}
	if o.unsent = [][]byte{make([]byte, MaxUnsentBytes)}; !o.behind() {
		t.Error("a long frame does not stop the reading")
	}
}

func TestABinaryMessageEndsTheConnection(t *testing.T) {
	var closed chan string
	serve := func(_ *world, n int, rw http.ResponseWriter, r *http.Request) {
		ws, err := accept(rw, r)
		if err != nil {
			return
		}
		defer ws.CloseNow()
		if n == 1 {
			ws.Write(context.Background(), websocket.MessageBinary, []byte(`[2,"b","ClearCache",{}]`))
		}
		_, _, err = ws.Read(context.Background())
		closed <- fmt.Sprint(websocket.CloseStatus(err))
	}
	change := func(*Options) { closed = make(chan string, 4) }
	in(t, change, serve, func(w *world) {
		w.want(0, "up")
		w.want(0, "down")
		if got := <-closed; got != "StatusUnsupportedData" {
			t.Errorf("closed with %s", got)
		}
		w.want(time.Minute, "up")
	})
}

// Of two lists at once the first is taken: both would be staged in one place.
func TestASecondListWaitsItsTurn(t *testing.T) {
	h := newTalk(t, rpc.V21)
	h.e.in.calls = append(h.e.in.calls, inCall{id: "first", action: listAction, due: epoch.Add(time.Hour)})
	h.open()
	h.log = nil
	h.call("second", listAction, "{}")
	h.want(`> error second GenericError`)
}

// TestReconnectsLeaveNothing connects again and again over TCP, and is cut off in another way each time.
func TestReconnectsLeaveNothing(t *testing.T) {
	n := 300
	if os.Getenv("EVSED_SOAK") != "" {
		n = 10_000
	}
	var dials atomic.Int64
	open := make(chan int, 1)
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		n := int(dials.Add(1))
		defer func() { open <- n }()
		if n%4 == 0 {
			http.Error(rw, strings.Repeat("no ", 1000), http.StatusServiceUnavailable)
			return
		}
		ws, err := accept(rw, r)
		if err != nil {
			return
		}
		switch n % 4 {
		case 1:
			ws.Write(context.Background(), websocket.MessageBinary, []byte("x"))
			ws.Read(context.Background())
		case 2:
			ws.Write(context.Background(), websocket.MessageText, []byte(`[2,"1","ClearCache",{}]`))
		case 3:
			c, _, _ := http.NewResponseController(rw).Hijack()
			if c != nil {
				c.Close()
			}
		}
		ws.CloseNow()
	}))
	defer s.Close()
	events := make(chan station.Event)
	const hurry = 10_000 // the link's clock runs that much faster, so that it does not wait long
	start := time.Now()
	l, err := New(Options{
		Config:   Config{Identity: "CS1", Profiles: []Profile{profileOf(1, "ws"+strings.TrimPrefix(s.URL, "http"))}, PingInterval: time.Hour},
		Dialects: []ocpp.Dialect{plain{rpc.V21}}, Events: events, IDPrefix: "r",
		Now:  func() time.Time { return epoch.Add(hurry * time.Since(start)) },
		Real: func(d time.Duration) time.Duration { return d / hurry },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	gone := make(chan struct{})
	go func() { defer close(gone); l.Run(ctx) }()
	go func() {
		for range events {
		}
	}()
	defer func() { cancel(); <-gone; close(events) }()
	var first, most resources
	for i := 0; i < n; i = <-open {
		now := countResources(t)
		switch {
		case i < 50: // pools, caches and the first of each way to end
			first.raise(now)
		default:
			most.raise(now)
		}
	}
	if dir := os.Getenv("EVSED_FIGURES"); dir != "" {
		text := fmt.Sprintf("reconnects\t%d\t\tconnections over TCP, one after the other, each cut off or refused in one of four ways\n"+
			"goroutines above\t%d\t\tat most, above the most in the first 50\ndescriptors above\t%d\t\tat most, above the most in the first 50\n",
			n, most.goroutines-first.goroutines, most.files-first.files)
		if err := os.WriteFile(filepath.Join(dir, "reconnects.tsv"), []byte(text), 0o644); err != nil {
			t.Error(err)
		}
	}
	t.Logf("%d connections: at most %+v in the first 50, %+v afterwards", n, first, most)
	if most.goroutines > first.goroutines+8 || most.files > first.files+8 {
		t.Errorf("after %d connections there are %+v, at most %+v in the first 50", n, most, first)
	}
}

// resources are what a connection may not keep.
type resources struct{ goroutines, files int }

func (r *resources) raise(now resources) {
	r.goroutines, r.files = max(r.goroutines, now.goroutines), max(r.files, now.files)
}

func countResources(t *testing.T) resources {
	r := resources{goroutines: runtime.NumGoroutine()}
	d, err := os.Open("/proc/self/fd")
	if err == nil {
		names, err2 := d.Readdirnames(-1)
		d.Close()
		r.files, err = len(names), err2
	}
	if err != nil && err != io.EOF && runtime.GOOS == "linux" {
		t.Fatal(err)
	}
	return r
}
