package dialect15

import (
	"errors"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/dialect16"
	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/ocpp/soap"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

var update = flag.Bool("update", false, "rewrite golden files")

var (
	at       = time.Date(2026, 5, 4, 10, 20, 30, 125_000_000, time.UTC)
	evses    = []station.EVSE{{ID: 1, Connectors: []station.Connector{{ID: 1}}}, {ID: 2, Connectors: []station.Connector{{ID: 1}}}}
	versions = []soap.Version{soap.V12, soap.V15, soap.V16}
	card     = term.IdToken{Value: "CAFE0001", Type: term.TokenISO14443}
	place    = term.Ref{EVSE: 1, Connector: 1}
)

func dialect(v soap.Version) *Dialect { return New(v, dialect16.New(evses)) }

var sampled = []term.MeterValue{
	{At: at, Sampled: []term.SampledValue{
		{Value: 230_150, Measurand: term.Voltage, Phase: term.PhaseL1N},
		{Value: 1_234_567, Measurand: term.EnergyActiveImportRegister},
		{Value: 16_000, Measurand: term.CurrentImport},
		{Value: 230_000, Measurand: term.Voltage},
		{Value: 50_020, Measurand: term.Frequency},
		{Value: -3_680_000, Measurand: term.PowerActiveImport, Location: term.LocationInlet, Context: term.Trigger},
		{Value: 42_000, Measurand: term.SoC, Location: term.LocationEV, Context: term.SampleClock},
	}},
	{At: at.Add(time.Minute), Sampled: []term.SampledValue{{Value: 42_000, Measurand: term.SoC, Location: term.LocationEV}}},
}

func transaction(phase station.Phase, change func(*station.TransactionEvent)) *station.TransactionEvent {
	e := &station.TransactionEvent{Transaction: "tx-1", Phase: phase, At: at, Ref: place, Token: card, Register: unit.Energy(1_234_567), Values: sampled}
	if change != nil {
		change(e)
	}
	return e
}

func view(status station.ConnectorStatus, change func(*station.ConnectorView)) station.ConnectorView {
	v := station.ConnectorView{Status: status}
	if change != nil {
		change(&v)
	}
	return v
}

func faulty(f term.Fault) func(*station.ConnectorView) {
	return func(v *station.ConnectorView) { v.Faults = station.Faults(f) }
}

var reports = []struct {
	name string
	body station.ReportBody
}{
	{"boot", station.BootNotification{Identity: station.Identity{Vendor: "evsed", Model: "Halsim", SerialNumber: "SN-0042", FirmwareVersion: "0.1.0"}}},
	{"heartbeat", station.Heartbeat{}},
	{"authorize", station.Authorize{Token: card}},
	{"start", transaction(station.PhaseStarted, func(e *station.TransactionEvent) { e.ReservationID, e.HasReservation = 7, true })},
	{"values of a transaction", transaction(station.PhaseUpdated, nil)},
	{"values that 1.6 alone can tell", station.MeterValues{EVSE: 1, Connector: 1, Values: sampled[1:]}},
	{"values of the station", station.MeterValues{Values: sampled[:1]}},
	{"stop", transaction(station.PhaseEnded, func(e *station.TransactionEvent) { e.StoppedReason = term.StopLocal })},
	{"stop without values", transaction(station.PhaseEnded, func(e *station.TransactionEvent) { e.Values, e.Token = nil, term.IdToken{} })},
	{"available", station.StatusNotification{Ref: place, At: at, ConnectorView: view(station.StatusAvailable, nil)}},
	{"occupied", station.StatusNotification{Ref: place, At: at, ConnectorView: view(station.StatusOccupied, nil), Was: view(station.StatusAvailable, nil)}},
	{"charging, was preparing", station.StatusNotification{Ref: place, At: at, Was: view(station.StatusOccupied, nil),
		ConnectorView: view(station.StatusOccupied, func(v *station.ConnectorView) { v.Transaction, v.Offered, v.State = true, true, term.ChargingCharging })}},
	{"reserved", station.StatusNotification{Ref: place, At: at, ConnectorView: view(station.StatusReserved, nil), Was: view(station.StatusOccupied, nil)}},
	{"ground fault", station.StatusNotification{Ref: place, At: at, ConnectorView: view(station.StatusFaulted, faulty(term.FaultGround))}},
	{"over voltage", station.StatusNotification{Ref: place, At: at, ConnectorView: view(station.StatusFaulted, faulty(term.FaultOverVoltage))}},
	{"weak signal", station.StatusNotification{At: at, ConnectorView: view(station.StatusAvailable, faulty(term.FaultWeakSignal))}},
	{"firmware idle", station.FirmwareStatus{Status: "Idle", Triggered: true}},
	{"firmware begins", station.FirmwareStatus{Status: "Downloading"}},
	{"firmware is here", station.FirmwareStatus{Status: "Downloaded"}},
	{"firmware that is not the maker's", station.FirmwareStatus{Status: "InstallVerificationFailed", Reason: "FW-SIGNATURE"}},
	{"firmware runs", station.FirmwareStatus{Status: "Installed"}},
	{"security event", station.SecurityEvent{Type: "StartupOfTheDevice", At: at}},
}

// TestReports: what is told in each version. The golden file has the form of the samples of ocpp/soap, where every line is
// checked against the WSDL.
func TestReports(t *testing.T) {
	var lines []string
	for _, r := range reports {
		lines = append(lines, "# "+r.name)
		for _, v := range versions {
			table := ocpp.NewTable()
			d := dialect(v)
			if e, ok := r.body.(*station.TransactionEvent); ok && e.Phase != station.PhaseStarted {
				named(t, d, table)
			}
			calls, err := d.Encode(station.Report{ID: 1, Body: r.body}, table)
			if err != nil {
				t.Errorf("%s in %s: %v", r.name, v, err)
			}
			for _, c := range calls {
				if _, err := soap.AppendRequest(nil, v, soap.CentralSystem, c.Action, soap.Header{}, string(c.Payload)); err != nil {
					t.Errorf("%s in %s: %s %s: %v", r.name, v, c.Action, c.Payload, err)
				}
				lines = append(lines, v.String()+" CentralSystem "+c.Action+" Request "+string(c.Payload))
			}
		}
	}
	golden(t, "reports.txt", lines)
}

// named begins transaction tx-1, which the CSMS numbers 77.
func named(t *testing.T, d *Dialect, table *ocpp.Table) {
	t.Helper()
	calls, err := d.Encode(station.Report{ID: 1, Class: station.Kept, Body: transaction(station.PhaseStarted, nil)}, table)
	if err != nil || len(calls) != 1 {
		t.Fatal(calls, err)
	}
	reply, err := d.Result(calls[0], `{"transactionId":77,"idTagInfo":{"status":"Accepted"}}`, table)
	if err != nil || reply.(station.TokenReply).Info.Status != "Accepted" {
		t.Fatal(reply, err)
	}
}

func golden(t *testing.T, name string, lines []string) {
	t.Helper()
	got, path := strings.Join(lines, "\n")+"\n", "testdata/"+name
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; go test ./ocpp/dialect15 -update, then read the difference", path)
	}
}

