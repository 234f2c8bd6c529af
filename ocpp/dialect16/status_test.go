package dialect16

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/stationtest"
	"github.com/evsed/evsed/station/term"
)

// The states of a connector that the table of 1.6, 4.9 speaks of, by their number there.
var states = []struct {
	name msg16.ChargePointStatus
	view station.ConnectorView
}{
	1: {"Available", station.ConnectorView{Status: station.StatusAvailable}},
	2: {"Preparing", station.ConnectorView{Status: station.StatusOccupied}},
	3: {"Charging", running(term.ChargingCharging, true)},
	4: {"SuspendedEV", running(term.ChargingSuspendedEV, true)},
	5: {"SuspendedEVSE", running(term.ChargingSuspendedEVSE, false)},
	6: {"Finishing", station.ConnectorView{Status: station.StatusOccupied, Over: true}},
	7: {"Reserved", station.ConnectorView{Status: station.StatusReserved}},
	8: {"Unavailable", station.ConnectorView{Status: station.StatusUnavailable}},
	9: {"Faulted", station.ConnectorView{Status: station.StatusFaulted, Faults: station.Faults(term.FaultContactor)}},
}

func running(s term.ChargingState, offered bool) station.ConnectorView {
	return station.ConnectorView{Status: station.StatusOccupied, Transaction: true, State: s, Offered: offered}
}

// The changes of status that 1.6 knows (4.9 with errata 3.20), and what causes them. "" is a change that it does not know.
var transitions = [10][10]string{
	1: {2: "A2", 3: "A3", 4: "A4", 5: "A5", 7: "A7", 8: "A8", 9: "A9"},
	2: {1: "B1", 3: "B3", 4: "B4", 5: "B5", 6: "B6", 9: "B9"},
	3: {1: "C1", 4: "C4", 5: "C5", 6: "C6", 8: "C8", 9: "C9"},
	4: {1: "D1", 3: "D3", 5: "D5", 6: "D6", 8: "D8", 9: "D9"},
	5: {1: "E1", 3: "E3", 4: "E4", 6: "E6", 8: "E8", 9: "E9"},
	6: {1: "F1", 2: "F2", 8: "F8", 9: "F9"},
	7: {1: "G1", 2: "G2", 8: "G8", 9: "G9"},
	8: {1: "H1", 2: "H2", 3: "H3", 4: "H4", 5: "H5", 9: "H9"},
	9: {1: "I1", 2: "I2", 3: "I3", 4: "I4", 5: "I5", 6: "I6", 7: "I7", 8: "I8"},
}

// own are changes that the station knows beside: each is a case that the table of 1.6 leaves out.
var own = map[string]string{
	"Preparing Unavailable":   "a car is plugged in without a transaction, and ChangeAvailability takes effect at once (5.2)",
	"Finishing SuspendedEVSE": "the driver begins anew while nothing may be offered: Preparing takes no time",
	"Reserved SuspendedEVSE":  "the same with the token of a reservation",
	"Preparing Reserved":      "a car stood in the bay and had nothing to do with the reservation, or its holder plugged nothing in",
	"Unavailable Finishing":   "the connector is given back while the last car still stands there",
}

func TestEachStateHasItsWord(t *testing.T) {
	for i := range states {
		if s := states[i]; s.name != "" && Status(s.view) != s.name {
			t.Errorf("%d: %s, want %s", i, Status(s.view), s.name)
		}
	}
}

// Each change of the table is told, with the word that it has there.
func TestEveryTransitionIsTold(t *testing.T) {
	n := 0
	for from := range transitions {
		for to, why := range transitions[from] {
			if why == "" {
				continue
			}
			n++
			b := station.StatusNotification{Ref: term.Ref{EVSE: 1, Connector: 1}, ConnectorView: states[to].view, Was: states[from].view}
			if !News(&b) || statusRequest(&b, 1).Status != states[to].name {
				t.Errorf("%s: %s to %s is told as %s, %t", why, states[from].name, states[to].name, statusRequest(&b, 1).Status, News(&b))
			}
		}
	}
	if n != 53 {
		t.Errorf("%d changes, want the 53 of the table", n)
	}
}

