package link

import (
	"context"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/evsed/evsed/ocpp/link/faultnet"
	"github.com/evsed/evsed/station"
)

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
	var wire *faultnet.Hole
	cut := func(c net.Conn) net.Conn { wire = faultnet.NewHole(c, -1, -1, faultnet.Swallow); return wire }
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
		wire.Cut(0, 0)
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
		dies(t, 5*time.Minute, func(c net.Conn) net.Conn { return faultnet.NewHole(c, n, -1, faultnet.Swallow) }, nil)
		dies(t, 5*time.Minute, func(c net.Conn) net.Conn { return faultnet.NewHole(c, -1, n, faultnet.Swallow) }, nil)
	}
}

func TestFullWindowIsNoticed(t *testing.T) {
	for n := 0; n < 500; n += 25 {
		dies(t, 5*time.Minute, func(c net.Conn) net.Conn { return faultnet.NewHole(c, -1, n, faultnet.Block) }, nil)
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
