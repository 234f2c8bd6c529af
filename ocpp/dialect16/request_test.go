package dialect16

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/cert"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/schedule"
	"github.com/evsed/evsed/station/term"
)

// Transaction tx-7 has the id 7 in these tests.
const profileJSON = `{"chargingProfileId":5,"transactionId":7,"stackLevel":2,"chargingProfilePurpose":"TxProfile","chargingProfileKind":"Recurring",` +
	`"recurrencyKind":"Daily","validFrom":"2026-01-01T00:00:00Z","validTo":"2026-02-01T00:00:00Z","chargingSchedule":{"duration":3600,` +
	`"startSchedule":"2026-01-01T01:00:00Z","chargingRateUnit":"A","minChargingRate":6.5,"chargingSchedulePeriod":[{"startPeriod":0,"limit":16.1,` +
	`"numberPhases":3},{"startPeriod":60,"limit":0}]}}`

func day(month time.Month, hour int) time.Time {
	return time.Date(2026, month, 1, hour, 0, 0, 0, time.UTC)
}

var profile = schedule.Profile{ID: 5, Transaction: "tx-7", StackLevel: 2, Purpose: schedule.PurposeTx, Kind: schedule.Recurring, Recurrency: schedule.Daily,
	ValidFrom: day(1, 0), ValidTo: day(2, 0), Schedules: []schedule.Schedule{{Start: day(1, 1), Duration: time.Hour, Unit: schedule.Amperes, MinRate: 6500,
		Periods: []schedule.Period{{Limit: 16_100, Phases: 3}, {Start: time.Minute}}}}}

const stationProfileJSON = `{"chargingProfileId":1,"stackLevel":0,"chargingProfilePurpose":"ChargePointMaxProfile","chargingProfileKind":"Absolute",` +
	`"chargingSchedule":{"chargingRateUnit":"W","chargingSchedulePeriod":[{"startPeriod":0,"limit":11000}]}}`

var stationProfile = schedule.Profile{ID: 1, Purpose: schedule.PurposeStation, Kind: schedule.Absolute,
	Schedules: []schedule.Schedule{{Unit: schedule.Watts, Periods: []schedule.Period{{Limit: 11_000_000}}}}}

func set(component, variable, value string) model.SetItem {
	return model.SetItem{Component: model.Component{Name: component}, Variable: splitVariable(variable), Value: value}
}

func unsettable(component, variable, value string) model.SetItem {
	i := set(component, variable, value)
	i.Attribute = model.MaxSet
	return i
}

func named(component, variable string) model.ComponentVariable {
	return model.ComponentVariable{Component: model.Component{Name: component}, Variable: splitVariable(variable)}
}