func TestStatus(t *testing.T) {
	for _, tt := range []struct {
		name string
		view station.ConnectorView
		want msg16.ChargePointStatus
	}{
		{"a token waits for its car", station.ConnectorView{Status: station.StatusAvailable, Wanted: true}, "Preparing"},
		{"the reservation's token was shown (G2)", station.ConnectorView{Status: station.StatusReserved, Wanted: true}, "Preparing"},
		{"a transaction that began with the token", station.ConnectorView{Status: station.StatusAvailable, Transaction: true, State: term.ChargingIdle}, "Preparing"},
		{"just offered", running(term.ChargingEVConnected, true), "Preparing"},
		{"plugged in again", station.ConnectorView{Status: station.StatusOccupied, Transaction: true, State: term.ChargingEVConnected, Begun: true, Offered: true}, "SuspendedEV"},
		{"offered nothing from the start (B5)", running(term.ChargingEVConnected, false), "SuspendedEVSE"},
		{"both suspend it", running(term.ChargingSuspendedEV, false), "SuspendedEVSE"},
		{"withdrawn, the contactor is still closed", running(term.ChargingCharging, false), "Charging"},
		{"unplugged at the car, the transaction goes on", station.ConnectorView{Status: station.StatusOccupied, Transaction: true,
			State: term.ChargingIdle, Offered: true, Unplugged: true}, "SuspendedEV"},
		{"over, the bay is not free", station.ConnectorView{Status: station.StatusAvailable, Over: true, Wanted: true}, "Finishing"},
		{"reserved, a stranger's cable is in", station.ConnectorView{Status: station.StatusOccupied}, "Preparing"},
		{"out of service with a car", station.ConnectorView{Status: station.StatusUnavailable, Over: true}, "Unavailable"},
		{"a fault in a transaction", station.ConnectorView{Status: station.StatusFaulted, Transaction: true, State: term.ChargingSuspendedEVSE}, "Faulted"},
	} {
		if got := Status(tt.view); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestFiveWordsOf15(t *testing.T) {
	want := []string{1: "Available", 2: "Occupied", 3: "Occupied", 4: "Occupied", 5: "Occupied", 6: "Occupied", 7: "Reserved", 8: "Unavailable", 9: "Faulted"}
	for i := 1; i < len(states); i++ {
		if got := Status15(states[i].view); got != want[i] {
			t.Errorf("%s: %s, want %s", states[i].name, got, want[i])
		}
	}
}

func TestTrouble(t *testing.T) {
	occupied := station.ConnectorView{Status: station.StatusOccupied}
	with := func(v station.ConnectorView, fs ...term.Fault) station.ConnectorView {
		v.Faults = station.Faults(fs...)
		return v
	}
	faulted := station.ConnectorView{Status: station.StatusFaulted}
	for _, tt := range []struct {
		name               string
		view               station.ConnectorView
		code, vendor, info string
	}{
		{"none", occupied, "NoError", "", ""},
		{"a word of the standard", with(faulted, term.FaultGround), "GroundFailure", "groundFailure", ""},
		{"no word of the standard", with(faulted, term.FaultEmergencyStop), "OtherError", "emergencyStop", ""},
		{"the gravest counts", with(faulted, term.FaultMeter, term.FaultPilot, term.FaultOverCurrent), "OverCurrentFailure", "overCurrent,pilotFault,meterFailure", ""},
		{"a grave one behind a warning", with(faulted, term.FaultMeter, term.FaultInternal), "InternalError", "meterFailure,internalError", ""},
		{"a warning", with(occupied, term.FaultMeter), "PowerMeterFailure", "meterFailure", ""},
		{"the car does not talk", with(occupied, term.FaultEVCommunication), "EVCommunicationError", "evCommunication", ""},
		{"the car does not talk, in a status that 4.9 forbids", with(running(term.ChargingCharging, true), term.FaultEVCommunication), "OtherError", "evCommunication", ""},
		{"more than fits", with(faulted, term.FaultGround, term.FaultOverCurrent, term.FaultConnectorLock, term.FaultContactor), "GroundFailure",
			"groundFailure,overCurrent,connectorLockFailure", ""},
		{"unplugged at the car, over", station.ConnectorView{Status: station.StatusOccupied, Over: true, Unplugged: true}, "NoError", "", "EV side disconnected"},
		{"list conflict", station.ConnectorView{Status: station.StatusAvailable, ListConflict: true}, "LocalListConflict", "", ""},
		{"reset failed", station.ConnectorView{Status: station.StatusAvailable, ResetFailed: true}, "ResetFailure", "", ""},
	} {
		if got := TroubleOf(tt.view); got != (Trouble{msg16.ChargePointErrorCode(tt.code), tt.vendor, tt.info}) {
			t.Errorf("%s: %+v, want %s %q %q", tt.name, got, tt.code, tt.vendor, tt.info)
		}
	}
}

// A view that changes without changing what 1.6 says of it is no news; one that the CSMS knows nothing of is.
func TestNews(t *testing.T) {
	offered, taken := running(term.ChargingEVConnected, true), station.ConnectorView{Status: station.StatusOccupied, Wanted: true}
	for _, tt := range []struct {
		name     string
		was, now station.ConnectorView
		want     bool
	}{
		{"nothing known", station.ConnectorView{}, offered, true},
		{"Preparing both", taken, offered, false},
		{"a warning", taken, station.ConnectorView{Status: station.StatusOccupied, Faults: station.Faults(term.FaultMeter)}, true},
	} {
		if got := News(&station.StatusNotification{Was: tt.was, ConnectorView: tt.now}); got != tt.want {
			t.Errorf("%s: %t, want %t", tt.name, got, tt.want)
		}
	}
}

// TestTransitionsOfTheStation plays stories on the core, and holds each change of status against the table.
func TestTransitionsOfTheStation(t *testing.T) {
	seen := map[string]bool{}
	for _, story := range stories {
		w := newWatch(t, seen)
		for line := range strings.SplitSeq("boot;link up;advance 2s;"+story+";advance 60s", ";") {
			if err := w.bench.Do(strings.TrimSpace(line)); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
		}
		w.report(t, story)
	}
	for _, want := range []string{"Available Preparing", "Preparing Charging", "Preparing Available", "Preparing SuspendedEV", "Charging SuspendedEV",
		"SuspendedEV Charging", "Charging Finishing", "Finishing Available", "Finishing Preparing", "Available Unavailable", "Unavailable Available",
		"Charging Faulted", "Faulted SuspendedEVSE", "SuspendedEVSE Charging", "Available Faulted", "Faulted Available", "Charging SuspendedEVSE", "SuspendedEVSE Finishing",
		"Finishing Unavailable", "Faulted Unavailable"} {
		if !seen[want] {
			t.Errorf("no story has %s", want)
		}
	}
	for change := range own {
		if !seen[change] {
			t.Errorf("no story has %s, which no table has", change)
		}
	}
}

// watch hears what is told of the statuses of a bench.
type watch struct {
	bench *stationtest.Bench
	told  map[term.Ref]msg16.ChargePointStatus
	wrong []string
}

func newWatch(t *testing.T, seen map[string]bool) *watch {
	t.Helper()
	w := &watch{told: map[term.Ref]msg16.ChargePointStatus{}}
	w.bench = stationtest.New(stationtest.Options{Bays: true, Heed: func(r station.Report) {
		n, ok := r.Body.(station.StatusNotification)
		if !ok {
			return
		}
		was, now := w.told[n.Ref], Status(n.ConnectorView)
		w.told[n.Ref] = now
		if was == "" || was == now {
			return
		}
		seen[string(was)+" "+string(now)] = true
		if !allowed(was, now) {
			w.wrong = append(w.wrong, fmt.Sprintf("%s: %s to %s is in no table", n.Ref, was, now))
		}
		if n.Ref.EVSE == 0 && now != "Available" && now != "Unavailable" && now != "Faulted" {
			w.wrong = append(w.wrong, "the station is "+string(now))
		}
	}})
	return w
}

func (w *watch) report(t *testing.T, story string) {
	t.Helper()
	for _, s := range w.wrong {
		t.Errorf("%s\n%s", s, story)
	}
}

// TestTransitionsOfAnyDay does the same with what drivers, cars and the CSMS may do in any order.
func TestTransitionsOfAnyDay(t *testing.T) {
	seen := map[string]bool{}
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(16, seed))
		w := newWatch(t, seen)
		lines := []string{"boot", "link up", setups[r.IntN(len(setups))], "advance 2s"}
		for range 40 {
			lines = append(lines, acts[r.IntN(len(acts))], fmt.Sprintf("advance %dms", r.IntN(20_000)))
		}
		for i, line := range lines {
			if err := w.bench.Do(line); err != nil && !strings.Contains(err.Error(), "plug") && !strings.Contains(err.Error(), "car") {
				t.Fatalf("seed %d: %s: %v", seed, line, err)
			}
			if len(w.wrong) > 0 {
				w.report(t, strings.Join(lines[:i+1], "\n"))
				return
			}
		}
	}
	t.Logf("%d changes", len(seen))
}

