package peertest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/evsed/evsed/ocpp/msg16"
)

const (
	limit16  = `{"chargingProfileId":1,"stackLevel":0,"chargingProfilePurpose":"TxDefaultProfile","chargingProfileKind":"Relative","chargingSchedule":{"chargingRateUnit":"A","chargingSchedulePeriod":[{"startPeriod":0,"limit":10.0}]}}`
	expiry16 = `"expiryDate":"2037-01-01T00:00:00Z"`
)

// setKey is ChangeConfiguration.
func setKey(key, value, status string) request {
	return ok("ChangeConfiguration", fmt.Sprintf(`{"key":%q,"value":%q}`, key, value), status)
}

func profile16(connector int, purpose, status string) request {
	return ok("SetChargingProfile", fmt.Sprintf(`{"connectorId":%d,"csChargingProfiles":%s}`, connector, strings.Replace(limit16, "TxDefaultProfile", purpose, 1)), status)
}

// refused is a request that is answered with a CALLERROR.
func refused(action, payload, code string) request {
	return request{action: action, payload: payload, codes: []string{code}}
}

// requests16 has every request that 1.6 and its security whitepaper let a Central System make, at least once.
var requests16 = []request{
	ok("CancelReservation", `{"reservationId":5}`, "Rejected"),
	ok("CertificateSigned", `{"certificateChain":"x"}`, "Rejected"),
	ok("ChangeAvailability", `{"connectorId":2,"type":"Inoperative"}`, "Accepted").then("StatusNotification"),
	ok("ChangeAvailability", `{"connectorId":2,"type":"Operative"}`, "Accepted").then("StatusNotification"),
	ok("ChangeAvailability", `{"connectorId":0,"type":"Inoperative"}`, "Accepted").then("StatusNotification"),
	ok("ChangeAvailability", `{"connectorId":0,"type":"Operative"}`, "Accepted").then("StatusNotification"),
	ok("ChangeAvailability", `{"connectorId":9,"type":"Operative"}`, "Rejected"),
	setKey("HeartbeatInterval", "600", "Accepted"),
	setKey("heartbeatinterval", "x", "Rejected"),
	setKey("NumberOfConnectors", "3", "Rejected"),
	setKey("Nonsense", "1", "NotSupported"),
	setKey("AuthorizationCacheEnabled", "true", "Accepted"),
	setKey("LocalAuthListEnabled", "true", "Accepted"),
	setKey("MeterValuesSampledData", "Energy.Active.Import.Register,Current.Import", "Accepted"),
	setKey("MeterValuesSampledData", "Happiness", "Rejected"),
	ok("ClearCache", `{}`, "Accepted"),
	ok("ClearChargingProfile", `{"id":1}`, "Unknown"),
	ok("DataTransfer", `{"vendorId":"org.example"}`, "UnknownVendorId"),
	ok("DataTransfer", `{"vendorId":"org.example","messageId":"m","data":"any"}`, "UnknownVendorId"),
	ok("DeleteCertificate", `{"certificateHashData":`+hash+`}`, "NotFound"),
	ok("ExtendedTriggerMessage", `{"requestedMessage":"BootNotification"}`, "Rejected"), // it is accepted: errata 3.35
	ok("ExtendedTriggerMessage", `{"requestedMessage":"Heartbeat"}`, "Accepted").then("Heartbeat"),
	ok("ExtendedTriggerMessage", `{"requestedMessage":"StatusNotification","connectorId":2}`, "Accepted").then("StatusNotification"),
	ok("ExtendedTriggerMessage", `{"requestedMessage":"MeterValues","connectorId":1}`, "Accepted").then("MeterValues"),
	ok("ExtendedTriggerMessage", `{"requestedMessage":"LogStatusNotification"}`, "Accepted").then("LogStatusNotification"),
	ok("ExtendedTriggerMessage", `{"requestedMessage":"FirmwareStatusNotification"}`, "Accepted").then("SignedFirmwareStatusNotification"),
	ok("ExtendedTriggerMessage", `{"requestedMessage":"SignChargePointCertificate"}`, "Rejected"),
	ok("GetCompositeSchedule", `{"connectorId":1,"duration":600}`, "Accepted").with(`"limit":32`),
	ok("GetCompositeSchedule", `{"connectorId":0,"duration":600,"chargingRateUnit":"W"}`, "Accepted").with(`"chargingRateUnit":"W"`),
	ok("GetCompositeSchedule", `{"connectorId":9,"duration":600}`, "Rejected"),
	ok("GetConfiguration", `{}`).with(`{"key":"NumberOfConnectors","readonly":true,"value":"2"}`),
	ok("GetConfiguration", `{"key":["HEARTBEATINTERVAL"]}`).with(`{"key":"HeartbeatInterval","readonly":false,"value":"600"}`),
	ok("GetConfiguration", `{"key":["Nonsense","SupportedFeatureProfiles"]}`).with(`"unknownKey":["Nonsense"]`),
	ok("GetDiagnostics", `{"location":"http://127.0.0.1:9/log","retries":0}`).with(`"fileName":`).ends("DiagnosticsStatusNotification", `"UploadFailed"`),
	refused("GetDiagnostics", `{"location":"gopher://127.0.0.1:9/log"}`, "PropertyConstraintViolation"),
	ok("GetInstalledCertificateIds", `{"certificateType":"CentralSystemRootCertificate"}`, "NotFound"),
	ok("SendLocalList", `{"listVersion":3,"updateType":"Full","localAuthorizationList":[{"idTag":"CARD-9","idTagInfo":{"status":"Accepted"}}]}`, "Accepted"),
	ok("SendLocalList", `{"listVersion":4,"updateType":"Differential","localAuthorizationList":[{"idTag":"CARD-9"}]}`, "Accepted"),
	ok("SendLocalList", `{"listVersion":2,"updateType":"Differential"}`, "VersionMismatch"),
	ok("GetLocalListVersion", `{}`).with(`{"listVersion":4}`),
	ok("GetLog", `{"logType":"DiagnosticsLog","requestId":26,"retries":0,"log":{"remoteLocation":"http://127.0.0.1:9/log"}}`, "Accepted", "AcceptedCanceled").ends("LogStatusNotification", `"UploadFailure"`),
	ok("GetLog", `{"logType":"SecurityLog","requestId":27,"retries":0,"log":{"remoteLocation":"http://127.0.0.1:9/log"}}`, "Accepted", "AcceptedCanceled").ends("LogStatusNotification", `"UploadFailure"`),
	ok("InstallCertificate", `{"certificateType":"CentralSystemRootCertificate","certificate":"x"}`, "Rejected"),
	ok("RemoteStartTransaction", `{"connectorId":9,"idTag":"CARD-9"}`, "Rejected"),
	ok("RemoteStopTransaction", `{"transactionId":4711}`, "Rejected"),
	ok("ReserveNow", `{"connectorId":1,`+expiry16+`,"idTag":"CARD-9","reservationId":44}`, "Accepted").then("StatusNotification"),
	ok("ReserveNow", `{"connectorId":1,`+expiry16+`,"idTag":"CARD-8","reservationId":45}`, "Occupied"),
	ok("ReserveNow", `{"connectorId":9,`+expiry16+`,"idTag":"CARD-9","reservationId":46}`, "Rejected"),
	ok("CancelReservation", `{"reservationId":44}`, "Accepted").then("StatusNotification"),
	profile16(1, "TxDefaultProfile", "Accepted"),
	ok("GetCompositeSchedule", `{"connectorId":1,"duration":600}`, "Accepted").with(`"limit":10`),
	profile16(1, "TxProfile", "Rejected"), // there is no transaction
	profile16(1, "ChargePointMaxProfile", "Rejected"),
	ok("ClearChargingProfile", `{"chargingProfilePurpose":"TxDefaultProfile"}`, "Accepted"),
	ok("SignedUpdateFirmware", `{"requestId":51,"firmware":{"location":"http://127.0.0.1:9/fw","retrieveDateTime":"2026-11-22T00:00:00Z","signingCertificate":"x","signature":"eA=="}}`, "InvalidCertificate"),
	ok("TriggerMessage", `{"requestedMessage":"Heartbeat"}`, "Accepted").then("Heartbeat"),
	ok("TriggerMessage", `{"requestedMessage":"BootNotification"}`, "Rejected"), // it is accepted: errata 3.35
	ok("TriggerMessage", `{"requestedMessage":"StatusNotification","connectorId":1}`, "Accepted").then("StatusNotification"),
	ok("TriggerMessage", `{"requestedMessage":"StatusNotification"}`, "Accepted").then("StatusNotification"),
	ok("TriggerMessage", `{"requestedMessage":"StatusNotification","connectorId":9}`, "Rejected"),
	ok("TriggerMessage", `{"requestedMessage":"MeterValues","connectorId":1}`, "Accepted").then("MeterValues"),
	ok("TriggerMessage", `{"requestedMessage":"DiagnosticsStatusNotification"}`, "Accepted").then("DiagnosticsStatusNotification"),
	ok("TriggerMessage", `{"requestedMessage":"FirmwareStatusNotification"}`, "Accepted").then("FirmwareStatusNotification"),
	ok("UnlockConnector", `{"connectorId":1}`, "Unlocked"),
	ok("UnlockConnector", `{"connectorId":2}`, "NotSupported"), // its cable is fixed
	ok("UnlockConnector", `{"connectorId":9}`, "NotSupported"),
	ok("UpdateFirmware", `{"location":"http://127.0.0.1:9/fw","retrieveDate":"2026-11-22T00:00:00Z"}`),
}

