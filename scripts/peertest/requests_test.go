package peertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
)

// request is one request of a CSMS and what a station may answer: words of its status, or CALLERROR codes. Where neither
// is listed, any valid result will do.
type request struct {
	action, payload string
	status          []string
	codes           []string
	has             string // what the result must have, without white space
	past            string // the peer whose types cannot say it, although the schema can: there it goes past the library
	follows         string // what the station tells afterwards
	tells           string // what that must have: the last word of what takes time, or it comes between later messages
}

// with is r with what its result must have.
func (r request) with(text string) request { r.has = text; return r }

// then is r and the message that the station sends because of it.
func (r request) then(action string) request { r.follows = action; return r }

// ends is r and what the last message that the station sends because of it tells.
func (r request) ends(action, tells string) request { r.follows, r.tells = action, tells; return r }

func (r request) String() string { return r.action + " " + r.payload }

// want says what is wrong with an answer; "" if nothing is.
func (r request) want(a Answer) string {
	switch {
	case a.Code != "":
		for _, c := range r.codes {
			if c == a.Code {
				return ""
			}
		}
		return fmt.Sprintf("want %v", append(r.codes, r.status...))
	case len(r.codes) > 0:
		return fmt.Sprintf("want one of the errors %v", r.codes)
	case !strings.Contains(compact(a.Payload), r.has):
		return "want " + r.has
	case len(r.status) == 0:
		return ""
	}
	for _, s := range r.status {
		if s == a.Status() {
			return ""
		}
	}
	return fmt.Sprintf("want the status %v", r.status)
}

func compact(payload string) string {
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(payload)); err != nil {
		return payload
	}
	return b.String()
}

func ok(action, payload string, status ...string) request {
	return request{action: action, payload: payload, status: status}
}

// notOffered is a request of a functional block that this station does not offer.
func notOffered(action, payload string) request {
	return request{action: action, payload: payload, codes: []string{string(rpc.NotSupported)}}
}

// pastOCPPGo is a request that ocpp-go cannot say: it holds optional members for required ones.
func pastOCPPGo(r request) request { r.past = "ocpp-go"; return r }

const (
	hash       = `{"hashAlgorithm":"SHA256","issuerNameHash":"aa","issuerKeyHash":"bb","serialNumber":"01"}`
	limit10A   = `{"id":1,"stackLevel":0,"chargingProfilePurpose":"TxDefaultProfile","chargingProfileKind":"Relative","chargingSchedule":[{"id":1,"chargingRateUnit":"A","chargingSchedulePeriod":[{"startPeriod":0,"limit":10}]}]}`
	greeting   = `{"message":{"id":1,"priority":"NormalCycle","message":{"format":"UTF8","content":"hello"}}}`
	card       = `{"idToken":"CARD-9","type":"ISO14443"}`
	connection = `{"ocppVersion":"OCPP20","ocppTransport":"JSON","ocppCsmsUrl":"ws://127.0.0.1:9","messageTimeout":30,"securityProfile":1,"ocppInterface":"Wired0"}`
)