var setups = []string{
	"set TxCtrlr/TxStartPoint=PowerPathClosed",
	"set TxCtrlr/TxStartPoint=EVConnected TxCtrlr/TxStopPoint=EVConnected",
	"set TxCtrlr/TxStartPoint=Authorized TxCtrlr/TxStopPoint=Authorized TxCtrlr/StopTxOnEVSideDisconnect=false",
	"set TxCtrlr/TxStartPoint=EnergyTransfer TxCtrlr/TxStopPoint=EVConnected,Authorized TxCtrlr/StopTxOnInvalidId=false",
	"set TxCtrlr/TxStartPoint=ParkingBayOccupancy TxCtrlr/TxStopPoint=ParkingBayOccupancy",
}

var acts = []string{
	"plug 1.1", "plug 1.2", "plug 2.1", "plug 2.1 notready", "unplug 1.1", "unplug 1.1 ev", "unplug 1.2", "unplug 2.1", "car 2.1 ready", "car 2.1 notready", "car 1.1 notready",
	"swipe A evses=1", "swipe A evses=2", "swipe B evses=2", "swipe A", "stop 1", "stop 2", "bay 2 in", "bay 2 out",
	"fault 2.1 groundFailure on", "fault 2.1 groundFailure off", "fault 2.1 highTemperature on", "fault 2.1 highTemperature off",
	"request ChangeAvailability 2 Inoperative", "request ChangeAvailability 2 Operative", "request ChangeAvailability 0 Inoperative", "request ChangeAvailability 0 Operative",
	"request SetChargingProfile evse=2 id=1 for=default p=0:0", "request SetChargingProfile evse=2 id=1 for=default p=0:16", "request ReserveNow id=4 evse=2 token=A in=100s", "request CancelReservation id=4",
	"request RequestStart id=1 token=C evse=1", "request RequestStop T1", "request RequestStop T2", "csms token A Blocked", "csms token A Accepted",
}

