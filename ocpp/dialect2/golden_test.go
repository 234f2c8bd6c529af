package dialect2

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/schedule"
	"github.com/evsed/evsed/station/term"
)

var update = flag.Bool("update", false, "rewrite the golden files under testdata")

var versions = []rpc.Version{rpc.V201, rpc.V21}

var at = time.Date(2026, 11, 22, 7, 1, 35, 120_000_000, time.UTC)

// golden compares got with testdata/name.golden.
func golden(t *testing.T, name string, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs from its golden file; got\n%s\nwant\n%s", name, got, want)
	}
}

// pretty shows payload one member a line.
func pretty(t *testing.T, payload []byte) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, payload, "", "  "); err != nil {
		t.Fatalf("%v in %s", err, payload)
	}
	return b.String() + "\n"
}

// signed is what a meter signed.
var signed = &term.SignedMeterValue{Data: []byte(`OCMF|{"FV":"1.0"}|{"SD":"00"}`), SigningMethod: "ECDSA-secp256r1-SHA256", EncodingMethod: "OCMF", PublicKey: []byte{0xc0, 0xde}}

var bigToken = term.IdToken{Value: "DEADBEEF-" + strings.Repeat("0123456789", 9), Type: term.TokenKeyCode}

var reports = []struct {
	name string
	body station.ReportBody
}{
	{"boot", station.BootNotification{Reason: station.BootPowerUp, Identity: station.Identity{
		Vendor: "evsed", Model: "Halsim \"2\"", SerialNumber: "SN-0042", FirmwareVersion: "0.1.0",
		ICCID: "8931440000000000001", IMSI: "204080000000001",
	}}},
	{"boot-least", station.BootNotification{Reason: station.BootWatchdog, Identity: station.Identity{Vendor: "v", Model: "m"}}},
	{"problem", station.NotifyEvent{EventID: 3, At: at, Problem: true, Code: "connectorLockFailure",
		Component: model.Component{Name: "ConnectorPlugRetentionLock", EVSE: 1, Connector: 2}}},
	{"problem-over", station.NotifyEvent{EventID: 4, At: at, Info: "STO-FULL", Component: model.Component{Name: "ChargingStation"}}},
	{"status", station.StatusNotification{At: at, Ref: term.Ref{EVSE: 2, Connector: 1}, ConnectorView: station.ConnectorView{Status: station.StatusOccupied}}},
	{"heartbeat", station.Heartbeat{}},
	{"authorize", station.Authorize{
		Token: term.IdToken{Value: "04E1A2B3", Type: term.TokenISO14443},
		Info:  []term.AdditionalInfo{{Value: "visible-7", Type: "visibleNumber"}},
	}},
	{"authorize-direct-payment", station.Authorize{Token: term.IdToken{Value: "psp-778", Type: term.TokenDirectPayment}}},
	{"authorize-long-token", station.Authorize{
		Token: bigToken,
		Info:  []term.AdditionalInfo{{Value: strings.Repeat("ä", 40), Type: "note"}},
	}},
	{"authorize-no-authorization", station.Authorize{Token: term.IdToken{Type: term.TokenNoAuthorization}}},
	{"metervalues", station.MeterValues{EVSE: 1, Values: []term.MeterValue{
		{At: at, Sampled: []term.SampledValue{
			{Value: 1_234_567, Context: term.SampleClock},
			{Value: 230_150, Measurand: term.Voltage, Phase: term.PhaseL1N, Context: term.SampleClock},
			{Value: -250, Measurand: term.CurrentImport, Phase: term.PhaseL2, Location: term.LocationInlet},
			{Value: 998, Measurand: term.PowerFactor},
			{Value: 41_500, Measurand: term.SoC, Location: term.LocationEV},
		}},
		{At: at.Add(time.Minute)},
	}}},
	{"security", station.SecurityEvent{Type: "InvalidMessages", At: at, Info: strings.Repeat("é", 300)}},
	{"security-least", station.SecurityEvent{Type: "StartupOfTheDevice", At: at}},
	{"report", station.NotifyReport{RequestID: 7, GeneratedAt: at, SeqNo: 0, More: true, Rows: rows}},
	{"report-empty", station.NotifyReport{RequestID: 7, GeneratedAt: at, SeqNo: 3}},
	{"customer", station.NotifyCustomerInformation{RequestID: 8, GeneratedAt: at, SeqNo: 1, Data: "no data\n"}},
	{"reservation-expired", station.ReservationStatus{ID: 0, Status: "Expired"}},
	{"reservation-unused", station.ReservationStatus{ID: 12, Status: "NoTransaction"}},
	{"firmware", station.FirmwareStatus{Status: "Idle"}},
	{"firmware-scheduled", station.FirmwareStatus{Status: "DownloadScheduled", RequestID: -7, HasRequestID: true}},
	{"firmware-failed", station.FirmwareStatus{Status: "InstallVerificationFailed", RequestID: 0, HasRequestID: true, Reason: "FW-HARDWARE"}},
	{"log", station.LogStatus{Status: "Idle"}},
	{"log-uploading", station.LogStatus{Status: "Uploading", RequestID: -7, HasRequestID: true}},
	{"log-failed", station.LogStatus{Status: "UploadFailure", RequestID: 0, HasRequestID: true, Reason: "RedirectNotAllowed"}},
	{"tx-started", &station.TransactionEvent{
		Phase: station.PhaseStarted, At: at, Trigger: term.TriggerCablePluggedIn, Offline: true,
		Transaction: "5f2c9a52-6c0b-4a53-a0a1-0d9d9f8f3f01", ChargingState: term.ChargingEVConnected, ChargingTime: 0,
		Ref: term.Ref{EVSE: 1, Connector: 2}, PhasesUsed: 3, CableMax: 32_999 * unit.Milliampere, ReservationID: 12, HasReservation: true,
		RemoteStartID: 0, HasRemoteStart: true,
		Token:  term.IdToken{Value: "WBA00000000000001", Type: term.TokenVIN},
		Info:   []term.AdditionalInfo{{Value: "fleet-9", Type: "fleet"}},
		Values: []term.MeterValue{{At: at, Sampled: []term.SampledValue{{Value: 42_000, Context: term.TransactionBegin}}}},
	}},
	{"tx-resumed", &station.TransactionEvent{
		Phase: station.PhaseUpdated, At: at, Trigger: term.TriggerTxResumed, SeqNo: 4, Transaction: "t",
		ChargingState: term.ChargingSuspendedEVSE, ChargingTime: 61_999 * time.Millisecond, PhasesUsed: 0,
		Ref: term.Ref{EVSE: 2},
	}},
	{"charging-profiles", station.ChargingProfiles{RequestID: 5, EVSE: 1, Source: "CSO", More: true, Profiles: []schedule.Profile{evening, night}}},
	{"tx-ended", &station.TransactionEvent{
		Phase: station.PhaseEnded, At: at, Trigger: term.TriggerEVDeparted, SeqNo: 5, Transaction: "t",
		StoppedReason: term.StopEVDisconnected, ChargingTime: -1, PhasesUsed: -1,
	}},
	{"tx-signed", &station.TransactionEvent{
		Phase: station.PhaseEnded, At: at, Trigger: term.TriggerStopAuthorized, SeqNo: 5, Transaction: "t",
		StoppedReason: term.StopLocal, ChargingTime: -1, PhasesUsed: -1, Values: []term.MeterValue{
			{At: at, Sampled: []term.SampledValue{{Value: 1_000_000, Context: term.TransactionBegin}}},
			{At: at.Add(time.Hour), Signed: signed, Sampled: []term.SampledValue{
				{Value: 230_150, Measurand: term.Voltage, Context: term.TransactionEnd}, {Value: 7_500_000, Context: term.TransactionEnd}}},
		},
	}},
}

