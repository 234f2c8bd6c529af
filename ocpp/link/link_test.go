package link

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/evsed/evsed/ocpp/link/faultnet"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
)

func boot(id station.ReportID) station.Report {
	return station.Report{ID: id, Body: station.BootNotification{}}
}

func TestLinkConnectsAndBoots(t *testing.T) {
	var path, auth, offered string
	serve := func(_ *world, _ int, rw http.ResponseWriter, r *http.Request) {
		path, auth, offered = r.URL.EscapedPath(), r.Header.Get("Authorization"), r.Header.Get("Sec-WebSocket-Protocol")
		faithful(rw, r, nil)
	}
	in(t, nil, serve, func(w *world) {
		w.want(0, "up")
		w.l.Send(boot(1))
		w.want(0, "reply 1 BootReply")
		synctest.Wait()
		if path != "/ocpp/CS%201" || auth != "" || offered != "ocpp2.1,ocpp2.0.1,ocpp2.0" {
			t.Errorf("request %q, authorization %q, offered %q", path, auth, offered)
		}
		want := Status{Open: true, Connected: true, URL: "ws://csms.test/ocpp/CS%201", Subprotocol: "ocpp2.1", Slot: 1}
		if got := w.l.Status(); got != want {
			t.Errorf("status %+v, want %+v", got, want)
		}
		if !w.l.Idle() && w.l.Pending() != 0 {
			t.Error("not idle")
		}
	})
}

func TestBasicAuthentication(t *testing.T) {
	var user, password string
	serve := func(_ *world, _ int, rw http.ResponseWriter, r *http.Request) {
		user, password, _ = r.BasicAuth()
		faithful(rw, r, nil)
	}
	change := func(o *Options) {
		o.Config.Profiles[0].SecurityProfile = 1
		o.Config.Profiles[0].Password = "0123456789abcdef*"
	}
	in(t, change, serve, func(w *world) {
		if up := w.want(0, "up").(station.LinkUp); up.SecurityProfile != 1 || user != "CS 1" || password != "0123456789abcdef*" {
			t.Errorf("%+v, user %q, password %q", up, user, password)
		}
	})
}

func TestRequestsOfTheCSMS(t *testing.T) {
	var answers chan string
	serve := func(_ *world, _ int, rw http.ResponseWriter, r *http.Request) {
		ws, err := accept(rw, r)
		if err != nil {
			return
		}
		defer ws.CloseNow()
		ws.Write(context.Background(), websocket.MessageText, []byte(`[2,"c1","ClearCache",{}]`))
		for {
			_, data, err := ws.Read(context.Background())
			if err != nil {
				return
			}
			answers <- string(data)
		}
	}
	change := func(*Options) { answers = make(chan string, 10) }
	in(t, change, serve, func(w *world) {
		w.want(0, "up")
		ev := w.want(0, "request 0 ClearCache").(station.RequestReceived)
		w.l.Respond(station.Response{ID: ev.ID, Body: station.Status{Status: "Accepted"}})
		w.l.Reconnect() // what was to be said is said first
		if got := <-answers; got != `[3,"c1",{"status":"Accepted"}]` {
			t.Errorf("answer %q", got)
		}
		w.want(time.Second, "down")
		w.want(time.Second, "up")
		if got := w.dialled(); len(got) != 2 || got[1] > time.Second {
			t.Errorf("dials at %v", got)
		}
	})
}

// What the core answers and what it tells at once leave in this order: a triggered message follows its answer.
func TestResponseLeavesBeforeReports(t *testing.T) {
	var heard chan string
	serve := func(_ *world, _ int, rw http.ResponseWriter, r *http.Request) {
		ws, err := accept(rw, r)
		if err != nil {
			return
		}
		defer ws.CloseNow()
		ws.Write(context.Background(), websocket.MessageText, []byte(`[2,"c1","ClearCache",{}]`))
		for {
			_, data, err := ws.Read(context.Background())
			if err != nil {
				return
			}
			heard <- string(data)
		}
	}
	change := func(*Options) { heard = make(chan string, 10) }
	in(t, change, serve, func(w *world) {
		w.want(0, "up")
		id := w.want(0, "request 0 ClearCache").(station.RequestReceived).ID
		w.l.box.put(func(m *mail) bool { // both before the owner looks
			m.sends = append(m.sends, boot(1))
			m.responses = append(m.responses, station.Response{ID: id, Body: station.Status{Status: "Accepted"}})
			return true
		})
		if got := <-heard; got != `[3,"c1",{"status":"Accepted"}]` {
			t.Errorf("first %s", got)
		}
		if got := <-heard; !strings.Contains(got, "BootNotification") {
			t.Errorf("then %s", got)
		}
	})
}

