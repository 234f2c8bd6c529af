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
		if path != "/ocpp/CS%201" || auth != "" || offered != "ocpp2.1,ocpp2.0.1" {
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

// Every way in which the server may refuse the handshake is answered with back-off, never faster than told.
func TestHandshakeRefusals(t *testing.T) {
	for _, c := range []struct {
		name  string
		serve http.HandlerFunc
		event string // of the first attempt
	}{
		{"401", func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(401) }, "station.AuthRefused"},
		{"403", func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(403) }, ""},
		{"404", func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(404) }, ""},
		{"503", func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(503) }, ""},
		{"200", func(rw http.ResponseWriter, _ *http.Request) { rw.Write([]byte("hello")) }, ""},
		{"redirect", func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, "/elsewhere", 302) }, ""},
		{"no subprotocol", func(rw http.ResponseWriter, r *http.Request) {
			if ws, err := websocket.Accept(rw, r, nil); err == nil {
				ws.Read(context.Background())
			}
		}, ""},
		{"subprotocol not offered", func(rw http.ResponseWriter, r *http.Request) {
			r.Header.Set("Sec-WebSocket-Protocol", "ocpp1.6")
			if ws, err := websocket.Accept(rw, r, &websocket.AcceptOptions{Subprotocols: []string{"ocpp1.6"}}); err == nil {
				ws.CloseNow()
			}
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			serve := func(_ *world, _ int, rw http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, "/elsewhere") {
					t.Error("redirect was followed")
				}
				c.serve(rw, r)
			}
			in(t, nil, serve, func(w *world) {
				if c.event != "" {
					w.want(0, c.event)
				}
				time.Sleep(400 * time.Second)
				// 10 s, doubled three times, then the same (part 4, 5.3)
				want := []time.Duration{0, 10, 30, 70, 150, 230, 310, 390}
				var got []time.Duration
				for _, d := range w.dialled() {
					got = append(got, d/time.Second)
				}
				if !slices.Equal(got, want) {
					t.Errorf("dials at %v s, want %v s", got, want)
				}
				select {
				case ev := <-w.events:
					t.Errorf("event %#v", ev)
				default:
				}
			})
		})
	}
}

func TestConnectionThatOpensAndDiesIsAFailedAttempt(t *testing.T) {
	serve := func(_ *world, _ int, rw http.ResponseWriter, r *http.Request) {
		if ws, err := accept(rw, r); err == nil {
			ws.Close(websocket.StatusGoingAway, "not now")
		}
	}
	in(t, nil, serve, func(w *world) {
		for range 5 {
			w.want(100*time.Second, "up")
			w.want(time.Second, "down")
		}
		got := w.dialled()
		for i := 1; i < len(got); i++ {
			if gap := got[i] - got[i-1]; gap < time.Duration(10<<(i-1))*time.Second && gap < 80*time.Second {
				t.Errorf("dials at %v", got)
			}
		}
	})
}

// After a connection on which a CALL was answered the back-off begins anew.
func TestBackOffBeginsAnewAfterAnAnswer(t *testing.T) {
	serve := func(_ *world, n int, rw http.ResponseWriter, r *http.Request) {
		if n < 3 {
			rw.WriteHeader(503)
			return
		}
		faithful(rw, r, func(ws *websocket.Conn, _ string) {
			time.AfterFunc(time.Second, func() { ws.CloseNow() })
		})
	}
	in(t, nil, serve, func(w *world) {
		for range 3 {
			w.want(31*time.Second, "up")
			w.l.Send(boot(1))
			w.want(0, "reply 1")
			w.want(2*time.Second, "down")
		}
		got, want := w.dialled(), []time.Duration{0, 10, 30, 41, 52}
		for i := range min(len(got), len(want)) {
			if got[i] != want[i]*time.Second {
				t.Fatalf("dials at %v, want %v s", got, want)
			}
		}
	})
}

// dies opens a link whose first connection dies as wire and serve say, and checks that it is given up within bound and
// that the next one works.
func dies(t *testing.T, bound time.Duration, wire func(net.Conn) net.Conn, first http.HandlerFunc) {
	t.Helper()
	serve := func(_ *world, n int, rw http.ResponseWriter, r *http.Request) {
		if n == 1 && first != nil {
			first(rw, r)
			return
		}
		faithful(rw, r, nil)
	}
	change := func(o *Options) {
		dial := o.Dial
		n := 0
		o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := dial(ctx, network, address)
			if n++; err == nil && n == 1 && wire != nil {
				c = wire(c)
			}
			return c, err
		}
	}
	in(t, change, serve, func(w *world) {
		answered := false
		for deadline := time.Now().Add(bound); !answered; {
			ev := w.next(time.Until(deadline))
			switch showEvent(ev) {
			case "up":
				w.l.Send(boot(7))
			case "reply 7 Unanswered": // as the core would
				if w.l.Status().Open {
					w.l.Send(boot(7))
				}
			case "reply 7 BootReply":
				answered = len(w.dialled()) > 1
				if !answered { // heard before it died; the core goes on talking
					time.AfterFunc(10*time.Second, func() { w.l.Send(boot(7)) })
				}
			}
		}
	})
}

func TestHalfOpenConnectionIsNoticed(t *testing.T) {
	// no CALL, only pings: within twice the interval, and the first wait of the back-off
	var wire *hole
	cut := func(c net.Conn) net.Conn { wire = newHole(c, -1, -1, false); return wire }
	change := func(o *Options) {
		dial := o.Dial
		o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := dial(ctx, network, address)
			if err == nil && wire == nil {
				c = cut(c)
			}
			return c, err
		}
	}
	in(t, change, faithfulServer, func(w *world) {
		w.want(0, "up")
		time.Sleep(10 * time.Minute)
		wire.mu.Lock()
		wire.in, wire.out = 0, 0
		wire.mu.Unlock()
		// the Read that is under way still lets one chunk through
		w.want(2*60*time.Second, "down")
		w.want(10*time.Second, "up")
	})
}

