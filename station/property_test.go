package station_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/evsed/evsed/station/stationtest"
)

var (
	seeds = flag.Uint64("seeds", 400, "number of random stories")
	seed  = flag.Uint64("seed", 0, "play this story alone, and print it")
)

// story makes the lines of a random story.
type story struct{ *rand.Rand }

func (r story) pick(words ...string) string { return words[r.IntN(len(words))] }

func (r story) yes() bool { return r.IntN(2) == 0 }

func (r story) ref() string { return r.pick("1.1", "1.1", "1.2", "2.1") }

func (r story) token() string { return r.pick("ALICE", "BOB", "CAROL", "MASTER", "EVE") }

// settings are what a story may set before and while it is played.
func (r story) setting() string {
	points := func() string {
		all := []string{"EVConnected", "Authorized", "PowerPathClosed", "EnergyTransfer", "ParkingBayOccupancy"}
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		return strings.Join(all[:1+r.IntN(2)], ",")
	}
	switch r.IntN(12) {
	case 0, 1, 2:
		return "TxCtrlr/TxStartPoint=" + points()
	case 3, 4, 5:
		return "TxCtrlr/TxStopPoint=" + points()
	case 6:
		return "TxCtrlr/StopTxOnInvalidId=" + r.pick("true", "false")
	case 7:
		return "TxCtrlr/MaxEnergyOnInvalidId=" + r.pick("0", "50")
	case 8:
		return "TxCtrlr/StopTxOnEVSideDisconnect=" + r.pick("true", "false")
	case 9:
		return "TxCtrlr/ResumptionTimeout=" + r.pick("0", "60")
	case 10:
		return r.pick("SampledDataCtrlr/TxEndedInterval=7", "SampledDataCtrlr/TxUpdatedInterval=5", "SampledDataCtrlr/TxUpdatedInterval=0",
			"AlignedDataCtrlr/Interval=30", "AlignedDataCtrlr/TxEndedInterval=20")
	}
	if r.IntN(6) == 0 {
		return r.pick("SampledDataCtrlr/SignStartedReadings=true", "SampledDataCtrlr/SignUpdatedReadings=true", "AlignedDataCtrlr/SignReadings=true AlignedDataCtrlr/SignUpdatedReadings=true",
			"OCPPCommCtrlr/PublicKeyWithSignedMeterValue=EveryMeterValue")
	}
	if r.IntN(8) == 0 {
		return "ReservationCtrlr/Enabled=" + r.pick("true", "true", "false")
	}
	return "AuthCtrlr/" + r.pick("LocalPreAuthorize=true", "OfflineTxForUnknownIdEnabled=true", "AuthorizeRemoteStart=true", "Enabled=false", "Enabled=true")
}

func (r story) request() string {
	switch r.IntN(20) {
	case 16, 17, 18:
		return fmt.Sprintf("ReserveNow id=%d token=%s in=%s%s%s%s", r.IntN(4), r.token(), r.pick("5s", "90s", "1h", "1h"), r.pick("", " evse=1", " evse=2"),
			r.pick("", "", " type=sType2", " type=cType1"), r.pick("", " group=FAMILY"))
	case 19:
		return fmt.Sprintf("CancelReservation id=%d", r.IntN(4))
	case 11, 12, 13, 14:
		return r.profile()
	case 0, 1:
		return "ChangeAvailability " + r.pick("0", "1", "2", "1.1", "1.2") + " " + r.pick("Operative", "Operative", "Inoperative")
	case 2, 3:
		return fmt.Sprintf("RequestStart id=%d token=%s%s", r.IntN(100), r.token(), r.pick("", " evse=1", " evse=2"))
	case 4, 5:
		return fmt.Sprintf("RequestStop T%d", 1+r.IntN(8))
	case 6:
		return "Reset " + r.pick("OnIdle", "Immediate", "ImmediateAndResume") + r.pick("", " evse=1", " evse=2")
	case 7:
		return "UnlockConnector " + r.ref()
	case 8, 9:
		return "TriggerMessage " + r.pick("MeterValues", "TransactionEvent", "StatusNotification", "Heartbeat", "BootNotification") + r.pick("", " 1", " 1.1")
	case 10:
		return "GetBaseReport id=1 SummaryInventory"
	}
	return r.pick("ClearCache", r.certificate(), r.firmware())
}

// firmware is a request for an update, now and then one that is refused.
func (r story) firmware() string {
	return fmt.Sprintf("UpdateFirmware id=%d url=%s%s%s%s retries=%d interval=10s", r.IntN(100), r.pick("http://x/fw", "ftp://x/fw", "http://x/fw", "gopher://x"),
		r.pick("", "", "", " sig=bad", " cert=bad", " sig=none"), r.pick("", "", " from=20s"), r.pick("", "", " install=40s"), r.IntN(3))
}

