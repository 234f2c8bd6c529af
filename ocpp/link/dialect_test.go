package link

import (
	"fmt"
	"testing"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/dialect16"
	"github.com/evsed/evsed/ocpp/dialect2"
	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
)

// Every action that there is, with nothing and with nonsense in it, is handed to the core or answered with an error,
// and never both.
func TestEveryActionGetsOneOutcome(t *testing.T) {
	actions := []string{"NoSuchAction", ""}
	for _, a := range msg2.Actions() {
		actions = append(actions, a.Name)
	}
	for _, a := range msg16.Actions() {
		actions = append(actions, a.Name)
	}
	old := dialect16.New([]station.EVSE{{ID: 1, Connectors: []station.Connector{{ID: 1}}}})
	for _, d := range []ocpp.Dialect{dialect2.New(rpc.V201), dialect2.New(rpc.V21), old} {
		n, v := 0, d.Version()
		for _, action := range actions {
			for _, payload := range []string{`{}`, `null`, `{"x":1}`, `{"customData":{"vendorId":"v"}}`, `{"connectorId":"1","type":1,"key":{},"idTag":[]}`} {
				e := NewEngine(EngineOptions{IDPrefix: "d"})
				e.Opened(epoch, d, 1, 0)
				n++
				out := e.Frame(epoch, fmt.Appendf(nil, `[2,"%d",%q,%s]`, n, action, payload))
				requests := 0
				for _, ev := range out.Events {
					if _, ok := ev.(station.RequestReceived); ok {
						requests++
					}
				}
				if requests+len(out.Frames) != 1 {
					t.Errorf("%v %s%s: %d requests, answers %q", v, action, payload, requests, out.Frames)
				}
			}
		}
	}
}

func TestListWithoutAPlaceForItIsRefused(t *testing.T) {
	const list = `{"versionNumber":1,"updateType":"Full","localAuthorizationList":[
		{"idToken":{"idToken":"A","type":"ISO14443"},"idTokenInfo":{"status":"Accepted"}}]}`
	e := NewEngine(EngineOptions{IDPrefix: "d"})
	e.Opened(epoch, dialect2.New(rpc.V201), 1, 0)
	out := e.Frame(epoch, []byte(`[2,"c","SendLocalList",`+list+`]`))
	if len(out.Events) != 0 || len(out.Frames) != 1 {
		t.Fatalf("events %v, answers %q", out.Events, out.Frames)
	}
	if f, err := rpc.Parse(out.Frames[0], rpc.V201, rpc.Limits{}); err != nil || f.ErrorCode != rpc.InternalError {
		t.Errorf("answer %q", out.Frames[0])
	}
}
