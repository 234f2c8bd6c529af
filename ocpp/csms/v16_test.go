package csms

import (
	"fmt"
	"strings"
	"testing"

	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station/term"
)

// old is a dialogue with a station of 1.6.
type old struct {
	t *testing.T
	c *CSMS
	n int
}

func newOld(t *testing.T) *old {
	c := New(Options{Tokens: map[term.IdToken]msg2.IdTokenInfo{
		{Value: "ALICE", Type: term.TokenISO14443}: {Status: "Accepted", GroupIdToken: msg2.Some(msg2.IdToken{IdToken: "TEAM", Type: "Central"})},
		{Value: "BOB", Type: term.TokenISO14443}:   {Status: "NoCredit"}}})
	if err := c.Open("cp", rpc.V16); err != nil {
		t.Fatal(err)
	}
	return &old{t: t, c: c}
}

// say sends a request and wants an answer that contains a text.
func (o *old) say(action, payload, want string) {
	o.t.Helper()
	o.n++
	answers := o.c.Handle("cp", fmt.Appendf(nil, `[2,"%d",%q,%s]`, o.n, action, payload))
	got := ""
	if len(answers) == 1 {
		got = string(answers[0])
	}
	if !strings.Contains(got, want) {
		o.t.Errorf("%s%s: answer %s, want %s", action, payload, got, want)
	}
}

const (
	bootOld  = `{"chargePointVendor":"V","chargePointModel":"M"}`
	startOld = `{"connectorId":1,"idTag":"ALICE","meterStart":1000,"timestamp":"2026-01-01T00:00:00Z"}`
	valueOld = `{"connectorId":1,"transactionId":1,"meterValue":[{"timestamp":"2026-01-01T00:10:00Z","sampledValue":[{"value":"1.5009","unit":"kWh"}]}]}`
	stopOld  = `{"meterStop":1800,"timestamp":"2026-01-01T00:20:00Z","transactionId":1}`
)

// A session of 1.6 comes into the same books as one of 2.x, and what is told once more is no second transaction.
func TestBooksOf16(t *testing.T) {
	o := newOld(t)
	o.say("BootNotification", bootOld, `"status":"Accepted"`)
	o.say("Authorize", `{"idTag":"ALICE"}`, `{"idTagInfo":{"parentIdTag":"TEAM","status":"Accepted"}}`)
	o.say("Authorize", `{"idTag":"BOB"}`, `"status":"Invalid"`)
	o.say("StatusNotification", `{"connectorId":1,"errorCode":"NoError","status":"Preparing"}`, `{}`)
	for range 2 {
		o.say("StartTransaction", startOld, `"transactionId":1`)
		o.say("MeterValues", valueOld, `{}`)
	}
	o.say("StopTransaction", stopOld, `{}`)
	o.say("StopTransaction", stopOld, `{}`)
	o.say("StartTransaction", strings.Replace(startOld, "1000", "1800", 1), `"transactionId":2`)
	o.say("StopTransaction", `{"meterStop":1800,"timestamp":"2026-01-01T00:20:01Z","transactionId":2,"reason":"EVDisconnected"}`, `{}`)
	if found := o.c.Ledger().Check(nil); len(found) > 0 {
		t.Errorf("the books do not add up: %q", found)
	}
	txs := o.c.Ledger().Transactions()
	if len(txs) != 2 || txs[0].Energy() != 800_000 || txs[0].Repeats != 3 || txs[0].IdToken != "ALICE" || txs[0].StoppedReason != "Local" ||
		len(txs[0].Events) != 3 || txs[0].Events[1].Energy.V != 1_500_000 || txs[1].StoppedReason != "EVDisconnected" {
		t.Errorf("transactions %+v", txs)
	}
	if s := o.c.Status("cp", 1, 1); s != "Preparing" {
		t.Errorf("status %q", s)
	}
}

// What a station of 1.6 does wrong is answered in the words of 1.6, and kept.
func TestErrorsOf16(t *testing.T) {
	o := newOld(t)
	o.say("Heartbeat", `{}`, `"SecurityError"`)
	o.say("BootNotification", `{"chargePointVendor":"V"}`, `"OccurenceConstraintViolation"`)
	o.say("BootNotification", bootOld, `"status":"Accepted"`)
	o.say("TransactionEvent", `{}`, `"NotImplemented"`)
	o.say("ReserveNow", `{}`, `"NotSupported"`)
	o.say("StartTransaction", startOld, `"transactionId":1`)
	o.say("StartTransaction", strings.Replace(startOld, "1000", "1001", 1), `"transactionId":2`)
	o.say("StopTransaction", strings.Replace(stopOld, `"transactionId":1`, `"transactionId":-1`, 1), `{}`)
	found := strings.Join(o.c.Ledger().Check(nil), "\n")
	for _, want := range []string{"no BootNotification came before", "required member missing", "unknown action", "a station does not send this",
		"connector 1 begins while transaction 1 is open there", "StopTransaction of transaction -1, which never began", "1 times Started, 0 times Ended"} {
		if !strings.Contains(found, want) {
			t.Errorf("nothing about %q in\n%s", want, found)
		}
	}
}

// The CSMS asks in 1.6, and what it triggers may come before it has accepted the station.
func TestCallsOf16(t *testing.T) {
	o := newOld(t)
	o.c.Next("BootNotification", Answer{Message16: &msg16.BootNotificationResponse{Status: msg16.RegistrationStatusPending, Interval: 10}})
	o.say("BootNotification", bootOld, `"status":"Pending"`)
	p, frame, err := o.c.Begin("cp", "TriggerMessage", []byte(`{"requestedMessage":"Heartbeat"}`))
	if err != nil || !strings.Contains(string(frame), `"TriggerMessage"`) {
		t.Fatal(err)
	}
	o.c.Handle("cp", []byte(`[3,"`+p.id+`",{"status":"Accepted"}]`))
	<-p.Done()
	if m, ok := p.Result().Message16.(*msg16.TriggerMessageResponse); !ok || m.Status != msg16.TriggerMessageStatusAccepted {
		t.Errorf("result %+v", p.Result())
	}
	o.say("Heartbeat", `{}`, `"currentTime"`)
	p, _, _ = o.c.Begin("cp", "Reset", []byte(`{"type":"Soft"}`))
	o.c.Handle("cp", []byte(`[3,"`+p.id+`",{"status":"Perhaps"}]`))
	<-p.Done()
	if p.Result().Err == nil {
		t.Error("a response that is none was taken")
	}
}
