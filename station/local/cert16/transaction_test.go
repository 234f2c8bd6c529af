package cert16_test

import (
	"errors"
	"testing"
	"time"

	"github.com/evsed/evsed/station/local/cases"
)

// TestTransactionIds: any number may be the id of a transaction, 0 and below too; one that comes late is used from then on,
// and what comes without one is refused.
func TestTransactionIds(t *testing.T) {
	for _, id := range []int{0, -1, 1<<31 - 1} {
		ready := func(run func(*bench)) { t.Run("", func(t *testing.T) { ready(t, run) }) }
		ready(func(b *bench) {
			b.Says("StartTransaction", obj{"idTagInfo": obj{"status": "Accepted"}, "transactionId": id})
			b.configure("MeterValueSampleInterval", "30")
			b.charging(2, "TAG1")
			b.Want("MeterValues", obj{"transactionId": id})
			b.Swipe(2, "TAG1")
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
		b.Says("StartTransaction", cases.Deaf{})
		b.Plug(2)
		b.status(2, "Preparing")
		b.Swipe(2, "TAG1")
		first := b.Want("StartTransaction", obj{"idTag": "TAG1"})
		b.status(2, "Charging")
		b.None(20*time.Second, "MeterValues", nil)
		again := b.WantWithin(2*time.Minute, "StartTransaction", nil).Body
		if first["timestamp"] != again["timestamp"] || first["meterStart"] != again["meterStart"] {
			b.Errorf("told again: %v, was %v", again, first)
		}
		b.Says("StartTransaction", obj{"idTagInfo": obj{"status": "Accepted"}, "transactionId": 77})
		b.WantWithin(5*time.Minute, "MeterValues", obj{"transactionId": 77})
		b.Swipe(2, "TAG1")
		b.WantWithin(5*time.Minute, "StopTransaction", obj{"transactionId": 77, "reason": "Local"})
		b.Skip()
	})
}

// TestTransactionIdNeverComes: a start that is refused to the last attempt is given up, and the end is told all the same, with
// an id that stands for none (errata 3.18).
func TestTransactionIdNeverComes(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("TransactionMessageRetryInterval", "10", "TransactionMessageAttempts", "3")
		b.Says("StartTransaction", errors.New("InternalError"))
		b.Plug(2)
		b.status(2, "Preparing")
		b.Swipe(2, "TAG1")
		b.Want("StartTransaction", obj{"idTag": "TAG1"})
		b.status(2, "Charging")
		b.After(5 * time.Minute)
		if n := b.Count("StartTransaction", nil); n != 3 {
			b.Errorf("%d attempts, want 3", n)
		}
		b.Swipe(2, "TAG1")
		b.stops(2, -1, "Local")
		b.status(2, "Finishing")
		b.leaves(2)
		b.On("StartTransaction", nil)
		b.charging(2, "TAG2")
	})
}

// TestWhoStopped: where a transaction lasts until the cable is out, the tag that stopped it is told with its end (1.6, 6.49), and
// what the Central System says of the tag then counts.
func TestWhoStopped(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("TxCtrlr.TxStopPoint", "EVConnected", "AuthorizationCacheEnabled", "true", "LocalPreAuthorize", "true")
		tx := b.charging(2, "TAG1")
		b.Swipe(2, "TAG1")
		b.WantRelay(2, false)
		b.None(time.Minute, "StopTransaction", nil)
		b.Skip()
		b.Says("StopTransaction", obj{"idTagInfo": obj{"status": "Blocked"}})
		b.Unplug(2)
		b.Want("StopTransaction", obj{"transactionId": tx, "idTag": "TAG1", "reason": "Local"})
		b.Skip()
		b.Plug(2)
		b.status(2, "Preparing")
		b.Swipe(2, "TAG1")
		b.Want("Authorize", obj{"idTag": "TAG1"})
		b.charges(2, "TAG1")
	})
}

// TestFixedCableLeaves: where no cable has to be taken out, the connector is free as soon as the car has gone.
func TestFixedCableLeaves(t *testing.T) {
	ready(t, func(b *bench) {
		tx := b.charging(2, "TAG1")
		b.Unplug(2)
		b.stops(2, tx, "EVDisconnected")
		b.Want("StatusNotification", obj{"connectorId": 2, "status": "Finishing", "info": "EV side disconnected"})
		b.status(2, "Available")
	})
}

// TestSuspendedEV: the car pauses, and goes on.
func TestSuspendedEV(t *testing.T) {
	ready(t, func(b *bench) {
		b.charging(2, "TAG1")
		b.Post("evses/2/ev", obj{"ready": false})
		b.status(2, "SuspendedEV")
		b.Post("evses/2/ev", obj{"ready": true})
		b.status(2, "Charging")
	})
}

// TestMinimumStatusDuration: a status that does not last is not told.
func TestMinimumStatusDuration(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("MinimumStatusDuration", "20")
		b.charging(2, "TAG1")
		b.After(time.Minute)
		b.Post("evses/2/ev", obj{"ready": false})
		b.After(5 * time.Second)
		b.Post("evses/2/ev", obj{"ready": true})
		b.None(time.Minute, "StatusNotification", nil)
		b.Post("evses/2/ev", obj{"ready": false})
		b.status(2, "SuspendedEV")
	})
}

// TestDeauthorizedAtStart: a tag that was known locally and is refused with StartTransaction.conf.
func TestDeauthorizedAtStart(t *testing.T) {
	for _, stop := range []string{"true", "false"} {
		t.Run("StopTransactionOnInvalidId "+stop, func(t *testing.T) {
			ready(t, func(b *bench) {
				b.configure("StopTransactionOnInvalidId", stop)
				b.Says("StartTransaction", obj{"idTagInfo": obj{"status": "ConcurrentTx"}, "transactionId": 9})
				b.Plug(2)
				b.status(2, "Preparing")
				b.Swipe(2, "TAG1")
				b.Want("StartTransaction", nil)
				if stop == "true" {
					b.stops(2, 9, "DeAuthorized")
					b.After(time.Minute)
					b.Skip()
					return
				}
				b.After(time.Minute)
				b.None(time.Minute, "StopTransaction", nil)
				b.WantRelay(2, false)
				b.Skip()
			})
		})
	}
}

// TestWrongFrames: what is no message, or not one for a charge point, is answered with an error, and changes nothing.
func TestWrongFrames(t *testing.T) {
	ready(t, func(b *bench) {
		for action, want := range map[string]string{"Authorize": "NotSupported", "NoSuchAction": "NotImplemented"} {
			if r := b.Ask(action, obj{"idTag": "TAG1"}); r.Code != want {
				b.Errorf("%s: %v %q, want %s", action, r.Body, r.Code, want)
			}
		}
		for _, payload := range []obj{{"type": "Warm"}, {"type": 1}, {}, {"type": nil}, {"type": "Hard", "when": "now"}, {"type": []string{"Hard"}}} {
			if r := b.Ask("Reset", payload); r.Code == "" {
				b.Errorf("Reset %v: %v", payload, r.Body)
			}
		}
		b.None(time.Minute, "BootNotification", nil)
		b.charging(2, "TAG1")
	})
}
