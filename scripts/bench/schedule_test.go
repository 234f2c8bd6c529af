package main

import "testing"

// TestChargingDaysAgree: what is timed does the same as what it is compared with.
func TestChargingDaysAgree(t *testing.T) {
	for _, n := range []int{1, 7, someProfiles} {
		d := newChargingDay(n)
		if err := d.agrees(); err != nil {
			t.Errorf("%d profiles: %v", n, err)
		}
		if got := d.set.Len(); got != n {
			t.Errorf("%d of %d profiles are installed", got, n)
		}
		d.installed[0].Profile.Schedules[0].Periods[0].Limit += 690_000
		if n == 1 && d.agrees() == nil {
			t.Error("another profile, and they agree")
		}
	}
}

func TestPartsHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range partNames() {
		if name == "" || seen[name] {
			t.Errorf("part %q", name)
		}
		seen[name] = true
	}
}
