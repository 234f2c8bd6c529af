package cert2_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/local/cases"
)

type obj = cases.Obj

// words are those of 2.0.1 or 2.1.
type words struct{ v msg2.Version }

func (w words) Subprotocol() string {
	if w.v == msg2.V21 {
		return rpc.V21.Subprotocol()
	}
	return rpc.V201.Subprotocol()
}

func (w words) Sends(action string) bool {
	info, known := msg2.Lookup(action)
	_, has := msg2.NewRequest(action, w.v)
	return known && has && info.From&msg2.FromStation != 0
}

func (w words) Decode(action string, request bool, payload []byte) error {
	make := msg2.NewResponse
	if request {
		make = msg2.NewRequest
	}
	m, known := make(action, w.v)
	if !known {
		return fmt.Errorf("no message %s", action)
	}
	var b rpc.Body
	b.Reset(string(payload), rpc.Limits{})
	return msg2.Decode(&b, m, w.v)
}

func (w words) Usual(h *cases.Heard) obj {
	now := time.Now().UTC().Format(time.RFC3339)
	switch h.Action {
	case "BootNotification":
		return obj{"status": "Accepted", "currentTime": now, "interval": 86400}
	case "Heartbeat":
		return obj{"currentTime": now}
	case "Authorize":
		return obj{"idTokenInfo": obj{"status": "Accepted"}}
	case "DataTransfer", "SignCertificate":
		return obj{"status": "Accepted"}
	}
	return obj{}
}

func (w words) Stream(h *cases.Heard) string {
	switch h.Action {
	case "StatusNotification":
		return fmt.Sprint(h.Action, h.Body["evseId"], "/", h.Body["connectorId"])
	case "TransactionEvent":
		return fmt.Sprint(h.Action, cases.Member(h.Body, "transactionInfo.transactionId"))
	}
	return h.Action
}

// bench is the stage, with what cases of 2.x say often.
type bench struct{ *cases.Bench }

// play plays a case in 2.0.1 and in 2.1, against a station that has just been unpacked.
func play(t *testing.T, prepare, run func(*bench)) {
	t.Helper()
	for _, v := range []msg2.Version{msg2.V201, msg2.V21} {
		t.Run(words{v}.Subprotocol(), func(t *testing.T) {
			t.Parallel()
			before := func(b *cases.Bench) {
				if prepare != nil {
					prepare(&bench{b})
				}
			}
			cases.Play(t, words{v}, before, func(b *cases.Bench) { run(&bench{b}) })
		})
	}
}

// ready plays a case against a station that has booted and said that its connectors are available.
func ready(t *testing.T, run func(*bench)) {
	t.Helper()
	play(t, nil, func(b *bench) {
		b.booted("PowerUp")
		run(b)
	})
}

// booted reads what a station says first.
func (b *bench) booted(reason string) {
	b.Helper()
	b.Want("BootNotification", obj{"reason": reason})
	b.available()
}

// available reads that both connectors are.
func (b *bench) available() {
	b.Helper()
	for evse := 1; evse <= 2; evse++ {
		b.status(evse, "Available")
	}
}

// status reads the next status of an EVSE's connector.
func (b *bench) status(evse int, status string) {
	b.Helper()
	b.Want("StatusNotification", obj{"evseId": evse, "connectorId": 1, "connectorStatus": status})
}

// charging begins a transaction at an EVSE by card, and returns its id.
func (b *bench) charging(evse int) any {
	b.Helper()
	b.Plug(evse)
	b.status(evse, "Occupied")
	b.Swipe(evse, "CAFE01")
	b.WantRelay(evse, true)
	started := b.Want("TransactionEvent", obj{"eventType": "Started", "evse.id": evse})
	return cases.Member(started, "transactionInfo.transactionId")
}

// ended ends a transaction by pulling the car's end.
func (b *bench) ended(evse int, transaction any) {
	b.Helper()
	b.Unplug(evse)
	b.Want("TransactionEvent", obj{"eventType": "Ended", "transactionInfo.transactionId": transaction})
	b.status(evse, "Available")
}

// set sets a variable, and wants this status for it.
func (b *bench) set(status, component, variable, value string) {
	b.Helper()
	body := b.Call("SetVariables", obj{"setVariableData": []obj{{"component": obj{"name": component}, "variable": obj{"name": variable}, "attributeValue": value}}})
	if got := cases.Member(body, "setVariableResult.0.attributeStatus"); got != status {
		b.Fatalf("set %s.%s to %q: %v, want %s", component, variable, value, body, status)
	}
}

// get reads a variable.
func (b *bench) get(component, variable string) string {
	b.Helper()
	body := b.Call("GetVariables", obj{"getVariableData": []obj{{"component": obj{"name": component}, "variable": obj{"name": variable}}}})
	value, _ := cases.Member(body, "getVariableResult.0.attributeValue").(string)
	return value
}

// event waits for a security event.
func (b *bench) event(kind string) obj {
	b.Helper()
	return b.Want("SecurityEventNotification", obj{"type": kind})
}

// secured makes a station of security profile 1.
func secured(password string) func(*bench) {
	return func(b *bench) {
		p := b.Options.Profiles[1]
		p.SecurityProfile = 1
		b.Options.Profiles = map[int]station.NetworkProfile{1: p}
		b.Options.Settings = append(b.Options.Settings, cases.Set("SecurityCtrlr", "BasicAuthPassword", password))
		b.With(func() { b.Password = password })
	}
}
