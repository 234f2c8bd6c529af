package link

import (
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/link/faultnet"
	"github.com/evsed/evsed/ocpp/rpc"
)

var allDialects = []ocpp.Dialect{plain{rpc.V21}, plain{rpc.V201}, plain{rpc.V16}}

// The CSMS picks among what the profile allows, and what it picks is spoken.
func TestHandshakeTakesWhatTheCSMSPicks(t *testing.T) {
	all := []string{"ocpp2.1", "ocpp2.0.1", "ocpp2.0", "ocpp1.6"}
	for _, c := range []struct {
		name           string
		profile, speak []string
		header, agreed string
		version        rpc.Version
	}{
		{"whatever there is", nil, all, "ocpp2.1,ocpp2.0.1,ocpp2.0,ocpp1.6", "ocpp2.1", rpc.V21},
		{"an old CSMS", nil, []string{"ocpp1.6"}, "ocpp2.1,ocpp2.0.1,ocpp2.0,ocpp1.6", "ocpp1.6", rpc.V16},
		{"2.0 is spoken as 2.0.1", nil, []string{"ocpp2.0", "ocpp1.6"}, "ocpp2.1,ocpp2.0.1,ocpp2.0,ocpp1.6", "ocpp2.0", rpc.V201},
		{"the CSMS has the last word", []string{"ocpp1.6", "ocpp2.1"}, all, "ocpp1.6,ocpp2.1", "ocpp2.1", rpc.V21},
		{"2.0.1 by its own name", []string{"ocpp2.0", "ocpp2.0.1"}, []string{"ocpp2.0.1"}, "ocpp2.0,ocpp2.0.1", "ocpp2.0.1", rpc.V201},
	} {
		t.Run(c.name, func(t *testing.T) {
			header := ""
			serve := func(_ *world, _ int, rw http.ResponseWriter, r *http.Request) {
				header = r.Header.Get("Sec-WebSocket-Protocol")
				ws, err := websocket.Accept(rw, r, &websocket.AcceptOptions{Subprotocols: c.speak})
				if err == nil {
					_, _, _ = ws.Read(r.Context())
				}
			}
			change := func(o *Options) {
				o.Dialects = allDialects
				o.Config.Profiles[0].Versions = c.profile
			}
			in(t, change, serve, func(w *world) {
				w.want(time.Second, "up")
				synctest.Wait()
				if s := w.l.Status(); header != c.header || s.Subprotocol != c.agreed {
					t.Errorf("offered %q, agreed on %q", header, s.Subprotocol)
				}
			})
			e, err := newEndpoint(Profile{Slot: 1, NetworkProfile: profileOf(1, "ws://h").NetworkProfile}, "A", allDialects, 0)
			if o, ok := e.agreed(c.agreed); err != nil || !ok || o.dialect.Version() != c.version {
				t.Errorf("%s is spoken as %v", c.agreed, o.dialect)
			}
		})
	}
}

// What went wrong with a handshake is told with what was offered and what came back.
func TestHandshakeSaysWhatWentWrong(t *testing.T) {
	for _, c := range []struct {
		name   string
		server http.Handler
		want   string
	}{
		{"none", faultnet.Speak(""), "server picked none of the versions ocpp2.1, ocpp1.6"},
		{"one of its own", faultnet.Speak("ocpp1.5"), `server picked "ocpp1.5", which is none of the versions ocpp2.1, ocpp1.6`},
		{"unknown station", faultnet.Refuse(404), "server answered the handshake with 404 Not Found: it does not know this station, or the address is wrong"},
		{"wrong password", faultnet.Refuse(401), "server answered the handshake with 401 Unauthorized: it does not accept the station's credentials"},
		{"moved", faultnet.Redirect("/elsewhere", 301), "server answered the handshake with 301 Moved Permanently: redirects are not followed"},
		{"busy", faultnet.Refuse(503), "server answered the handshake with 503 Service Unavailable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := faultnet.NewNetwork()
			server := http.Server{Handler: c.server}
			go server.Serve(n)
			defer server.Close()
			p := profileOf(1, "ws://h")
			p.Versions = []string{"ocpp2.1", "ocpp1.6"}
			e, err := newEndpoint(p, "A", allDialects, 0)
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = dialWebSocket(t.Context(), e, n.Dial, &life{})
			if err == nil || err.Error() != c.want {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
		})
	}
}

// While a transaction of 1.6 is open nothing else is offered, unless the CSMS has turned it down. See docs/design/0012.
func TestHandshakeKeepsTheGenerationOfOpenTransactions(t *testing.T) {
	for _, c := range []struct {
		name           string
		versions       []string // of the profile
		speak, offered []string
		agreed         string
	}{
		{"a CSMS of all versions", nil, []string{"ocpp2.1", "ocpp1.6"}, []string{"ocpp1.6"}, "ocpp1.6"},
		{"one that gave up 1.6", nil, []string{"ocpp2.1"}, []string{"ocpp1.6", "ocpp2.1,ocpp2.0.1,ocpp2.0,ocpp1.6"}, "ocpp2.1"},
		{"a profile without 1.6", []string{"ocpp2.1"}, []string{"ocpp2.1"}, []string{"ocpp2.1"}, "ocpp2.1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var offered []string
			serve := func(_ *world, _ int, rw http.ResponseWriter, r *http.Request) {
				offered = append(offered, r.Header.Get("Sec-WebSocket-Protocol"))
				ws, err := websocket.Accept(rw, r, &websocket.AcceptOptions{Subprotocols: c.speak})
				if err == nil {
					_, _, _ = ws.Read(r.Context())
				}
			}
			table := ocpp.NewTable()
			table.Note(ocpp.TransactionKey("A", rowFrom), from(generation1, unheard, ""))
			change := func(o *Options) {
				o.Dialects, o.Table = allDialects, table
				o.Config.Profiles[0].Versions = c.versions
			}
			in(t, change, serve, func(w *world) {
				w.want(time.Minute, "up")
				synctest.Wait()
				if s := w.l.Status(); !slices.Equal(offered, c.offered) || s.Subprotocol != c.agreed {
					t.Errorf("offered %q, agreed on %q", offered, s.Subprotocol)
				}
			})
		})
	}
}