var requests = []struct {
	name, action, payload string
	want                  station.Request
}{
	{"cancel", "CancelReservation", `{"reservationId":-3}`, station.CancelReservation{ID: -3}},
	{"station out of service", "ChangeAvailability", `{"connectorId":0,"type":"Inoperative"}`, station.ChangeAvailability{Deep: true}},
	{"connector in service", "ChangeAvailability", `{"connectorId":2,"type":"Operative"}`,
		station.ChangeAvailability{Ref: term.Ref{EVSE: 1, Connector: 2}, Operative: true}},
	{"no such connector", "ChangeAvailability", `{"connectorId":9,"type":"Operative"}`, station.ChangeAvailability{Ref: nowhere, Operative: true}},
	{"key", "ChangeConfiguration", `{"key":"connectiontimeout","value":" 60"}`, station.SetVariables{Items: []model.SetItem{set("TxCtrlr", "EVConnectionTimeOut", "60")}}},
	{"boolean key", "ChangeConfiguration", `{"key":"LocalPreAuthorize","value":"TRUE"}`, station.SetVariables{Items: []model.SetItem{set("AuthCtrlr", "LocalPreAuthorize", "true")}}},
	{"two variables", "ChangeConfiguration", `{"key":"MeterValueSampleInterval","value":"30"}`,
		station.SetVariables{Items: []model.SetItem{set("SampledDataCtrlr", "TxUpdatedInterval", "30"), set("SampledDataCtrlr", "TxEndedInterval", "30")}}},
	{"instance", "ChangeConfiguration", `{"key":"TransactionMessageAttempts","value":"3"}`,
		station.SetVariables{Items: []model.SetItem{set("OCPPCommCtrlr", "MessageAttempts#TransactionEvent", "3")}}},
	{"computed key", "ChangeConfiguration", `{"key":"StopTxnSampledDataMaxLength","value":"3"}`,
		station.SetVariables{Items: []model.SetItem{unsettable("SampledDataCtrlr", "TxEndedMeasurands", "3")}}},
	{"fact", "ChangeConfiguration", `{"key":"NumberOfConnectors","value":"3"}`, station.SetVariables{Items: []model.SetItem{unsettable("ChargingStation", "Model", "3")}}},
	{"key of ours", "ChangeConfiguration", `{"key":"TxCtrlr.TxStartPoint","value":"Authorized"}`, station.SetVariables{Items: []model.SetItem{set("TxCtrlr", "TxStartPoint", "Authorized")}}},
	{"key of a connector", "ChangeConfiguration", `{"key":"Connector#x@1.2.Available#y","value":""}`, station.SetVariables{Items: []model.SetItem{{
		Component: model.Component{Name: "Connector", Instance: "x", EVSE: 1, Connector: 2}, Variable: model.Variable{Name: "Available", Instance: "y"}}}}},
	{"unknown key", "ChangeConfiguration", `{"key":"Nonsense","value":"1"}`, station.SetVariables{Items: []model.SetItem{set("Nonsense", "", "1")}}},
	{"no key of ours", "ChangeConfiguration", `{"key":"A@b.C","value":"1"}`, station.SetVariables{Items: []model.SetItem{set("A@b.C", "", "1")}}},
	{"rotation", "ChangeConfiguration", `{"key":"ConnectorPhaseRotation","value":"1.RST, 3.TRS"}`, station.SetVariables{Items: []model.SetItem{
		{Component: model.Component{Name: "Connector", EVSE: 1, Connector: 1}, Variable: model.Variable{Name: "PhaseRotation"}, Value: "RST"},
		{Component: model.Component{Name: "Connector", EVSE: 2, Connector: 1}, Variable: model.Variable{Name: "PhaseRotation"}, Value: "TRS"}}}},
	{"stays when unplugged", "ChangeConfiguration", `{"key":"StopTransactionOnEVSideDisconnect","value":"False"}`, station.SetVariables{Items: []model.SetItem{
		{Component: model.Component{Name: "TxCtrlr"}, Variable: model.Variable{Name: "StopTxOnEVSideDisconnect"}, Value: "false"},
		{Component: model.Component{Name: "TxCtrlr"}, Variable: model.Variable{Name: "TxStopPoint"}, Value: "Authorized"}}}},
	{"ends when unplugged", "ChangeConfiguration", `{"key":"StopTransactionOnEVSideDisconnect","value":"true"}`, station.SetVariables{Items: []model.SetItem{
		{Component: model.Component{Name: "TxCtrlr"}, Variable: model.Variable{Name: "StopTxOnEVSideDisconnect"}, Value: "true"}}}},
	{"rotation of none", "ChangeConfiguration", `{"key":"ConnectorPhaseRotation","value":"1.RST,4.TRS"}`,
		station.SetVariables{Items: []model.SetItem{unsettable("ChargingStation", "Model", "TRS")}}},
	{"password of 20 bytes", "ChangeConfiguration", `{"key":"AuthorizationKey","value":"0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF"}`,
		station.SetVariables{Items: []model.SetItem{set("SecurityCtrlr", "BasicAuthPassword", "hex:0001020304050607ffffffffffffffffffffffff")}}},
	{"password too short", "ChangeConfiguration", `{"key":"AuthorizationKey","value":"0001020304050607"}`,
		station.SetVariables{Items: []model.SetItem{set("SecurityCtrlr", "BasicAuthPassword", "")}}},
	{"plain password", "ChangeConfiguration", `{"key":"AuthorizationKey","value":"correct-horse-battery"}`,
		station.SetVariables{Items: []model.SetItem{set("SecurityCtrlr", "BasicAuthPassword", "correct-horse-battery")}}},
	{"clear cache", "ClearCache", `{}`, station.ClearCache{}},
	{"clear all", "ClearChargingProfile", `{}`, station.ClearChargingProfile{}},
	{"clear one, whatever else", "ClearChargingProfile", `{"id":4,"connectorId":1,"stackLevel":0}`,
		station.ClearChargingProfile{Filter: station.ProfileFilter{IDs: []int{4}}}},
	{"clear by filter", "ClearChargingProfile", `{"connectorId":3,"chargingProfilePurpose":"TxDefaultProfile","stackLevel":0}`,
		station.ClearChargingProfile{Filter: station.ProfileFilter{HasEVSE: true, EVSE: 2, Purpose: schedule.PurposeDefault, HasStack: true}}},
	{"transfer", "DataTransfer", `{"vendorId":"v","messageId":"m","data":"d"}`, station.DataTransfer{VendorID: "v", MessageID: "m"}},
	{"certificate signed", "CertificateSigned", `{"certificateChain":"c"}`, station.CertificateSigned{Use: cert.ChargingStationCertificate, Chain: "c"}},
	{"certificate gone", "DeleteCertificate", `{"certificateHashData":` + hashJSON + `}`,
		station.DeleteCertificate{Hash: cert.HashData{Algorithm: "SHA256", IssuerNameHash: "a", IssuerKeyHash: "b", Serial: "c"}}},
	{"certificates", "GetInstalledCertificateIds", `{"certificateType":"CentralSystemRootCertificate"}`,
		station.GetInstalledCertificateIds{Uses: []cert.Use{cert.CSMSRootCertificate}}},
	{"certificate", "InstallCertificate", `{"certificateType":"ManufacturerRootCertificate","certificate":"c"}`,
		station.InstallCertificate{Use: cert.ManufacturerRootCertificate, PEM: "c"}},
	{"extended trigger", "ExtendedTriggerMessage", `{"requestedMessage":"SignChargePointCertificate"}`, station.TriggerMessage{Message: "SignChargingStationCertificate"}},
	{"composite", "GetCompositeSchedule", `{"connectorId":3,"duration":600,"chargingRateUnit":"W"}`,
		station.GetCompositeSchedule{EVSE: 2, Duration: 10 * time.Minute, Unit: schedule.Watts}},
	{"composite of the station", "GetCompositeSchedule", `{"connectorId":0,"duration":1}`, station.GetCompositeSchedule{Duration: time.Second}},
	{"everything", "GetConfiguration", `{}`, station.ListVariables{}},
	{"everything by an empty list", "GetConfiguration", `{"key":[]}`, station.ListVariables{}},
	{"some keys", "GetConfiguration", `{"key":["HEARTBEATINTERVAL","NumberOfConnectors","x","TxCtrlr.TxStopPoint"]}`,
		station.ListVariables{Names: []string{"HEARTBEATINTERVAL", "NumberOfConnectors", "x", "TxCtrlr.TxStopPoint"}, Query: model.Query{Variables: []model.ComponentVariable{
			named("OCPPCommCtrlr", "HeartbeatInterval"), named("x", ""), named("TxCtrlr", "TxStopPoint")}}}},
	{"list version", "GetLocalListVersion", `{}`, station.GetLocalListVersion{}},
	{"remote start", "RemoteStartTransaction", `{"idTag":"04E1A2B3"}`, station.RequestStart{Token: rfid}},
	{"remote start with a profile", "RemoteStartTransaction", `{"idTag":"04E1A2B3","connectorId":2,"chargingProfile":` + stationProfileJSON + `}`,
		station.RequestStart{Token: rfid, EVSE: 1, Connector: 2, HasProfile: true, Profile: stationProfile, Loose: true}},
	{"remote start at no connector", "RemoteStartTransaction", `{"idTag":"04E1A2B3","connectorId":0}`, station.RequestStart{Token: rfid, EVSE: nowhere.EVSE, Connector: nowhere.Connector}},
	{"remote stop", "RemoteStopTransaction", `{"transactionId":7}`, station.RequestStop{Transaction: "tx-7"}},
	{"remote stop of what nobody began", "RemoteStopTransaction", `{"transactionId":8}`, station.RequestStop{Transaction: noTransaction}},
	{"reserve", "ReserveNow", `{"connectorId":3,"expiryDate":"2026-01-01T01:00:00+01:00","idTag":"04E1A2B3","parentIdTag":"P","reservationId":0}`,
		station.ReserveNow{EVSE: 2, Expiry: day(1, 0), Token: rfid, Group: term.IdToken{Value: "P", Type: parentType}}},
	{"reserve one of two", "ReserveNow", `{"connectorId":2,"expiryDate":"2026-01-01T00:00:00Z","idTag":"04E1A2B3","reservationId":2}`,
		station.ReserveNow{ID: 2, EVSE: 1, ConnectorType: "sType2", Expiry: day(1, 0), Token: rfid}},
	{"reserve any", "ReserveNow", `{"connectorId":0,"expiryDate":"2026-01-01T00:00:00Z","idTag":"04E1A2B3","reservationId":2}`,
		station.ReserveNow{ID: 2, Expiry: day(1, 0), Token: rfid}},
	{"hard reset", "Reset", `{"type":"Hard"}`, station.Reset{Kind: station.ResetImmediate, Hard: true}},
	{"diagnostics", "GetDiagnostics", `{"location":"http://u:p@x/","retries":2,"retryInterval":60,"startTime":"2026-01-01T00:00:00Z","stopTime":"2026-01-02T00:00:00Z"}`,
		station.GetLog{LogType: "DiagnosticsLog", URL: "http://u:p@x/", Oldest: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Latest: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC),
			Retries: 2, HasRetries: true, RetryInterval: time.Minute}},
	{"diagnostics of all times", "GetDiagnostics", `{"location":"HTTPS://x"}`, station.GetLog{LogType: "DiagnosticsLog", URL: "HTTPS://x"}},
	{"log", "GetLog", `{"log":{"remoteLocation":"ftp://l"},"logType":"SecurityLog","requestId":1,"retries":0}`,
		station.GetLog{LogType: "SecurityLog", RequestID: 1, HasRequestID: true, URL: "ftp://l", HasRetries: true}},
	{"update", "UpdateFirmware", `{"location":"ftp://u:p@x/f","retrieveDate":"2026-01-01T00:00:00Z","retries":2,"retryInterval":60}`,
		station.UpdateFirmware{URL: "ftp://u:p@x/f", Retrieve: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Retries: 2, HasRetries: true, RetryInterval: time.Minute, Plain: true}},
	{"signed update", "SignedUpdateFirmware", `{"requestId":9,"firmware":{"location":"l","retrieveDateTime":"2026-01-01T00:00:00Z","installDateTime":"2026-01-02T00:00:00Z","signingCertificate":"c","signature":"s"}}`,
		station.UpdateFirmware{RequestID: 9, HasRequestID: true, URL: "l", Retrieve: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Install: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), Certificate: "c", Signature: "s"}},
	{"soft reset", "Reset", `{"type":"Soft"}`, station.Reset{Kind: station.ResetImmediate}},
	{"empty list", "SendLocalList", `{"listVersion":3,"updateType":"Full"}`, station.SendLocalList{Version: 3, Full: true}},
	{"profile of a transaction", "SetChargingProfile", `{"connectorId":3,"csChargingProfiles":` + profileJSON + `}`, station.SetChargingProfile{EVSE: 2, Profile: profile, Loose: true}},
	{"profile of the station", "SetChargingProfile", `{"connectorId":0,"csChargingProfiles":` + stationProfileJSON + `}`, station.SetChargingProfile{Profile: stationProfile, Loose: true}},
	{"trigger everywhere", "TriggerMessage", `{"requestedMessage":"StatusNotification"}`, station.TriggerMessage{Message: "StatusNotification"}},
	{"trigger of the station", "TriggerMessage", `{"requestedMessage":"StatusNotification","connectorId":0}`, station.TriggerMessage{Message: "StatusNotification", HasEVSE: true}},
	{"trigger of a connector", "TriggerMessage", `{"requestedMessage":"StatusNotification","connectorId":2}`,
		station.TriggerMessage{Message: "StatusNotification", HasEVSE: true, Ref: term.Ref{EVSE: 1, Connector: 2}}},
	{"trigger of none", "TriggerMessage", `{"requestedMessage":"StatusNotification","connectorId":7}`,
		station.TriggerMessage{Message: "StatusNotification", HasEVSE: true, Ref: nowhere}},
	{"trigger of values", "TriggerMessage", `{"requestedMessage":"MeterValues","connectorId":3}`,
		station.TriggerMessage{Message: "MeterValues", Sampled: true, HasEVSE: true, Ref: term.Ref{EVSE: 2}}},
	{"trigger without regard to the connector", "TriggerMessage", `{"requestedMessage":"Heartbeat","connectorId":7}`, station.TriggerMessage{Message: "Heartbeat"}},
	{"trigger of diagnostics", "TriggerMessage", `{"requestedMessage":"DiagnosticsStatusNotification"}`, station.TriggerMessage{Message: "LogStatusNotification"}},
	{"unlock", "UnlockConnector", `{"connectorId":2}`, station.UnlockConnector{Ref: term.Ref{EVSE: 1, Connector: 2}, Finish: true}},
	{"unlock the station", "UnlockConnector", `{"connectorId":0}`, station.UnlockConnector{Ref: nowhere, Finish: true}},
}