func TestBootResult(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, c := range []struct {
		v       soap.Version
		payload string
		want    station.Reply
	}{
		{soap.V16, `{"status":"Pending","currentTime":"2026-01-02T03:04:05Z","interval":60}`, station.BootReply{Status: station.RegistrationPending, Now: now, Interval: time.Minute}},
		{soap.V15, `{"status":"Accepted","currentTime":"2026-01-02T03:04:05Z","heartbeatInterval":60}`, station.BootReply{Status: station.RegistrationAccepted, Now: now, Interval: time.Minute}},
		{soap.V12, `{"status":"Rejected"}`, station.BootReply{Status: station.RegistrationRejected}},
		{soap.V12, `{"status":"Accepted","heartbeatInterval":60}`, station.BootReply{Status: station.RegistrationAccepted, Interval: time.Minute}},
		{soap.V15, `{"status":"Accepted"}`, nil},
		{soap.V15, `{"status":"Accepted","currentTime":"2026-01-02T03:04:05Z","interval":60}`, nil},
		{soap.V12, `{"status":"Fine"}`, nil},
		{soap.V12, `{`, nil},
	} {
		got, err := dialect(c.v).Result(ocpp.Call{Action: "BootNotification"}, c.payload, ocpp.NewTable())
		var bad *rpc.DecodeError
		if c.want == nil && !errors.As(err, &bad) || c.want != nil && (err != nil || got != c.want) {
			t.Errorf("%s %s: %+v %v", c.v, c.payload, got, err)
		}
	}
}

