package dialect16

import (
	"slices"
	"strings"
	"testing"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/term"
)

var bigToken = term.IdToken{Value: "PAYMENT-" + strings.Repeat("0123456789", 3), Type: term.TokenDirectPayment}

var samples = []term.MeterValue{
	{At: at, Sampled: []term.SampledValue{
		{Value: 1_234_567, Measurand: term.EnergyActiveImportRegister},
		{Value: 230_150, Measurand: term.Voltage, Phase: term.PhaseL1N},
		{Value: 50_020, Measurand: term.Frequency},
		{Value: 985, Measurand: term.PowerFactor, Context: term.Trigger},
		{Value: -3_680_000, Measurand: term.PowerActiveImport, Location: term.LocationInlet},
		{Value: 42_000, Measurand: term.SoC, Location: term.LocationEV, Context: term.SampleClock},
	}},
	{At: at.Add(1)},
}

var reports = []struct {
	name string
	body station.ReportBody
}{
	{"boot", station.BootNotification{Reason: station.BootPowerUp, Identity: station.Identity{
		Vendor: "evsed", Model: "Halsim \"2\"", SerialNumber: "SN-0042", FirmwareVersion: "0.1.0",
		ICCID: "8931440000000000001", IMSI: "204080000000001",
	}}},
	{"boot-least", station.BootNotification{Reason: station.BootWatchdog, Identity: station.Identity{Vendor: "v", Model: "m"}}},
	{"boot-long", station.BootNotification{Identity: station.Identity{Vendor: "A vendor with quite a long name", Model: strings.Repeat("é", 21),
		SerialNumber: "SERIES-2026-0000000000000042", FirmwareVersion: strings.Repeat("1.", 30)}}},
	{"heartbeat", station.Heartbeat{}},
	{"authorize", station.Authorize{Token: rfid, Info: []term.AdditionalInfo{{Value: "a", Type: "b"}}}},
	{"authorize-long-token", station.Authorize{Token: bigToken}},
	{"authorize-no-authorization", station.Authorize{Token: term.IdToken{Type: term.TokenNoAuthorization}}},
	{"values", station.MeterValues{EVSE: 2, Values: samples}},
	{"values-main-meter", station.MeterValues{Values: samples[:1]}},
	{"values-connector", station.MeterValues{EVSE: 1, Connector: 2, Values: samples[:1]}},
	{"values-no-sample", station.MeterValues{EVSE: 1, Values: samples[1:]}},
	{"security", station.SecurityEvent{Type: "StartupOfTheDevice", At: at, Info: strings.Repeat("i", 300)}},
	{"security-renamed", station.SecurityEvent{Type: "InvalidChargingStationCertificate", At: at}},
	{"firmware", station.FirmwareStatus{Status: "Idle"}},
	{"log", station.LogStatus{Status: "Idle"}},
	{"diagnostics", station.LogStatus{Status: "Uploading"}},
	{"diagnostics that are there", station.LogStatus{Status: "Uploaded"}},
	{"diagnostics that are not", station.LogStatus{Status: "PermissionDenied"}},
	{"diagnostics that are not wanted", station.LogStatus{Status: "AcceptedCanceled"}},
	{"log of a number", station.LogStatus{Status: "AcceptedCanceled", RequestID: 7, HasRequestID: true}},
	{"event", station.NotifyEvent{EventID: 3, At: at, Problem: true, Code: "groundFailure", Component: model.Component{Name: "EVSE", EVSE: 1}}},
	{"report", station.NotifyReport{RequestID: 1, GeneratedAt: at}},
	{"customer", station.NotifyCustomerInformation{RequestID: 1, GeneratedAt: at, Data: "d"}},
	{"profiles", station.ChargingProfiles{RequestID: 1}},
	{"reservation", station.ReservationStatus{ID: 1, Status: "Expired"}},
}

func TestEncode(t *testing.T) {
	var lines, untold []string
	for _, r := range reports {
		if c, ok := newWire(t).say(r.body); ok {
			lines = append(lines, "--- 1.6 "+c.Action, string(c.Payload))
		} else {
			untold = append(untold, r.name)
		}
	}
	golden(t, "report-all.golden", lines)
	if got := strings.Join(untold, " "); got != "values-no-sample event report customer profiles reservation" {
		t.Errorf("not told: %s", got)
	}
}