// requests has every request that 2.0.1 lets a CSMS make, at least once.
var requests = []request{
	ok("CancelReservation", `{"reservationId":5}`, "Rejected"),
	ok("CertificateSigned", `{"certificateChain":"x","certificateType":"ChargingStationCertificate"}`, "Rejected"),
	ok("ChangeAvailability", `{"operationalStatus":"Inoperative","evse":{"id":2}}`, "Accepted"),
	ok("ChangeAvailability", `{"operationalStatus":"Operative","evse":{"id":2}}`, "Accepted"),
	ok("ChangeAvailability", `{"operationalStatus":"Inoperative","evse":{"id":1,"connectorId":1}}`, "Accepted"),
	ok("ChangeAvailability", `{"operationalStatus":"Operative","evse":{"id":1,"connectorId":1}}`, "Accepted"),
	ok("ChangeAvailability", `{"operationalStatus":"Operative"}`, "Accepted"),
	ok("ChangeAvailability", `{"operationalStatus":"Operative","evse":{"id":9}}`, "Rejected"),
	ok("ClearCache", `{}`, "Accepted", "Rejected"),
	ok("ClearChargingProfile", `{"chargingProfileId":1}`, "Unknown"),
	notOffered("ClearDisplayMessage", `{"id":1}`),
	notOffered("ClearVariableMonitoring", `{"id":[1]}`),
	notOffered("CostUpdated", `{"totalCost":1.5,"transactionId":"t"}`),
	ok("CustomerInformation", `{"requestId":11,"report":true,"clear":false,"idToken":`+card+`}`, "Accepted").then("NotifyCustomerInformation"),
	ok("CustomerInformation", `{"requestId":12,"report":false,"clear":false,"customerIdentifier":"x"}`, "Rejected", "Invalid"),
	ok("DataTransfer", `{"vendorId":"org.example"}`, "UnknownVendorId"),
	ok("DataTransfer", `{"vendorId":"org.example","messageId":"m","data":{"any":[1,2]}}`, "UnknownVendorId"),
	ok("DeleteCertificate", `{"certificateHashData":`+hash+`}`, "NotFound"),
	ok("GetBaseReport", `{"requestId":21,"reportBase":"FullInventory"}`, "Accepted").then("NotifyReport"),
	ok("GetBaseReport", `{"requestId":22,"reportBase":"ConfigurationInventory"}`, "Accepted").then("NotifyReport"),
	ok("GetBaseReport", `{"requestId":23,"reportBase":"SummaryInventory"}`, "Accepted", "NotSupported"),
	ok("GetChargingProfiles", `{"requestId":24,"chargingProfile":{"chargingProfilePurpose":"TxDefaultProfile"}}`, "NoProfiles"),
	ok("GetCompositeSchedule", `{"duration":600,"evseId":1}`, "Accepted"),
	notOffered("GetDisplayMessages", `{"requestId":25}`),
	ok("GetInstalledCertificateIds", `{"certificateType":["CSMSRootCertificate"]}`, "NotFound"),
	ok("GetLocalListVersion", `{}`),
	ok("GetLog", `{"logType":"DiagnosticsLog","requestId":26,"retries":0,"log":{"remoteLocation":"http://127.0.0.1:9/log"}}`, "Accepted").ends("LogStatusNotification", `"UploadFailure"`),
	notOffered("GetMonitoringReport", `{"requestId":27}`),
	pastOCPPGo(ok("GetReport", `{"requestId":31,"componentVariable":[{"component":{"name":"TxCtrlr"}}]}`, "Accepted").then("NotifyReport")),
	ok("GetReport", `{"requestId":32,"componentVariable":[{"component":{"name":"EVSE","evse":{"id":1}},"variable":{"name":"Power"}}]}`, "Accepted").then("NotifyReport"),
	ok("GetReport", `{"requestId":33,"componentCriteria":["Problem"]}`, "EmptyResultSet", "Accepted"),
	pastOCPPGo(ok("GetReport", `{"requestId":34,"componentVariable":[{"component":{"name":"Nonsense"}}]}`, "EmptyResultSet")),
	ok("GetTransactionStatus", `{}`),
	ok("GetTransactionStatus", `{"transactionId":"unknown"}`),
	ok("GetVariables", `{"getVariableData":[{"component":{"name":"OCPPCommCtrlr"},"variable":{"name":"HeartbeatInterval"}},`+
		`{"component":{"name":"Nonsense"},"variable":{"name":"X"}},{"component":{"name":"TxCtrlr"},"variable":{"name":"X"}},`+
		`{"component":{"name":"TxCtrlr"},"variable":{"name":"TxStartPoint"},"attributeType":"MaxSet"}]}`),
	ok("InstallCertificate", `{"certificateType":"CSMSRootCertificate","certificate":"x"}`, "Rejected"),
	notOffered("PublishFirmware", `{"location":"http://127.0.0.1:9/fw","checksum":"0123456789abcdef0123456789abcdef","requestId":41}`),
	ok("RequestStartTransaction", `{"evseId":9,"remoteStartId":42,"idToken":`+card+`}`, "Rejected"),
	ok("RequestStartTransaction", `{"evseId":1,"remoteStartId":43,"idToken":`+card+`,"chargingProfile":`+
		strings.Replace(limit10A, "TxDefaultProfile", "TxProfile", 1)+`}`, "Rejected", "Accepted"),
	ok("RequestStopTransaction", `{"transactionId":"unknown"}`, "Rejected"),
	ok("ReserveNow", `{"id":44,"expiryDateTime":"2037-01-01T00:00:00Z","idToken":`+card+`,"evseId":1}`, "Accepted", "Occupied"),
	ok("ReserveNow", `{"id":45,"expiryDateTime":"2037-01-01T00:00:00Z","idToken":`+card+`,"evseId":9}`, "Rejected"),
	ok("CancelReservation", `{"reservationId":44}`, "Accepted", "Rejected"),
	ok("SendLocalList", `{"versionNumber":3,"updateType":"Full","localAuthorizationList":[{"idToken":`+card+`,"idTokenInfo":{"status":"Accepted"}}]}`, "Accepted"),
	ok("SendLocalList", `{"versionNumber":4,"updateType":"Differential","localAuthorizationList":[{"idToken":`+card+`}]}`, "Accepted"),
	ok("SendLocalList", `{"versionNumber":2,"updateType":"Differential"}`, "VersionMismatch"),
	ok("SetChargingProfile", `{"evseId":1,"chargingProfile":`+limit10A+`}`, "Accepted"),
	notOffered("SetDisplayMessage", greeting),
	notOffered("SetMonitoringBase", `{"monitoringBase":"All"}`),
	notOffered("SetMonitoringLevel", `{"severity":4}`),
	ok("SetNetworkProfile", `{"configurationSlot":2,"connectionData":`+connection+`}`, "Accepted", "Rejected"),
	ok("SetNetworkProfile", `{"configurationSlot":99,"connectionData":`+connection+`}`, "Rejected"),
	notOffered("SetVariableMonitoring", `{"setMonitoringData":[{"value":1.5,"type":"UpperThreshold","severity":4,"component":{"name":"TxCtrlr"},"variable":{"name":"X"}}]}`),
	ok("SetVariables", `{"setVariableData":[{"attributeValue":"600","component":{"name":"OCPPCommCtrlr"},"variable":{"name":"HeartbeatInterval"}},`+
		`{"attributeValue":"x","component":{"name":"OCPPCommCtrlr"},"variable":{"name":"HeartbeatInterval"}},`+
		`{"attributeValue":"1","component":{"name":"Nonsense"},"variable":{"name":"X"}}]}`),
	ok("TriggerMessage", `{"requestedMessage":"Heartbeat"}`, "Accepted").then("Heartbeat"),
	ok("TriggerMessage", `{"requestedMessage":"BootNotification"}`, "Rejected", "Accepted"),
	ok("TriggerMessage", `{"requestedMessage":"StatusNotification","evse":{"id":1,"connectorId":1}}`, "Accepted").then("StatusNotification"),
	ok("TriggerMessage", `{"requestedMessage":"MeterValues","evse":{"id":1}}`, "Accepted").then("MeterValues"),
	ok("TriggerMessage", `{"requestedMessage":"TransactionEvent","evse":{"id":1}}`, "Accepted", "Rejected"),
	ok("TriggerMessage", `{"requestedMessage":"LogStatusNotification"}`, "Accepted").then("LogStatusNotification"),
	ok("TriggerMessage", `{"requestedMessage":"FirmwareStatusNotification"}`, "Accepted").then("FirmwareStatusNotification"),
	ok("TriggerMessage", `{"requestedMessage":"SignChargingStationCertificate"}`, "Rejected"),
	ok("TriggerMessage", `{"requestedMessage":"StatusNotification","evse":{"id":9,"connectorId":1}}`, "Rejected"),
	ok("UnlockConnector", `{"evseId":1,"connectorId":1}`, "Unlocked"),
	ok("UnlockConnector", `{"evseId":2,"connectorId":1}`, "UnlockFailed"), // its cable is fixed
	ok("UnlockConnector", `{"evseId":1,"connectorId":9}`, "UnknownConnector"),
	notOffered("UnpublishFirmware", `{"checksum":"0123456789abcdef0123456789abcdef"}`),
	ok("UpdateFirmware", `{"requestId":51,"firmware":{"location":"http://127.0.0.1:9/fw","retrieveDateTime":"2026-11-22T00:00:00Z"}}`, "Rejected"),
	ok("GetLog", `{"logType":"SecurityLog","requestId":28,"retries":0,"log":{"remoteLocation":"http://127.0.0.1:9/log"}}`, "Accepted", "AcceptedCanceled").ends("LogStatusNotification", `"UploadFailure"`),
	ok("Reset", `{"type":"OnIdle","evseId":9}`, "Rejected"),
}