// broken16 are requests that no station may take, and how it must refuse them: two of the codes are spelt as only 1.6 does.
var broken16 = []request{
	refused("Sing", `{}`, "NotImplemented"),
	refused("GetVariables", `{"getVariableData":[]}`, "NotImplemented"),
	refused("BootNotification", `{"chargePointModel":"m","chargePointVendor":"v"}`, "NotSupported"),
	refused("ClearCache", `[]`, "ProtocolError"),
	refused("ClearCache", `{"bogus":1}`, "FormationViolation"),
	refused("Reset", `{}`, "OccurenceConstraintViolation"),
	refused("Reset", `{"type":"Sometimes"}`, "PropertyConstraintViolation"),
	refused("Reset", `{"type":1}`, "TypeConstraintViolation"),
	refused("UnlockConnector", `{"connectorId":"1"}`, "TypeConstraintViolation"),
	refused("UnlockConnector", `{"connectorId":1.5}`, "TypeConstraintViolation"),
	refused("RemoteStopTransaction", `{"transactionId":null}`, "TypeConstraintViolation"),
	refused("RemoteStartTransaction", `{"idTag":"123456789012345678901"}`, "PropertyConstraintViolation"),
	refused("DataTransfer", `{"vendorId":"v","data":{"any":1}}`, "TypeConstraintViolation"),
	refused("GetConfiguration", `{"key":[1]}`, "TypeConstraintViolation"),
	refused("GetConfiguration", `{"key":["a"`+strings.Repeat(`,"a"`, 64)+`]}`, "OccurenceConstraintViolation"),
	refused("SendLocalList", `{"listVersion":0,"updateType":"Full"}`, "PropertyConstraintViolation"),
	refused("SendLocalList", `{"listVersion":5,"updateType":"Full","localAuthorizationList":[{"idTag":"a","idTagInfo":{"status":"Perhaps"}}]}`, "PropertyConstraintViolation"),
	refused("SetChargingProfile", `{"connectorId":9,"csChargingProfiles":`+limit16+`}`, "PropertyConstraintViolation"),
	refused("SetChargingProfile", `{"connectorId":1,"csChargingProfiles":`+strings.Replace(limit16, "10.0", "10.05", 1)+`}`, "PropertyConstraintViolation"),
}

