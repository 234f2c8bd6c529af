package csms

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station/term"
)

var (
	noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	demo = term.IdToken{Value: "DEMO", Type: term.TokenISO14443}
)

const bootPayload = `{"reason":"PowerUp","chargingStation":{"model":"M","vendorName":"V"}}`

// desk is a CSMS and one station that talks to it frame by frame.
type desk struct {
	t *testing.T
	*CSMS
	n int
}

func newDesk(t *testing.T, v msg2.Version) *desk {
	t.Helper()
	d := &desk{t: t, CSMS: New(Options{Now: func() time.Time { return noon },
		Tokens: map[term.IdToken]msg2.IdTokenInfo{demo: {Status: msg2.AuthorizationStatusAccepted}}})}
	if err := d.Open("cs", v); err != nil {
		t.Fatal(err)
	}
	return d
}

func registeredDesk(t *testing.T, v msg2.Version) *desk {
	t.Helper()
	d := newDesk(t, v)
	d.want(d.call("BootNotification", bootPayload), `"status":"Accepted"`)
	return d
}

// call sends a CALL and returns the answer, "" for none.
func (d *desk) call(action, payload string) string {
	d.n++
	return d.frame(string(rpc.AppendCall(nil, fmt.Sprint("m", d.n), action, []byte(payload))))
}

func (d *desk) frame(f string) string {
	d.t.Helper()
	switch out := d.Handle("cs", []byte(f)); len(out) {
	case 0:
		return ""
	case 1:
		return string(out[0])
	default:
		d.t.Fatalf("%d answers", len(out))
		return ""
	}
}

func (d *desk) want(got, part string) {
	d.t.Helper()
	if part == "" && got != "" || !strings.Contains(got, part) {
		d.t.Fatalf("answer %q, want %q", got, part)
	}
}

// faults checks that the ledger holds exactly one error with each part.
func (d *desk) faults(parts ...string) {
	d.t.Helper()
	got := d.Ledger().Errors()
	if len(got) != len(parts) {
		d.t.Fatalf("errors %q, want %q", got, parts)
	}
	for i := range parts {
		if !strings.Contains(got[i], parts[i]) {
			d.t.Errorf("error %q, want %q", got[i], parts[i])
		}
	}
}

func TestAnswersEveryMessageOfAStation(t *testing.T) {
	rows := []struct{ action, payload, want string }{
		{"Heartbeat", `{}`, `{"currentTime":"2026-03-01T12:00:00.000Z"}`},
		{"Authorize", `{"idToken":{"idToken":"demo","type":"ISO14443"}}`, `{"idTokenInfo":{"status":"Accepted"}}`},
		{"Authorize", `{"idToken":{"idToken":"OTHER","type":"ISO14443"}}`, `{"idTokenInfo":{"status":"Unknown"}}`},
		{"Authorize", `{"idToken":{"idToken":"demo","type":"ISO15693"}}`, `{"idTokenInfo":{"status":"Unknown"}}`},
		{"Authorize", `{"idToken":{"idToken":"","type":"NoAuthorization"}}`, `{"idTokenInfo":{"status":"Accepted"}}`},
		{"StatusNotification", `{"timestamp":"2026-03-01T12:00:00Z","connectorStatus":"Available","evseId":1,"connectorId":1}`, `{}`},
		{"SecurityEventNotification", `{"type":"StartupOfTheDevice","timestamp":"2026-03-01T12:00:00Z"}`, `{}`},
		{"NotifyReport", `{"requestId":1,"generatedAt":"2026-03-01T12:00:00Z","seqNo":0}`, `{}`},
		{"MeterValues", `{"evseId":1,"meterValue":[{"timestamp":"2026-03-01T12:00:00Z","sampledValue":[{"value":1}]}]}`, `{}`},
		{"DataTransfer", `{"vendorId":"v"}`, `{"status":"UnknownVendorId"}`},
		{"SignCertificate", `{"csr":"x"}`, `{"status":"Rejected"}`},
		{"GetCertificateStatus", `{"ocspRequestData":{"hashAlgorithm":"SHA256","issuerNameHash":"a","issuerKeyHash":"b","serialNumber":"c","responderURL":"d"}}`, `{"status":"Failed"}`},
		{"Get15118EVCertificate", `{"iso15118SchemaVersion":"x","action":"Install","exiRequest":"x"}`, `"status":"Failed"`},
		{"NotifyEVChargingNeeds", `{"evseId":1,"chargingNeeds":{"requestedEnergyTransfer":"AC_three_phase"}}`, `{"status":"Rejected"}`},
	}
	for _, v := range []msg2.Version{msg2.V201, msg2.V21} {
		d := registeredDesk(t, v)
		for _, r := range rows {
			d.want(d.call(r.action, r.payload), r.want)
			if n := d.Received("cs", r.action); n == 0 {
				t.Errorf("%s was not counted", r.action)
			}
		}
		d.faults()
	}
}