// While the core does not listen the link stands still, keeps everything and is not taken for dead by itself.
func TestSlowCoreStopsTheReader(t *testing.T) {
	const requests = 200
	serve := func(_ *world, _ int, rw http.ResponseWriter, r *http.Request) {
		ws, err := accept(rw, r)
		if err != nil {
			return
		}
		defer ws.CloseNow()
		go func() {
			for i := range requests {
				f := fmt.Appendf(nil, `[2,"c%d","ClearCache",{}]`, i)
				if ws.Write(context.Background(), websocket.MessageText, f) != nil {
					return
				}
			}
		}()
		for {
			if _, _, err := ws.Read(context.Background()); err != nil {
				return
			}
		}
	}
	var events chan station.Event
	change := func(o *Options) {
		events = make(chan station.Event)
		o.Events = events
	}
	in(t, change, serve, func(w *world) {
		pull := make(chan station.Event)
		go func() { // the test's end of the core's inbox
			defer close(pull)
			for range requests + 1 {
				time.Sleep(time.Minute)
				select {
				case ev := <-events:
					pull <- ev
				case <-w.gone:
					return
				}
			}
		}()
		seen := 0
		for ev := range pull {
			switch ev := ev.(type) {
			case station.RequestReceived:
				w.l.Respond(station.Response{ID: ev.ID, Body: station.Status{Status: "Accepted"}})
				seen++
			case station.LinkDown:
				t.Fatalf("down after %d requests: %s", seen, ev.Why)
			}
		}
		if seen != requests {
			t.Errorf("%d of %d requests arrived", seen, requests)
		}
	})
}

func TestNetworkCut(t *testing.T) {
	in(t, nil, faithfulServer, func(w *world) {
		w.want(0, "up")
		w.l.SetNetwork(false)
		w.want(0, "down")
		time.Sleep(time.Hour)
		if n := len(w.dialled()); n != 1 {
			t.Fatalf("%d dials without a network", n)
		}
		w.l.SetNetwork(true)
		w.want(0, "up")
	})
}

func TestOversizedFrameDoesNotEndTheSession(t *testing.T) {
	var answers chan string
	serve := func(_ *world, n int, rw http.ResponseWriter, r *http.Request) {
		ws, err := accept(rw, r)
		if err != nil {
			return
		}
		defer ws.CloseNow()
		size := 3 * rpc.DefaultFrame
		if n > 1 {
			size = MaxMessage + 1
		}
		big := `[2,"big","ClearCache",{"x":"` + strings.Repeat("x", size) + `"}]`
		go ws.Write(context.Background(), websocket.MessageText, []byte(big))
		for {
			_, data, err := ws.Read(context.Background())
			if err != nil {
				answers <- fmt.Sprint(websocket.CloseStatus(err))
				return
			}
			answers <- string(data)
			if n == 1 {
				ws.Write(context.Background(), websocket.MessageText, []byte(`[2,"next","ClearCache",{}]`))
			}
		}
	}
	change := func(*Options) { answers = make(chan string, 4) }
	in(t, change, serve, func(w *world) {
		w.want(0, "up")
		w.want(0, "bad message")
		if got := <-answers; !strings.HasPrefix(got, `[4,"big","FormatViolation"`) {
			t.Errorf("answer %q", got)
		}
		w.want(0, "request 0 ClearCache")
		w.l.Reconnect()
		w.want(time.Second, "down")
		<-answers
		w.want(time.Minute, "up")
		w.want(time.Minute, "down")
		got := <-answers
		if strings.HasPrefix(got, `[4,"big","FormatViolation"`) { // which the close may overtake
			got = <-answers
		}
		if got != "StatusMessageTooBig" {
			t.Errorf("closed with %s", got)
		}
	})
}

func TestConfigureAndMailboxBeforeRun(t *testing.T) {
	l, err := New(Options{Dialects: nil, Events: make(chan station.Event)})
	if err == nil {
		t.Fatalf("link without dialects: %v", l)
	}
	var opened string
	serve := func(_ *world, _ int, rw http.ResponseWriter, r *http.Request) { opened = r.Host; faithful(rw, r, nil) }
	change := func(o *Options) { o.Config.Profiles = nil }
	in(t, change, serve, func(w *world) {
		time.Sleep(time.Hour)
		if len(w.dialled()) != 0 {
			t.Error("dialled without a profile")
		}
		c := w.l.o.Config
		c.Profiles = []Profile{profileOf(2, "ws://other.test")}
		w.l.Configure(c)
		w.want(0, "up")
		if opened != "other.test" {
			t.Errorf("opened %q", opened)
		}
	})
}

