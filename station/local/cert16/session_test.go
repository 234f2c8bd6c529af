package cert16_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/evsed/evsed/station/local/cases"
)

// charging lets a car charge at a connector: cable, card, transaction. It returns the transaction's id.
func (b *bench) charging(c int, tag string) int {
	b.Helper()
	b.Plug(c)
	b.status(c, "Preparing")
	b.Swipe(c, tag)
	b.Want("Authorize", obj{"idTag": tag})
	return b.charges(c, tag)
}

// charges reads the beginning of a transaction, and returns its id.
func (b *bench) charges(c int, tag string) int {
	b.Helper()
	b.Want("StartTransaction", obj{"connectorId": c, "idTag": tag})
	b.status(c, "Charging")
	b.WantRelay(c, true)
	return b.words.last()
}

// stops reads the end of a transaction.
func (b *bench) stops(c, tx int, reason string) obj {
	b.Helper()
	body := b.Want("StopTransaction", obj{"transactionId": tx, "reason": reason})
	b.WantRelay(c, false)
	if counted := b.look(c).EnergyWh; fmt.Sprint(body["meterStop"]) != fmt.Sprint(int(counted)) {
		b.Errorf("meterStop %v, the meter shows %v Wh", body["meterStop"], counted)
	}
	return body
}

// leaves takes the cable out of a socket and reads that the connector is free.
func (b *bench) leaves(c int) {
	b.Helper()
	if c == 2 {
		b.Unplug(c)
	} else {
		b.wantLocked(c, false)
		b.Post(fmt.Sprintf("evses/%d/unplug", c), obj{})
	}
	b.status(c, "Available")
}

// covers: TC_003_CS
func TestRegularSessionPluginFirst(t *testing.T) {
	for c, kind := range map[int]string{1: "socket", 2: "fixed cable"} {
		t.Run(kind, func(t *testing.T) {
			ready(t, func(b *bench) {
				tx := b.charging(c, "TAG1")
				if c == 1 {
					b.wantLocked(1, true)
				}
				b.After(2 * time.Minute)
				b.Swipe(c, "TAG1")
				b.stops(c, tx, "Local")
				b.status(c, "Finishing")
				b.leaves(c)
			})
		})
	}
}

// covers: TC_004_1_CS
func TestRegularSessionIdentificationFirst(t *testing.T) {
	ready(t, func(b *bench) {
		b.Swipe(1, "TAG1")
		b.Want("Authorize", obj{"idTag": "TAG1"})
		b.status(1, "Preparing")
		b.After(5 * time.Second)
		b.Plug(1)
		tx := b.charges(1, "TAG1")
		b.Swipe(1, "TAG1")
		b.stops(1, tx, "Local")
		b.status(1, "Finishing")
		b.leaves(1)
	})
}

// covers: TC_004_2_CS
func TestIdentificationFirstConnectionTimeOut(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("ConnectionTimeOut", "30")
		b.Swipe(1, "TAG1")
		b.Want("Authorize", obj{"idTag": "TAG1"})
		from := b.WantWithin(cases.Patience, "StatusNotification", obj{"connectorId": 1, "status": "Preparing"}).At
		until := b.WantWithin(cases.Patience, "StatusNotification", obj{"connectorId": 1, "status": "Available"}).At
		if d := until.Sub(from).Round(time.Second); d != 30*time.Second {
			b.Errorf("it waited %v for the cable, want 30 s", d)
		}
		b.Plug(1) // too late: the driver is not known any more
		b.status(1, "Preparing")
		b.None(time.Minute, "StartTransaction", nil)
	})
}

// covers: TC_005_1_CS
func TestEVSideDisconnectStopsAndUnlocks(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("StopTransactionOnEVSideDisconnect", "true", "UnlockConnectorOnEVSideDisconnect", "true")
		tx := b.charging(1, "TAG1")
		b.Unplug(1)
		b.stops(1, tx, "EVDisconnected")
		b.status(1, "Finishing")
		b.wantLocked(1, false)
		b.leaves(1)
	})
}

// covers: TC_005_2_CS
func TestEVSideDisconnectStopsAndKeepsTheCable(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("StopTransactionOnEVSideDisconnect", "true", "UnlockConnectorOnEVSideDisconnect", "false")
		tx := b.charging(1, "TAG1")
		b.Unplug(1)
		b.stops(1, tx, "EVDisconnected")
		b.status(1, "Finishing")
		b.After(time.Minute)
		b.wantLocked(1, true)
		b.Swipe(1, "TAG1") // the driver asks for the cable
		b.leaves(1)
		b.None(time.Minute, "StartTransaction", nil)
	})
}

