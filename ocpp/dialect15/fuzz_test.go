package dialect15

import (
	"strings"
	"testing"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/soap"
)

// FuzzPayloads gives any payload to every reader: it is refused or understood, and never a panic.
func FuzzPayloads(f *testing.F) {
	for _, s := range []string{
		`{"updateType":"Full","listVersion":2,"localAuthorisationList":[{"idTag":"A","idTagInfo":{"status":"Accepted"}}],"hash":"x"}`,
		`{"status":"Accepted","heartbeatInterval":60}`, `{"connectorId":1,"meterValue":[{"timestamp":"2026-01-02T03:04:05Z","sampledValue":[{"value":"1"}]}]}`,
		`{"connectorId":1,"errorCode":"NoError","status":"Charging"}`, `{"transactionId":1,"meterStop":1,"timestamp":"2026-01-02T03:04:05Z"}`, `{"status":"Installed"}`, `{`,
	} {
		f.Add(uint8(1), s)
	}
	actions := append(soap.Operations(soap.V16, soap.CentralSystem), soap.Operations(soap.V16, soap.ChargePoint)...)
	f.Fuzz(func(t *testing.T, n uint8, payload string) {
		v, action := versions[int(n)%len(versions)], actions[int(n)/len(versions)%len(actions)]
		d := dialect(v)
		_, _ = d.Request(action, payload, ocpp.NewTable(), &list{})
		_, _ = d.Result(ocpp.Call{Action: action, Payload: []byte(payload)}, payload, ocpp.NewTable())
		older, err := d.older(action, []byte(payload))
		if err != nil || older == nil || v == soap.V16 || !strings.Contains(" StopTransaction MeterValues StatusNotification ", " "+action+" ") {
			return
		}
		if _, err := soap.AppendRequest(nil, v, soap.CentralSystem, action, soap.Header{}, string(older)); err != nil {
			t.Errorf("%s in %s: %s becomes %s: %v", action, v, payload, older, err)
		}
	})
}
