package cert16_test

import (
	"testing"
	"time"

	"github.com/evsed/evsed/station/local/cases"
)

// covers: TC_010_CS
func TestRemoteStartCableFirst(t *testing.T) {
	for _, authorize := range []string{"true", "false"} {
		t.Run("AuthorizeRemoteTxRequests "+authorize, func(t *testing.T) {
			ready(t, func(b *bench) {
				b.configure("AuthorizeRemoteTxRequests", authorize)
				b.Plug(1)
				b.status(1, "Preparing")
				b.Answers("Accepted", "RemoteStartTransaction", obj{"idTag": "TAG1", "connectorId": 1})
				if authorize == "true" {
					b.Want("Authorize", obj{"idTag": "TAG1"})
				}
				b.charges(1, "TAG1")
				b.None(0, "Authorize", nil)
			})
		})
	}
}

// covers: TC_011_1_CS
func TestRemoteStartFirst(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("AuthorizeRemoteTxRequests", "false")
		b.Answers("Accepted", "RemoteStartTransaction", obj{"idTag": "TAG1", "connectorId": 1})
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

// covers: TC_011_2_CS
func TestRemoteStartTimeOut(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("ConnectionTimeOut", "20", "AuthorizeRemoteTxRequests", "false")
		b.Answers("Accepted", "RemoteStartTransaction", obj{"idTag": "TAG1", "connectorId": 1})
		from := b.WantWithin(cases.Patience, "StatusNotification", obj{"connectorId": 1, "status": "Preparing"}).At
		until := b.WantWithin(cases.Patience, "StatusNotification", obj{"connectorId": 1, "status": "Available"}).At
		if d := until.Sub(from).Round(time.Second); d != 20*time.Second {
			b.Errorf("it waited %v for the cable, want 20 s", d)
		}
		b.None(time.Minute, "StartTransaction", nil)
	})
}

// covers: TC_012_CS
func TestRemoteStop(t *testing.T) {
	ready(t, func(b *bench) {
		tx := b.charging(1, "TAG1")
		b.Answers("Accepted", "RemoteStopTransaction", obj{"transactionId": tx})
		b.stops(1, tx, "Remote")
		b.status(1, "Finishing")
		b.leaves(1)
	})
}

// covers: TC_026_CS
func TestRemoteStartRejected(t *testing.T) {
	ready(t, func(b *bench) {
		b.charging(1, "TAG1")
		b.Answers("Rejected", "RemoteStartTransaction", obj{"idTag": "TAG2", "connectorId": 1})
		b.Answers("Accepted", "ChangeAvailability", obj{"connectorId": 2, "type": "Inoperative"})
		b.status(2, "Unavailable")
		b.Answers("Rejected", "RemoteStartTransaction", obj{"idTag": "TAG2", "connectorId": 2})
		b.Answers("Rejected", "RemoteStartTransaction", obj{"idTag": "TAG2", "connectorId": 7})
		b.None(time.Minute, "StartTransaction", nil)
	})
}

// covers: TC_028_CS
func TestRemoteStopRejected(t *testing.T) {
	ready(t, func(b *bench) {
		tx := b.charging(1, "TAG1")
		b.Answers("Rejected", "RemoteStopTransaction", obj{"transactionId": tx + 1})
		b.None(time.Minute, "StopTransaction", nil)
		b.WantRelay(1, true)
	})
}

// reset asks for a reset and reads that the charge point starts again.
func (b *bench) reset(kind string) {
	b.Helper()
	b.Answers("Accepted", "Reset", obj{"type": kind})
	b.boots()
}

// boots reads that a charge point has started again. What it said of its connectors before that is not looked at.
func (b *bench) boots() {
	b.Helper()
	boot := b.WantWithin(cases.Patience, "BootNotification", nil)
	b.SkipBefore(boot, "StatusNotification")
}

// covers: TC_013_CS TC_014_CS
func TestResetWithoutTransaction(t *testing.T) {
	for _, kind := range []string{"Hard", "Soft"} {
		t.Run(kind, func(t *testing.T) {
			ready(t, func(b *bench) {
				b.reset(kind)
				for c := range 3 {
					b.status(c, "Available")
				}
				b.charging(1, "TAG1")
			})
		})
	}
}

// covers: TC_015_CS TC_016_CS
func TestResetWithTransaction(t *testing.T) {
	for _, kind := range []string{"Hard", "Soft"} {
		t.Run(kind, func(t *testing.T) {
			ready(t, func(b *bench) {
				tx := b.charging(1, "TAG1")
				b.Answers("Accepted", "Reset", obj{"type": kind})
				b.stops(1, tx, kind+"Reset")
				b.boots()
				b.status(0, "Available")
				b.status(1, "Preparing") // the cable is still there
				b.status(2, "Available")
				b.leaves(1)
				b.None(time.Minute, "StopTransaction", nil)
			})
		})
	}
}

// covers: TC_017_1_CS
func TestUnlockSocket(t *testing.T) {
	ready(t, func(b *bench) {
		b.Answers("Unlocked", "UnlockConnector", obj{"connectorId": 1})
		b.Plug(1)
		b.status(1, "Preparing")
		b.Answers("Unlocked", "UnlockConnector", obj{"connectorId": 1})
		b.leaves(1)
	})
}

// covers: TC_017_2_CS TC_018_2_CS
func TestUnlockFixedCable(t *testing.T) {
	ready(t, func(b *bench) {
		b.Answers("NotSupported", "UnlockConnector", obj{"connectorId": 2})
		tx := b.charging(2, "TAG1")
		b.Answers("NotSupported", "UnlockConnector", obj{"connectorId": 2})
		b.None(time.Minute, "StopTransaction", nil)
		b.Swipe(2, "TAG1")
		b.stops(2, tx, "Local")
		b.status(2, "Finishing")
		b.leaves(2)
	})
}

// covers: TC_018_1_CS
func TestUnlockSocketWithSession(t *testing.T) {
	ready(t, func(b *bench) {
		tx := b.charging(1, "TAG1")
		b.Answers("Unlocked", "UnlockConnector", obj{"connectorId": 1})
		b.stops(1, tx, "UnlockCommand")
		b.status(1, "Finishing")
		b.leaves(1)
	})
}

// covers: TC_030_CS
func TestUnlockFailure(t *testing.T) {
	ready(t, func(b *bench) {
		tx := b.charging(1, "TAG1")
		b.Post("evses/1/lock", obj{"behaviour": "failsToUnlock"})
		b.Answers("UnlockFailed", "UnlockConnector", obj{"connectorId": 1})
		b.stops(1, tx, "UnlockCommand")
		b.status(1, "Finishing")
		b.Want("StatusNotification", obj{"connectorId": 1, "status": "Faulted", "errorCode": "ConnectorLockFailure"})
		b.wantLocked(1, true)
	})
}

// covers: TC_031_CS
func TestUnlockUnknownConnector(t *testing.T) {
	ready(t, func(b *bench) {
		b.Answers("NotSupported", "UnlockConnector", obj{"connectorId": 7})
	})
}
