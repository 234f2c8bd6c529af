package dialect16

import (
	"testing"
	"time"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/schedule"
)

var responses = []struct {
	name, action string
	body         station.ResponseBody
}{
	{"cancel", "CancelReservation", station.Status{Status: "Accepted"}},
	{"availability", "ChangeAvailability", station.Status{Status: "Scheduled", Reason: "TxInProgress"}},
	{"cache", "ClearCache", station.Status{Status: "Rejected", Reason: "NotEnabled", Info: "i"}},
	{"profile gone", "ClearChargingProfile", station.Status{Status: "Unknown"}},
	{"transfer", "DataTransfer", station.Status{Status: "UnknownVendorId"}},
	{"extended trigger", "ExtendedTriggerMessage", station.Status{Status: "NotImplemented"}},
	{"composite", "GetCompositeSchedule", station.CompositeSchedule{Status: station.Status{Status: "Accepted"}, EVSE: 2, Start: at, Duration: time.Hour, Unit: schedule.Amperes,
		Periods: []schedule.Period{{Limit: 16_190, Phases: 3}, {Start: time.Minute, Limit: 6_000}, {Start: time.Hour / 2}}}},
	{"composite of the station", "GetCompositeSchedule", station.CompositeSchedule{Status: station.Status{Status: "Accepted"}, Start: at, Duration: time.Second, Unit: schedule.Watts,
		Periods: []schedule.Period{{Limit: 22_000_000}}}},
	{"no composite", "GetCompositeSchedule", station.CompositeSchedule{Status: station.Status{Status: "Rejected", Reason: "UnknownEvse"}}},
	{"no composite either", "GetCompositeSchedule", station.Status{Status: "Rejected"}},
	{"diagnostics", "GetDiagnostics", station.Log{Status: station.Status{Status: "AcceptedCanceled"}, File: "CP1-diagnostics-20260105T100002Z.txt"}},
	{"no diagnostics", "GetDiagnostics", station.Log{Status: station.Status{Status: "Rejected", Reason: "Unspecified"}}},
	{"log", "GetLog", station.Log{Status: station.Status{Status: "Accepted"}, File: "CP1-diagnostics-20260105T100002Z.txt"}},
	{"no log", "GetLog", station.Log{Status: station.Status{Status: "Rejected", Reason: "UnsupportedParam"}}},
	{"list version", "GetLocalListVersion", station.LocalListVersion{Version: 4}},
	{"version of no list", "GetLocalListVersion", station.LocalListVersion{Off: true}},
	{"start", "RemoteStartTransaction", station.StartStatus{Status: station.Status{Status: "Accepted"}, Transaction: "A"}},
	{"stop", "RemoteStopTransaction", station.Status{Status: "Rejected", Reason: "TxNotFound"}},
	{"reserve", "ReserveNow", station.Status{Status: "Occupied"}},
	{"reset", "Reset", station.Status{Status: "Accepted"}},
	{"list", "SendLocalList", station.Status{Status: "VersionMismatch"}},
	{"no list", "SendLocalList", station.Status{Status: "Failed", Reason: "NotEnabled"}},
	{"profile", "SetChargingProfile", station.Status{Status: "Rejected"}},
	{"signed update", "SignedUpdateFirmware", station.Status{Status: "AcceptedCanceled"}},
	{"signed by nobody", "SignedUpdateFirmware", station.Status{Status: "InvalidCertificate", Reason: "InvalidCertificate"}},
	{"update", "UpdateFirmware", station.Status{Status: "Accepted"}},
	{"trigger", "TriggerMessage", station.Status{Status: "NotImplemented", Reason: "UnsupportedRequest"}},
	{"unlocked", "UnlockConnector", station.Status{Status: "Unlocked"}},
	{"stuck", "UnlockConnector", station.Status{Status: "UnlockFailed"}},
	{"fixed cable", "UnlockConnector", station.Status{Status: "UnlockFailed", Reason: "FixedCable"}},
	{"no such connector", "UnlockConnector", station.Status{Status: "UnknownConnector"}},
}

func TestRespond(t *testing.T) {
	var lines []string
	for _, r := range responses {
		out, err := New(evses).Respond([]byte("head "), r.action, nil, r.body)
		if err != nil {
			t.Errorf("%s: %v", r.name, err)
		}
		lines = append(lines, "--- 1.6 "+r.action, string(out[len("head "):]))
	}
	golden(t, "response-all.golden", lines)
}

func TestRespondRefusesWhatIsNoAnswer(t *testing.T) {
	for _, tc := range []struct {
		name, action string
		body         station.ResponseBody
	}{
		{"word of another status", "Reset", station.Status{Status: "Unlocked"}},
		{"word of 2.x", "Reset", station.Status{Status: "Scheduled"}},
		{"empty word", "Reset", station.Status{}},
		{"status to a query", "GetConfiguration", station.Status{Status: "Accepted"}},
		{"inventory without a question", "GetConfiguration", station.Inventory{}},
		{"plain status to a start", "RemoteStartTransaction", station.Status{Status: "Accepted"}},
		{"start status to a stop", "RemoteStopTransaction", station.StartStatus{Status: station.Status{Status: "Accepted"}}},
		{"local answer", "GetConfiguration", station.DiagnosticState{}},
		{"action that is not answered", "Heartbeat", station.Status{Status: "Accepted"}},
		{"log without its answer", "GetDiagnostics", station.Status{Status: "Accepted"}},
		{"answer of a log", "Reset", station.Log{Status: station.Status{Status: "Accepted"}}},
	} {
		out, err := New(evses).Respond([]byte("head"), tc.action, nil, tc.body)
		if err == nil || string(out) != "head" {
			t.Errorf("%s: %q, %v", tc.name, out, err)
		}
	}
}
