package cert16_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/evsed/evsed/station/local/cases"
)

// profile makes a charging profile of periods: start in s, limit in A, and so on.
func profile(id, stack int, purpose string, periods ...int) obj {
	var all []obj
	for i := 0; i < len(periods); i += 2 {
		all = append(all, obj{"startPeriod": periods[i], "limit": periods[i+1]})
	}
	return obj{"chargingProfileId": id, "stackLevel": stack, "chargingProfilePurpose": purpose, "chargingProfileKind": "Absolute",
		"chargingSchedule": obj{"duration": 86400, "startSchedule": time.Now().UTC().Format(time.RFC3339), "chargingRateUnit": "A", "chargingSchedulePeriod": all}}
}

// plus adds members to a payload.
func plus(o obj, name string, value any) obj { o[name] = value; return o }

func (b *bench) wantLimit(c int, amperes float64) {
	b.Helper()
	b.Until(fmt.Sprintf("connector %d is offered %g A", c, amperes), func() bool { return b.look(c).LimitA == amperes })
}

// greedy lets a big car charge, which takes what is offered.
func (b *bench) greedy(c int) int {
	b.Helper()
	b.plugCar(c, obj{"phases": 1, "maxCurrentA": 32})
	b.status(c, "Preparing")
	b.Swipe(c, "TAG1")
	b.Want("Authorize", obj{"idTag": "TAG1"})
	return b.charges(c, "TAG1")
}

// composite asks what holds for a while, as pairs of start and limit.
func (b *bench) composite(c int, d time.Duration) (pairs []int) {
	b.Helper()
	body := b.Answers("Accepted", "GetCompositeSchedule", obj{"connectorId": c, "duration": int(d.Seconds()), "chargingRateUnit": "A"})
	list, _ := cases.Member(body, "chargingSchedule.chargingSchedulePeriod").([]any)
	for _, p := range list {
		var start, limit float64
		fmt.Sscan(fmt.Sprint(cases.Member(p, "startPeriod")), &start)
		fmt.Sscan(fmt.Sprint(cases.Member(p, "limit")), &limit)
		pairs = append(pairs, int(start), int(limit))
	}
	return pairs
}

func (b *bench) wantComposite(c int, d time.Duration, want ...int) {
	b.Helper()
	if got := b.composite(c, d); fmt.Sprint(got) != fmt.Sprint(want) {
		b.Errorf("composite schedule of connector %d: %v, want %v", c, got, want)
	}
}

// covers: TC_056_CS
func TestTxDefaultProfile(t *testing.T) {
	ready(t, func(b *bench) {
		b.Answers("Accepted", "SetChargingProfile", obj{"connectorId": 2, "csChargingProfiles": profile(1, 0, "TxDefaultProfile", 0, 6, 300, 10)})
		b.greedy(2)
		b.wantLimit(2, 6)
		b.After(5 * time.Minute)
		b.wantLimit(2, 10)
		if got := b.look(2).CurrentA[0]; got > 10.1 || got < 9 {
			b.Errorf("the car takes %g A", got)
		}
	})
}

// covers: TC_057_CS
func TestTxProfile(t *testing.T) {
	ready(t, func(b *bench) {
		tx := b.greedy(2)
		b.wantLimit(2, 32)
		b.Answers("Accepted", "SetChargingProfile", obj{"connectorId": 2, "csChargingProfiles": plus(profile(1, 0, "TxProfile", 0, 8), "transactionId", tx)})
		b.wantLimit(2, 8)
		// 0 A is a pause (SuspendedEVSE), and it ends.
		b.Answers("Accepted", "SetChargingProfile", obj{"connectorId": 2, "csChargingProfiles": plus(profile(1, 0, "TxProfile", 0, 0, 60, 16), "transactionId", tx)})
		b.status(2, "SuspendedEVSE")
		b.WantRelay(2, false)
		b.After(50 * time.Second)
		b.status(2, "Charging")
		b.wantLimit(2, 16)
		b.Swipe(2, "TAG1")
		b.stops(2, tx, "Local")
		b.status(2, "Finishing")
		b.leaves(2)
		b.greedy(2) // the profile went with the transaction
		b.wantLimit(2, 32)
	})
}

// covers: TC_058_1_CS
func TestTxProfileWithoutTransaction(t *testing.T) {
	ready(t, func(b *bench) {
		b.Answers("Rejected", "SetChargingProfile", obj{"connectorId": 2, "csChargingProfiles": profile(1, 0, "TxProfile", 0, 6)})
		b.greedy(2)
		b.wantLimit(2, 32)
	})
}

// covers: TC_058_2_CS
func TestTxProfileWrongTransaction(t *testing.T) {
	ready(t, func(b *bench) {
		tx := b.greedy(2)
		b.Answers("Rejected", "SetChargingProfile", obj{"connectorId": 2, "csChargingProfiles": plus(profile(1, 0, "TxProfile", 0, 6), "transactionId", tx+1)})
		b.After(5 * time.Second)
		b.wantLimit(2, 32)
	})
}