var rows = []model.ReportRow{
	{
		Component: model.Component{Name: "EVSE", EVSE: 1},
		Variable:  model.Variable{Name: "Power"},
		Attributes: []model.AttributeValue{
			{Type: model.Actual, Value: "0", HasValue: true, Mutability: model.ReadOnly},
			{Type: model.MaxSet, Value: "22000", HasValue: true, Mutability: model.ReadOnly, Persistent: true, Constant: true},
		},
		Characteristics: model.Characteristics{
			DataType: model.TypeDecimal, Unit: "W", MaxLimit: model.Limit{Value: 22_000_500, Set: true}, SupportsMonitoring: true,
		},
	},
	{
		Component:  model.Component{Name: "SecurityCtrlr"},
		Variable:   model.Variable{Name: "BasicAuthPassword"},
		Attributes: []model.AttributeValue{{Mutability: model.WriteOnly, Persistent: true}},
		Characteristics: model.Characteristics{
			DataType: model.TypePassword, MaxLimit: model.Limit{Value: 40_000, Set: true},
		},
	},
	{
		Component:  model.Component{Name: "Connector", Instance: "a", EVSE: 2, Connector: 1},
		Variable:   model.Variable{Name: "AvailabilityState", Instance: "b"},
		Attributes: []model.AttributeValue{{Value: "", HasValue: true}},
		Characteristics: model.Characteristics{
			DataType: model.TypeOptionList, ValuesList: "Available,Occupied", MaxElements: 1,
		},
	},
}

