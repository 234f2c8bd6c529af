package model

import (
	"strings"
	"testing"

	"github.com/evsed/evsed/station/term"
)

func TestNewOfAnEmptyConfig(t *testing.T) {
	m := newModel(t, Config{}, nil)
	for id, want := range map[ID]string{
		NetworkConfigurationPriority: "1", TimeSource: "Heartbeat", StationSupplyPhases: "0",
		SampledDataTxUpdatedMeasurands: "Energy.Active.Import.Register", Identity: "", UnlockOnEVSideDisconnect: "true",
	} {
		if got := m.Text(id); got != want {
			t.Errorf("%s is %q, want %q", id, got, want)
		}
	}
	if m.Has(TxStartPoint, "ParkingBayOccupancy") {
		t.Error("a bay without a sensor")
	}
	if r, _ := setOne(t, m, "TxCtrlr/TxStartPoint", "ParkingBayOccupancy"); r.Status != SetRejected {
		t.Errorf("a bay without a sensor starts transactions: %v", r)
	}
}

func TestNewCutsMeasurandsToTheMeter(t *testing.T) {
	m := newModel(t, Config{Measurands: []term.Measurand{term.Voltage, term.PowerActiveImport}}, nil)
	if got := m.Text(SampledDataTxUpdatedMeasurands); got != "Power.Active.Import" {
		t.Errorf("updates carry %q", got)
	}
	if got := m.Text(SampledDataTxStartedMeasurands); got != "" {
		t.Errorf("starts carry %q", got)
	}
}

func TestCapativeCablesAreNeverUnlocked(t *testing.T) { // part 2, 2.1.12
	m := newModel(t, Config{EVSEs: []EVSE{{ID: 1, Phases: 3, Connectors: []Connector{{ID: 1, Type: "cType2", Phases: 3, Fixed: true}}}}}, nil)
	if m.Bool(UnlockOnEVSideDisconnect) {
		t.Error("true")
	}
	if r, _ := setOne(t, m, "OCPPCommCtrlr/UnlockOnEVSideDisconnect", "true"); r.Reason != ReasonReadOnly {
		t.Errorf("got %v", r)
	}
	if r, _ := setOne(t, newModel(t, twoEVSEs(), nil), "OCPPCommCtrlr/UnlockOnEVSideDisconnect", "false"); r.Status != SetAccepted {
		t.Errorf("a socket beside the cable: %v", r)
	}
}

func TestLightsAreThereOrNot(t *testing.T) {
	with := newModel(t, twoEVSEs(), nil)
	for _, row := range []struct {
		name, value string
		status      SetStatus
	}{
		{"BlinkRepeat", "0", SetAccepted}, {"BlinkRepeat", "60", SetAccepted}, {"BlinkRepeat", "61", SetRejected}, {"BlinkRepeat", "-1", SetRejected},
		{"BlinkRepeat", "twice", SetRejected}, {"Percent", "0", SetAccepted}, {"Percent", "100", SetAccepted}, {"Percent", "101", SetRejected},
	} {
		if r, _ := setOne(t, with, "ChargingStatusIndicator/"+row.name, row.value); r.Status != row.status {
			t.Errorf("%s=%s: %v, want %s", row.name, row.value, r, row.status)
		}
	}
	cfg := twoEVSEs()
	cfg.Lights = false
	without := newModel(t, cfg, nil)
	if r, _ := setOne(t, without, "ChargingStatusIndicator/BlinkRepeat", "1"); r.Status != SetUnknownComponent {
		t.Errorf("a light that is not there is set: %v", r)
	}
	if all := names(report(t, without, FullInventory)); len(all) != len(with.entries)-len(lightRows) || strings.Contains(strings.Join(all, " "), "ChargingStatusIndicator") {
		t.Errorf("a light that is not there is told: %d of %d rows", len(all), len(with.entries))
	}
	if err := without.Restore("ChargingStatusIndicator/BlinkRepeat", "5"); err == nil {
		t.Error("what was kept of a light is restored without it")
	}
	if got := without.Text(TimeSource); got != "Heartbeat" { // the rows behind keep their places
		t.Errorf("TimeSource is %q", got)
	}
}