// covers: TC_059_CS
func TestRemoteStartWithProfile(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("AuthorizeRemoteTxRequests", "false")
		b.plugCar(2, obj{"phases": 1, "maxCurrentA": 32})
		b.status(2, "Preparing")
		b.Answers("Accepted", "RemoteStartTransaction", obj{"idTag": "TAG1", "connectorId": 2, "chargingProfile": profile(1, 0, "TxProfile", 0, 7)})
		b.charges(2, "TAG1")
		b.wantLimit(2, 7)
		b.wantComposite(2, time.Minute, 0, 7)
	})
}

// covers: TC_060_CS
func TestRemoteStartWithProfileRejected(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("AuthorizeRemoteTxRequests", "false")
		b.Plug(2)
		b.status(2, "Preparing")
		b.Answers("Rejected", "RemoteStartTransaction", obj{"idTag": "TAG1", "connectorId": 2, "chargingProfile": profile(1, 0, "TxDefaultProfile", 0, 7)})
		b.Answers("Rejected", "RemoteStartTransaction", obj{"idTag": "TAG1", "connectorId": 2, "chargingProfile": profile(1, 0, "ChargePointMaxProfile", 0, 7)})
		b.None(time.Minute, "StartTransaction", nil)
	})
}

// covers: TC_066_CS
func TestGetCompositeSchedule(t *testing.T) {
	ready(t, func(b *bench) {
		b.wantComposite(2, 5*time.Minute, 0, 32) // nothing set, no transaction
		b.Answers("Accepted", "SetChargingProfile", obj{"connectorId": 0, "csChargingProfiles": profile(1, 0, "ChargePointMaxProfile", 0, 10)})
		b.Answers("Accepted", "SetChargingProfile", obj{"connectorId": 2, "csChargingProfiles": profile(2, 0, "TxDefaultProfile", 0, 6, 100, 12)})
		tx := b.greedy(2)
		b.Answers("Accepted", "SetChargingProfile", obj{"connectorId": 2, "csChargingProfiles": plus(profile(3, 0, "TxProfile", 0, 8, 50, 11, 200, 9), "transactionId", tx)})
		b.wantComposite(2, 5*time.Minute, 0, 8, 50, 10, 200, 9) // the lesser of TxProfile and ChargePointMaxProfile
		b.wantLimit(2, 8)
		if got := cases.Member(b.Answers("Accepted", "GetCompositeSchedule", obj{"connectorId": 0, "duration": 60, "chargingRateUnit": "A"}), "connectorId"); fmt.Sprint(got) != "0" {
			b.Errorf("schedule of connector %v", got)
		}
		b.Answers("Rejected", "GetCompositeSchedule", obj{"connectorId": 7, "duration": 60})
	})
}

// covers: TC_067_CS
func TestClearChargingProfile(t *testing.T) {
	ready(t, func(b *bench) {
		b.Answers("Unknown", "ClearChargingProfile", obj{"id": 1})
		for id, c := range []int{1, 2, 2} {
			b.Answers("Accepted", "SetChargingProfile", obj{"connectorId": c, "csChargingProfiles": profile(id+1, id, "TxDefaultProfile", 0, 10+id)})
		}
		b.greedy(2)
		b.wantLimit(2, 12)
		b.Answers("Accepted", "ClearChargingProfile", obj{"id": 3})
		b.wantLimit(2, 11)
		b.Answers("Unknown", "ClearChargingProfile", obj{"connectorId": 2, "chargingProfilePurpose": "TxDefaultProfile", "stackLevel": 2})
		b.Answers("Accepted", "ClearChargingProfile", obj{"connectorId": 2, "chargingProfilePurpose": "TxDefaultProfile", "stackLevel": 1})
		b.wantLimit(2, 32)
		b.Answers("Accepted", "ClearChargingProfile", nil)
		b.Answers("Unknown", "ClearChargingProfile", nil)
	})
}

// covers: TC_072_CS
func TestStackingProfiles(t *testing.T) {
	ready(t, func(b *bench) {
		b.Answers("Accepted", "SetChargingProfile", obj{"connectorId": 2, "csChargingProfiles": profile(1, 0, "TxDefaultProfile", 0, 6)})
		short := profile(2, 1, "TxDefaultProfile", 0, 10)
		short["chargingSchedule"].(obj)["duration"] = 150
		b.Answers("Accepted", "SetChargingProfile", obj{"connectorId": 2, "csChargingProfiles": short})
		b.greedy(2)
		b.wantLimit(2, 10)
		b.After(150 * time.Second) // the higher level has nothing to say any more
		b.wantLimit(2, 6)
		b.wantComposite(2, time.Minute, 0, 6)
	})
}
