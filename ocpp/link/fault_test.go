package link

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/ocpp/link/faultnet"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
)

// wired lets the first connection of a world run over wire.
func wired(wire func(net.Conn) net.Conn) func(*Options) {
	return func(o *Options) {
		dial, n := o.Dial, 0
		o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := dial(ctx, network, address)
			if n++; err == nil && n == 1 {
				c = wire(c)
			}
			return c, err
		}
	}
}

// TestRefusalsNeverHammer: whatever a CSMS does to get rid of a station, a day of it has attempts that are never closer
// than the minimum and still come for ever. How a fleet is spread, TestReturnIsSpread shows.
func TestRefusalsNeverHammer(t *testing.T) {
	const minimum, spread, repeat = 10 * time.Second, 15 * time.Second, 3
	longest := minimum + spread
	for range repeat {
		longest = 2*longest + spread
	}
	refusals := map[string]http.Handler{
		"no subprotocol": faultnet.Speak(""), "subprotocol not offered": faultnet.Speak("ocpp1.6"), "mute": faultnet.Mute(csmsSpeaks...),
		"never": faultnet.Never(),
	}
	for _, status := range []int{200, 400, 401, 403, 404, 429, 500, 503} {
		refusals[fmt.Sprint(status)] = faultnet.Refuse(status)
	}
	for _, status := range []int{301, 302, 307, 308} {
		refusals[fmt.Sprint(status)] = faultnet.Redirect("/elsewhere", status)
	}
	for _, code := range []int{1000, 1001, 1006, 1008, 1011, 1013} {
		refusals[fmt.Sprintf("closed at once with %d", code)] = faultnet.Slam(code, 0, csmsSpeaks...)
		refusals[fmt.Sprintf("closed after a minute with %d", code)] = faultnet.Slam(code, time.Minute, csmsSpeaks...)
	}
	for name, handler := range refusals {
		t.Run(name, func(t *testing.T) {
			change := func(o *Options) {
				o.Config.BackOffMinimum, o.Config.BackOffRange, o.Config.BackOffRepeat = minimum, spread, repeat
				rng := rand.New(rand.NewPCG(7, 0x6c696e6b))
				o.Jitter = func(longest time.Duration) time.Duration { return time.Duration(rng.Int64N(int64(longest) + 1)) }
			}
			serve := func(_ *world, _ int, rw http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, "/elsewhere") {
					t.Error("redirect was followed")
				}
				handler.ServeHTTP(rw, r)
			}
			in(t, change, serve, func(w *world) {
				refused := w.bootForADay()
				if want := map[bool]int{true: 24}[name == "401"]; refused < want-1 || refused > want {
					t.Errorf("%d refusals of the password were told, want one an hour", refused)
				}
				w.paced(minimum, longest)
			})
		})
	}
}

// bootForADay sends a BootNotification whenever there is a connection, as the core does, and counts AuthRefused.
func (w *world) bootForADay() (refused int) {
	end := time.After(24 * time.Hour)
	for {
		select {
		case ev := <-w.events:
			switch ev.(type) {
			case station.LinkUp:
				w.l.Send(boot(1))
			case station.ReplyReceived: // never with an answer
				if w.l.Status().Open {
					w.l.Send(boot(1))
				}
			case station.AuthRefused:
				refused++
			}
		case <-end:
			return refused
		}
	}
}

// paced checks the gaps between the attempts of a world.
func (w *world) paced(minimum, longest time.Duration) {
	w.t.Helper()
	at := w.dialled()
	if len(at) < 100 {
		w.t.Errorf("%d attempts in a day", len(at))
	}
	for i := 1; i < len(at); i++ {
		gap := at[i] - at[i-1]
		if gap < minimum || gap > longest+2*time.Minute+HandshakeTimeout { // what a connection lives that is only given up later
			w.t.Fatalf("attempts %v after each other, want %v to %v", gap, minimum, longest)
		}
	}
}

// TestConnectionTornAtAnyByte: a reset is noticed at once, wherever it comes.
func TestConnectionTornAtAnyByte(t *testing.T) {
	step := 7
	if testing.Short() {
		step = 53
	}
	for n := 0; n < 400; n += step {
		dies(t, 5*time.Minute, func(c net.Conn) net.Conn { return faultnet.NewHole(c, n, -1, faultnet.Reset) }, nil)
		dies(t, 5*time.Minute, func(c net.Conn) net.Conn { return faultnet.NewHole(c, -1, n, faultnet.Reset) }, nil)
	}
}

// TestAnswersInAnyOrder: answers that overtake each other, come twice, late or never belong to the calls that they name,
// or to none.
func TestAnswersInAnyOrder(t *testing.T) {
	const calls = 60
	rng := rand.New(rand.NewPCG(3, 1))
	late := func(n int) bool { return n%3 == 0 } // or never
	slow := &faultnet.Answers{Subprotocols: csmsSpeaks,
		Answer: func(_ *http.Request, m []byte) [][]byte {
			f, err := rpc.Parse(m, rpc.V21, rpc.Limits{})
			if err != nil {
				t.Errorf("frame %q: %v", m, err)
			}
			return [][]byte{rpc.AppendCallResult(nil, f.ID, []byte("{}"))}
		},
		Delays: func(n int) (ds []time.Duration) {
			if !late(n) {
				ds = append(ds, time.Duration(rng.Int64N(int64(DefaultMessageTimeout-time.Second))))
			}
			if n%2 == 0 { // once more, or only when it is too late
				ds = append(ds, DefaultMessageTimeout+time.Duration(rng.Int64N(int64(time.Minute))))
			}
			return ds
		}}
	in(t, nil, func(_ *world, _ int, rw http.ResponseWriter, r *http.Request) { slow.ServeHTTP(rw, r) }, func(w *world) {
		w.want(0, "up")
		w.l.SetGate(station.RegistrationAccepted)
		for i := range calls {
			w.l.Send(station.Report{ID: station.ReportID(i + 1), Body: station.Heartbeat{}})
			want := fmt.Sprintf("reply %d Acknowledged", i+1)
			ev := w.next(DefaultMessageTimeout)
			if late(i + 1) {
				want = fmt.Sprintf("reply %d Unanswered", i+1)
			}
			if got := showEvent(ev); got != want {
				t.Fatalf("%s, want %s", got, want)
			}
		}
		if st := w.l.Stats(); st.Stray == 0 || st.Answers+st.Silences != calls || st.Opened != 1 {
			t.Errorf("%+v", st)
		}
	})
}

// TestSlowWire: a satellite is no fault. Ten seconds there and back are neither silence nor death.
func TestSlowWire(t *testing.T) {
	change := wired(func(c net.Conn) net.Conn { return faultnet.Line(c, func() time.Duration { return 5 * time.Second }) })
	in(t, change, faithfulServer, func(w *world) {
		w.want(20*time.Second, "up")
		for i := range station.ReportID(100) {
			w.l.Send(boot(i))
			w.want(10*time.Second, fmt.Sprintf("reply %d BootReply", i))
		}
		time.Sleep(time.Hour) // of pings
		if n := len(w.dialled()); n != 1 {
			t.Errorf("%d dials", n)
		}
	})
}