// step is how a part of an update ends.
func (r story) step() string {
	return r.pick("fetched", "fetched", "fetched", "fetching", "fetched code=FW-TRANSFER", "fetched code=FW-NOTFOUND final", "fetched sum=other", "installed", "installed",
		"installed code=FW-KEY unfit", "activated", "activated", "activated live", "activated ignored", "activated code=FW-SLOT", "proved")
}

// certificate is a request about certificates, now and then one that is refused.
func (r story) certificate() string {
	ca := r.pick("A", "B", "B<A", "C<B", "C<A", "D", "D:expired")
	switch r.IntN(8) {
	case 0, 1, 2:
		return "InstallCertificate " + r.pick("CSMSRootCertificate", "CSMSRootCertificate", "ManufacturerRootCertificate", "V2GRootCertificate") + " " + ca + r.pick("", "", "", " broken")
	case 3:
		return "DeleteCertificate " + ca + r.pick("", " hash=SHA512")
	case 4:
		return "GetInstalledCertificateIds" + r.pick("", " CSMSRootCertificate")
	case 5:
		return "TriggerMessage SignChargingStationCertificate"
	}
	return "CertificateSigned by=" + r.pick("A", "A", "A", "B", "S<A") + r.pick("", "", "", " as=expired", " as=otherkey", " unwanted", " id=1") + r.pick("", " life=3h")
}

// profile is a request about charging profiles, now and then one that is refused.
func (r story) profile() string {
	switch r.IntN(8) {
	case 0:
		return "ClearChargingProfile" + r.pick("", " id=1", " evse=1", " for=station", " for=tx")
	case 1:
		return r.pick("GetChargingProfiles req=1", "GetChargingProfiles req=2 evse=0", "GetCompositeSchedule evse=0 dur=1h", "GetCompositeSchedule evse=1 unit=W")
	case 2:
		return fmt.Sprintf("RequestStart id=%d token=%s%s profile pid=%d %s", r.IntN(100), r.token(), r.pick("", " evse=1", " evse=2"), r.IntN(4), r.periods())
	}
	place := r.pick("evse=0 for=default", "evse=1 for=default", "evse=2 for=default", "evse=0 for=station", "evse=0 for=station",
		fmt.Sprintf("evse=%d for=tx tx=T%d", 1+r.IntN(2), 1+r.IntN(8)), "evse=1 for=tx loose", "evse=2 for=tx loose")
	return fmt.Sprintf("SetChargingProfile id=%d stack=%d %s%s%s%s %s", r.IntN(6), r.IntN(3), place, r.pick(" start=+0s", " start=-50s", " start=+20s", "", " start=-25h kind=Recurring every=Daily"),
		r.pick("", "", " to=+300s", " from=+9s"), r.pick("", "", " dur=60s", " unit=W"), r.periods())
}

func (r story) periods() string {
	return "p=" + r.pick("0:0", "0:6", "0:10", "0:16,10:8,40:20", "0:5", "0:0,15:13", "0:24,5:0,9:24", "0:7000,30:4500")
}

// line is the next thing that happens.
func (r story) line() string {
	switch r.IntN(30) {
	case 0, 1, 2, 3:
		return "plug " + r.ref() + r.pick("", "", " notready", " most=10A")
	case 4, 5, 6:
		return "unplug " + r.ref() + r.pick("", "", " ev")
	case 7, 8, 9, 10:
		return "swipe " + r.token() + r.pick("", "", " evses=1", " evses=2")
	case 11:
		return "car " + r.ref() + " " + r.pick("ready", "ready", "notready")
	case 12:
		return "link " + r.pick("up", "down")
	case 13:
		return "link up"
	case 14, 15, 16:
		return "request " + r.request()
	case 17:
		return "powercut " + r.pick("", "before", "after", "off=90s")
	case 18:
		return "fault " + r.pick("0", "1", "1.1", "2.1") + " " + r.pick("groundFailure", "emergencyStop", "highTemperature", "pilotFault", "readerFailure") + " " + r.pick("on", "off", "off")
	case 19:
		return "set " + r.setting()
	case 20:
		return "stop " + r.pick("0", "1", "2")
	case 21:
		return "bay " + r.pick("1", "2") + " " + r.pick("in", "out")
	case 22:
		return "csms " + r.pick("mute", "answer", "answer", "refuse TransactionEvent", "deaf on", "deaf off", "boot Pending interval=5s", "boot Rejected interval=5s", "boot Accepted",
			"boot Accepted")
	case 24:
		return r.step()
	case 23:
		return r.pick("stuck on", "stuck off", "storage STO-FULL", "storage ok", "storage ok", "clock +2h", "clock -2h", "powerfailing", "thinned T1 n=2")
	}
	return "advance " + r.pick("0s", "10ms", "100ms", "700ms", "3s", "3s", "20s", "70s", "400s")
}