func TestRequest(t *testing.T) {
	for _, tc := range requests {
		w := newWire(t)
		w.begin("tx-7", 7)
		payload := strings.Clone(tc.payload)
		got, err := w.Request(tc.action, payload, w.table, &listStage{})
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		if !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s: got\n%+v\nwant\n%+v", tc.name, got, tc.want)
		}
	}
}

// Every action that a CSMS may call is either understood or answered NotSupported.
func TestEveryActionIsAnswered(t *testing.T) {
	tested := map[string]bool{}
	for _, tc := range requests {
		tested[tc.action] = true
	}
	for _, tc := range refused {
		tested[tc.action] = true
	}
	for _, a := range msg16.Actions() {
		if a.From&msg16.FromCSMS != 0 && !tested[a.Name] {
			t.Errorf("%s is not in the tables", a.Name)
		}
	}
}

const hashJSON = `{"hashAlgorithm":"SHA256","issuerNameHash":"a","issuerKeyHash":"b","serialNumber":"c"}`

var refused = []struct {
	name, action, payload string
	code                  rpc.ErrorCode
}{
	{"unknown action", "GetVariables", `{}`, rpc.NotImplemented},
	{"action of the station", "StartTransaction", `{"connectorId":1,"idTag":"a","meterStart":0,"timestamp":"2026-01-01T00:00:00Z"}`, rpc.NotSupported},
	{"diagnostics by TFTP", "GetDiagnostics", `{"location":"tftp://x"}`, rpc.PropertyConstraintViolation},
	{"diagnostics to nowhere", "GetDiagnostics", `{"location":"x"}`, rpc.PropertyConstraintViolation},
	{"update by TFTP", "UpdateFirmware", `{"location":"tftp://x","retrieveDate":"2026-01-01T00:00:00Z"}`, rpc.PropertyConstraintViolation},
	{"signed update without a signature", "SignedUpdateFirmware", `{"requestId":1,"firmware":{"location":"l","retrieveDateTime":"2026-01-01T00:00:00Z","signingCertificate":"c"}}`, "OccurenceConstraintViolation"},
	{"wrong even so", "InstallCertificate", `{"certificateType":"X","certificate":"c"}`, rpc.PropertyConstraintViolation},
	{"no JSON", "Reset", `{`, "FormationViolation"},
	{"missing", "Reset", `{}`, "OccurenceConstraintViolation"},
	{"unknown member", "ClearCache", `{"x":1}`, "FormationViolation"},
	{"wrong type", "RemoteStopTransaction", `{"transactionId":"7"}`, rpc.TypeConstraintViolation},
	{"long tag", "RemoteStartTransaction", `{"idTag":"123456789012345678901"}`, rpc.PropertyConstraintViolation},
	{"schedule of no duration", "SetChargingProfile", `{"connectorId":1,"csChargingProfiles":` + strings.Replace(profileJSON, `"duration":3600`, `"duration":0`, 1) + `}`, rpc.PropertyConstraintViolation},
	{"schedule of negative duration", "SetChargingProfile", `{"connectorId":1,"csChargingProfiles":` + strings.Replace(profileJSON, `"duration":3600`, `"duration":-1`, 1) + `}`, rpc.PropertyConstraintViolation},
	{"bad unit", "GetCompositeSchedule", `{"connectorId":1,"duration":1,"chargingRateUnit":"V"}`, rpc.PropertyConstraintViolation},                  // errata 3.24
	{"connector of a profile", "SetChargingProfile", `{"connectorId":4,"csChargingProfiles":` + profileJSON + `}`, rpc.PropertyConstraintViolation}, // errata 3.39
	{"two digits", "SetChargingProfile", `{"connectorId":1,"csChargingProfiles":` + strings.Replace(profileJSON, "16.1", "16.15", 1) + `}`, rpc.PropertyConstraintViolation},
	{"too much", "SetChargingProfile", `{"connectorId":1,"csChargingProfiles":` + strings.Replace(profileJSON, "16.1", "9223372036854775807", 1) + `}`, rpc.PropertyConstraintViolation},
	{"phases", "RemoteStartTransaction", `{"idTag":"a","chargingProfile":` + strings.Replace(profileJSON, `"numberPhases":3`, `"numberPhases":300`, 1) + `}`, rpc.PropertyConstraintViolation},
	{"many keys", "GetConfiguration", `{"key":["a"` + strings.Repeat(`,"a"`, maxKeys) + `]}`, "OccurenceConstraintViolation"},
	{"list version 0", "SendLocalList", `{"listVersion":0,"updateType":"Full"}`, rpc.PropertyConstraintViolation}, // errata 3.52
	{"list version -1", "SendLocalList", `{"listVersion":-1,"updateType":"Differential"}`, rpc.PropertyConstraintViolation},
}

func TestRequestRefuses(t *testing.T) {
	for _, tc := range refused {
		var s listStage
		w := newWire(t)
		got, err := w.Request(tc.action, tc.payload, w.table, &s)
		var refusal *ocpp.RequestError
		if got != nil || !errors.As(err, &refusal) {
			t.Errorf("%s: got %+v, %v", tc.name, got, err)
			continue
		}
		if refusal.Code != tc.code || refusal.Description == "" {
			t.Errorf("%s: %v, want %s", tc.name, refusal, tc.code)
		}
		if s.began && !s.aborted {
			t.Errorf("%s: the stage was left open", tc.name)
		}
	}
}
