package station_test

import (
	"testing"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/stationtest"
)

// A CSMS may refuse an eventId that it has seen: ids grow, from start to start as well.
func TestEventIDsGrowOverRestarts(t *testing.T) {
	var ids []int
	ear := stationtest.NewEar(stationtest.Options{}, func(h stationtest.Heard) error {
		if h.Report != nil {
			if ev, ok := h.Report.Body.(station.NotifyEvent); ok {
				ids = append(ids, ev.EventID)
			}
		}
		return nil
	})
	do := func(lines ...string) {
		t.Helper()
		for _, l := range lines {
			if err := ear.Do(l); err != nil {
				t.Fatal(err)
			}
		}
	}
	do("boot", "link up", "advance 2s")
	for range 150 { // more than one record reserves
		do("fault 1.1 highTemperature on", "advance 2s", "fault 1.1 highTemperature off", "advance 2s")
	}
	do("powercut", "link up", "advance 2s", "fault 1.1 overVoltage on", "advance 2s")
	for i := 1; i < len(ids); i++ {
		if ids[i] <= ids[i-1] {
			t.Fatalf("id %d after %d", ids[i], ids[i-1])
		}
	}
	if len(ids) < 301 || ids[len(ids)-1] > 600 {
		t.Errorf("%d ids, the last is %d: want 301 at least, and not many skipped", len(ids), ids[len(ids)-1])
	}
}