func TestEncodeGolden(t *testing.T) {
	for _, tc := range reports {
		t.Run(tc.name, func(t *testing.T) {
			var b strings.Builder
			for _, v := range versions {
				calls, err := New(v).Encode(station.Report{ID: 9, Body: tc.body}, ocpp.NewTable())
				if err != nil || len(calls) != 1 || calls[0].Report != 9 {
					t.Fatalf("%v: %+v, %v", v, calls, err)
				}
				if _, err := New(v).Result(calls[0], "{}", ocpp.NewTable()); err != nil && strings.Contains(err.Error(), "no response is known") {
					t.Errorf("%v: %v", v, err)
				}
				fmt.Fprintf(&b, "--- %v %s\n%s", v, calls[0].Action, pretty(t, calls[0].Payload))
			}
			golden(t, "report-"+tc.name, b.String())
		})
	}
}

var responses = []struct {
	name, action string
	body         station.ResponseBody
}{
	{"availability", "ChangeAvailability", station.Status{Status: "Scheduled", Reason: "TxInProgress", Info: "EVSE 1"}},
	{"clear-cache", "ClearCache", station.Status{Status: "Rejected", Reason: "NotEnabled"}},
	{"customer", "CustomerInformation", station.Status{Status: "Invalid", Info: "text without a code"}},
	{"transfer", "DataTransfer", station.Status{Status: "UnknownVendorId"}},
	{"base-report", "GetBaseReport", station.Status{Status: "Accepted"}},
	{"report", "GetReport", station.Status{Status: "EmptyResultSet"}},
	{"stop", "RequestStopTransaction", station.Status{Status: "Rejected", Reason: "TxNotFound"}},
	{"reset", "Reset", station.Status{Status: "Scheduled"}},
	{"list", "SendLocalList", station.Status{Status: "VersionMismatch", Info: strings.Repeat("i", 1100)}},
	{"network", "SetNetworkProfile", station.Status{Status: "Failed"}},
	{"trigger", "TriggerMessage", station.Status{Status: "NotImplemented"}},
	{"unlock", "UnlockConnector", station.Status{Status: "OngoingAuthorizedTransaction"}},
	{"start", "RequestStartTransaction", station.StartStatus{Status: station.Status{Status: "Accepted"}, Transaction: "t-1"}},
	{"start-refused", "RequestStartTransaction", station.StartStatus{Status: station.Status{Status: "Rejected", Reason: "UnknownEvse"}}},
	{"set-profile", "SetChargingProfile", station.Status{Status: "Rejected", Reason: "DuplicateProfile", Info: "profile 7"}},
	{"clear-profile", "ClearChargingProfile", station.Status{Status: "Unknown"}},
	{"get-profiles", "GetChargingProfiles", station.Status{Status: "NoProfiles"}},
	{"composite", "GetCompositeSchedule", station.CompositeSchedule{Status: station.Status{Status: "Accepted"}, EVSE: 1, Start: at,
		Duration: 5 * time.Minute, Unit: schedule.Amperes, Periods: []schedule.Period{{Limit: 16_000, Phases: 3}, {Start: 90 * time.Second, Limit: 6_500, Phases: 3}}}},
	{"composite-refused", "GetCompositeSchedule", station.CompositeSchedule{Status: station.Status{Status: "Rejected", Reason: "UnknownEvse"}}},
	{"list-version", "GetLocalListVersion", station.LocalListVersion{Version: 3}},
	{"transaction-status", "GetTransactionStatus", station.TransactionStatus{HasOngoing: true, Ongoing: false, Queued: true}},
	{"transaction-status-all", "GetTransactionStatus", station.TransactionStatus{Queued: false}},
	{"log", "GetLog", station.Log{Status: station.Status{Status: "AcceptedCanceled"}, File: "CS1-diagnostics-20260105T100002Z.txt"}},
	{"update", "UpdateFirmware", station.Status{Status: "AcceptedCanceled"}},
	{"update-refused", "UpdateFirmware", station.Status{Status: "InvalidCertificate", Reason: "InvalidCertificate", Info: "expired"}},
	{"log-refused", "GetLog", station.Log{Status: station.Status{Status: "Rejected", Reason: "InvalidURL", Info: "no"}}},
	{"get-variables", "GetVariables", station.Variables{Results: []model.GetResult{
		{Component: model.Component{Name: "TxCtrlr"}, Variable: model.Variable{Name: "TxStartPoint"}, Status: model.GetAccepted, Value: ""},
		{Component: model.Component{Name: "EVSE", EVSE: 3}, Variable: model.Variable{Name: "Power", Instance: "x"}, Attribute: model.MaxSet, Status: model.GetUnknownComponent},
		{Component: model.Component{Name: "SecurityCtrlr"}, Variable: model.Variable{Name: "BasicAuthPassword"}, Status: model.GetRejected, Reason: "WriteOnly", Value: "secret"},
	}}},
	{"set-variables", "SetVariables", station.VariablesSet{Results: []model.SetResult{
		{Component: model.Component{Name: "TxCtrlr"}, Variable: model.Variable{Name: "EVConnectionTimeOut"}, Status: model.SetAccepted},
		{Component: model.Component{Name: "Connector", EVSE: 1, Connector: 2}, Variable: model.Variable{Name: "Available"}, Attribute: model.Target, Status: model.SetRejected, Reason: "ReadOnly", Info: "why"},
	}}},
}