// malformed16 are frames that are no OCPP. 1.6 has no code for what is wrong with a frame.
var malformed16 = []struct{ name, id, frame, code string }{
	{"no payload", "m1", `[2,"m1","ClearCache"]`, "GenericError"},
	{"a member too many", "m2", `[2,"m2","ClearCache",{},{}]`, "GenericError"},
	{"action that is no text", "m3", `[2,"m3",7,{}]`, "GenericError"},
	{"cut off", "m4", `[2,"m4","ClearCache",{`, "FormationViolation"},
	{"no JSON", "-1", `hello`, "GenericError"},
	{"no list", "-1", `{"type":2}`, "GenericError"},
	{"no id", "-1", `[2,7,"ClearCache",{}]`, "GenericError"},
}

// unanswered16 are frames that a station is silent about: messages of a type that it does not know (OCPP-J 1.6, 4.1.3), and
// an answer to what it has not asked.
var unanswered16 = []struct{ id, frame string }{
	{"u1", `[9,"u1","ClearCache",{}]`},
	{"u2", `[6,"u2","ClearCache",{}]`},
	{"u3", `[3,"u3",{}]`},
}

// TestRequests16AreAllThere: the list above leaves no action of 1.6 out.
func TestRequests16AreAllThere(t *testing.T) {
	listed := map[string]bool{"Reset": true}
	for _, r := range requests16 {
		listed[r.action] = true
	}
	n := 0
	for _, a := range msg16.Actions() {
		if a.From&msg16.FromCSMS == 0 {
			continue
		}
		n++
		if !listed[a.Name] {
			t.Errorf("no request %s", a.Name)
		}
	}
	if n != 26 { // 19 of 1.6 and 7 of the whitepaper, DataTransfer among them
		t.Errorf("%d actions of a Central System", n)
	}
}