// covers: TC_005_3_CS
func TestEVSideDisconnectSuspends(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("StopTransactionOnEVSideDisconnect", "false", "UnlockConnectorOnEVSideDisconnect", "false")
		tx := b.charging(1, "TAG1")
		b.Unplug(1)
		b.status(1, "SuspendedEV")
		b.WantRelay(1, false)
		b.None(2*time.Minute, "StopTransaction", nil)
		b.wantLocked(1, true)
		b.Post("evses/1/plug", obj{"side": "ev", "ev": obj{"maxCurrentA": 16, "phases": 1}})
		b.statuses(1, "SuspendedEV", "Charging") // the car is there again; then it takes energy
		b.WantRelay(1, true)
		b.Swipe(1, "TAG1")
		b.stops(1, tx, "Local")
		b.status(1, "Finishing")
		b.leaves(1)
	})
}

// covers: TC_006_CS
func TestOneReaderForSeveralConnectors(t *testing.T) {
	ready(t, func(b *bench) {
		b.Plug(2)
		b.status(2, "Preparing")
		b.Post("swipe", obj{"idToken": "TAG1"})
		b.Want("Authorize", obj{"idTag": "TAG1"})
		one := b.charges(2, "TAG1")
		b.Plug(1)
		b.status(1, "Preparing")
		b.Post("swipe", obj{"idToken": "TAG2"})
		b.Want("Authorize", obj{"idTag": "TAG2"})
		two := b.charges(1, "TAG2")
		b.Post("swipe", obj{"idToken": "TAG1"})
		b.stops(2, one, "Local")
		b.status(2, "Finishing")
		b.WantRelay(1, true)
		b.leaves(2)
		b.Post("swipe", obj{"idToken": "TAG2"})
		b.stops(1, two, "Local")
		b.status(1, "Finishing")
		b.leaves(1)
	})
}

// covers: TC_007_CS
func TestCachedIdStartsAtOnce(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("AuthorizationCacheEnabled", "true", "LocalPreAuthorize", "true")
		tx := b.charging(1, "TAG1")
		b.Swipe(1, "TAG1")
		b.stops(1, tx, "Local")
		b.status(1, "Finishing")
		b.leaves(1)
		b.Plug(1)
		b.status(1, "Preparing")
		b.Swipe(1, "TAG1")
		b.charges(1, "TAG1")
		b.None(time.Second, "Authorize", nil)
	})
}

// covers: TC_023_1_CS TC_023_2_CS TC_023_3_CS
func TestAuthorizeRefused(t *testing.T) {
	for _, tag := range []string{"INVALID", "EXPIRED", "BLOCKED"} {
		t.Run(tag, func(t *testing.T) {
			ready(t, func(b *bench) {
				b.Plug(1)
				b.status(1, "Preparing")
				b.Swipe(1, tag)
				b.Want("Authorize", obj{"idTag": tag})
				b.None(time.Minute, "StartTransaction", nil)
				b.WantRelay(1, false)
				b.leaves(1)
				b.Swipe(1, tag) // and the card first
				b.Want("Authorize", obj{"idTag": tag})
				b.After(time.Second)
				b.Plug(1)
				b.status(1, "Preparing")
				b.None(time.Minute, "StartTransaction", nil)
				b.WantRelay(1, false)
			})
		})
	}
}

// covers: TC_024_CS
func TestLockFailure(t *testing.T) {
	for _, begins := range []string{"EnergyTransfer", "PowerPathClosed"} {
		t.Run("TxStartPoint "+begins, func(t *testing.T) {
			ready(t, func(b *bench) {
				b.configure("TxCtrlr.TxStartPoint", begins)
				b.Post("evses/1/lock", obj{"behaviour": "failsToLock"})
				b.Plug(1)
				b.status(1, "Preparing")
				b.Swipe(1, "TAG1")
				b.Want("Authorize", obj{"idTag": "TAG1"})
				b.Want("StatusNotification", obj{"connectorId": 1, "status": "Faulted", "errorCode": "ConnectorLockFailure"})
				if begins == "EnergyTransfer" {
					b.None(time.Minute, "StartTransaction", nil)
				}
				b.After(time.Minute)
				if e := b.look(1); e.Relay || e.EnergyWh > 0 {
					b.Errorf("energy flows through a plug that is not locked: %+v", e)
				}
			})
		})
	}
}
