package transaction

import (
	"testing"

	"github.com/evsed/evsed/station/term"
)

// covers: E01.FR.18 E01.FR.19 E05.FR.02 E05.FR.09
func TestChargingState(t *testing.T) {
	on := View{Connected: true, Authorized: true, Allowed: true, Pilot: term.StateB, Was: term.ChargingEVConnected}
	with := func(edit func(*View)) View { v := on; edit(&v); return v }
	for _, tt := range []struct {
		name string
		view View
		want term.ChargingState
	}{
		{"no car", View{Authorized: true, Allowed: true}, term.ChargingIdle},
		{"nobody authorized", with(func(v *View) { v.Authorized, v.Allowed = false, false }), term.ChargingEVConnected},
		{"just offered", on, term.ChargingEVConnected},
		{"offered for long", with(func(v *View) { v.Offered = SuspendGrace }), term.ChargingSuspendedEV},
		{"asks, contactor open", with(func(v *View) { v.Pilot = term.StateC }), term.ChargingEVConnected},
		{"charges", with(func(v *View) { v.Pilot, v.Closed, v.Charged = term.StateC, true, true }), term.ChargingCharging},
		{"charges with ventilation", with(func(v *View) { v.Pilot, v.Closed = term.StateD, true }), term.ChargingCharging},
		{"pauses", with(func(v *View) { v.Charged, v.Was = true, term.ChargingCharging }), term.ChargingSuspendedEV},
		{"goes on pausing", with(func(v *View) { v.Charged, v.Was = true, term.ChargingSuspendedEV }), term.ChargingSuspendedEV},
		{"asks again, contactor still open", with(func(v *View) { v.Pilot, v.Was = term.StateC, term.ChargingSuspendedEV }), term.ChargingSuspendedEV},
		{"plugged in again after having charged", with(func(v *View) { v.Charged, v.Was = true, term.ChargingIdle }), term.ChargingEVConnected},
		{"fault while it charged", with(func(v *View) { v.Allowed, v.Charged = false, true }), term.ChargingSuspendedEVSE},
		{"fault, the car asks", with(func(v *View) { v.Allowed, v.Pilot = false, term.StateC }), term.ChargingSuspendedEVSE},
		{"fault before anything", with(func(v *View) { v.Allowed = false }), term.ChargingEVConnected},
		{"fault is over, car not yet back", with(func(v *View) { v.Charged, v.Was = true, term.ChargingSuspendedEVSE }), term.ChargingSuspendedEVSE},
		{"refused by the CSMS", with(func(v *View) { v.Allowed, v.Refused = false, true }), term.ChargingSuspendedEVSE},
		{"refused, the contactor is still closed", with(func(v *View) { v.Refused, v.Allowed, v.Closed, v.Pilot = true, false, true, term.StateC }), term.ChargingCharging},
		{"deauthorized after charging", with(func(v *View) { v.Authorized, v.Allowed, v.Charged = false, false, true }), term.ChargingEVConnected},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.view.ChargingState(); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}
