package link

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/evsed/evsed/station"
)

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
		{"redirect", func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, "/elsewhere", http.StatusFound) }, ""},
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

func TestAuthRefusedIsToldOnceAnHour(t *testing.T) {
	serve := func(_ *world, n int, rw http.ResponseWriter, r *http.Request) {
		if n == 100 {
			faithful(rw, r, func(ws *websocket.Conn, _ string) { ws.CloseNow() })
			return
		}
		rw.WriteHeader(http.StatusUnauthorized)
	}
	in(t, nil, serve, func(w *world) {
		w.want(0, "station.AuthRefused")
		w.want(AuthRefusedEvery+80*time.Second, "station.AuthRefused")
		w.want(AuthRefusedEvery+80*time.Second, "station.AuthRefused")
		w.want(AuthRefusedEvery, "up")
		w.l.Send(boot(1))
		w.want(0, "down")
		w.want(0, "reply 1 Unanswered")
		w.want(80*time.Second, "station.AuthRefused") // it had been let in meanwhile
	})
}
