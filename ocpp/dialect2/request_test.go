package dialect2

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/schedule"
	"github.com/evsed/evsed/station/term"
)

var rfid = term.IdToken{Value: "04E1A2B3", Type: term.TokenISO14443}

const rfidJSON = `{"idToken":"04E1A2B3","type":"ISO14443"}`

var requests = []struct {
	name    string
	since   rpc.Version // zero: both versions
	action  string
	payload string
	want    station.Request
}{
	{"station inoperative", 0, "ChangeAvailability", `{"operationalStatus":"Inoperative"}`, station.ChangeAvailability{}},
	{"connector operative", 0, "ChangeAvailability", `{"operationalStatus":"Operative","evse":{"id":2,"connectorId":1}}`,
		station.ChangeAvailability{Ref: term.Ref{EVSE: 2, Connector: 1}, Operative: true}},
	{"evse 0 is the station", 0, "ChangeAvailability", `{"operationalStatus":"Operative","evse":{"id":0}}`,
		station.ChangeAvailability{Operative: true}},
	{"clear cache", 0, "ClearCache", `{}`, station.ClearCache{}},
	{"customer by token", 0, "CustomerInformation", `{"requestId":1,"report":true,"clear":false,"idToken":` + rfidJSON + `}`,
		station.CustomerInformation{RequestID: 1, Report: true, Token: rfid}},
	{"customer by name", 0, "CustomerInformation", `{"requestId":2,"report":false,"clear":true,"customerIdentifier":"c"}`,
		station.CustomerInformation{RequestID: 2, Clear: true, Identifier: "c"}},
	{"customer by certificate", 0, "CustomerInformation", `{"requestId":3,"report":true,"clear":true,"customerCertificate":` +
		`{"hashAlgorithm":"SHA256","issuerNameHash":"a","issuerKeyHash":"b","serialNumber":"c"}}`,
		station.CustomerInformation{RequestID: 3, Report: true, Clear: true, HasCert: true}},
	{"transfer", 0, "DataTransfer", `{"vendorId":"v","messageId":"m","data":[{"x":1.5},null]}`,
		station.DataTransfer{VendorID: "v", MessageID: "m"}},
	{"log", 0, "GetLog", `{"requestId":5,"logType":"DiagnosticsLog","retries":3,"retryInterval":60,"log":{"remoteLocation":"https://u:p@x/","oldestTimestamp":"2026-01-01T00:00:00Z","latestTimestamp":"2026-01-02T00:00:00Z"}}`,
		station.GetLog{LogType: "DiagnosticsLog", RequestID: 5, HasRequestID: true, URL: "https://u:p@x/", Oldest: day(1), Latest: day(2), Retries: 3, HasRetries: true, RetryInterval: time.Minute}},
	{"log of another kind", 0, "GetLog", `{"requestId":-5,"logType":"SecurityLog","retries":0,"log":{"remoteLocation":"ftp://x"}}`,
		station.GetLog{LogType: "SecurityLog", RequestID: -5, HasRequestID: true, URL: "ftp://x", HasRetries: true}},
	{"update", 0, "UpdateFirmware", `{"requestId":-5,"retries":2,"retryInterval":60,"firmware":{"location":"https://u:p@x/f","retrieveDateTime":"2026-01-01T00:00:00Z","installDateTime":"2026-01-02T00:00:00Z","signingCertificate":"c","signature":"s"}}`,
		station.UpdateFirmware{RequestID: -5, HasRequestID: true, URL: "https://u:p@x/f", Retrieve: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Install: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC),
			Retries: 2, HasRetries: true, RetryInterval: time.Minute, Certificate: "c", Signature: "s"}},
	{"unsigned update", 0, "UpdateFirmware", `{"requestId":5,"firmware":{"location":"x","retrieveDateTime":"2026-01-01T00:00:00Z"}}`,
		station.UpdateFirmware{RequestID: 5, HasRequestID: true, URL: "x", Retrieve: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}},
	{"base report", 0, "GetBaseReport", `{"requestId":-5,"reportBase":"FullInventory"}`,
		station.GetBaseReport{RequestID: -5, Base: model.FullInventory}},
	{"custom report", 0, "GetReport", `{"requestId":6,"componentCriteria":["Problem","Active"],"componentVariable":[` +
		`{"component":{"name":"EVSE","evse":{"id":1}}},` +
		`{"component":{"name":"Connector","instance":"i","evse":{"id":1,"connectorId":2}},"variable":{"name":"Available","instance":"j"}}]}`,
		station.GetReport{RequestID: 6, Query: model.Query{
			Criteria: []model.Criterion{model.CriterionProblem, model.CriterionActive},
			Variables: []model.ComponentVariable{
				{Component: model.Component{Name: "EVSE", EVSE: 1}},
				{Component: model.Component{Name: "Connector", Instance: "i", EVSE: 1, Connector: 2}, Variable: model.Variable{Name: "Available", Instance: "j"}},
			},
		}}},
	{"get variables", 0, "GetVariables", `{"getVariableData":[{"component":{"name":"TxCtrlr"},"variable":{"name":"TxStartPoint"}},` +
		`{"attributeType":"MaxSet","component":{"name":"EVSE","evse":{"id":1}},"variable":{"name":"Power"}}]}`,
		station.GetVariables{Items: []model.GetItem{
			{Component: model.Component{Name: "TxCtrlr"}, Variable: model.Variable{Name: "TxStartPoint"}},
			{Component: model.Component{Name: "EVSE", EVSE: 1}, Variable: model.Variable{Name: "Power"}, Attribute: model.MaxSet},
		}}},
	{"set variables", 0, "SetVariables", `{"setVariableData":[{"attributeValue":"a\u0062","component":{"name":"C"},"variable":{"name":"V"}}]}`,
		station.SetVariables{Items: []model.SetItem{
			{Component: model.Component{Name: "C"}, Variable: model.Variable{Name: "V"}, Value: "ab"},
		}}},
	{"list version", 0, "GetLocalListVersion", `{}`, station.GetLocalListVersion{}},
	{"one transaction", 0, "GetTransactionStatus", `{"transactionId":"t-1"}`, station.GetTransactionStatus{Transaction: "t-1"}},
	{"all transactions", 0, "GetTransactionStatus", `{}`, station.GetTransactionStatus{}},
	{"start anywhere", 0, "RequestStartTransaction", `{"idToken":` + rfidJSON + `,"remoteStartId":0}`, station.RequestStart{Token: rfid}},
	{"start", 0, "RequestStartTransaction", `{"evseId":2,"remoteStartId":77,"groupIdToken":{"idToken":"G","type":"Central"},` +
		`"idToken":{"idToken":"abc","type":"Central","additionalInfo":[{"additionalIdToken":"x","type":"y"}]},` +
		`"chargingProfile":{"id":1,"stackLevel":0,"chargingProfilePurpose":"TxProfile","chargingProfileKind":"Relative","chargingSchedule":[` +
		`{"id":1,"chargingRateUnit":"A","chargingSchedulePeriod":[{"startPeriod":0,"limit":16.5}]}]}}`,
		station.RequestStart{
			EVSE: 2, RemoteStartID: 77, Token: term.IdToken{Value: "abc", Type: term.TokenCentral},
			Info:  []term.AdditionalInfo{{Value: "x", Type: "y"}},
			Group: term.IdToken{Value: "G", Type: term.TokenCentral}, HasProfile: true,
			Profile: schedule.Profile{ID: 1, Purpose: schedule.PurposeTx, Kind: schedule.Relative, Schedules: []schedule.Schedule{
				{ID: 1, Unit: schedule.Amperes, Periods: []schedule.Period{{Limit: 16_500}}}}},
		}},
	{"start by payment", rpc.V21, "RequestStartTransaction", `{"idToken":{"idToken":"` + bigToken.Value + `","type":"DirectPayment"},"remoteStartId":1}`,
		station.RequestStart{RemoteStartID: 1, Token: term.IdToken{Value: bigToken.Value, Type: term.TokenDirectPayment}}},
	{"stop", 0, "RequestStopTransaction", `{"transactionId":"t-1"}`, station.RequestStop{Transaction: "t-1"}},
	{"reserve", 0, "ReserveNow", `{"id":0,"expiryDateTime":"2026-11-22T07:01:35.12Z","idToken":` + rfidJSON + `}`,
		station.ReserveNow{Expiry: at, Token: rfid}},
	{"reserve a type for a group", 0, "ReserveNow", `{"id":5,"expiryDateTime":"2026-11-22T08:01:35.12+01:00","connectorType":"cCCS2","evseId":2,` +
		`"idToken":{"idToken":"04E1A2B3","type":"ISO14443","additionalInfo":[{"additionalIdToken":"x","type":"y"}]},"groupIdToken":{"idToken":"g","type":"Central"}}`,
		station.ReserveNow{ID: 5, Expiry: at, EVSE: 2, ConnectorType: "cCCS2", Token: rfid, Info: []term.AdditionalInfo{{Value: "x", Type: "y"}},
			Group: term.IdToken{Value: "g", Type: term.TokenCentral}}},
	{"reserve a type of one's own", rpc.V21, "ReserveNow", `{"id":5,"expiryDateTime":"2026-11-22T07:01:35.12Z","connectorType":"sOwn","idToken":` + rfidJSON + `}`,
		station.ReserveNow{ID: 5, Expiry: at, ConnectorType: "sOwn", Token: rfid}},
	{"cancel", 0, "CancelReservation", `{"reservationId":5}`, station.CancelReservation{ID: 5}},
	{"reset", 0, "Reset", `{"type":"OnIdle"}`, station.Reset{Kind: station.ResetOnIdle}},
	{"reset evse", 0, "Reset", `{"type":"Immediate","evseId":2}`, station.Reset{Kind: station.ResetImmediate, EVSE: 2}},
	{"reset and resume", rpc.V21, "Reset", `{"type":"ImmediateAndResume"}`, station.Reset{Kind: station.ResetImmediateAndResume}},
	{"network profile", 0, "SetNetworkProfile", `{"configurationSlot":2,"connectionData":{"ocppVersion":"OCPP20","ocppTransport":"JSON",` +
		`"ocppCsmsUrl":"wss://csms.example/ocpp","messageTimeout":30,"securityProfile":2,"ocppInterface":"Wired0"}}`,
		station.SetNetworkProfile{Slot: 2, Profile: station.NetworkProfile{
			URL: "wss://csms.example/ocpp", Interface: "Wired0", SecurityProfile: 2, MessageTimeout: 30 * time.Second, Transport: "JSON",
		}}},
	{"network profile with all", rpc.V21, "SetNetworkProfile", `{"configurationSlot":1,"connectionData":{"ocppTransport":"SOAP",` +
		`"ocppCsmsUrl":"ws://c","messageTimeout":0,"securityProfile":1,"ocppInterface":"Any","identity":"CS1","basicAuthPassword":"pw",` +
		`"apn":{"apn":"a","apnAuthentication":"AUTO"},"vpn":{"server":"s","user":"u","password":"p","key":"k","type":"IPSec"}}}`,
		station.SetNetworkProfile{Slot: 1, Profile: station.NetworkProfile{
			URL: "ws://c", Interface: "Any", SecurityProfile: 1, Transport: "SOAP", Identity: "CS1", Password: "pw", HasAPN: true, HasVPN: true,
		}}},
	{"trigger", 0, "TriggerMessage", `{"requestedMessage":"Heartbeat"}`, station.TriggerMessage{Message: "Heartbeat"}},
	{"trigger at connector", 0, "TriggerMessage", `{"requestedMessage":"StatusNotification","evse":{"id":1,"connectorId":2}}`,
		station.TriggerMessage{Message: "StatusNotification", HasEVSE: true, Ref: term.Ref{EVSE: 1, Connector: 2}}},
	{"unlock", 0, "UnlockConnector", `{"evseId":1,"connectorId":2}`, station.UnlockConnector{Ref: term.Ref{EVSE: 1, Connector: 2}}},
}

