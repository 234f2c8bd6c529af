package virtual

import (
	"testing"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// TestLightsBlink: a card that the CSMS does not know is refused by the light of its EVSE as often as the CSMS has asked for,
// also behind a restart.
func TestLightsBlink(t *testing.T) {
	inTown(t, func(o *Options) { o.Station.Lights = true }, nil, func(w *town) {
		light := func() halsim.LightState {
			t.Helper()
			l := w.station.World().State().EVSEs[0].Connectors[0].Light
			if l == nil {
				t.Fatal("no light")
			}
			return *l
		}
		refused := func(times int) {
			t.Helper()
			w.must(w.station.World().Swipe(halsim.Swipe{Token: term.IdToken{Value: "STRANGER", Type: term.TokenISO14443}}))
			most, flashes, was := 0, 0, false
			for range 500 { // 5 s
				w.after(10 * time.Millisecond)
				l := light()
				if l.Signal == hal.SignalRefused {
					most = max(most, l.Left)
				}
				lit := l.Signal == hal.SignalRefused && l.Lit
				if lit && !was {
					flashes++
				}
				was = lit
			}
			if most != times || flashes != times {
				t.Errorf("the light was to blink %d times and did %d times, want %d", most, flashes, times)
			}
		}
		if l := light(); l.Shows != hal.IndicateAvailable || l.Level != unit.HundredPercent {
			t.Fatalf("%+v", l)
		}
		refused(3)
		for name, value := range map[string]string{"BlinkRepeat": "5", "Percent": "30"} {
			if st := w.set("ChargingStatusIndicator", name, value); st != "Accepted" {
				t.Fatalf("%s: %v", name, st)
			}
		}
		refused(5)
		w.station.Restart(station.BootRemoteReset)
		w.after(time.Minute)
		refused(5)
		if l := light(); l.Level != 30*unit.OnePercent || l.Shows != hal.IndicateAvailable {
			t.Errorf("%+v", l)
		}
	})
}

// TestNoLights: a station without lights has nothing to be set, and goes on as ever.
func TestNoLights(t *testing.T) {
	inTown(t, nil, nil, func(w *town) {
		if st := w.set("ChargingStatusIndicator", "BlinkRepeat", "5"); st != "UnknownComponent" {
			t.Errorf("status %v", st)
		}
		if l := w.station.World().State().EVSEs[0].Connectors[0].Light; l != nil {
			t.Errorf("a light: %+v", l)
		}
		w.charge()
		w.leave()
		w.settled(1, time.Minute)
	})
}
