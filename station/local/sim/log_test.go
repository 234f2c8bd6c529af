package sim

import (
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

func newLog() *Log { return NewLog(func() time.Time { return born }) }

func TestLogKeepsTheLast(t *testing.T) {
	l := newLog()
	for range maxEntries + 500 {
		l.add("status", term.Ref{EVSE: 1}, data{})
	}
	b, _ := l.since(0)
	if b.Lost != 500 || len(b.Events) != maxBatch || b.Events[0].Seq != 501 || b.Next != 501+maxBatch {
		t.Errorf("lost %d, %d events from %d, next %d", b.Lost, len(b.Events), b.Events[0].Seq, b.Next)
	}
	n, next := 0, uint64(0)
	for { // a reader that follows next gets each event once
		b, _ := l.since(next)
		if len(b.Events) == 0 {
			break
		}
		for i, e := range b.Events {
			if next != 0 && e.Seq != next+uint64(i) {
				t.Fatalf("event %d, want %d", e.Seq, next+uint64(i))
			}
		}
		n, next = n+len(b.Events), b.Next
	}
	if n != maxEntries || next != maxEntries+501 {
		t.Errorf("%d events, next %d", n, next)
	}
}

func TestLogIsBoundedInBytes(t *testing.T) {
	l := newLog()
	frame := []byte(`[2,"1","A",{"a":"` + strings.Repeat("x", 50_000) + `"}]`)
	for range 1000 {
		l.OCPP(true, frame)
	}
	if l.bytes > maxLogBytes || l.bytes < maxLogBytes/2 {
		t.Errorf("%d bytes", l.bytes)
	}
	l.OCPP(false, []byte(strings.Repeat("x", maxEventData)))
	b, _ := l.since(l.last)
	if got := string(b.Events[0].Data); !strings.HasPrefix(got, `{"droppedBytes":`) {
		t.Errorf("a huge event says %.60s", got)
	}
}

func TestLogTells(t *testing.T) {
	at := term.Ref{EVSE: 2, Connector: 1}
	for _, tt := range []struct {
		name string
		do   func(l *Log)
		want []string // type, place, data
	}{
		{"boot", func(l *Log) { l.Booted(station.BootPowerUp, 3) }, []string{`boot 0 {"boots":3,"reason":"PowerUp"}`}},
		{"link", func(l *Log) {
			l.Event(station.LinkUp{Slot: 1, SecurityProfile: 1})
			l.Event(station.LinkDown{Why: "reset"})
		}, []string{`connected 0 {"securityProfile":1,"slot":1}`, `disconnected 0 {"why":"reset"}`}},
		{"world", func(l *Log) {
			l.world(halsim.Event{Kind: halsim.EventPlugged, Ref: at})
			l.world(halsim.Event{Kind: halsim.EventPilot, Ref: at, Pilot: term.StateC})
			l.world(halsim.Event{Kind: halsim.EventRelay, Ref: at, On: true})
			l.world(halsim.Event{Kind: halsim.EventLock, Ref: at, On: true})
			l.world(halsim.Event{Kind: halsim.EventPower})
			l.world(halsim.Event{Kind: halsim.EventUnplugged, Ref: at})
		}, []string{`plugged 2.1 {}`, `pilot 2.1 {"state":"C"}`, `relay 2.1 {"closed":true}`, `lock 2.1 {"locked":true}`, `unplugged 2.1 {}`}},
		{"a limit once", func(l *Log) {
			l.Event(station.OfferChanged{Ref: at})
			l.Event(station.OfferChanged{Ref: at, Current: 16500})
			l.Event(station.OfferChanged{Ref: at, Current: 16500})
			l.Event(station.OfferChanged{Ref: at, Current: 6 * unit.Ampere})
			l.Event(station.OfferChanged{Ref: at})
		}, []string{`limit 2.1 {"limitA":16.5}`, `limit 2.1 {"limitA":6}`, `limit 2.1 {"limitA":0}`}},
		{"a fault that the guard found", func(l *Log) {
			l.Event(station.FaultChanged{Ref: at, Fault: term.FaultDiode})
			l.Event(station.FaultChanged{Ref: at, Fault: term.FaultContactor, Active: true})
			l.Event(station.FaultChanged{Ref: at, Fault: term.FaultGround, Active: true})
			l.Event(station.FaultChanged{Ref: at, Fault: term.FaultContactor, Active: true})
			l.Event(station.FaultChanged{Ref: at, Fault: term.FaultContactor})
		}, []string{
			`fault 2.1 {"active":true,"code":"contactorFault","source":"station"}`,
			`fault 2.1 {"active":true,"code":"groundFailure","source":"station"}`,
			`fault 2.1 {"active":false,"code":"contactorFault","source":"station"}`,
		}},
		{"a status once, and again after a boot", func(l *Log) {
			o := &station.Output{Reports: []station.Report{{Body: station.StatusNotification{Ref: at, ConnectorView: station.ConnectorView{Status: station.StatusOccupied}}}}}
			l.Output(o)
			l.Output(o)
			l.Booted(station.BootWatchdog, 2)
			l.Output(o)
		}, []string{`status 2.1 {"status":"Occupied"}`, `boot 0 {"boots":2,"reason":"Watchdog"}`, `status 2.1 {"status":"Occupied"}`}},
		{"a transaction", func(l *Log) {
			l.Output(&station.Output{Reports: []station.Report{
				{Body: &station.TransactionEvent{Phase: station.PhaseStarted, Transaction: "t", Trigger: term.TriggerAuthorized, Ref: at, ChargingState: term.ChargingCharging}},
				{Body: &station.TransactionEvent{Phase: station.PhaseEnded, Transaction: "t", SeqNo: 1, Trigger: term.TriggerEVDeparted, Ref: at, StoppedReason: term.StopLocal, Offline: true}},
				{Body: station.Heartbeat{}},
			}})
		}, []string{
			`transaction 2.1 {"chargingState":"Charging","event":"Started","offline":false,"seqNo":0,"transaction":"t","trigger":"Authorized"}`,
			`transaction 2.1 {"event":"Ended","offline":true,"seqNo":1,"stoppedReason":"Local","transaction":"t","trigger":"EVDeparted"}`,
		}},
		{"commands", func(l *Log) {
			l.Output(&station.Output{Commands: []station.Command{station.Gate{Status: station.RegistrationPending}, station.Reboot{}, station.Reconfigure{}}})
		}, []string{`registration 0 {"status":"Pending"}`, `reboot 0 {}`}},
		{"frames", func(l *Log) {
			l.OCPP(true, []byte(`[2,"1","Heartbeat",{}]`))
			l.OCPP(false, []byte("no JSON"))
		}, []string{`ocpp 0 {"direction":"sent","message":[2,"1","Heartbeat",{}]}`, `ocpp 0 {"direction":"received","message":"no JSON"}`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLog()
			tt.do(l)
			tt.do(nil) // a log that nobody wants
			var got []string
			b, _ := l.since(0)
			for _, e := range b.Events {
				got = append(got, e.Type+" "+term.Ref{EVSE: e.EVSE, Connector: e.Connector}.String()+" "+string(e.Data))
			}
			if g, w := strings.Join(got, "\n"), strings.Join(tt.want, "\n"); g != w {
				t.Errorf("got\n%s\nwant\n%s", g, w)
			}
		})
	}
}
