package cert16_test

import (
	"testing"
	"time"

	"github.com/evsed/evsed/station/local/cases"
)

// reservation makes a ReserveNow for TAG1 that ends after a while.
func reservation(id, c int, d time.Duration) obj {
	return obj{"connectorId": c, "expiryDate": time.Now().Add(d).UTC().Format(time.RFC3339), "idTag": "TAG1", "reservationId": id}
}

// covers: TC_046_CS
func TestReservedConnector(t *testing.T) {
	ready(t, func(b *bench) {
		b.Answers("Accepted", "ReserveNow", reservation(5, 2, time.Hour))
		b.status(2, "Reserved")
		b.Answers("Rejected", "RemoteStartTransaction", obj{"idTag": "TAG2", "connectorId": 2})
		b.Swipe(2, "TAG2") // somebody else
		b.None(10*time.Second, "StartTransaction", nil)
		b.Swipe(2, "TAG1")
		b.status(2, "Preparing")
		b.Plug(2)
		b.Want("StartTransaction", obj{"connectorId": 2, "idTag": "TAG1", "reservationId": 5})
		b.status(2, "Charging")
		b.Swipe(2, "TAG1")
		b.stops(2, 1, "Local")
		b.status(2, "Finishing")
		b.leaves(2) // free for all
		b.Swipe(2, "TAG2")
		b.status(2, "Preparing")
		b.Plug(2)
		b.Want("StartTransaction", obj{"connectorId": 2, "idTag": "TAG2", "reservationId": nil})
		b.status(2, "Charging")
	})
}

// covers: TC_047_CS
func TestReservationExpires(t *testing.T) {
	ready(t, func(b *bench) {
		b.Answers("Accepted", "ReserveNow", reservation(5, 2, 5*time.Minute))
		from := b.WantWithin(cases.Patience, "StatusNotification", obj{"connectorId": 2, "status": "Reserved"}).At
		until := b.WantWithin(10*time.Minute, "StatusNotification", obj{"connectorId": 2, "status": "Available"}).At
		if d := until.Sub(from); d < 295*time.Second || d > 305*time.Second {
			b.Errorf("it was held for %v, want 5 minutes", d)
		}
		b.Answers("Rejected", "CancelReservation", obj{"reservationId": 5})
		b.Swipe(2, "TAG2")
		b.status(2, "Preparing")
	})
}

// faulted makes a connector faulty.
func (b *bench) faulted(c int) {
	b.Helper()
	b.Post(map[int]string{1: "evses/1/faults", 2: "evses/2/faults"}[c], obj{"code": "groundFailure"})
	b.Want("StatusNotification", obj{"connectorId": c, "status": "Faulted", "errorCode": "GroundFailure"})
}

// covers: TC_048_1_CS TC_050_1_CS
func TestReserveFaulted(t *testing.T) {
	ready(t, func(b *bench) {
		b.faulted(2)
		b.Answers("Faulted", "ReserveNow", reservation(5, 2, time.Hour))
		b.faulted(1)
		b.Answers("Faulted", "ReserveNow", reservation(6, 0, time.Hour))
		b.None(5*time.Second, "StatusNotification", obj{"status": "Reserved"})
	})
}

// covers: TC_048_2_CS TC_050_2_CS
func TestReserveOccupied(t *testing.T) {
	ready(t, func(b *bench) {
		b.Plug(2)
		b.status(2, "Preparing")
		b.Answers("Occupied", "ReserveNow", reservation(5, 2, time.Hour))
		b.Plug(1)
		b.status(1, "Preparing")
		b.Answers("Occupied", "ReserveNow", reservation(6, 0, time.Hour))
	})
}

// covers: TC_048_3_CS TC_050_3_CS
func TestReserveUnavailable(t *testing.T) {
	ready(t, func(b *bench) {
		b.Answers("Accepted", "ChangeAvailability", obj{"connectorId": 2, "type": "Inoperative"})
		b.status(2, "Unavailable")
		b.Answers("Unavailable", "ReserveNow", reservation(5, 2, time.Hour))
		b.Answers("Accepted", "ChangeAvailability", obj{"connectorId": 0, "type": "Inoperative"})
		b.status(0, "Unavailable")
		b.status(1, "Unavailable")
		b.Answers("Unavailable", "ReserveNow", reservation(6, 0, time.Hour))
	})
}

// covers: TC_048_4_CS TC_050_4_CS
func TestReserveRejected(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("ReservationCtrlr.Enabled", "false")
		b.Answers("Rejected", "ReserveNow", reservation(5, 2, time.Hour))
		b.Answers("Rejected", "ReserveNow", reservation(6, 0, time.Hour))
		b.None(5*time.Second, "StatusNotification", obj{"status": "Reserved"})
	})
}

// covers: TC_049_CS
func TestReservedChargePoint(t *testing.T) {
	ready(t, func(b *bench) {
		if got := b.key("ReserveConnectorZeroSupported"); got != "true" {
			b.Errorf("ReserveConnectorZeroSupported %q", got)
		}
		b.Answers("Accepted", "ReserveNow", reservation(5, 0, time.Hour))
		b.Plug(1) // somebody else may take one of the two
		b.status(1, "Preparing")
		b.Swipe(1, "TAG2")
		b.Want("StartTransaction", obj{"connectorId": 1, "idTag": "TAG2", "reservationId": nil})
		b.status(1, "Charging")
		b.status(2, "Reserved") // the other is held
		b.Swipe(2, "TAG1")
		b.status(2, "Preparing")
		b.Plug(2)
		b.Want("StartTransaction", obj{"connectorId": 2, "idTag": "TAG1", "reservationId": 5})
		b.status(2, "Charging")
	})
}

// covers: TC_051_CS TC_052_CS
func TestCancelReservation(t *testing.T) {
	ready(t, func(b *bench) {
		b.Answers("Accepted", "ReserveNow", reservation(5, 2, time.Hour))
		b.status(2, "Reserved")
		b.Answers("Rejected", "CancelReservation", obj{"reservationId": 6})
		b.Answers("Accepted", "CancelReservation", obj{"reservationId": 5})
		b.status(2, "Available")
		b.Answers("Rejected", "CancelReservation", obj{"reservationId": 5})
		b.Plug(2)
		b.status(2, "Preparing")
		b.Swipe(2, "TAG2")
		b.charges(2, "TAG2")
	})
}

// covers: TC_053_CS
func TestReservationByParent(t *testing.T) {
	ready(t, func(b *bench) {
		r := reservation(5, 2, time.Hour)
		r["parentIdTag"] = "PARENT"
		b.Answers("Accepted", "ReserveNow", r)
		b.status(2, "Reserved")
		b.Swipe(2, "CHILD2")
		b.Want("Authorize", obj{"idTag": "CHILD2"})
		b.status(2, "Preparing")
		b.Plug(2)
		b.Want("StartTransaction", obj{"connectorId": 2, "idTag": "CHILD2", "reservationId": 5})
		b.status(2, "Charging")
	})
}
