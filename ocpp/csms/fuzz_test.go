package csms

import (
	"testing"

	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
)

// FuzzHandle checks that no frame of a station stops the CSMS or makes it say what is no frame.
func FuzzHandle(f *testing.F) {
	f.Add(`[2,"1","BootNotification",`+bootPayload+`]`, true)
	f.Add(`[2,"2","TransactionEvent",`+told{typ: "S", wh: 5}.payload()+`]`, false)
	f.Add(`[2,"3","StatusNotification",{"timestamp":"2026-03-01T12:00:00Z","connectorStatus":"Available","evseId":1,"connectorId":1}]`, true)
	f.Add(`[3,"csms-1",{"status":"Accepted"}]`, true)
	f.Add(`[4,"csms-1","GenericError","",{}]`, false)
	f.Add(`[5,"9","GenericError","",{}]`, true)
	f.Add(`[6,"9","NotifyPeriodicEventStream",{}]`, true)
	f.Fuzz(func(t *testing.T, frame string, newer bool) {
		v := msg2.V201
		if newer {
			v = msg2.V21
		}
		d := registeredDesk(t, v)
		p, _, err := d.Begin("cs", "ClearCache", []byte(`{}`))
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			answer := d.frame(frame)
			if answer == "" {
				continue
			}
			if _, err := rpc.Parse([]byte(answer), v, rpc.Limits{}); err != nil {
				t.Fatalf("answer %s: %v", answer, err)
			}
		}
		select {
		case <-p.Done():
			if r := p.Result(); r.Err == nil && r.Message == nil {
				t.Fatalf("result %+v", r)
			}
		default:
		}
		d.Ledger().Check(nil)
	})
}