func TestRefusesWhatIsWrong(t *testing.T) {
	rows := []struct {
		name, frame, want, fault string
	}{
		{"not json", `hello`, `[4,"-1","RpcFrameworkError"`, "not a JSON array"},
		{"wrong arity", `[2,"a","Heartbeat"]`, `[4,"a","RpcFrameworkError"`, "payload missing"},
		{"unknown action", `[2,"a","Hello",{}]`, `[4,"a","NotImplemented"`, "unknown action"},
		{"not a station's", `[2,"a","Reset",{"type":"Immediate"}]`, `[4,"a","NotSupported"`, "does not send this"},
		{"missing member", `[2,"a","Authorize",{}]`, `[4,"a","OccurrenceConstraintViolation"`, "idToken"},
		{"wrong type", `[2,"a","Authorize",{"idToken":7}]`, `[4,"a","TypeConstraintViolation"`, "idToken"},
		{"bad enum", `[2,"a","SecurityEventNotification",{"type":7,"timestamp":"2026-03-01T12:00:00Z"}]`, `[4,"a","TypeConstraintViolation"`, "type"},
		{"late answer", `[3,"a",{}]`, ``, ""},
		{"late error", `[4,"a","GenericError","",{}]`, ``, ""},
		{"error to our answer", `[5,"a","FormatViolation","no",{}]`, ``, "calls our answer a wrong"},
		{"stream without end", `[6,"a","Heartbeat",{}]`, ``, "wrong message type"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			d := registeredDesk(t, msg2.V21)
			d.want(d.frame(r.frame), r.want)
			if r.fault == "" {
				d.faults()
			} else {
				d.faults(r.fault)
			}
		})
	}
}

func TestRegistersBeforeAnythingElse(t *testing.T) {
	d := newDesk(t, msg2.V201)
	d.want(d.call("Heartbeat", `{}`), `"SecurityError"`)
	d.Next("BootNotification", Answer{Message: &msg2.BootNotificationResponse{CurrentTime: noon, Interval: 5, Status: msg2.RegistrationStatusPending}},
		Answer{Message: &msg2.BootNotificationResponse{CurrentTime: noon, Interval: 5, Status: msg2.RegistrationStatusRejected}})
	d.want(d.call("BootNotification", bootPayload), `"interval":5,"status":"Pending"`)
	d.want(d.call("Heartbeat", `{}`), `"SecurityError"`)
	p, _, err := d.Begin("cs", "TriggerMessage", []byte(`{"requestedMessage":"Heartbeat"}`))
	if err != nil {
		t.Fatal(err)
	}
	d.want(d.frame(`[3,"`+p.id+`",{"status":"Accepted"}]`), "")
	d.want(d.call("Heartbeat", `{}`), `currentTime`) // it was asked for
	d.want(d.call("BootNotification", bootPayload), `"Rejected"`)
	d.want(d.call("Heartbeat", `{}`), `"SecurityError"`)
	d.want(d.call("BootNotification", bootPayload), `"Accepted"`)
	d.want(d.call("Heartbeat", `{}`), `currentTime`)
	d.faults("no BootNotification", "Pending", "Rejected")
}

