package virtual

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/station/term"
)

// TestPowerFlickersWhileCharging: the power goes again and again for 0.1 to 10 s, sometimes before the station has come up.
// The session goes on, or ends for the loss of power where it may not; either way all of it is billed.
func TestPowerFlickersWhileCharging(t *testing.T) {
	for _, resume := range []string{"0", "900"} {
		for seed := range uint64(2) {
			t.Run(fmt.Sprintf("resume %s s, seed %d", resume, seed), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(seed, 0x666c69636b))
				edit := func(o *Options) { o.Settings = append(o.Settings, setting("TxCtrlr", "ResumptionTimeout", resume)) }
				inTown(t, edit, nil, func(w *town) {
					w.charge()
					w.charging(time.Minute, "before the first cut")
					boots := w.station.Status().Boots
					for range 20 {
						off := 100*time.Millisecond + time.Duration(rng.Int64N(int64(9900*time.Millisecond)))
						w.must(w.station.PowerCycle(off))
						w.after(off/2 + 1)
						w.wantRelay(false, "without power")
						w.after(off + time.Duration(rng.Int64N(int64(15*time.Second))))
					}
					w.after(time.Minute)
					if n := w.station.Status().Boots - boots; n != 20 {
						t.Errorf("%d boots", n)
					}
					w.wantRelay(resume != "0", "when the power stays")
					w.leave()
					tx := w.settled(1, time.Minute)[0]
					if want := map[string]string{"0": "PowerLoss", "900": "EVDisconnected"}[resume]; tx.StoppedReason != want {
						t.Errorf("ended for %s, want %s", tx.StoppedReason, want)
					}
				})
			})
		}
	}
}

// TestWeldOutlivesARestart: a contactor that is welded is a fault again after a restart, a power cut and a repair that
// nobody acknowledged; only service ends it. It is told to the CSMS each time.
func TestWeldOutlivesARestart(t *testing.T) {
	inTown(t, nil, nil, func(w *town) {
		fault := func(active bool) {
			w.must(w.station.World().SetFault(halsim.FaultOptions{Ref: term.Ref{EVSE: 1, Connector: 1}, Code: term.FaultContactor, Active: active}))
		}
		welded := func(when string, want bool) {
			t.Helper()
			if got := w.status() == "Faulted"; got != want {
				t.Errorf("%s: faulted is %v", when, got)
			}
		}
		w.charge()
		fault(true) // it welds, being closed
		w.swipe()
		w.after(5 * time.Second)
		welded("when it should open", true)
		w.must(w.station.PowerCycle(time.Second))
		w.after(10 * time.Second)
		welded("after a power cut", true)
		fault(false)
		w.after(10 * time.Second)
		welded("after a repair", true)
		w.station.Service(term.Ref{})
		w.after(10 * time.Second)
		welded("after service", false)
	})
}
