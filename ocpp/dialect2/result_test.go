package dialect2

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

func TestResult(t *testing.T) {
	info := `{"status":"ConcurrentTx","cacheExpiryDateTime":"2026-11-22T07:01:35.12Z","chargingPriority":-3,"language1":"nl",` +
		`"groupIdToken":{"idToken":"G","type":"Central"},"evseId":[2],"personalMessage":{"format":"ASCII","language":"nl","content":"hoi"}}`
	told := term.TokenInfo{
		Status: term.TokenConcurrentTx, Expiry: at, Group: term.IdToken{Value: "G", Type: term.TokenCentral},
		EVSEs: []term.EVSEID{2}, Message: "hoi", Priority: -3, HasPriority: true,
	}
	for _, tc := range []struct {
		name, action, payload string
		want                  station.Reply
	}{
		{"boot accepted", "BootNotification", `{"currentTime":"2026-11-22T08:01:35.12+01:00","interval":300,"status":"Accepted"}`,
			station.BootReply{Status: station.RegistrationAccepted, Now: at, Interval: 5 * time.Minute}},
		{"boot pending", "BootNotification", `{"currentTime":"2026-11-22T07:01:35.12Z","interval":0,"status":"Pending","statusInfo":{"reasonCode":"x"}}`,
			station.BootReply{Status: station.RegistrationPending, Now: at}},
		{"boot rejected for long", "BootNotification", `{"currentTime":"2026-11-22T07:01:35.12Z","interval":2147483647,"status":"Rejected"}`,
			station.BootReply{Status: station.RegistrationRejected, Now: at, Interval: 2147483647 * time.Second}},
		{"heartbeat", "Heartbeat", `{"currentTime":"2026-11-22T07:01:35.12Z"}`, station.HeartbeatReply{Now: at}},
		{"authorize", "Authorize", `{"idTokenInfo":` + info + `}`, station.TokenReply{Has: true, Info: told}},
		{"authorize least", "Authorize", `{"idTokenInfo":{"status":"Invalid"}}`,
			station.TokenReply{Has: true, Info: term.TokenInfo{Status: term.TokenInvalid}}},
		{"transaction with token", "TransactionEvent", `{"totalCost":1.25,"idTokenInfo":` + info + `}`, station.TokenReply{Has: true, Info: told}},
		{"transaction", "TransactionEvent", `{}`, station.TokenReply{}},
		{"status", "StatusNotification", `{}`, station.Acknowledged{}},
		{"event", "NotifyEvent", `{}`, station.Acknowledged{}},
		{"meter values", "MeterValues", `{"customData":{"vendorId":"x","y":1}}`, station.Acknowledged{}},
		{"security", "SecurityEventNotification", `{}`, station.Acknowledged{}},
		{"report", "NotifyReport", `{}`, station.Acknowledged{}},
		{"customer", "NotifyCustomerInformation", `{}`, station.Acknowledged{}},
		{"firmware", "FirmwareStatusNotification", `{}`, station.Acknowledged{}},
		{"log", "LogStatusNotification", `{}`, station.Acknowledged{}},
	} {
		for _, v := range versions {
			payload, d := strings.Clone(tc.payload), New(v)
			got, err := d.Result(ocpp.Call{Action: tc.action}, payload, ocpp.NewTable())
			wantNoWindow(t, payload, got)
			wantNoWindow(t, payload, *d)
			if err != nil || !reflect.DeepEqual(got, tc.want) {
				t.Errorf("%v %s: got %+v, %v\nwant %+v", v, tc.name, got, err, tc.want)
			}
		}
	}
}

// A reply of one event may not show in the next: the message is decoded into the same place.
func TestResultForgets(t *testing.T) {
	d := New(rpc.V201)
	call := ocpp.Call{Action: "TransactionEvent"}
	if _, err := d.Result(call, `{"idTokenInfo":{"status":"Accepted","evseId":[1,2],"groupIdToken":{"idToken":"G","type":"Central"}}}`, nil); err != nil {
		t.Fatal(err)
	}
	got, err := d.Result(call, `{"idTokenInfo":{"status":"Blocked"}}`, nil)
	want := station.TokenReply{Has: true, Info: term.TokenInfo{Status: term.TokenBlocked}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestResultRefusesAnInvalidAnswer(t *testing.T) {
	for _, tc := range []struct {
		name, action, payload string
		code                  rpc.ErrorCode
	}{
		{"boot without time", "BootNotification", `{"interval":300,"status":"Accepted"}`, rpc.OccurrenceConstraintViolation},
		{"boot status", "BootNotification", `{"currentTime":"2026-11-22T07:01:35Z","interval":1,"status":"Maybe"}`, rpc.PropertyConstraintViolation},
		{"heartbeat time", "Heartbeat", `{"currentTime":"yesterday"}`, rpc.PropertyConstraintViolation},
		{"authorize without info", "Authorize", `{}`, rpc.OccurrenceConstraintViolation},
		{"transaction", "TransactionEvent", `{"idTokenInfo":{"status":7}}`, rpc.TypeConstraintViolation},
		{"status", "StatusNotification", `[]`, rpc.TypeConstraintViolation},
		{"report", "NotifyReport", `{"a"`, rpc.FormatViolation},
	} {
		for _, v := range versions {
			got, err := New(v).Result(ocpp.Call{Action: tc.action}, tc.payload, nil)
			var invalid *rpc.DecodeError
			if got != nil || !errors.As(err, &invalid) || invalid.Code != tc.code {
				t.Errorf("%v %s: got %+v, %v, want %s", v, tc.name, got, err, tc.code)
			}
		}
	}
	if _, err := New(rpc.V201).Result(ocpp.Call{Action: "MakeCoffee"}, `{}`, nil); err == nil {
		t.Error("an action that no report makes was acknowledged")
	}
}
