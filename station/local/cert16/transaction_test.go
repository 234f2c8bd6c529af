package cert16_test

import (
	"errors"
	"testing"
	"time"
)

// TestTransactionIds: any number may be the id of a transaction, 0 and below too; one that comes late is used from then on,
// and what comes without one is refused.
func TestTransactionIds(t *testing.T) {
	for _, id := range []int{0, -1, 1<<31 - 1} {
		ready := func(run func(*bench)) { t.Run("", func(t *testing.T) { ready(t, run) }) }
		ready(func(b *bench) {
			b.says("StartTransaction", obj{"idTagInfo": obj{"status": "Accepted"}, "transactionId": id})
			b.configure("MeterValueSampleInterval", "30")
			b.charging(2, "TAG1")
			b.want("MeterValues", obj{"transactionId": id})
			b.swipe(2, "TAG1")
			b.stops(2, id, "Local")
			b.status(2, "Finishing")
		})
	}
}

// TestTransactionIdComesLate: until the Central System answers, the station charges, keeps what it has to say, and sends the
// start again as it was.
func TestTransactionIdComesLate(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("MeterValueSampleInterval", "30", "TransactionMessageRetryInterval", "10", "TransactionMessageAttempts", "3")
		b.says("StartTransaction", deaf{})
		b.plug(2)
		b.status(2, "Preparing")
		b.swipe(2, "TAG1")
		first := b.want("StartTransaction", obj{"idTag": "TAG1"})
		b.status(2, "Charging")
		b.none(20*time.Second, "MeterValues", nil)
		again := b.wantWithin(2*time.Minute, "StartTransaction", nil).Body
		if first["timestamp"] != again["timestamp"] || first["meterStart"] != again["meterStart"] {
			b.Errorf("told again: %v, was %v", again, first)
		}
		b.says("StartTransaction", obj{"idTagInfo": obj{"status": "Accepted"}, "transactionId": 77})
		b.wantWithin(5*time.Minute, "MeterValues", obj{"transactionId": 77})
		b.swipe(2, "TAG1")
		b.wantWithin(5*time.Minute, "StopTransaction", obj{"transactionId": 77, "reason": "Local"})
		b.forget()
	})
}

// TestTransactionIdNeverComes: a start that is refused to the last attempt is given up, and the end is told all the same, with
// an id that stands for none (errata 3.18).
func TestTransactionIdNeverComes(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("TransactionMessageRetryInterval", "10", "TransactionMessageAttempts", "3")
		b.says("StartTransaction", errors.New("InternalError"))
		b.plug(2)
		b.status(2, "Preparing")
		b.swipe(2, "TAG1")
		b.want("StartTransaction", obj{"idTag": "TAG1"})
		b.status(2, "Charging")
		b.after(5 * time.Minute)
		if n := b.has("StartTransaction"); n != 3 {
			b.Errorf("%d attempts, want 3", n)
		}
		b.swipe(2, "TAG1")
		b.stops(2, -1, "Local")
		b.status(2, "Finishing")
		b.leaves(2)
		b.on("StartTransaction", nil)
		b.charging(2, "TAG2")
	})
}

// TestWhoStopped: where a transaction lasts until the cable is out, the tag that stopped it is told with its end (1.6, 6.49), and
// what the Central System says of the tag then counts.
func TestWhoStopped(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("TxCtrlr.TxStopPoint", "EVConnected", "AuthorizationCacheEnabled", "true", "LocalPreAuthorize", "true")
		tx := b.charging(2, "TAG1")
		b.swipe(2, "TAG1")
		b.wantRelay(2, false)
		b.none(time.Minute, "StopTransaction", nil)
		b.forget()
		b.says("StopTransaction", obj{"idTagInfo": obj{"status": "Blocked"}})
		b.unplug(2)
		b.want("StopTransaction", obj{"transactionId": tx, "idTag": "TAG1", "reason": "Local"})
		b.forget()
		b.plug(2)
		b.status(2, "Preparing")
		b.swipe(2, "TAG1")
		b.want("Authorize", obj{"idTag": "TAG1"})
		b.charges(2, "TAG1")
	})
}

// TestFixedCableLeaves: where no cable has to be taken out, the connector is free as soon as the car has gone.
func TestFixedCableLeaves(t *testing.T) {
	ready(t, func(b *bench) {
		tx := b.charging(2, "TAG1")
		b.unplug(2)
		b.stops(2, tx, "EVDisconnected")
		b.want("StatusNotification", obj{"connectorId": 2, "status": "Finishing", "info": "EV side disconnected"})
		b.status(2, "Available")
	})
}

// TestSuspendedEV: the car pauses, and goes on.
func TestSuspendedEV(t *testing.T) {
	ready(t, func(b *bench) {
		b.charging(2, "TAG1")
		b.post("evses/2/ev", obj{"ready": false})
		b.status(2, "SuspendedEV")
		b.post("evses/2/ev", obj{"ready": true})
		b.status(2, "Charging")
	})
}

// TestMinimumStatusDuration: a status that does not last is not told.
func TestMinimumStatusDuration(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("MinimumStatusDuration", "20")
		b.charging(2, "TAG1")
		b.after(time.Minute)
		b.post("evses/2/ev", obj{"ready": false})
		b.after(5 * time.Second)
		b.post("evses/2/ev", obj{"ready": true})
		b.none(time.Minute, "StatusNotification", nil)
		b.post("evses/2/ev", obj{"ready": false})
		b.status(2, "SuspendedEV")
	})
}

// TestDeauthorizedAtStart: a tag that was known locally and is refused with StartTransaction.conf.
func TestDeauthorizedAtStart(t *testing.T) {
	for _, stop := range []string{"true", "false"} {
		t.Run("StopTransactionOnInvalidId "+stop, func(t *testing.T) {
			ready(t, func(b *bench) {
				b.configure("StopTransactionOnInvalidId", stop)
				b.says("StartTransaction", obj{"idTagInfo": obj{"status": "ConcurrentTx"}, "transactionId": 9})
				b.plug(2)
				b.status(2, "Preparing")
				b.swipe(2, "TAG1")
				b.want("StartTransaction", nil)
				if stop == "true" {
					b.stops(2, 9, "DeAuthorized")
					b.after(time.Minute)
					b.forget()
					return
				}
				b.after(time.Minute)
				b.none(time.Minute, "StopTransaction", nil)
				b.wantRelay(2, false)
				b.forget()
			})
		})
	}
}

// TestWrongFrames: what is no message, or not one for a charge point, is answered with an error, and changes nothing.
func TestWrongFrames(t *testing.T) {
	ready(t, func(b *bench) {
		for action, want := range map[string]string{"Authorize": "NotSupported", "NoSuchAction": "NotImplemented"} {
			if r := b.ask(action, obj{"idTag": "TAG1"}); r.code != want {
				b.Errorf("%s: %v %q, want %s", action, r.body, r.code, want)
			}
		}
		for _, payload := range []obj{{"type": "Warm"}, {"type": 1}, {}, {"type": nil}, {"type": "Hard", "when": "now"}, {"type": []string{"Hard"}}} {
			if r := b.ask("Reset", payload); r.code == "" {
				b.Errorf("Reset %v: %v", payload, r.body)
			}
		}
		b.none(time.Minute, "BootNotification", nil)
		b.charging(2, "TAG1")
	})
}