// TestRequests: what a CSMS may ask in 1.6 it may ask in the older versions if they have it, and the same comes of it.
func TestRequests(t *testing.T) {
	for _, c := range []struct {
		action, payload string
		since           soap.Version
	}{
		{"ChangeAvailability", `{"connectorId":1,"type":"Inoperative"}`, soap.V12},
		{"ChangeConfiguration", `{"key":"HeartBeatInterval","value":"60"}`, soap.V12},
		{"ClearCache", `{}`, soap.V12},
		{"RemoteStartTransaction", `{"idTag":"CAFE0001","connectorId":1}`, soap.V12},
		{"RemoteStopTransaction", `{"transactionId":77}`, soap.V12},
		{"Reset", `{"type":"Soft"}`, soap.V12},
		{"UnlockConnector", `{"connectorId":2}`, soap.V12},
		{"CancelReservation", `{"reservationId":3}`, soap.V15},
		{"DataTransfer", `{"vendorId":"v","messageId":"m","data":"d"}`, soap.V15},
		{"GetConfiguration", `{"key":["HeartbeatInterval"]}`, soap.V15},
		{"GetLocalListVersion", `{}`, soap.V15},
		{"ReserveNow", `{"connectorId":1,"expiryDate":"2026-01-02T03:04:05Z","idTag":"CAFE0001","reservationId":3}`, soap.V15},
		{"ClearChargingProfile", `{}`, soap.V16},
		{"TriggerMessage", `{"requestedMessage":"Heartbeat"}`, soap.V16},
		{"SecurityEventNotification", `{}`, 99},
		{"ExtendedTriggerMessage", `{"requestedMessage":"Heartbeat"}`, 99},
	} {
		want, refused := dialect16.New(evses).Request(c.action, c.payload, ocpp.NewTable(), nil)
		if refused != nil && c.since != 99 {
			t.Errorf("%s in 1.6: %v", c.action, refused)
		}
		for _, v := range versions {
			got, err := dialect(v).Request(c.action, c.payload, ocpp.NewTable(), nil)
			var r *ocpp.RequestError
			switch {
			case v < c.since && (!errors.As(err, &r) || r.Code != rpc.NotImplemented):
				t.Errorf("%s in %s: %+v %v", c.action, v, got, err)
			case v >= c.since && (err != nil || !reflect.DeepEqual(got, want)):
				t.Errorf("%s in %s: %+v %v, want %+v", c.action, v, got, err, want)
			}
		}
	}
}

// list is a stage in memory.
type list struct {
	tokens  []string
	aborted bool
}

func (l *list) Begin() (station.StageID, error) { return 1, nil }
func (l *list) Add(t term.IdToken, _ term.TokenInfo, remove bool) error {
	name := t.Value
	if remove {
		name = "-" + name
	}
	l.tokens = append(l.tokens, name)
	return nil
}
func (l *list) Abort() { l.aborted = true }

const entries = `[{"idTag":"A","idTagInfo":{"status":"Accepted"}},{"idTag":"B"}]`

