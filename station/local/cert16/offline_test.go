package cert16_test

import (
	"reflect"
	"testing"
	"time"
)

// forget lets the statuses so far be unread without a complaint: a case is about something else.
func (b *bench) forget() {
	b.with(func() {
		for _, h := range b.all {
			h.read = true
		}
	})
}

func (b *bench) network(up bool) {
	b.Helper()
	b.post("network", obj{"up": up})
	if !up {
		b.until("the station is offline", func() bool { b.mu.Lock(); defer b.mu.Unlock(); return b.ws == nil })
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
		b.after(2 * time.Minute)
		b.post("power", obj{"on": false, "upsS": 10})
		told := b.stops(1, tx, "PowerLoss")
		b.after(time.Minute)
		b.post("power", obj{"on": true})
		b.boots()
		b.status(0, "Available")
		b.status(1, "Preparing") // the cable is still there
		b.status(2, "Available")
		b.after(time.Minute)
		b.with(func() { // an answer that was not kept when the power went is asked for again: the same to the last word
			for _, h := range b.all {
				if h.Action == "StopTransaction" && !reflect.DeepEqual(h.Body, told) {
					b.Errorf("%s differs from %v", h, told)
				}
			}
		})
	})
}

// covers: TC_032_2_CS
func TestPowerFailureToldAfter(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("TxCtrlr.ResumptionTimeout", "0")
		tx := b.charging(1, "TAG1")
		b.after(2 * time.Minute)
		b.post("power", obj{"on": false})
		b.none(time.Minute, "StopTransaction", nil)
		b.post("power", obj{"on": true})
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
		b.answers("Accepted", "ChangeAvailability", obj{"connectorId": 1, "type": "Inoperative"})
		b.status(1, "Unavailable")
		b.post("power", obj{"cycle": true, "offMs": 5000})
		b.boots()
		b.status(0, "Available")
		b.status(1, "Unavailable")
		b.status(2, "Available")
		b.answers("Accepted", "ChangeAvailability", obj{"connectorId": 1, "type": "Operative"})
		b.status(1, "Available")
	})
}

// covers: TC_036_CS
func TestConnectionLossDuringTransaction(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("MeterValueSampleInterval", "60")
		tx := b.charging(1, "TAG1")
		last := b.wantWithin(2*time.Minute, "MeterValues", obj{"transactionId": tx}).At
		b.network(false)
		b.after(5 * time.Minute)
		b.wantRelay(1, true)
		b.network(true)
		for range 4 { // what was measured meanwhile is told
			last = last.Add(time.Minute)
			b.wantAt("a sample", b.want("MeterValues", obj{"transactionId": tx})["meterValue"].([]any)[0].(obj), last)
		}
		b.none(time.Minute, "BootNotification", nil)
		b.none(0, "StopTransaction", nil)
		b.swipe(1, "TAG1")
		b.stops(1, tx, "Local")
		b.status(1, "Finishing")
	})
}

// covers: TC_037_1_CS
func TestOfflineStartValid(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("LocalAuthorizeOffline", "true", "LocalAuthListEnabled", "true")
		b.answers("Accepted", "SendLocalList", obj{"listVersion": 1, "updateType": "Full",
			"localAuthorizationList": []obj{{"idTag": "TAG1", "idTagInfo": obj{"status": "Accepted"}}}})
		b.network(false)
		b.after(time.Minute)
		at := time.Now()
		b.plug(1)
		b.after(5 * time.Second)
		b.swipe(1, "TAG1")
		b.wantRelay(1, true)
		b.after(5 * time.Minute)
		b.network(true)
		b.wantAt("the start", b.want("StartTransaction", obj{"connectorId": 1, "idTag": "TAG1"}), at.Add(5*time.Second))
		b.status(1, "Charging")
		b.none(time.Minute, "Authorize", nil)
		b.wantRelay(1, true)
		b.swipe(1, "TAG1")
		b.stops(1, 1, "Local")
		b.status(1, "Finishing")
	})
}

// offlineUnknown starts a transaction offline for somebody whom the Central System refuses afterwards.
func (b *bench) offlineUnknown() {
	b.Helper()
	b.network(false)
	b.plug(1)
	b.after(5 * time.Second)
	b.swipe(1, "NOBODY")
	b.wantRelay(1, true)
	b.after(time.Minute)
	b.network(true)
	b.want("StartTransaction", obj{"connectorId": 1, "idTag": "NOBODY"})
}

// covers: TC_037_2_CS
func TestOfflineStartInvalidGoesOn(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("AllowOfflineTxForUnknownId", "true", "StopTransactionOnInvalidId", "false", "MaxEnergyOnInvalidId", "0")
		b.offlineUnknown()
		b.statuses(1, "Charging", "SuspendedEVSE")
		b.wantRelay(1, false)
		b.none(5*time.Minute, "StopTransaction", nil)
		b.swipe(1, "NOBODY") // whoever began it ends it
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
		b.forget()
		b.leaves(1)
	})
}

// covers: TC_038_CS
func TestOfflineStop(t *testing.T) {
	ready(t, func(b *bench) {
		tx := b.charging(1, "TAG1")
		b.after(time.Minute)
		b.network(false)
		at := time.Now()
		b.swipe(1, "TAG1")
		b.wantRelay(1, false)
		b.wantLocked(1, false)
		b.after(5 * time.Minute)
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
		b.answers("Accepted", "SendLocalList", obj{"listVersion": 1, "updateType": "Full",
			"localAuthorizationList": []obj{{"idTag": "TAG1", "idTagInfo": obj{"status": "Accepted"}}}})
		b.with(func() { b.lastTx = 4710 })
		b.network(false)
		b.plug(1)
		b.after(5 * time.Second)
		began := time.Now()
		b.swipe(1, "TAG1")
		b.wantRelay(1, true)
		b.after(2 * time.Minute)
		ended := time.Now()
		b.swipe(1, "TAG1")
		b.wantRelay(1, false)
		b.wantLocked(1, false)
		b.post("evses/1/unplug", obj{})
		b.after(5 * time.Minute)
		b.network(true)
		b.wantAt("the start", b.want("StartTransaction", obj{"connectorId": 1, "idTag": "TAG1", "meterStart": 0}), began)
		b.wantAt("the end", b.stops(1, 4711, "Local"), ended)
		b.none(time.Minute, "Authorize", nil)
		b.none(0, "StatusNotification", nil) // the connector is as it was
	})
}
