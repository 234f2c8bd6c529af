package model

import (
	"strings"
	"testing"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// required lists the variables that the standard list marks as required (appendix to part 2, edition 2.0.1 and 2.1
// agree) for the functions that the station has; * stands for every EVSE or connector.
const required = `
AlignedDataCtrlr Interval
AlignedDataCtrlr Measurands
AlignedDataCtrlr TxEndedInterval
AlignedDataCtrlr TxEndedMeasurands
AuthCtrlr AuthorizeRemoteStart
AuthCtrlr LocalAuthorizeOffline
AuthCtrlr LocalPreAuthorize
ChargingStation AvailabilityState
ChargingStation Available
ChargingStation SupplyPhases
ClockCtrlr DateTime
ClockCtrlr TimeSource
Connector@* Available
Connector@* ConnectorType
Connector@* SupplyPhases
DeviceDataCtrlr BytesPerMessage GetReport
DeviceDataCtrlr BytesPerMessage GetVariables
DeviceDataCtrlr BytesPerMessage SetVariables
DeviceDataCtrlr ItemsPerMessage GetReport
DeviceDataCtrlr ItemsPerMessage GetVariables
DeviceDataCtrlr ItemsPerMessage SetVariables
EVSE@* AvailabilityState
EVSE@* Available
EVSE@* Power
EVSE@* SupplyPhases
LocalAuthListCtrlr BytesPerMessage
LocalAuthListCtrlr Entries
LocalAuthListCtrlr ItemsPerMessage
OCPPCommCtrlr ActiveNetworkProfile
OCPPCommCtrlr FileTransferProtocols
OCPPCommCtrlr MessageTimeout Default
OCPPCommCtrlr MessageAttemptInterval TransactionEvent
OCPPCommCtrlr MessageAttempts TransactionEvent
OCPPCommCtrlr NetworkConfigurationPriority
OCPPCommCtrlr NetworkProfileConnectionAttempts
OCPPCommCtrlr OfflineThreshold
OCPPCommCtrlr ResetRetries
OCPPCommCtrlr RetryBackOffRandomRange
OCPPCommCtrlr RetryBackOffRepeatTimes
OCPPCommCtrlr RetryBackOffWaitMinimum
OCPPCommCtrlr UnlockOnEVSideDisconnect
OCPPCommCtrlr WebSocketPingInterval
SampledDataCtrlr TxEndedInterval
SampledDataCtrlr TxEndedMeasurands
SampledDataCtrlr TxStartedMeasurands
SampledDataCtrlr TxUpdatedInterval
SampledDataCtrlr TxUpdatedMeasurands
SecurityCtrlr CertificateEntries
SecurityCtrlr OrganizationName
SecurityCtrlr SecurityProfile
SmartChargingCtrlr Entries ChargingProfiles
SmartChargingCtrlr LimitChangeSignificance
SmartChargingCtrlr PeriodsPerSchedule
SmartChargingCtrlr ProfileStackLevel
SmartChargingCtrlr RateUnit
TxCtrlr EVConnectionTimeOut
TxCtrlr StopTxOnEVSideDisconnect
TxCtrlr StopTxOnInvalidId
TxCtrlr TxStartPoint
TxCtrlr TxStopPoint
`

// twoEVSEs is a board with a socket on EVSE 1, and a socket and a captive cable on EVSE 2.
func twoEVSEs() Config {
	return Config{
		Identity: "cp001", Vendor: "Vendor", Model: "Model",
		EVSEs: []EVSE{
			{ID: 1, EvseID: "DE*X*1", Phases: 3, MaxPower: 22_080 * 1000, Signed: true, Connectors: []Connector{{ID: 1, Type: "sType2", Phases: 3}}},
			{ID: 2, Phases: 1, MaxPower: unit.Power(7_360_500), Connectors: []Connector{
				{ID: 1, Type: "sType2", Phases: 1}, {ID: 2, Type: "cType2", Phases: 1, Fixed: true},
			}},
		},
		Measurands: []term.Measurand{term.EnergyActiveImportRegister, term.PowerActiveImport, term.CurrentImport, term.Voltage},
		Slots:      []int{1, 2, 3},
		Priority:   []int{1, 2},
		ParkingBay: true,
		Lights:     true,
		Signed:     true, SignedParts: true,
	}
}

func newModel(t *testing.T, cfg Config, live Live) *Model {
	t.Helper()
	m, err := New(cfg, live)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestRequiredVariablesExist(t *testing.T) {
	m := newModel(t, twoEVSEs(), nil)
	for _, line := range strings.Split(strings.TrimSpace(required), "\n") {
		f := strings.Fields(line)
		v := Variable{Name: f[1]}
		if len(f) > 2 {
			v.Instance = f[2]
		}
		places := []Component{{Name: f[0]}}
		switch f[0] {
		case "EVSE@*":
			places = []Component{{Name: "EVSE", EVSE: 1}, {Name: "EVSE", EVSE: 2}}
		case "Connector@*":
			places = []Component{
				{Name: "Connector", EVSE: 1, Connector: 1}, {Name: "Connector", EVSE: 2, Connector: 1}, {Name: "Connector", EVSE: 2, Connector: 2},
			}
		}
		for _, c := range places {
			if _, status := m.find(c, v, Actual); status != SetAccepted {
				t.Errorf("%s/%s: %s", c, v, status)
			}
		}
	}
}

func TestTableIsInOrderOfIDs(t *testing.T) {
	next := ID(0)
	for g := range table {
		for r := range table[g].rows {
			if table[g].rows[r].id != next {
				t.Fatalf("%s.%s has id %d, want %d", table[g].component, table[g].rows[r].name, table[g].rows[r].id, next)
			}
			next++
		}
	}
	if next != idCount {
		t.Fatalf("%d rows, %d ids", next, idCount)
	}
}

func TestRowsAreSound(t *testing.T) {
	m := newModel(t, twoEVSEs(), nil)
	for i := range m.entries {
		e := &m.entries[i]
		name := m.key(e)
		if e.row.reader == "" {
			t.Errorf("%s: nobody reads it", name)
		}
		if e.mut != ReadOnly && e.row.reader == "report" {
			t.Errorf("%s can be set and changes nothing", name)
		}
		if e.row.live && e.mut != ReadOnly {
			t.Errorf("%s is computed and can be set", name)
		}
		switch e.chars.DataType {
		case TypeOptionList, TypeSequenceList, TypeMemberList: // TC_B_53: a values list that is neither absent nor empty
			if e.chars.ValuesList == "" {
				t.Errorf("%s: no values list", name)
			}
			for _, word := range splitList(e.value.text) {
				if !hasWord(e.chars.ValuesList, word) {
					t.Errorf("%s: default %q is not allowed", name, word)
				}
			}
			if n := len(e.chars.ValuesList); n > 1000 {
				t.Errorf("%s: values list of %d characters", name, n)
			}
		}
		if e.value.text == "" {
			continue
		}
		if _, f := parse(e, e.value.text); f.reason != "" {
			t.Errorf("%s: default %q: %s", name, e.value.text, f.info)
		}
	}
}

func TestIDString(t *testing.T) {
	for _, row := range []struct {
		id   ID
		want string
	}{
		{TxStartPoint, "TxCtrlr.TxStartPoint"},
		{ItemsPerMessageGetReport, "DeviceDataCtrlr.ItemsPerMessage#GetReport"},
		{ConnectorType, "Connector.ConnectorType"},
		{65535, "variable(65535)"},
	} {
		if got := row.id.String(); got != row.want {
			t.Errorf("ID %d is %q, want %q", row.id, got, row.want)
		}
	}
}