func TestRespondGolden(t *testing.T) {
	for _, tc := range responses {
		t.Run(tc.name, func(t *testing.T) {
			var b strings.Builder
			for _, v := range versions {
				out, err := New(v).Respond([]byte("head "), tc.action, nil, tc.body)
				if err != nil {
					t.Fatalf("%v: %v", v, err)
				}
				payload, ok := bytes.CutPrefix(out, []byte("head "))
				if !ok {
					t.Fatalf("%v: the head is gone: %s", v, out)
				}
				fmt.Fprintf(&b, "--- %v %s\n%s", v, tc.action, pretty(t, payload))
			}
			golden(t, "response-"+tc.name, b.String())
		})
	}
}

// A golden file that no row writes any more would be read as a promise.
func TestGoldenFilesAreAllInUse(t *testing.T) {
	used := map[string]bool{}
	for _, r := range reports {
		used["report-"+r.name+".golden"] = true
	}
	for _, r := range responses {
		used["response-"+r.name+".golden"] = true
	}
	files, err := filepath.Glob(filepath.Join("testdata", "*.golden"))
	if err != nil || len(files) != len(used) {
		t.Errorf("%d golden files for %d rows, %v", len(files), len(used), err)
	}
	for _, f := range files {
		if !used[filepath.Base(f)] {
			t.Errorf("%s belongs to no row", f)
		}
	}
}

func TestRespondRefusesWhatIsNoAnswer(t *testing.T) {
	for _, tc := range []struct {
		name, action string
		body         station.ResponseBody
	}{
		{"word of another status", "Reset", station.Status{Status: "Unlocked"}},
		{"empty word", "Reset", station.Status{}},
		{"reason too long", "Reset", station.Status{Status: "Rejected", Reason: "AReasonOfMoreThan20Ch"}},
		{"status to a query", "GetVariables", station.Status{Status: "Accepted"}},
		{"plain status to a start", "RequestStartTransaction", station.Status{Status: "Accepted"}},
		{"start status to a stop", "RequestStopTransaction", station.StartStatus{Status: station.Status{Status: "Accepted"}}},
		{"no results", "GetVariables", station.Variables{}},
		{"local answer", "GetBaseReport", station.DiagnosticState{}},
		{"action that is not answered", "ClearDisplayMessage", station.Status{Status: "Accepted"}},
	} {
		for _, v := range versions {
			dst := []byte("head")
			out, err := New(v).Respond(dst, tc.action, nil, tc.body)
			if err == nil {
				t.Errorf("%v %s: got %s, want an error", v, tc.name, out)
			}
			if string(out) != "head" {
				t.Errorf("%v %s: dst came back as %q", v, tc.name, out)
			}
		}
	}
}

