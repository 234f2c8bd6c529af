package dialect16

import (
	"errors"
	"testing"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/station"
)

// FuzzRequest gives any payload to any action: there is a request or a refusal with a code, never both and never a panic,
// and a list that is refused is never left staged.
func FuzzRequest(f *testing.F) {
	for _, tc := range requests {
		f.Add(tc.action, tc.payload)
	}
	for _, tc := range refused {
		f.Add(tc.action, tc.payload)
	}
	for _, a := range msg16.Actions() {
		f.Add(a.Name, `{}`)
	}
	f.Add("SendLocalList", `{"listVersion":1,`+listJSON+`,"updateType":"Full"}`)
	f.Fuzz(func(t *testing.T, action, payload string) {
		var s listStage
		got, err := New(evses).Request(action, payload, ocpp.NewTable(), &s)
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

// FuzzResult gives any answer to any report's call: what cannot be read leaves no trace in the table.
func FuzzResult(f *testing.F) {
	for _, action := range []string{"BootNotification", "Heartbeat", "Authorize", "StartTransaction", "StopTransaction", "MeterValues"} {
		f.Add(action, `{}`)
	}
	f.Add("StartTransaction", accept(7))
	f.Add("StopTransaction", `{"idTagInfo":{"status":"Accepted","parentIdTag":"P","expiryDate":"2027-01-01T00:00:00Z"}}`)
	f.Fuzz(func(t *testing.T, action, payload string) {
		table := ocpp.NewTable()
		got, err := New(evses).Result(ocpp.Call{Action: action, Transaction: "A", Payload: []byte(`{}`)}, payload, table)
		if (got == nil) != (err != nil) {
			t.Fatalf("got %+v, %v", got, err)
		}
		if n := len(table.Keys("")); err != nil && n != 0 {
			t.Fatalf("%d rows of an answer that was none", n)
		}
	})
}
