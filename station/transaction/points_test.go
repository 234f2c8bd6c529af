package transaction

import (
	"slices"
	"strings"
	"testing"
)

func points(t *testing.T, list string) Points {
	t.Helper()
	var names []string
	if list != "" {
		names = strings.Split(list, ",")
	}
	p, err := ParsePoints(names)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func facts(list string) Facts {
	has := func(w string) bool { return slices.Contains(strings.Split(list, ","), w) }
	return Facts{Bay: has("bay"), Connected: has("cable"), Authorized: has("auth"), Signed: has("signed"), Energy: has("energy")}
}

// covers: E01.FR.01 E01.FR.02 E01.FR.03 E01.FR.05 E01.FR.06
func TestStarts(t *testing.T) {
	for _, tt := range []struct {
		name, points, facts, spent string
		want                       bool
	}{
		{"nothing holds", "EVConnected,Authorized", "", "", false},
		{"bay", "ParkingBayOccupancy", "bay", "", true},
		{"cable", "EVConnected", "cable", "", true},
		{"cable is no authorization", "Authorized", "cable", "", false},
		{"authorized", "Authorized", "auth", "", true},
		{"power path needs both: cable", "PowerPathClosed", "cable", "", false},
		{"power path needs both: driver", "PowerPathClosed", "auth", "", false},
		{"power path", "PowerPathClosed", "cable,auth", "", true},
		{"energy", "EnergyTransfer", "cable,auth,energy", "", true},
		{"no energy yet", "EnergyTransfer", "cable,auth", "", false},
		{"signed", "DataSigned", "signed", "", true},
		{"any of several", "ParkingBayOccupancy,EVConnected", "cable", "", true},
		{"used up by the last transaction", "EVConnected", "cable", "EVConnected", false},
		{"another one is not", "EVConnected,Authorized", "cable,auth", "EVConnected", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := points(t, tt.points).Starts(facts(tt.facts), points(t, tt.spent)); got != tt.want {
				t.Errorf("starts %t, want %t", got, tt.want)
			}
		})
	}
}

// covers: E06.FR.01 E06.FR.02 E06.FR.03 E06.FR.06 E06.FR.07
func TestStops(t *testing.T) {
	for _, tt := range []struct {
		name, points, before, now string
		want                      bool
	}{
		{"nothing changes", "EVConnected,Authorized,PowerPathClosed,EnergyTransfer", "cable,auth,energy", "cable,auth,energy", false},
		{"bay left", "ParkingBayOccupancy", "bay,cable", "cable", true},
		{"unplugged", "EVConnected", "cable,auth", "auth", true},
		{"unplugged, but the driver counts", "Authorized", "cable,auth", "auth", false},
		{"driver stops", "Authorized", "cable,auth", "cable", true},
		{"power path, unplugged", "PowerPathClosed", "cable,auth", "auth", true},
		{"power path, driver stops", "PowerPathClosed", "cable,auth", "cable", true},
		{"power path, driver stops before a cable came", "PowerPathClosed", "auth", "", true},
		{"energy ends", "EnergyTransfer", "cable,auth,energy", "cable,auth", true},
		{"energy never flowed", "EnergyTransfer", "cable,auth", "cable", false},
		{"something begins", "EVConnected,Authorized", "cable", "cable,auth", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := points(t, tt.points).Stops(facts(tt.before), facts(tt.now)); got != tt.want {
				t.Errorf("stops %t, want %t", got, tt.want)
			}
		})
	}
}

func TestParsePointsRefusesUnknown(t *testing.T) {
	if _, err := ParsePoints([]string{"EVConnected", "Sunrise"}); err == nil {
		t.Error("no error")
	}
}