var stories = []string{
	"plug 2.1; advance 3s; swipe A evses=2; advance 20s; swipe A evses=2; advance 5s; unplug 2.1",
	"swipe A evses=2; advance 3s; plug 2.1; advance 20s; stop 2; advance 5s; swipe B evses=2; advance 20s; unplug 2.1",
	"swipe A evses=2; advance 200s",
	"plug 1.1 notready; swipe A evses=1; advance 30s; car 1.1 ready; advance 20s; car 1.1 notready; advance 20s; car 1.1 ready; advance 9s; unplug 1.1 ev; advance 9s; unplug 1.1",
	"plug 2.1; swipe A evses=2; advance 20s; fault 2.1 highTemperature on; advance 5s; fault 2.1 highTemperature off; advance 20s; unplug 2.1",
	"fault 2.1 groundFailure on; advance 5s; fault 2.1 groundFailure off; fault 0 internalError on; advance 1s; fault 0 internalError off",
	"request ChangeAvailability 2 Inoperative; advance 5s; request ChangeAvailability 2 Operative; advance 3s; request ChangeAvailability 0 Inoperative; advance 3s; request ChangeAvailability 0 Operative",
	"plug 2.1; swipe A evses=2; advance 20s; request ChangeAvailability 2 Inoperative; advance 3s; swipe A evses=2; advance 9s; fault 2.1 groundFailure on; advance 3s; fault 2.1 groundFailure off; advance 3s; request ChangeAvailability 2 Operative; advance 3s; unplug 2.1",
	"plug 2.1; advance 3s; request ChangeAvailability 2 Inoperative; advance 3s",
	"set TxCtrlr/StopTxOnEVSideDisconnect=false TxCtrlr/TxStopPoint=Authorized; plug 1.1 notready; swipe A evses=1; advance 20s; unplug 1.1 ev; advance 9s; plug 1.1 notready; advance 9s",
	"plug 2.1; swipe A evses=2; advance 9s; stop 2; advance 9s; request SetChargingProfile evse=2 id=1 for=default p=0:0; swipe A evses=2; advance 9s",
	"request SetChargingProfile evse=2 id=1 for=default p=0:0; request ReserveNow id=4 evse=2 token=A in=100s; plug 2.1; advance 9s; swipe A evses=2; advance 9s",
	"bay 2 in; advance 3s; request ReserveNow id=4 evse=2 token=A in=100s; advance 3s; swipe A evses=2; advance 3s; plug 2.1; advance 9s; stop 2; advance 9s; unplug 2.1; bay 2 out",
	"bay 2 in; advance 5s; plug 2.1; swipe A evses=2; advance 20s; swipe A evses=2; advance 9s; unplug 2.1; advance 5s; bay 2 out",
	"set TxCtrlr/StopTxOnInvalidId=false TxCtrlr/MaxEnergyOnInvalidId=5; plug 2.1; csms token A Accepted; swipe A evses=2; csms token A Blocked; advance 30s; request RequestStop T1; advance 9s",
	"set TxCtrlr/StopTxOnEVSideDisconnect=false TxCtrlr/TxStopPoint=Authorized; plug 1.1; swipe A evses=1; advance 20s; unplug 1.1 ev; advance 9s; plug 1.1; advance 30s; swipe A evses=1; advance 9s",
}

func allowed(from, to msg16.ChargePointStatus) bool {
	if own[string(from)+" "+string(to)] != "" {
		return true
	}
	for f := range transitions {
		for g, why := range transitions[f] {
			if why != "" && states[f].name == from && states[g].name == to {
				return true
			}
		}
	}
	return false
}