func TestEncodeTellsNothingWithoutASample(t *testing.T) {
	for _, v := range versions {
		calls, err := New(v).Encode(station.Report{Body: station.MeterValues{EVSE: 1, Values: []term.MeterValue{{At: at}}}}, nil)
		if len(calls) != 0 || err != nil {
			t.Errorf("%v: %v, %v", v, calls, err)
		}
	}
}

func TestEncodeRefusesWhatNoMessageCanCarry(t *testing.T) {
	for _, tc := range []struct {
		name string
		body station.ReportBody
		path string
	}{
		{"model name", station.BootNotification{Reason: station.BootPowerUp, Identity: station.Identity{Vendor: "v", Model: strings.Repeat("m", 21)}}, "chargingStation.model"},
		{"boot reason", station.BootNotification{Reason: "Whim", Identity: station.Identity{Vendor: "v", Model: "m"}}, "reason"},
		{"status", station.StatusNotification{At: at, Ref: term.Ref{EVSE: 1}, ConnectorView: station.ConnectorView{Status: "Charging"}}, "connectorStatus"},
		{"phase", &station.TransactionEvent{At: at, Trigger: term.TriggerTrigger, Transaction: "t"}, "eventType"},
		{"transaction id", &station.TransactionEvent{Phase: station.PhaseEnded, At: at, Trigger: term.TriggerTrigger, Transaction: term.TransactionID(strings.Repeat("t", 37))}, "transactionInfo.transactionId"},
		{"firmware status", station.FirmwareStatus{Status: "Fine"}, "status"},
		{"data", station.NotifyCustomerInformation{GeneratedAt: at, Data: strings.Repeat("d", 513)}, "data"},
	} {
		for _, v := range versions {
			calls, err := New(v).Encode(station.Report{Body: tc.body}, nil)
			if err == nil || len(calls) != 0 {
				t.Errorf("%v %s: got %v, %v", v, tc.name, calls, err)
				continue
			}
			if !strings.Contains(err.Error(), ": "+tc.path+": ") {
				t.Errorf("%v %s: %v does not name %s", v, tc.name, err, tc.path)
			}
		}
	}
}

func TestEncodeKnowsEveryWord(t *testing.T) {
	var bodies []station.ReportBody
	for _, r := range []station.BootReason{
		station.BootPowerUp, station.BootApplicationReset, station.BootRemoteReset, station.BootScheduledReset,
		station.BootLocalReset, station.BootWatchdog, station.BootTriggered, station.BootUnknown,
	} {
		bodies = append(bodies, station.BootNotification{Reason: r, Identity: station.Identity{Vendor: "v", Model: "m"}})
	}
	for _, s := range []station.ConnectorStatus{
		station.StatusAvailable, station.StatusOccupied, station.StatusReserved, station.StatusUnavailable, station.StatusFaulted,
	} {
		bodies = append(bodies, station.StatusNotification{At: at, Ref: term.Ref{EVSE: 1, Connector: 1}, ConnectorView: station.ConnectorView{Status: s}})
	}
	for _, v := range versions {
		for _, b := range bodies {
			if _, err := New(v).Encode(station.Report{Body: b}, nil); err != nil {
				t.Errorf("%v: %v", v, err)
			}
		}
	}
}

// A dialect does not keep the room that one long event took.
func TestEncodeLetsGoOfALongEvent(t *testing.T) {
	d := New(rpc.V21)
	e := sampledEvent()
	for range 300 {
		e.Values = append(e.Values, e.Values[0])
	}
	if _, err := d.Encode(station.Report{Body: e}, nil); err != nil {
		t.Fatal(err)
	}
	if cap(d.buf) > maxBuffer || cap(d.event.MeterValue) > maxValues {
		t.Errorf("%d bytes and %d meter values are kept", cap(d.buf), cap(d.event.MeterValue))
	}
}

func TestNewIsForOCPP2(t *testing.T) {
	for _, v := range versions {
		if got := New(v).Version(); got != v {
			t.Errorf("New(%v) speaks %v", v, got)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a dialect of 1.6 was made")
		}
	}()
	New(rpc.V16)
}