// later are requests that came with 2.1: unknown in 2.0.1, not offered in 2.1.
var later = []request{
	notOffered("AFRRSignal", `{"timestamp":"2026-11-22T07:00:00Z","signal":1}`),
	notOffered("AdjustPeriodicEventStream", `{"id":1,"params":{"interval":10}}`),
	notOffered("ClearDERControl", `{"isDefault":false}`),
	notOffered("ClearTariffs", `{}`),
	notOffered("GetDERControl", `{"requestId":61}`),
	notOffered("GetPeriodicEventStream", `{}`),
	notOffered("GetTariffs", `{"evseId":1}`),
	notOffered("NotifyAllowedEnergyTransfer", `{"transactionId":"t","allowedEnergyTransfer":["AC_single_phase"]}`),
	notOffered("NotifyWebPaymentStarted", `{"evseId":1,"timeout":60}`),
	notOffered("RequestBatterySwap", `{"requestId":62,"idToken":`+card+`}`),
	notOffered("SetDERControl", `{"isDefault":true,"controlId":"c","controlType":"Gradients"}`),
	notOffered("UpdateDynamicSchedule", `{"chargingProfileId":1,"scheduleUpdate":{"limit":10}}`),
	notOffered("UsePriorityCharging", `{"transactionId":"t","activate":true}`),
}