// A token that does not fit has one name, whatever its letters look like, and no other token has it.
func TestStandIn(t *testing.T) {
	name := idTag(bigToken)
	if len(name) != maxIdTag || name == bigToken.Value[:maxIdTag] {
		t.Errorf("stand-in %q", name)
	}
	lower := bigToken
	lower.Value = strings.ToLower(lower.Value)
	if idTag(lower) != name {
		t.Error("another name for the same token")
	}
	other := bigToken
	other.Value = other.Value[:len(other.Value)-1] + "8"
	if idTag(other) == name {
		t.Error("one name for two tokens")
	}
}

func TestEncodeRefusesWhatNoMessageCanCarry(t *testing.T) {
	for _, body := range []station.ReportBody{
		station.FirmwareStatus{Status: "Fine"}, station.LogStatus{Status: "Fine"},
		station.SecurityEvent{Type: strings.Repeat("t", 51), At: at},
	} {
		if calls, err := New(evses).Encode(station.Report{Body: body}, ocpp.NewTable()); err == nil || len(calls) != 0 {
			t.Errorf("%+v: %v, %v", body, calls, err)
		}
	}
}

// The status of an upload or an update is told in the words in which it was asked for last.
func TestStatusesInTheWordsOfTheQuestion(t *testing.T) {
	w := newWire(t)
	ask := func(action, message string) {
		t.Helper()
		if _, err := w.Request(action, `{"requestedMessage":"`+message+`"}`, w.table, nil); err != nil {
			t.Fatal(err)
		}
	}
	log, firmware := station.LogStatus{Status: "Idle", Triggered: true}, station.FirmwareStatus{Status: "Idle", Triggered: true}
	ask("ExtendedTriggerMessage", "LogStatusNotification")
	w.want(log, `LogStatusNotification {"status":"Idle"}`)
	w.want(firmware, `FirmwareStatusNotification {"status":"Idle"}`)
	ask("ExtendedTriggerMessage", "FirmwareStatusNotification")
	w.want(firmware, `SignedFirmwareStatusNotification {"status":"Idle"}`)
	ask("TriggerMessage", "FirmwareStatusNotification")
	ask("TriggerMessage", "DiagnosticsStatusNotification")
	w.want(firmware, `FirmwareStatusNotification {"status":"Idle"}`)
	w.want(log, `DiagnosticsStatusNotification {"status":"Idle"}`)

	// What nobody triggers is told in the words in which the log was asked for.
	one := station.LogStatus{Status: "Uploading", RequestID: 7, HasRequestID: true}
	w.want(one, `LogStatusNotification {"status":"Uploading","requestId":7}`)
	ask("ExtendedTriggerMessage", "LogStatusNotification")
	w.want(station.LogStatus{Status: "UploadFailure"}, `DiagnosticsStatusNotification {"status":"UploadFailed"}`)
	one.Triggered = true
	w.want(one, `LogStatusNotification {"status":"Uploading","requestId":7}`)
	ask("TriggerMessage", "DiagnosticsStatusNotification")
	w.want(one, `DiagnosticsStatusNotification {"status":"Uploading"}`)
}

// Every event that the station can raise has its name of the whitepaper (edition 3, chapter 8), and fits its field.
func TestNamesOfSecurityEvents(t *testing.T) {
	of16 := strings.Fields(`FirmwareUpdated FailedToAuthenticationAtCentralSystem CentralSystemFailedToAuthentication SettingSystemTime
		StartupOfTheDevice ResetOrReboot SecurityLogWasCleared ReconfigurationOfSecurityParameters MemoryExhaustion InvalidMessages
		AttemptedReplayAttacks TamperDetectionActivated InvalidFirmwareSignature InvalidFirmwareSigningCertificate
		InvalidCentralSystemCertificate InvalidChargePointCertificate InvalidTLSVersion InvalidTLSCipherSuite`)
	own := []string{station.StorageDamaged, station.DiscardedRenewedClientCertificate} // 1.6 has no word for them
	for _, kind := range station.SecurityEvents() {
		name := securityEvent(&station.SecurityEvent{Type: kind}).(*msg16.SecurityEventNotificationRequest).Type
		if !slices.Contains(of16, name) && !slices.Contains(own, kind) || len(name) > 50 {
			t.Errorf("%s is told as %s", kind, name)
		}
	}
}
