package cert16_test

import (
	"reflect"
	"testing"
	"time"
)

func (b *bench) network(up bool) {
	b.Helper()
	b.Post("network", obj{"up": up})
	if !up {
		b.Until("the station is offline", func() bool { return !b.Connected() })
	}
}

// stamp is the time that a message tells.
func (b *bench) stamp(body obj) time.Time {
	b.Helper()
	at, err := time.Parse(time.RFC3339, body["timestamp"].(string))
	b.must(err)
	return at
}

// wantAt checks that something was stamped when it happened.
func (b *bench) wantAt(what string, body obj, at time.Time) {
	b.Helper()
	if d := b.stamp(body).Sub(at).Abs(); d > 5*time.Second {
		b.Errorf("%s is stamped %v, it happened %v", what, body["timestamp"], at)
	}
}

// covers: TC_032_1_CS
func TestPowerFailureToldBefore(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("TxCtrlr.ResumptionTimeout", "0")
		tx := b.charging(1, "TAG1")
		b.After(2 * time.Minute)
		b.Post("power", obj{"on": false, "upsS": 10})
		told := b.stops(1, tx, "PowerLoss")
		b.After(time.Minute)
		b.Post("power", obj{"on": true})
		b.boots()
		b.status(0, "Available")
		b.status(1, "Preparing") // the cable is still there
		b.status(2, "Available")
		b.After(time.Minute)
		for _, h := range b.Heard("StopTransaction") { // an answer that was not kept when the power went is asked for again: the same to the last word
			if !reflect.DeepEqual(h.Body, told) {
				b.Errorf("%s differs from %v", &h, told)
			}
		}
	})
}

// covers: TC_032_2_CS
func TestPowerFailureToldAfter(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("TxCtrlr.ResumptionTimeout", "0")
		tx := b.charging(1, "TAG1")
		b.After(2 * time.Minute)
		b.Post("power", obj{"on": false})
		b.None(time.Minute, "StopTransaction", nil)
		b.Post("power", obj{"on": true})
		b.boots()
		b.stops(1, tx, "PowerLoss")
		b.status(0, "Available")
		b.status(1, "Finishing")
		b.status(2, "Available")
		b.leaves(1)
	})
}

// covers: TC_034_CS
func TestPowerFailureKeepsUnavailable(t *testing.T) {
	ready(t, func(b *bench) {
		b.Answers("Accepted", "ChangeAvailability", obj{"connectorId": 1, "type": "Inoperative"})
		b.status(1, "Unavailable")
		b.Post("power", obj{"cycle": true, "offMs": 5000})
		b.boots()
		b.status(0, "Available")
		b.status(1, "Unavailable")
		b.status(2, "Available")
		b.Answers("Accepted", "ChangeAvailability", obj{"connectorId": 1, "type": "Operative"})
		b.status(1, "Available")
	})
}

// covers: TC_036_CS
func TestConnectionLossDuringTransaction(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("MeterValueSampleInterval", "60")
		tx := b.charging(1, "TAG1")
		last := b.WantWithin(2*time.Minute, "MeterValues", obj{"transactionId": tx}).At
		b.network(false)
		b.After(5 * time.Minute)
		b.WantRelay(1, true)
		b.network(true)
		for range 4 { // what was measured meanwhile is told
			last = last.Add(time.Minute)
			b.wantAt("a sample", b.Want("MeterValues", obj{"transactionId": tx})["meterValue"].([]any)[0].(obj), last)
		}
		b.None(time.Minute, "BootNotification", nil)
		b.None(0, "StopTransaction", nil)
		b.Swipe(1, "TAG1")
		b.stops(1, tx, "Local")
		b.status(1, "Finishing")
	})
}

