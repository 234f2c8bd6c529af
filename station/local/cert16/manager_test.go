package cert16_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/station/local/cases"
)

// TestEnergyManager is the dialogue of a home energy manager that takes the place of a Central System: it finds out what the
// station measures, frees it, and then steers it by one profile that it writes again and again.
func TestEnergyManager(t *testing.T) {
	ready(t, func(b *bench) {
		b.Answers("Accepted", "ChangeAvailability", obj{"connectorId": 0, "type": "Operative"})
		keys := map[string]string{}
		for _, k := range b.Call("GetConfiguration", nil)["configurationKey"].([]any) {
			value, _ := cases.Member(k, "value").(string)
			keys[cases.Member(k, "key").(string)] = value
		}
		// One measurand at a time: what is refused is not measured. What is left is asked for together.
		var measured []string
		for _, m := range []string{"Current.Import", "Current.Offered", "Energy.Active.Import.Register", "Power.Active.Import", "SoC", "Voltage", "Nonsense"} {
			if b.Call("ChangeConfiguration", obj{"key": "MeterValuesSampledData", "value": m})["status"] == "Accepted" {
				measured = append(measured, m)
			}
		}
		if len(measured) < 4 || strings.Contains(strings.Join(measured, ","), "Nonsense") {
			b.Errorf("measured: %v", measured)
		}
		b.configure("MeterValuesSampledData", strings.Join(measured, ","), "MeterValueSampleInterval", "10", "WebSocketPingInterval", "30")
		b.Answers("Accepted", "TriggerMessage", obj{"requestedMessage": "MeterValues"}) // of every connector
		for _, c := range []int{1, 2} {
			b.Want("MeterValues", obj{"connectorId": c})
		}

		// TxDefaultProfile with the highest id and level, without a start: from now on.
		var stack int
		fmt.Sscan(keys["ChargeProfileMaxStackLevel"], &stack)
		steer := func(limit float64) {
			b.Helper()
			p := obj{"chargingProfileId": 1<<31 - 1, "stackLevel": stack, "chargingProfilePurpose": "TxDefaultProfile", "chargingProfileKind": "Absolute",
				"chargingSchedule": obj{"startSchedule": time.Now().Add(-time.Minute).UTC().Format(time.RFC3339), "chargingRateUnit": "A",
					"chargingSchedulePeriod": []obj{{"startPeriod": 0, "limit": limit}}}}
			b.Answers("Accepted", "SetChargingProfile", obj{"connectorId": 2, "csChargingProfiles": p})
		}
		steer(0)
		b.wantComposite(2, time.Minute, 0, 0) // without a transaction
		b.plugCar(2, obj{"phases": 1, "maxCurrentA": 32})
		b.status(2, "Preparing")
		b.Answers("Accepted", "RemoteStartTransaction", obj{"idTag": "TAG1", "connectorId": 2})
		b.Want("StartTransaction", obj{"connectorId": 2, "idTag": "TAG1"})
		b.status(2, "SuspendedEVSE")
		b.None(time.Minute, "StatusNotification", nil)
		for _, limit := range []float64{6, 13.5, 32} {
			steer(limit)
			if limit == 6 {
				b.statuses(2, "SuspendedEV", "Charging") // the car needs a moment
			}
			b.wantLimit(2, limit)
			b.After(time.Minute)
			if got := b.look(2).CurrentA[0]; got > limit+0.1 || got < limit-1 {
				b.Errorf("the car takes %g A of %g", got, limit)
			}
		}
		steer(0)
		b.status(2, "SuspendedEVSE")
		b.WantRelay(2, false)
		b.After(time.Minute)
		steer(10)
		b.status(2, "Charging")
		b.wantComposite(2, time.Minute, 0, 10)
		b.Answers("Accepted", "RemoteStopTransaction", obj{"transactionId": 1})
		b.stops(2, 1, "Remote")
		b.status(2, "Finishing")
		b.leaves(2)
	})
}