// broken are requests that no station may take, and how it must refuse them.
var broken = []request{
	{action: "Sing", payload: `{}`, codes: []string{"NotImplemented"}},
	{action: "BootNotification", payload: `{"reason":"PowerUp","chargingStation":{"model":"m","vendorName":"v"}}`, codes: []string{"NotSupported", "NotImplemented"}},
	{action: "ClearCache", payload: `[]`, codes: []string{"ProtocolError", "FormatViolation", "TypeConstraintViolation"}},
	{action: "ClearCache", payload: `{"bogus":1}`, codes: []string{"FormatViolation"}},
	{action: "Reset", payload: `{}`, codes: []string{"OccurrenceConstraintViolation"}},
	{action: "Reset", payload: `{"type":"Sometimes"}`, codes: []string{"PropertyConstraintViolation"}},
	{action: "Reset", payload: `{"type":1}`, codes: []string{"TypeConstraintViolation"}},
	{action: "UnlockConnector", payload: `{"evseId":"1","connectorId":1}`, codes: []string{"TypeConstraintViolation"}},
	{action: "UnlockConnector", payload: `{"evseId":1.5,"connectorId":1}`, codes: []string{"TypeConstraintViolation"}},
	{action: "GetVariables", payload: `{"getVariableData":[]}`, codes: []string{"OccurrenceConstraintViolation"}},
	{action: "GetVariables", payload: `{"getVariableData":[{"component":{"name":"` + strings.Repeat("x", 51) + `"},"variable":{"name":"X"}}]}`, codes: []string{"PropertyConstraintViolation"}},
	{action: "RequestStopTransaction", payload: `{"transactionId":null}`, codes: []string{"TypeConstraintViolation", "OccurrenceConstraintViolation"}},
	{action: "SendLocalList", payload: `{"versionNumber":5,"updateType":"Full","localAuthorizationList":[{"idToken":` + card + `,"idTokenInfo":{"status":"Perhaps"}}]}`, codes: []string{"PropertyConstraintViolation"}},
	{action: "DataTransfer", payload: `{"vendorId":"` + strings.Repeat("[", 1) + `","data":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`, codes: []string{"FormatViolation"}},
}

// malformed are frames that are no OCPP; a station answers with this code to id "-1" or to the id that can be read.
var malformed = []struct{ name, id, frame, code string }{
	{"no payload", "m1", `[2,"m1","ClearCache"]`, "RpcFrameworkError"},
	{"unknown message type", "m2", `[9,"m2","ClearCache",{}]`, "MessageTypeNotSupported"},
	{"cut off", "m3", `[2,"m3","ClearCache",{`, "FormatViolation"},
	{"no JSON", "-1", `hello`, "RpcFrameworkError"},
	{"no id", "-1", `[2,7,"ClearCache",{}]`, "RpcFrameworkError"},
}