func TestMuteCSMSIsNoticed(t *testing.T) {
	dies(t, 5*time.Minute, nil, mute)
}

func TestServerThatNeverAnswersTheHandshakeIsNoticed(t *testing.T) {
	dies(t, HandshakeTimeout+15*time.Second, nil, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
}

func TestBlackHoleAtAnyByteIsNoticed(t *testing.T) {
	step := 1
	if testing.Short() {
		step = 17
	}
	for n := 0; n < 260; n += step {
		dies(t, 5*time.Minute, func(c net.Conn) net.Conn { return newHole(c, n, -1, false) }, nil)
		dies(t, 5*time.Minute, func(c net.Conn) net.Conn { return newHole(c, -1, n, false) }, nil)
	}
}

func TestFullWindowIsNoticed(t *testing.T) {
	for n := 0; n < 500; n += 25 {
		dies(t, 5*time.Minute, func(c net.Conn) net.Conn { return newHole(c, -1, n, true) }, nil)
	}
}

// stuckIn begins a message and never ends it.
func stuckIn(frame string) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		ws, err := accept(rw, r)
		if err != nil {
			return
		}
		defer ws.CloseNow()
		w, err := ws.Writer(context.Background(), websocket.MessageText)
		if err != nil {
			return
		}
		w.Write([]byte(frame)) // and never the end of it
		for {
			if _, _, err := ws.Read(context.Background()); err != nil {
				return
			}
		}
	}
}

func TestReaderStuckInAMessageIsNoticed(t *testing.T) {
	dies(t, 5*time.Minute, nil, stuckIn(`[2,"c1","ClearCache",{`))
}

func TestDeadDNSAndNoRouteAreTriedAgain(t *testing.T) {
	for _, blocks := range []bool{false, true} {
		change := func(o *Options) {
			dial, n := o.Dial, 0
			o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
				if n++; n > 2 {
					return dial(ctx, network, address)
				}
				if blocks {
					<-ctx.Done()
					return nil, ctx.Err()
				}
				return nil, errNoRoute
			}
		}
		in(t, change, faithfulServer, func(w *world) {
			w.want(2*HandshakeTimeout+30*time.Second, "up")
		})
	}
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
			size = MaxDiscard + 1
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
			ws.Write(context.Background(), websocket.MessageText, []byte(`[2,"next","ClearCache",{}]`))
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
		if got := <-answers; got != "StatusMessageTooBig" {
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
			return newHole(c, -1, 250, true), nil
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

// A profile that this station cannot serve is passed over, never served in a less secure way.
func TestUnsupportedProfileIsPassedOver(t *testing.T) {
	change := func(o *Options) {
		secure := profileOf(1, "wss://secure.test")
		secure.SecurityProfile = 2
		o.Config.Profiles = []Profile{secure, profileOf(2, "ws://plain.test")}
	}
	in(t, change, faithfulServer, func(w *world) {
		if up := w.want(11*time.Second, "up").(station.LinkUp); up.Slot != 2 {
			t.Errorf("%+v", up)
		}
		if n := len(w.dialled()); n != 1 {
			t.Errorf("%d dials", n)
		}
	})
}

func TestLinkFallsBackToTheLastGoodProfile(t *testing.T) {
	var hosts []string
	serve := func(_ *world, _ int, rw http.ResponseWriter, r *http.Request) {
		hosts = append(hosts, r.Host)
		if r.Host != "good.test" {
			rw.WriteHeader(404)
			return
		}
		faithful(rw, r, nil)
	}
	change := func(o *Options) { o.Config.Profiles[0].URL = "ws://good.test" }
	in(t, change, serve, func(w *world) {
		w.want(0, "up")
		w.l.Send(boot(1))
		w.want(0, "reply 1")
		c := w.l.o.Config
		c.Profiles, c.ConnectionAttempts = []Profile{profileOf(2, "ws://bad.test")}, 2
		w.l.Configure(c)
		w.l.Reconnect()
		w.want(time.Second, "down")
		w.want(5*time.Minute, "up")
		if want := []string{"good.test", "bad.test", "bad.test", "good.test"}; !slices.Equal(hosts, want) {
			t.Errorf("tried %q, want %q", hosts, want)
		}
	})
}

// With pings switched off a CSMS that is gone is noticed by the next calls.
func TestWithoutPings(t *testing.T) {
	change := func(o *Options) { o.Config.PingInterval = 0 }
	serve := func(_ *world, n int, rw http.ResponseWriter, r *http.Request) {
		if n == 1 {
			mute(rw, r)
			return
		}
		faithful(rw, r, nil)
	}
	in(t, change, serve, func(w *world) {
		w.want(0, "up")
		w.l.SetGate(station.RegistrationAccepted)
		time.Sleep(30 * 24 * time.Hour) // nothing was asked, nothing is wrong
		for i := range station.ReportID(MinSilences) {
			w.l.Send(station.Report{ID: i, Body: station.Heartbeat{}})
		}
		w.want(DefaultMessageTimeout, "reply 0 Unanswered")
		w.want(DefaultMessageTimeout, "reply 1 Unanswered")
		w.want(DefaultMessageTimeout, "reply 2 Unanswered")
		w.want(time.Second, "down")
		w.want(time.Minute, "up")
	})
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
		before := pings
		c := w.l.o.Config
		c.PingInterval = time.Second
		w.l.Configure(c)
		time.Sleep(10*time.Second + time.Millisecond)
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