func TestSignedValuesAreThereOrNot(t *testing.T) {
	keys := []string{"AlignedDataCtrlr/SignReadings", "AlignedDataCtrlr/SignUpdatedReadings", "SampledDataCtrlr/SignReadings",
		"SampledDataCtrlr/SignStartedReadings", "SampledDataCtrlr/SignUpdatedReadings", "OCPPCommCtrlr/PublicKeyWithSignedMeterValue"}
	cfg := twoEVSEs()
	with := newModel(t, cfg, nil)
	cfg.SignedParts = false
	wholes := newModel(t, cfg, nil)
	cfg.Signed, cfg.EVSEs[0].Signed = false, false
	without := newModel(t, cfg, nil)
	for i, key := range keys {
		value := "true"
		if i == len(keys)-1 {
			value = "Never"
		}
		if r, _ := setOne(t, with, key, value); r.Status != SetAccepted {
			t.Errorf("%s: %v", key, r)
		}
		readOnly := i == 1 || i == 3 || i == 4 // of what a meter signs within a transaction
		if r, _ := setOne(t, wholes, key, value); readOnly != (r.Reason == ReasonReadOnly) {
			t.Errorf("%s of a meter that signs whole transactions: %v", key, r)
		}
		if r, _ := setOne(t, without, key, value); r.Status != SetUnknownVariable {
			t.Errorf("%s without such a meter: %v", key, r)
		}
	}
	if all := names(report(t, without, FullInventory)); len(all)+len(keys)+1 != len(names(report(t, with, FullInventory))) {
		t.Errorf("without: %d rows", len(all))
	}
}

func TestNewRefusesABadConfig(t *testing.T) {
	for _, row := range []struct {
		name string
		cfg  Config
		want string
	}{
		{"identity with a colon", Config{Identity: "cp:1"}, "SecurityCtrlr/Identity"},
		{"model too long for BootNotification", Config{Model: strings.Repeat("m", 21)}, "ChargingStation/Model"},
		{"priority that is no slot", Config{Slots: []int{1}, Priority: []int{2}}, "NetworkConfigurationPriority"},
		{"EVSE ids with a gap", Config{EVSEs: []EVSE{{ID: 2}}}, "EVSE 1"},
		{"connector ids from 0", Config{EVSEs: []EVSE{{ID: 1, Connectors: []Connector{{ID: 0}}}}}, "connector 1.1"},
		{"connector type too long", Config{EVSEs: []EVSE{{ID: 1, Connectors: []Connector{{ID: 1, Type: strings.Repeat("c", 21)}}}}}, "Connector@1.1/ConnectorType"},
		{"five phases", Config{EVSEs: []EVSE{{ID: 1, Phases: 5}}}, "SupplyPhases"},
	} {
		if _, err := New(row.cfg, nil); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: error %v, want one that names %s", row.name, err, row.want)
		}
	}
}

func TestDecimalString(t *testing.T) {
	for d, want := range map[Decimal]string{
		0: "0", 1000: "1", 1500: "1.5", -1500: "-1.5", 1: "0.001", -10: "-0.01", 22_080_000: "22080",
		-1 << 63: "-9223372036854775.808",
	} {
		if got := d.String(); got != want {
			t.Errorf("%d is %q, want %q", int64(d), got, want)
		}
	}
}

func TestParseAttribute(t *testing.T) {
	for a := Actual; a < attributeCount; a++ {
		if got, ok := ParseAttribute(a.String()); !ok || got != a {
			t.Errorf("%s reads back as %s", a, got)
		}
	}
	if a, ok := ParseAttribute(""); !ok || a != Actual { // B05.FR.12
		t.Errorf("no word is %s", a)
	}
	if _, ok := ParseAttribute("actual"); ok {
		t.Error("words are case-sensitive")
	}
}