func TestSendLocalList(t *testing.T) {
	l := &list{}
	r, err := dialect(soap.V15).Request("SendLocalList", `{"updateType":"Differential","listVersion":2,"localAuthorisationList":`+entries+`,"hash":"x"}`, nil, l)
	if want := (station.SendLocalList{Version: 2, Stage: 1, Staged: 2}); err != nil || r != want || strings.Join(l.tokens, " ") != "A -B" {
		t.Errorf("%+v %v, staged %q", r, err, l.tokens)
	}
	for _, bad := range []string{
		`{"updateType":"Full","listVersion":2,"localAuthorizationList":[]}`, `{"listVersion":2}`, `{"updateType":"Full","listVersion":2,"localAuthorisationList":7}`, `[]`,
	} {
		var refused *ocpp.RequestError
		if _, err := dialect(soap.V15).Request("SendLocalList", bad, nil, &list{}); !errors.As(err, &refused) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestStream(t *testing.T) {
	l := &list{}
	name, s := dialect(soap.V15).Stream("SendLocalList", l)
	if s == nil || name != "localAuthorisationList" {
		t.Fatal(name)
	}
	if err := s.Piece([]byte(`[{"idTag":"B"}]`)); err != nil {
		t.Fatal(err)
	}
	r, err := s.Request(`{"updateType":"Differential","listVersion":2,"localAuthorisationList":[{"idTag":"A"}]}`)
	if want := (station.SendLocalList{Version: 2, Stage: 1, Staged: 2}); err != nil || r != want {
		t.Errorf("%+v %v", r, err)
	}
	_, s = dialect(soap.V15).Stream("SendLocalList", l)
	if err := s.Piece([]byte(entries)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Request(`{"updateType":"Full"}`); err == nil || !l.aborted {
		t.Errorf("%v, aborted %t", err, l.aborted)
	}
	if _, s := dialect(soap.V12).Stream("SendLocalList", l); s != nil {
		t.Error("1.2 has lists")
	}
	if name, s := dialect(soap.V16).Stream("SendLocalList", l); s == nil || name != "localAuthorizationList" {
		t.Error("1.6 has none")
	}
}

func TestRespond(t *testing.T) {
	for _, c := range []struct {
		action, status string
		want           [3]string // in 1.2, 1.5, 1.6
	}{
		{"UnlockConnector", "Unlocked", [3]string{"Accepted", "Accepted", "Unlocked"}},
		{"UnlockConnector", "UnlockFailed", [3]string{"Rejected", "Rejected", "UnlockFailed"}},
		{"Reset", "Accepted", [3]string{"Accepted", "Accepted", "Accepted"}},
		{"ClearCache", "Rejected", [3]string{"Rejected", "Rejected", "Rejected"}},
		{"ChangeAvailability", "Scheduled", [3]string{"Scheduled", "Scheduled", "Scheduled"}},
	} {
		for i, v := range versions {
			got, err := dialect(v).Respond([]byte("[3,"), c.action, nil, station.Status{Status: c.status})
			if want := `[3,{"status":"` + c.want[i] + `"}`; err != nil || string(got) != want {
				t.Errorf("%s %s in %s: %s %v", c.action, c.status, v, got, err)
			}
		}
	}
	for _, s := range []struct{ action, from, want string }{
		{"ChangeConfiguration", "RebootRequired", "Accepted"}, {"ChangeConfiguration", "NotSupported", "NotSupported"}, {"UnlockConnector", "NotSupported", "Rejected"},
	} {
		if got := string(olderStatus([]byte(`x{"status":"`+s.from+`"}`), 1, s.action)); got != `x{"status":"`+s.want+`"}` {
			t.Errorf("%+v: %s", s, got)
		}
	}
}

// TestWords: every word of 1.6 has one in the older versions.
func TestWords(t *testing.T) {
	statuses := map[soap.Version]string{soap.V12: " Available Occupied Faulted Unavailable ", soap.V15: " Available Occupied Faulted Unavailable Reserved "}
	const old = " ConnectorLockFailure HighTemperature Mode3Error NoError PowerMeterFailure PowerSwitchFailure ReaderFailure ResetFailure "
	codes := map[soap.Version]string{soap.V12: old, soap.V15: old + "GroundFailure OverCurrentFailure UnderVoltage WeakSignal OtherError "}
	for _, v := range versions[:2] {
		for _, s := range statuses16 {
			if word := Status(v, s); !strings.Contains(statuses[v], " "+word+" ") {
				t.Errorf("%s in %s: %q", s, v, word)
			}
			for _, code := range []msg16.ChargePointErrorCode{
				msg16.ChargePointErrorCodeConnectorLockFailure, msg16.ChargePointErrorCodeEVCommunicationError, msg16.ChargePointErrorCodeGroundFailure,
				msg16.ChargePointErrorCodeHighTemperature, msg16.ChargePointErrorCodeInternalError, msg16.ChargePointErrorCodeLocalListConflict,
				msg16.ChargePointErrorCodeNoError, msg16.ChargePointErrorCodeOtherError, msg16.ChargePointErrorCodeOverCurrentFailure,
				msg16.ChargePointErrorCodeOverVoltage, msg16.ChargePointErrorCodePowerMeterFailure, msg16.ChargePointErrorCodePowerSwitchFailure,
				msg16.ChargePointErrorCodeReaderFailure, msg16.ChargePointErrorCodeResetFailure, msg16.ChargePointErrorCodeUnderVoltage,
				msg16.ChargePointErrorCodeWeakSignal,
			} {
				word := ErrorCode(v, code, s)
				if !strings.Contains(codes[v], " "+word+" ") {
					t.Errorf("%s in %s: %q", code, v, word)
				}
				if s == msg16.ChargePointStatusFaulted && word == "NoError" && code != msg16.ChargePointErrorCodeNoError {
					t.Errorf("%s in %s: a fault without an error", code, v)
				}
			}
		}
	}
}

var statuses16 = []msg16.ChargePointStatus{
	msg16.ChargePointStatusAvailable, msg16.ChargePointStatusPreparing, msg16.ChargePointStatusCharging, msg16.ChargePointStatusSuspendedEVSE,
	msg16.ChargePointStatusSuspendedEV, msg16.ChargePointStatusFinishing, msg16.ChargePointStatusReserved, msg16.ChargePointStatusUnavailable,
	msg16.ChargePointStatusFaulted,
}
