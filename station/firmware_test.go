package station_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/stationtest"
	fw "github.com/evsed/evsed/station/update"
)

// TestPowerCutAtEveryStepOfAnUpdate cuts the power in each step of an update, before its records are written and behind them:
// the update goes on, the CSMS hears every status in its order and none twice (which stationtest holds every step against), and
// in the end the new firmware runs - or the old one, where the power was cut while the new one was on trial.
// covers: L01.FR.01 L01.FR.10 L01.FR.20
func TestPowerCutAtEveryStepOfAnUpdate(t *testing.T) {
	ends := map[string]int{}
	for _, before := range []bool{true, false} {
		for n := 1; ; n++ {
			if done := updateWithCut(t, n, before, ends); done {
				break
			}
			if n > 500 {
				t.Fatal("an update has no end")
			}
		}
	}
	if ends["Installed"] == 0 || ends["InstallationFailed"] == 0 { // else no cut came where it should
		t.Errorf("ends: %v", ends)
	}
}

// updateWithCut plays one update whose power is cut in step n. done: it has had no such step.
func updateWithCut(t *testing.T, n int, before bool, ends map[string]int) (done bool) {
	t.Helper()
	b := stationtest.New(stationtest.Options{Firmware: true})
	must := func(line string) {
		t.Helper()
		if err := b.Do(line); err != nil {
			t.Fatalf("cut in step %d: %s: %v\n%s", n, line, err, b.Output())
		}
	}
	must("boot")
	must("link up")
	must("advance 2s")
	from := b.Steps()
	b.CutAt(from+n, before)
	asked := false
	for range 40 {
		if b.Station == nil {
			must("boot")
			must("link up")
			must("advance 2s")
		}
		if st := b.UpdateTold(); asked && st.Status == "" || !asked { // a request that was lost with the power comes again
			asked = b.Do("request UpdateFirmware id=7 url=http://x/fw from=2s install=4s") == nil && b.Station != nil
		}
		for _, line := range []string{"advance 3s", "fetched", "advance 3s", "installed", "activated", "advance 9s", "proved"} {
			if b.Station != nil {
				_ = b.Do(line) // a step that is not under way does not end
			}
			if err := b.Err(); err != nil {
				t.Fatalf("cut in step %d, before %v: %v\n%s", n, before, err, b.Output())
			}
		}
		if st := b.UpdateTold().Status; st == "Installed" || st == "InstallationFailed" {
			break
		}
	}
	want := station.FirmwareStatus{Status: "Installed", RequestID: 7, HasRequestID: true}
	got := b.UpdateTold()
	if got.Status != want.Status {
		want.Status, want.Reason, want.Info = "InstallationFailed", fw.ReasonGaveUp, got.Info
	}
	if got != want {
		t.Fatalf("cut in step %d, before %v: the CSMS heard %+v last\n%s", n, before, got, b.Output())
	}
	ends[got.Status]++
	must("advance 5s")
	if b.Station == nil { // it was cut behind the end
		must("boot")
		must("link up")
		must("advance 5s")
	}
	if err := b.Settled(); err != nil {
		t.Fatalf("cut in step %d: %v", n, err)
	}
	return b.Steps() < from+n
}

// TestUpdatesAreRationed: a CSMS that asks without end has the station neither write nor download without end.
func TestUpdatesAreRationed(t *testing.T) {
	b := stationtest.New(stationtest.Options{Firmware: true})
	for _, line := range []string{"boot", "link up", "advance 2s"} {
		if err := b.Do(line); err != nil {
			t.Fatal(err)
		}
	}
	b.Output()
	fetches := 0
	for i := range 100 {
		if err := b.Do(fmt.Sprintf("request UpdateFirmware id=%d url=http://x/fw", i)); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.Output(), "> fetch ") {
			fetches++
		}
	}
	if fetches != 16 {
		t.Errorf("%d downloads were begun of 100", fetches)
	}
}
