package virtual

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"path"
	"testing"
	"time"

	"github.com/evsed/evsed/ocpp/link/faultnet"
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/station"
)

var subprotocols = []string{"ocpp2.1", "ocpp2.0.1"}

// TestBlackHoleWhileCharging: the way to the CSMS swallows everything behind any byte. The car charges on, the station
// notices within two ping intervals, and the CSMS learns everything.
func TestBlackHoleWhileCharging(t *testing.T) {
	step := 151
	if testing.Short() {
		step = 431
	}
	for n := 0; n < 600; n += step {
		for name, budget := range map[string][2]int{"in": {n, -1}, "out": {-1, n}, "both": {n, n}} {
			t.Run(fmt.Sprintf("%s/%d", name, n), func(t *testing.T) {
				inTown(t, nil, nil, func(w *town) {
					w.charge()
					w.cut(budget[0], budget[1])
					noticed := w.station.Status().Link.Dials
					for range 15 { // until the bytes have gone by, and two ping intervals
						if w.charging(time.Minute, "behind a black hole"); w.station.Status().Link.Dials > noticed {
							break
						}
					}
					if w.station.Status().Link.Dials == noticed {
						t.Error("nobody has noticed")
					}
					w.leave()
					w.settled(1, 10*time.Minute)
				})
			})
		}
	}
}

// TestBadServersWhileCharging: whatever the other end of the line does for a while, the session goes on and ends
// offline, one start and one end come to the CSMS, and nothing that was said twice was said differently.
func TestBadServersWhileCharging(t *testing.T) {
	bad := map[string]http.Handler{
		"mute": faultnet.Mute(subprotocols...), "never answers": faultnet.Never(), "no subprotocol": faultnet.Speak(""),
		"wrong subprotocol": faultnet.Speak("ocpp1.6"), "401": faultnet.Refuse(401), "404": faultnet.Refuse(404), "503": faultnet.Refuse(503),
		"redirect": faultnet.Redirect("ws://elsewhere.test", 302),
		"1006":     faultnet.Slam(1006, 0, subprotocols...), "1008": faultnet.Slam(1008, time.Second, subprotocols...),
	}
	for name, handler := range bad {
		t.Run(name, func(t *testing.T) {
			inTown(t, nil, nil, func(w *town) {
				w.charge()
				go func() { time.Sleep(2 * time.Minute); w.swipe() }() // the driver ends it, and leaves later
				w.astray(handler, 5*time.Minute)
				w.wantRelay(false, "after the card")
				w.leave()
				tx := w.settled(1, 30*time.Minute)[0]
				offline := 0
				for _, ev := range tx.Events {
					if ev.Offline {
						offline++
					}
				}
				if offline == 0 || tx.StoppedReason != "Local" {
					t.Errorf("%d events of the time offline: %v", offline, tx)
				}
			})
		})
	}
}

// TestAnswersInAnyOrderWhileCharging: a CSMS whose answers come late, twice or overtake each other hears each event, and
// none with other content.
func TestAnswersInAnyOrderWhileCharging(t *testing.T) {
	inTown(t, nil, nil, func(w *town) {
		rng := rand.New(rand.NewPCG(9, 9))
		slow := &faultnet.Answers{Subprotocols: subprotocols,
			Opened: func(r *http.Request, subprotocol string) {
				for _, v := range []msg2.Version{msg2.V21, msg2.V201} {
					if v.Subprotocol() == subprotocol {
						w.must(w.csms.Open(path.Base(r.URL.Path), v))
					}
				}
			},
			Answer: func(r *http.Request, m []byte) [][]byte { return w.csms.Handle(path.Base(r.URL.Path), m) },
			Delays: func(n int) (ds []time.Duration) {
				for range 1 + rng.IntN(2) {
					ds = append(ds, time.Duration(rng.Int64N(int64(40*time.Second)))) // one in four too late
				}
				return ds
			}}
		w.charge()
		w.astray(slow, 20*time.Minute)
		w.swipe()
		w.after(time.Minute)
		w.leave()
		if st := w.station.Status().Link; st.Stray == 0 || st.Silences == 0 {
			t.Errorf("nothing overtook anything: %+v", st)
		}
		w.settled(1, time.Hour)
	})
}

// TestDisplacedStation: another client takes the station's name, and the CSMS closes the older connection whenever a newer
// one comes. The station counts as connected only while it is heard, keeps its distance and loses nothing.
func TestDisplacedStation(t *testing.T) {
	inTown(t, nil, nil, func(w *town) {
		w.charge()
		before := w.station.Status().Link.Dials
		w.astray(faultnet.Slam(1008, 2*time.Second, subprotocols...), 20*time.Minute)
		if dials := w.station.Status().Link.Dials - before; dials < 5 || dials > 1200/5 {
			t.Errorf("%d attempts in 20 minutes", dials)
		}
		w.wantRelay(true, "while displaced")
		w.leave()
		w.settled(1, 30*time.Minute)
	})
}

// TestPasswordRefusedIsTold: a CSMS that refuses the password is a security event, at most once an hour.
func TestPasswordRefusedIsTold(t *testing.T) {
	inTown(t, nil, nil, func(w *town) {
		w.astray(faultnet.Refuse(401), 150*time.Minute)
		refused := 0
		for _, ev := range w.bubble.events.events {
			if _, ok := ev.(station.AuthRefused); ok {
				refused++
			}
		}
		if refused != 3 {
			t.Errorf("told %d times in two and a half hours", refused)
		}
	})
}