func TestHooks(t *testing.T) {
	d := registeredDesk(t, msg2.V21)
	d.On("Heartbeat", func(r Request) Answer {
		return Answer{Message: &msg2.HeartbeatResponse{CurrentTime: noon.Add(time.Hour)}}
	})
	d.Next("Heartbeat", Answer{Drop: true}, Answer{Error: &CallError{rpc.InternalError, "later"}}, Answer{Ignore: true}, Answer{Raw: []byte(`{"no":1}`)})
	for _, want := range []string{"", `"InternalError","later"`, "", `{"no":1}`, "13:00:00"} {
		d.want(d.call("Heartbeat", `{}`), want)
	}
	if n := d.Received("cs", "Heartbeat"); n != 4 {
		t.Errorf("%d heartbeats arrived, want 4", n)
	}
	d.On("Heartbeat", nil)
	d.Next("", Answer{Close: true})
	d.want(d.call("Heartbeat", `{}`), "12:00:00")
	if _, ok := d.Connected("cs"); ok {
		t.Error("still connected")
	}
	d.want(d.call("Heartbeat", `{}`), "") // nobody there
	d.faults()
}

func TestBeginFinishesOnce(t *testing.T) {
	d := registeredDesk(t, msg2.V21)
	p, frame, err := d.Begin("cs", "ClearCache", []byte(`{}`))
	if err != nil || string(frame) != `[2,"`+p.id+`","ClearCache",{}]` {
		t.Fatalf("frame %s, %v", frame, err)
	}
	if _, _, err := d.Begin("cs", "ClearCache", []byte(`{}`)); err != ErrBusy {
		t.Fatalf("second call: %v", err)
	}
	answer := `[3,"` + p.id + `",{"status":"Accepted"}]`
	d.want(d.frame(answer), "")
	<-p.Done()
	if m, ok := p.Result().Message.(*msg2.ClearCacheResponse); !ok || m.Status != msg2.ClearCacheStatusAccepted {
		t.Fatalf("result %+v", p.Result())
	}
	d.want(d.frame(answer), "") // a duplicate is nobody's
	d.faults()

	p, _, _ = d.Begin("cs", "ClearCache", []byte(`{}`))
	d.want(d.frame(`[3,"`+p.id+`",{"status":"Perhaps"}]`), `[5,"`+p.id+`"`) // 2.1 can say so
	if r := p.Result(); r.Err == nil || r.Message != nil {
		t.Fatalf("invalid response: %+v", r)
	}
	d.faults("response to ClearCache: status")

	p, _, _ = d.Begin("cs", "ClearCache", []byte(`{}`))
	d.want(d.frame(`[4,"`+p.id+`","NotSupported","no",{}]`), "")
	if e, ok := p.Result().Err.(*CallError); !ok || e.Code != rpc.NotSupported {
		t.Fatalf("refusal: %v", p.Result().Err)
	}

	p, _, _ = d.Begin("cs", "ClearCache", []byte(`{}`))
	if err := d.Open("cs", msg2.V201); err != nil {
		t.Fatal(err)
	}
	if <-p.Done(); p.Result().Err != ErrNotConnected {
		t.Fatalf("after a new connection: %v", p.Result().Err)
	}
}

func TestStatusIsTheNewest(t *testing.T) {
	d := registeredDesk(t, msg2.V21)
	status := func(evse int, s string) {
		d.want(d.call("StatusNotification", fmt.Sprintf(`{"timestamp":"2026-03-01T12:00:00Z","connectorStatus":"%s","evseId":%d,"connectorId":1}`, s, evse)), `{}`)
	}
	if got := d.Status("cs", 1, 1); got != "" {
		t.Errorf("before: %q", got)
	}
	for i := range MaxPlugs + 1 {
		status(i+1, "Available")
	}
	status(1, "Occupied")
	if got := d.Status("cs", 1, 1); got != msg2.ConnectorStatusOccupied {
		t.Errorf("got %q", got)
	}
	if got := d.Status("cs", MaxPlugs+1, 1); got != "" {
		t.Errorf("beyond the bound: %q", got)
	}
	if got := d.Status("nobody", 1, 1); got != "" {
		t.Errorf("unknown station: %q", got)
	}
}

func TestStationsAreBounded(t *testing.T) {
	c := New(Options{})
	for i := range MaxStations {
		if err := c.Open(fmt.Sprint(i), msg2.V21); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Open("one more", msg2.V21); err != ErrFull {
		t.Fatalf("got %v", err)
	}
	if err := c.Open("7", msg2.V21); err != nil {
		t.Fatalf("a known station: %v", err)
	}
}