// hardware is a part that fails in a way that may cost a watt-hour on the bill, or comes back.
func (r story) hardware() string {
	return r.pick("meter 1 silent", "meter 2 silent", "meter 1 answer", "meter 2 answer", "meter 1 backward", "meter 1 honest", "meter 1 refuses", "meter 2 refuses", "meter 1 signs takes=8s", "meter 2 signs", "lock 1.1 jammed",
		"lock 1.1 free")
}

// heal makes the world good again and sends every car home.
var heal = strings.Fields("meter_1_answer meter_2_answer meter_1_honest meter_1_signs meter_2_signs lock_1.1_free stuck_off csms_answer csms_deaf_off csms_boot_Accepted storage_ok link_up " +
	"fault_0_off fault_1_off fault_1.1_off fault_1.2_off fault_2_off fault_2.1_off advance_60s request_ChangeAvailability_0_Operative " +
	"stop_0 advance_20s bay_1_out bay_2_out unplug_1.1_ev unplug_1.2 unplug_2.1 advance_30s unplug_1.1 stop_0 advance_400s link_up advance_400s")

func play(t *testing.T, n uint64) {
	r := story{rand.New(rand.NewPCG(n, 7))}
	b := stationtest.New(stationtest.Options{Bays: true, Firmware: r.yes()})
	var told []string
	do := func(text string) {
		told = append(told, text)
		if err := b.Do(text); err != nil && b.Err() == nil {
			told[len(told)-1] += "    # " + err.Error()
		}
		if *seed != 0 {
			fmt.Printf("%s\n%s", told[len(told)-1], b.Output())
		} else {
			b.Output()
		}
		if err := b.Err(); err != nil {
			t.Fatalf("seed %d: %v\n%s", n, err, strings.Join(told, "\n"))
		}
	}
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("seed %d: panic\n%s", n, strings.Join(told, "\n"))
			panic(p)
		}
	}()
	do("csms token MASTER Accepted group=MASTERS")
	do("csms token BOB Accepted group=FAMILY")
	do("csms token CAROL Accepted group=FAMILY")
	do("csms token EVE Blocked")
	do("boot signs=" + r.pick("nothing", "nothing", "transactions", "readings"))
	do("set AuthCtrlr/MasterPass=x AuthCtrlr/MasterPassGroupId=MASTERS SecurityCtrlr/OrganizationName=Operator")
	for range r.IntN(4) {
		do("set " + r.setting())
	}
	do("link up")
	do("advance 2s")
	lossy := r.IntN(4) == 0
	for range 60 {
		if b.Station == nil {
			do("boot")
		}
		if lossy && r.IntN(8) == 0 {
			do(r.hardware())
			continue
		}
		do(r.line())
	}
	healAll(b, do)
	err := b.Settled()
	if err == nil && !lossy {
		err = b.Billed()
	}
	if err != nil {
		t.Fatalf("seed %d: %v\n%s", n, err, strings.Join(told, "\n"))
	}
}

// healAll makes the world good again, sends every car home and lets the CSMS hear everything.
func healAll(b *stationtest.Bench, do func(string)) {
	for _, l := range append([]string{"advance_5s"}, heal...) {
		if b.Station == nil {
			do("boot")
			do("link up")
		}
		switch {
		case strings.HasPrefix(l, "fault"):
			for _, f := range []string{"groundFailure", "emergencyStop", "highTemperature", "pilotFault", "readerFailure", "powerLoss"} {
				do(strings.NewReplacer("fault_", "fault ", "_off", " "+f+" off").Replace(l))
			}
		default:
			do(strings.ReplaceAll(l, "_", " "))
		}
	}
}

// TestStories plays random stories of cars, cards, faults, power cuts and a moody CSMS, and holds every step against the
// invariants of stationtest; at the end every transaction must be whole and every watt-hour known to the CSMS.
func TestStories(t *testing.T) {
	if *seed != 0 {
		play(t, *seed)
		return
	}
	for n := uint64(1); n <= *seeds; n++ {
		t.Run(fmt.Sprint(n), func(t *testing.T) { play(t, n) })
	}
}