// TestRequestsAreAllThere: the list above leaves no action of 2.0.1 out.
func TestRequestsAreAllThere(t *testing.T) {
	listed := map[string]bool{"Reset": true}
	for _, r := range requests {
		listed[r.action] = true
	}
	n := 0
	for _, a := range msg2.Actions() {
		if _, known := msg2.NewRequest(a.Name, msg2.V201); !known || a.From&msg2.FromCSMS == 0 {
			continue
		}
		n++
		if !listed[a.Name] {
			t.Errorf("no request %s", a.Name)
		}
	}
	if n < 40 {
		t.Errorf("only %d actions of a CSMS", n)
	}
}

// TestRequests makes every request of a CSMS, valid and broken: each is answered as it must be, nothing in the answers
// breaks a rule, and the station is the same afterwards.
func TestRequests(t *testing.T) {
	eachPeer(t, makers2, func(t *testing.T, p Peer) {
		s := startStation(t, p)
		for _, r := range requests {
			s.request(r)
			s.answeredFirst(r)
		}
		for _, r := range later {
			if p.Version() == rpc.V201.String() {
				r.past, r.codes = p.Name(), []string{string(rpc.NotImplemented)}
			}
			s.request(r)
		}
		for _, r := range broken {
			r.past = p.Name()
			s.request(r)
		}
		for _, m := range malformed {
			a, err := p.SendRaw(s.id, m.id, m.frame)
			if err != nil || a.Code != m.code {
				t.Errorf("%s: got %v, %v, want %s", m.name, a, err, m.code)
			}
		}
		s.until("all is told", func(st state) bool { return st.Station.PendingMessages == 0 && st.Station.Connected })
		if n := s.count(Open); n != 1 {
			t.Errorf("the station connected %d times", n)
		}
		s.reboots()
		s.clean()
	})
}

// request makes one request: through the library, or past it what it cannot say.
func (s *station) request(r request) {
	s.t.Helper()
	s.place = s.peer.Journal().Len()
	a, err := Answer{}, error(nil)
	if r.past == s.peer.Name() {
		id := newID("raw")
		a, err = s.peer.SendRaw(s.id, id, fmt.Sprintf(`[2,"%s","%s",%s]`, id, r.action, r.payload))
	} else {
		a, err = s.peer.Send(s.id, r.action, r.payload)
	}
	if wrong := r.want(a); err != nil || wrong != "" {
		s.t.Errorf("%.300s: got %v, %v: %s", r, a, err, wrong)
	}
	if r.follows != "" {
		s.sent(r.follows+" after "+r.String(), r.follows, func(p string) bool { return !strings.Contains(p, `"tbc":true`) && strings.Contains(p, r.tells) })
	}
}

// answeredFirst: what was triggered follows the answer (F06.FR.04; 1.6, 5.17).
func (s *station) answeredFirst(r request) {
	s.t.Helper()
	if r.follows == "" || !strings.HasSuffix(r.action, "TriggerMessage") {
		return
	}
	var asked string
	for _, e := range s.peer.Journal().From(0) {
		switch f := parseFrame(e.Frame); {
		case e.Kind == Out && f.action == r.action:
			asked = f.id
		case e.Kind == In && f.typ == 3 && f.id == asked:
			asked = ""
		case e.Kind == In && f.action == r.follows && asked != "":
			s.t.Errorf("%v: its answer comes after what it triggers", r)
			return
		}
	}
}

// reboots: a reset is obeyed, and the station comes back and says why.
func (s *station) reboots() {
	s.t.Helper()
	for i, kind := range []string{"OnIdle", "Immediate"} {
		s.place = s.peer.Journal().Len()
		s.request(ok("Reset", `{"type":"`+kind+`"}`, "Accepted"))
		s.sent("boot after "+kind, "BootNotification", func(p string) bool { return strings.Contains(p, `"RemoteReset"`) })
		s.until("accepted again", func(st state) bool {
			return st.Station.Boots == i+2 && st.Station.Registration == "Accepted" && st.Station.PendingMessages == 0
		})
	}
}

// count counts entries of a kind.
func (s *station) count(k Kind) (n int) {
	for _, e := range s.peer.Journal().From(0) {
		if e.Kind == k {
			n++
		}
	}
	return n
}
