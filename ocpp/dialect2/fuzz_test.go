package dialect2

import (
	"errors"
	"testing"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
)

// FuzzRequest gives any payload to any action: there is a request or a refusal with a code, never both and never a panic,
// and a list that is refused is never left staged.
func FuzzRequest(f *testing.F) {
	for _, tc := range requests {
		f.Add(tc.action, tc.payload, tc.since != rpc.V21)
	}
	for _, tc := range refused {
		f.Add(tc.action, tc.payload, tc.version != rpc.V21)
	}
	for _, a := range msg2.Actions() {
		f.Add(a.Name, `{}`, false)
	}
	f.Add("SendLocalList", `{"versionNumber":1,"updateType":"Full","localAuthorizationList":[{"idToken":`+rfidJSON+
		`,"idTokenInfo":{"status":"Accepted","evseId":[1],"groupIdToken":`+rfidJSON+`}}]}`, true)
	f.Fuzz(func(t *testing.T, action, payload string, old bool) {
		v := rpc.V21
		if old {
			v = rpc.V201
		}
		var s listStage
		got, err := New(v).Request(action, payload, nil, &s)
		if err == nil {
			if got == nil {
				t.Fatal("neither a request nor an error")
			}
			if list, ok := got.(station.SendLocalList); ok && (list.Staged != len(s.items) || s.aborted) {
				t.Fatalf("%+v with %d items, aborted %v", list, len(s.items), s.aborted)
			}
			return
		}
		var refusal *ocpp.RequestError
		if got != nil || !errors.As(err, &refusal) || refusal.Code == "" || refusal.Description == "" {
			t.Fatalf("got %+v, %v", got, err)
		}
		if s.began && !s.aborted {
			t.Fatal("the stage was left open")
		}
	})
}

// FuzzResult gives any answer to any report's call.
func FuzzResult(f *testing.F) {
	for _, action := range []string{"BootNotification", "Heartbeat", "Authorize", "TransactionEvent", "NotifyReport"} {
		f.Add(action, `{}`, true)
	}
	f.Add("TransactionEvent", `{"totalCost":1.5,"idTokenInfo":{"status":"Accepted","evseId":[1],"personalMessage":{"format":"UTF8","content":"a"}}}`, false)
	f.Fuzz(func(t *testing.T, action, payload string, old bool) {
		v := rpc.V21
		if old {
			v = rpc.V201
		}
		got, err := New(v).Result(ocpp.Call{Action: action}, payload, nil)
		if (got == nil) != (err != nil) {
			t.Fatalf("got %+v, %v", got, err)
		}
	})
}
