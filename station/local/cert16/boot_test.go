package cert16_test

import (
	"testing"
	"time"

	"github.com/evsed/evsed/station/local/cases"
)

// covers: TC_001_CS
func TestColdBoot(t *testing.T) {
	play(t, func(b *bench) {
		b.Says("BootNotification", obj{"status": "Accepted", "currentTime": "2030-01-01T00:00:00Z", "interval": 600})
	}, func(b *bench) {
		b.Want("BootNotification", obj{"chargePointVendor": "evsed", "chargePointModel": "simulator", "chargePointSerialNumber": "S1", "firmwareVersion": "0.1"})
		for c := range 3 {
			b.Want("StatusNotification", obj{"connectorId": c, "status": "Available", "errorCode": "NoError"})
		}
		first := b.WantWithin(11*time.Minute, "Heartbeat", nil).At
		if next := b.WantWithin(11*time.Minute, "Heartbeat", nil).At.Sub(first).Round(time.Second); next != 10*time.Minute {
			b.Errorf("heartbeats are %v apart, want 10 minutes", next)
		}
		if got := b.key("HeartbeatInterval"); got != "600" {
			b.Errorf("HeartbeatInterval %s", got)
		}
		b.None(time.Second, "BootNotification", nil)
		if n := b.Count("BootNotification", nil); n != 1 {
			b.Errorf("%d BootNotifications", n)
		}
	})
}

// covers: TC_002_CS
func TestColdBootPending(t *testing.T) {
	play(t, func(b *bench) {
		b.Says("BootNotification", obj{"status": "Pending", "currentTime": "2030-01-01T00:00:00Z", "interval": 30})
	}, func(b *bench) {
		first := b.WantWithin(cases.Patience, "BootNotification", nil).At
		b.None(10*time.Second, "StatusNotification", nil)
		// What the Central System asks is answered, what starts a transaction is refused (4.2).
		b.Call("GetConfiguration", nil)
		b.Answers("Accepted", "ChangeConfiguration", obj{"key": "MeterValueSampleInterval", "value": "30"})
		b.Answers("Rejected", "RemoteStartTransaction", obj{"idTag": "TAG1", "connectorId": 1})
		b.None(time.Second, "Heartbeat", nil)
		if next := b.WantWithin(time.Minute, "BootNotification", nil).At.Sub(first).Round(time.Second); next != 30*time.Second {
			b.Errorf("the next BootNotification came after %v, want 30 s", next)
		}
		b.Answers("Accepted", "TriggerMessage", obj{"requestedMessage": "BootNotification"})
		b.Want("BootNotification", nil)
		b.On("BootNotification", nil)
		b.booted()
		if got := b.key("MeterValueSampleInterval"); got != "30" {
			b.Errorf("MeterValueSampleInterval %s", got)
		}
	})
}