func TestRequest(t *testing.T) {
	for _, tc := range requests {
		for _, v := range versions {
			if v < tc.since {
				continue
			}
			t.Run(tc.name+"/"+v.String(), func(t *testing.T) {
				got, err := New(v).Request(tc.action, tc.payload, nil, nil)
				if err != nil || !reflect.DeepEqual(got, tc.want) {
					t.Fatalf("got %+v, %v\nwant %+v", got, err, tc.want)
				}
				again, err := New(v).Request(tc.action, retold(t, tc.action, tc.payload, v), nil, nil)
				if err != nil || !reflect.DeepEqual(again, tc.want) {
					t.Errorf("told again by the codec it became %+v, %v", again, err)
				}
			})
		}
	}
}

// retold decodes payload and encodes it again, as another maker's writer might have written it.
func retold(t *testing.T, action, payload string, v rpc.Version) string {
	t.Helper()
	m, ok := msg2.NewRequest(action, v)
	if !ok {
		t.Fatalf("%s is unknown", action)
	}
	var body rpc.Body
	body.Reset(payload, rpc.Limits{})
	if err := msg2.Decode(&body, m, v); err != nil {
		t.Fatal(err)
	}
	out, err := msg2.AppendJSON(nil, m, v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

var refused = []struct {
	name    string
	version rpc.Version // zero: both
	action  string
	payload string
	code    rpc.ErrorCode
	says    string // part of the description
}{
	{"unknown action", 0, "MakeCoffee", `{}`, rpc.NotImplemented, "unknown"},
	{"action of 2.1", rpc.V201, "SetDefaultTariff", `{}`, rpc.NotImplemented, "unknown"},
	{"a local controller's", 0, "PublishFirmware", `{"location":"http://x","checksum":"c","requestId":1}`, rpc.NotSupported, "PublishFirmware"},
	{"a local controller's too", 0, "UnpublishFirmware", `{"checksum":"c"}`, rpc.NotSupported, "UnpublishFirmware"},
	{"not offered", 0, "ClearVariableMonitoring", `{"id":[1]}`, rpc.NotSupported, "ClearVariableMonitoring"},
	{"not offered and invalid", 0, "GetChargingProfiles", `{"requestId":1}`, rpc.OccurrenceConstraintViolation, "chargingProfile"},
	{"the station's own", 0, "Heartbeat", `{}`, rpc.NotSupported, "Heartbeat"},
	{"the station's own and invalid", 0, "BootNotification", `{"reason":"PowerUp"}`, rpc.OccurrenceConstraintViolation, "chargingStation"},
	{"not JSON", 0, "ClearCache", `{`, rpc.FormatViolation, ""},
	{"missing member", 0, "ChangeAvailability", `{}`, rpc.OccurrenceConstraintViolation, "operationalStatus"},
	{"word not in the enumeration", 0, "Reset", `{"type":"Soft"}`, rpc.PropertyConstraintViolation, "type"},
	{"word of 2.1", rpc.V201, "Reset", `{"type":"ImmediateAndResume"}`, rpc.PropertyConstraintViolation, "type"},
	{"wrong type", 0, "UnlockConnector", `{"evseId":"1","connectorId":1}`, rpc.TypeConstraintViolation, "evseId"},
	{"connector of no EVSE", 0, "ChangeAvailability", `{"operationalStatus":"Operative","evse":{"id":0,"connectorId":1}}`,
		rpc.PropertyConstraintViolation, "evse.connectorId"},
	{"trigger at a connector of no EVSE", 0, "TriggerMessage", `{"requestedMessage":"MeterValues","evse":{"id":0,"connectorId":1}}`,
		rpc.PropertyConstraintViolation, "evse.connectorId"},
	{"start at EVSE 0", 0, "RequestStartTransaction", `{"evseId":0,"idToken":` + rfidJSON + `,"remoteStartId":1}`,
		rpc.PropertyConstraintViolation, "evseId"},
	{"negative EVSE", 0, "RequestStartTransaction", `{"evseId":-1,"idToken":` + rfidJSON + `,"remoteStartId":1}`,
		rpc.PropertyConstraintViolation, "evseId"},
	{"token type of 2.1", rpc.V201, "RequestStartTransaction", `{"idToken":{"idToken":"a","type":"VIN"},"remoteStartId":1}`,
		rpc.PropertyConstraintViolation, "idToken.type"},
	{"token too long", rpc.V201, "RequestStartTransaction", `{"idToken":{"idToken":"` + bigToken.Value + `","type":"Central"},"remoteStartId":1}`,
		rpc.PropertyConstraintViolation, "idToken.idToken"},
	{"token without a type", rpc.V21, "RequestStartTransaction", `{"idToken":{"idToken":"a","type":""},"remoteStartId":1}`,
		rpc.PropertyConstraintViolation, "idToken.type"},
	{"customer token without a type", rpc.V21, "CustomerInformation", `{"requestId":1,"report":true,"clear":true,"idToken":{"idToken":"","type":""}}`,
		rpc.PropertyConstraintViolation, "idToken.type"},
	{"no variables", 0, "GetVariables", `{"getVariableData":[]}`, rpc.OccurrenceConstraintViolation, "getVariableData"},
	{"bad attribute", 0, "SetVariables", `{"setVariableData":[{"attributeType":"Min","attributeValue":"","component":{"name":"C"},"variable":{"name":"V"}}]}`,
		rpc.PropertyConstraintViolation, "setVariableData[0].attributeType"},
	{"no version in 2.0.1", rpc.V201, "SetNetworkProfile", `{"configurationSlot":1,"connectionData":{"ocppTransport":"JSON",` +
		`"ocppCsmsUrl":"ws://c","messageTimeout":0,"securityProfile":1,"ocppInterface":"Wired0"}}`,
		rpc.OccurrenceConstraintViolation, "connectionData.ocppVersion"},
}

func TestRequestRefuses(t *testing.T) {
	for _, tc := range refused {
		for _, v := range versions {
			if tc.version != 0 && v != tc.version {
				continue
			}
			got, err := New(v).Request(tc.action, tc.payload, nil, nil)
			var refusal *ocpp.RequestError
			if got != nil || !errors.As(err, &refusal) {
				t.Errorf("%v %s: got %+v, %v", v, tc.name, got, err)
				continue
			}
			if refusal.Code != tc.code || !strings.Contains(refusal.Description, tc.says) {
				t.Errorf("%v %s: got %v, want %s naming %q", v, tc.name, refusal, tc.code, tc.says)
			}
		}
	}
}

// Every action of a version answers bad JSON with FormatViolation and thereby shows that it is decoded; every other
// version's action is not implemented.
func TestRequestDecodesEveryActionOfItsVersion(t *testing.T) {
	for _, v := range versions {
		known := 0
		for _, a := range msg2.Actions() {
			want := rpc.NotImplemented
			if a.Since <= v {
				want = rpc.FormatViolation
				known++
			}
			_, err := New(v).Request(a.Name, `{"customData":`, nil, &listStage{})
			var refusal *ocpp.RequestError
			if !errors.As(err, &refusal) || refusal.Code != want {
				t.Errorf("%v %s: got %v, want %s", v, a.Name, err, want)
			}
		}
		if known < 64 {
			t.Errorf("%v has %d actions only", v, known)
		}
	}
}

// What a request keeps must not hold the frame that it came in.
func TestRequestKeepsNoPartOfTheFrame(t *testing.T) {
	for _, tc := range requests {
		payload := strings.Clone(tc.payload)
		d := New(rpc.V21)
		got, err := d.Request(tc.action, payload, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		wantNoWindow(t, payload, got)
		wantNoWindow(t, payload, d.body)
	}
}

// wantNoWindow checks that no string in v is a part of payload.
func wantNoWindow(t *testing.T, payload string, v any) {
	t.Helper()
	from := uintptr(unsafe.Pointer(unsafe.StringData(payload)))
	eachString(reflect.ValueOf(v), func(s string) {
		p := uintptr(unsafe.Pointer(unsafe.StringData(s)))
		if s != "" && p >= from && p < from+uintptr(len(payload)) {
			t.Errorf("%q is a window of %s", s, payload)
		}
	})
}

// eachString calls f for every string in v.
func eachString(v reflect.Value, f func(string)) {
	switch v.Kind() {
	case reflect.String:
		f(v.String())
	case reflect.Struct:
		for i := range v.NumField() {
			eachString(v.Field(i), f)
		}
	case reflect.Slice:
		for i := range v.Len() {
			eachString(v.Index(i), f)
		}
	case reflect.Interface, reflect.Pointer:
		eachString(v.Elem(), f)
	}
}

// day is the beginning of a day of January 2026.
func day(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