func TestTraceShowsBothDirections(t *testing.T) {
	var lines []string
	change := func(o *Options) {
		o.Trace = func(_ time.Time, d Direction, f []byte) { lines = append(lines, fmt.Sprint(d, " ", string(f))) }
	}
	in(t, change, faithfulServer, func(w *world) {
		w.want(0, "up")
		w.l.Send(boot(1))
		w.want(0, "reply 1")
		want := []string{`sent [2,"t-1","BootNotification",{"r":1}]`, `received [3,"t-1",{}]`}
		if !slices.Equal(lines, want) {
			t.Errorf("trace %q", lines)
		}
	})
}

// Stopping takes no time in any state, and leaves no goroutine behind: the bubble would not end with one.
func TestStopInAnyState(t *testing.T) {
	never := func(_ *world, _ int, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	silent := func(_ *world, _ int, rw http.ResponseWriter, r *http.Request) { mute(rw, r) }
	full := func(o *Options) { o.Events = make(chan station.Event) }
	blocked := func(o *Options) {
		dial := o.Dial
		o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := dial(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return faultnet.NewHole(c, -1, 250, faultnet.Block), nil
		}
	}
	for _, c := range []struct {
		name   string
		change func(*Options)
		serve  func(*world, int, http.ResponseWriter, *http.Request)
		f      func(*world)
	}{
		{"before the first step", nil, faithfulServer, func(*world) {}},
		{"while dialling", nil, never, func(*world) { synctest.Wait() }},
		{"while waiting to dial", nil, func(_ *world, _ int, rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(503) },
			func(*world) { time.Sleep(time.Second) }},
		{"connected", nil, faithfulServer, func(w *world) { w.want(0, "up") }},
		{"with a call under way", nil, silent, func(w *world) { w.want(0, "up"); w.l.Send(boot(1)); synctest.Wait() }},
		{"with a core that does not listen", full, faithfulServer, func(*world) { time.Sleep(time.Hour) }},
		{"while a write is stuck", blocked, faithfulServer, func(w *world) { w.want(0, "up"); w.l.Send(boot(1)); synctest.Wait() }},
		{"without a network", nil, faithfulServer, func(w *world) { w.l.SetNetwork(false); synctest.Wait() }},
		{"without a profile", func(o *Options) { o.Config.Profiles = nil }, faithfulServer, func(*world) { synctest.Wait() }},
	} {
		t.Run(c.name, func(t *testing.T) { in(t, c.change, c.serve, c.f) })
	}
}

func TestPingIntervalChangesAtOnce(t *testing.T) {
	pings := 0
	serve := func(_ *world, _ int, rw http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(rw, r, &websocket.AcceptOptions{
			Subprotocols:   []string{"ocpp2.0.1"},
			OnPingReceived: func(context.Context, []byte) bool { pings++; return true },
		})
		if err != nil {
			return
		}
		ws.Read(context.Background())
	}
	in(t, nil, serve, func(w *world) {
		w.want(0, "up")
		time.Sleep(10*time.Minute + time.Second)
		synctest.Wait()
		before := pings
		c := w.l.o.Config
		c.PingInterval = time.Second
		w.l.Configure(c)
		time.Sleep(10*time.Second + time.Millisecond)
		synctest.Wait()
		if before != 10 || pings-before != 10 {
			t.Errorf("%d pings in 10 min, then %d in 10 s", before, pings-before)
		}
	})
}

func TestMailboxIsBounded(t *testing.T) {
	l, err := New(Options{Dialects: plainDialects, Events: make(chan station.Event)})
	if err != nil {
		t.Fatal(err)
	}
	for i := range station.ReportID(MaxMailbox) {
		if !l.Send(station.Report{ID: i, Body: station.Heartbeat{}}) {
			t.Fatalf("report %d was not taken", i)
		}
	}
	if l.Send(station.Report{Body: station.Heartbeat{}}) {
		t.Error("one more was taken")
	}
	if !l.Send(station.Report{Class: station.Kept}) {
		t.Error("a kept one takes no room")
	}
	if l.Pending() != MaxMailbox || l.Idle() {
		t.Errorf("pending %d, idle %v", l.Pending(), l.Idle())
	}
}

// The clock of a simulated station may run faster than time does.
func TestFastClock(t *testing.T) {
	const rate = 60
	change := func(o *Options) {
		begin := time.Now()
		o.Now = func() time.Time { return epoch.Add(rate * time.Since(begin)) }
		o.Real = func(span time.Duration) time.Duration { return span / rate }
	}
	serve := func(_ *world, n int, rw http.ResponseWriter, r *http.Request) {
		if n == 1 {
			rw.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		mute(rw, r)
	}
	in(t, change, serve, func(w *world) {
		w.want(10*time.Second/rate, "up")
		w.l.Send(boot(1))
		w.want(DefaultMessageTimeout/rate, "reply 1 Unanswered")
	})
}