// covers: TC_037_1_CS
func TestOfflineStartValid(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("LocalAuthorizeOffline", "true", "LocalAuthListEnabled", "true")
		b.Answers("Accepted", "SendLocalList", obj{"listVersion": 1, "updateType": "Full",
			"localAuthorizationList": []obj{{"idTag": "TAG1", "idTagInfo": obj{"status": "Accepted"}}}})
		b.network(false)
		b.After(time.Minute)
		at := time.Now()
		b.Plug(1)
		b.After(5 * time.Second)
		b.Swipe(1, "TAG1")
		b.WantRelay(1, true)
		b.After(5 * time.Minute)
		b.network(true)
		b.wantAt("the start", b.Want("StartTransaction", obj{"connectorId": 1, "idTag": "TAG1"}), at.Add(5*time.Second))
		b.status(1, "Charging")
		b.None(time.Minute, "Authorize", nil)
		b.WantRelay(1, true)
		b.Swipe(1, "TAG1")
		b.stops(1, 1, "Local")
		b.status(1, "Finishing")
	})
}

// offlineUnknown starts a transaction offline for somebody whom the Central System refuses afterwards.
func (b *bench) offlineUnknown() {
	b.Helper()
	b.network(false)
	b.Plug(1)
	b.After(5 * time.Second)
	b.Swipe(1, "NOBODY")
	b.WantRelay(1, true)
	b.After(time.Minute)
	b.network(true)
	b.Want("StartTransaction", obj{"connectorId": 1, "idTag": "NOBODY"})
}

// covers: TC_037_2_CS
func TestOfflineStartInvalidGoesOn(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("AllowOfflineTxForUnknownId", "true", "StopTransactionOnInvalidId", "false", "MaxEnergyOnInvalidId", "0")
		b.offlineUnknown()
		b.statuses(1, "Charging", "SuspendedEVSE")
		b.WantRelay(1, false)
		b.None(5*time.Minute, "StopTransaction", nil)
		b.Swipe(1, "NOBODY") // whoever began it ends it
		b.stops(1, 1, "Local")
		b.status(1, "Finishing")
		b.leaves(1)
	})
}

// covers: TC_037_3_CS
func TestOfflineStartInvalidStops(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("AllowOfflineTxForUnknownId", "true", "StopTransactionOnInvalidId", "true", "UnlockConnectorOnEVSideDisconnect", "true")
		b.offlineUnknown()
		b.stops(1, 1, "DeAuthorized")
		b.Skip()
		b.leaves(1)
	})
}

// covers: TC_038_CS
func TestOfflineStop(t *testing.T) {
	ready(t, func(b *bench) {
		tx := b.charging(1, "TAG1")
		b.After(time.Minute)
		b.network(false)
		at := time.Now()
		b.Swipe(1, "TAG1")
		b.WantRelay(1, false)
		b.wantLocked(1, false)
		b.After(5 * time.Minute)
		b.network(true)
		b.wantAt("the end", b.stops(1, tx, "Local"), at)
		b.status(1, "Finishing")
		b.leaves(1)
	})
}

// covers: TC_039_CS
func TestOfflineTransaction(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("LocalAuthorizeOffline", "true", "LocalAuthListEnabled", "true")
		b.Answers("Accepted", "SendLocalList", obj{"listVersion": 1, "updateType": "Full",
			"localAuthorizationList": []obj{{"idTag": "TAG1", "idTagInfo": obj{"status": "Accepted"}}}})
		b.words.count(4710)
		b.network(false)
		b.Plug(1)
		b.After(5 * time.Second)
		began := time.Now()
		b.Swipe(1, "TAG1")
		b.WantRelay(1, true)
		b.After(2 * time.Minute)
		ended := time.Now()
		b.Swipe(1, "TAG1")
		b.WantRelay(1, false)
		b.wantLocked(1, false)
		b.Post("evses/1/unplug", obj{})
		b.After(5 * time.Minute)
		b.network(true)
		b.wantAt("the start", b.Want("StartTransaction", obj{"connectorId": 1, "idTag": "TAG1", "meterStart": 0}), began)
		b.wantAt("the end", b.stops(1, 4711, "Local"), ended)
		b.None(time.Minute, "Authorize", nil)
		b.None(0, "StatusNotification", nil) // the connector is as it was
	})
}
