package station_test

import (
	"strings"
	"testing"

	"github.com/evsed/evsed/station/stationtest"
)

// sessions are stories in which the power is cut at each step in turn.
var sessions = map[string]string{
	"cable first": "boot;link up;advance 2s;plug 1.1;advance 1s;swipe ALICE;advance 70s;swipe ALICE;advance 3s;unplug 1.1;advance 2s",
	"token first": "boot;link up;set TxCtrlr/TxStartPoint=Authorized TxCtrlr/TxStopPoint=Authorized,EVConnected;advance 2s;swipe ALICE;advance 2s;" +
		"plug 2.1;advance 5s;request RequestStop T1;advance 3s;unplug 2.1;advance 2s",
	"offline": "boot;link up;set AuthCtrlr/OfflineTxForUnknownIdEnabled=true TxCtrlr/TxStartPoint=EVConnected;advance 2s;link down;plug 1.2;" +
		"advance 1s;swipe ALICE;advance 130s;unplug 1.2;advance 1s;link up;advance 3s",
	"energy": "boot;link up;set TxCtrlr/TxStartPoint=EnergyTransfer TxCtrlr/TxStopPoint=EnergyTransfer;advance 2s;plug 2.1;swipe ALICE;advance 10s;" +
		"car 2.1 notready;advance 3s;unplug 2.1;advance 1s",
	"reserved": "boot;link up;advance 2s;request ReserveNow id=1 evse=1 token=ALICE;advance 1s;request ReserveNow id=2 token=BOB in=40s;advance 1s;" +
		"request ReserveNow id=1 evse=1 token=CAROL in=2m;advance 1s;swipe CAROL evses=1;advance 2s;plug 1.2;advance 10s;unplug 1.2;advance 30s;" +
		"request ReserveNow id=3 evse=2 token=ALICE;advance 1s;request CancelReservation id=3;advance 1s;request ReserveNow id=4 evse=1 token=BOB;advance 1s;" +
		"request ChangeAvailability 1 Inoperative;advance 3s",
	"reset":  "boot;link up;advance 2s;plug 2.1;swipe ALICE;advance 5s;request Reset Immediate;advance 30s",
	"signed": "boot signs=transactions;link up;meter 1 signs takes=700ms;advance 2s;plug 1.1;advance 1s;swipe ALICE;advance 70s;swipe ALICE;advance 3s;unplug 1.1;advance 2s",
	"signed parts": "boot signs=readings;link up;set SampledDataCtrlr/SignStartedReadings=true SampledDataCtrlr/SignUpdatedReadings=true SampledDataCtrlr/TxUpdatedInterval=4;" +
		"set TxCtrlr/TxStartPoint=EnergyTransfer TxCtrlr/TxStopPoint=EnergyTransfer;advance 2s;plug 2.1;swipe ALICE;advance 10s;car 2.1 notready;advance 3s;unplug 2.1;advance 1s",
	"signed offline": "boot signs=readings;link up;set AuthCtrlr/OfflineTxForUnknownIdEnabled=true SampledDataCtrlr/SignStartedReadings=true SampledDataCtrlr/SignUpdatedReadings=true;" +
		"advance 2s;link down;plug 1.2;advance 1s;swipe ALICE;advance 130s;unplug 1.2;advance 1s;link up;advance 3s",
	"two cars": "boot;link up;set SampledDataCtrlr/TxEndedInterval=3;advance 2s;plug 1.1;swipe ALICE;advance 1s;plug 2.1;advance 1s;swipe BOB;" +
		"advance 8s;csms token BOB Blocked;swipe ALICE;advance 3s;request ChangeAvailability 0 Inoperative;swipe BOB;advance 3s",
}

// TestPowerCutAtEveryStep cuts the power in every step of a session, before its records and behind them, and goes on
// with the story: nothing that was told is untold, and every watt-hour is billed once.
func TestPowerCutAtEveryStep(t *testing.T) {
	for name, session := range sessions {
		t.Run(name, func(t *testing.T) {
			lines := strings.Split(session, ";")
			whole := stationtest.New(stationtest.Options{})
			for _, l := range lines {
				if err := whole.Do(l); err != nil {
					t.Fatalf("%s: %v", l, err)
				}
			}
			for n := 1; n <= whole.Steps(); n++ {
				cutAt(t, lines, n, true)
				cutAt(t, lines, n, false)
			}
			t.Logf("%d steps", whole.Steps())
		})
	}
}

func cutAt(t *testing.T, lines []string, n int, before bool) {
	t.Helper()
	b := stationtest.New(stationtest.Options{})
	b.CutAt(n, before)
	do := func(l string) {
		_ = b.Do(l) // what is not possible any more is refused
		if err := b.Err(); err != nil {
			t.Fatalf("cut at %d (before %t): %s: %v\n%s", n, before, l, err, b.Output())
		}
	}
	for _, l := range lines {
		do(l)
		if b.Station == nil {
			do("advance 3s")
			do("boot")
			do("link up")
			do("advance 2s")
		}
	}
	healAll(b, do)
	for _, err := range []error{b.Settled(), b.Billed()} {
		if err != nil {
			t.Fatalf("cut at %d (before %t): %v\n%s", n, before, err, b.Output())
		}
	}
}