// TestRequests16 is TestRequests for 1.6.
func TestRequests16(t *testing.T) {
	eachPeer(t, makers16, func(t *testing.T, p Peer) {
		s := startStation(t, p)
		silence := make(chan string)
		for _, u := range unanswered16 {
			go func() {
				a, err := p.SendRaw(s.id, u.id, u.frame)
				if !errors.Is(err, errNoAnswer) && !strings.Contains(fmt.Sprint(err), errNoAnswer.Error()) {
					silence <- fmt.Sprintf("%s: got %v, %v", u.frame, a, err)
				}
				silence <- ""
			}()
		}
		for _, r := range requests16 {
			s.request(r)
			s.answeredFirst(r)
		}
		for _, r := range broken16 {
			r.past = p.Name()
			s.request(r)
		}
		for _, m := range malformed16 {
			a, err := p.SendRaw(s.id, m.id, m.frame)
			if err != nil || a.Code != m.code {
				t.Errorf("%s: got %v, %v, want %s", m.name, a, err, m.code)
			}
		}
		for range unanswered16 {
			if wrong := <-silence; wrong != "" {
				t.Error(wrong)
			}
		}
		s.until("all is told", func(st state) bool { return st.Station.PendingMessages == 0 && st.Station.Connected })
		if n := s.count(Open); n != 1 {
			t.Errorf("the station connected %d times", n)
		}
		s.reboots16()
		s.clean()
	})
}

// reboots16: a reset is obeyed, and the station comes back.
func (s *station) reboots16() {
	s.t.Helper()
	for i, kind := range []string{"Soft", "Hard"} {
		s.request(ok("Reset", `{"type":"`+kind+`"}`, "Accepted"))
		s.sent("boot after "+kind, "BootNotification", func(string) bool { return true })
		s.until("accepted again", func(st state) bool {
			return st.Station.Boots == i+2 && st.Station.Registration == "Accepted" && st.Station.PendingMessages == 0
		})
	}
}
