package link

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/dialect15"
	"github.com/evsed/evsed/ocpp/dialect16"
	"github.com/evsed/evsed/ocpp/dialect2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/ocpp/soap"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// changing is a CSMS that is replaced by one of other versions.
type changing struct {
	mu     sync.Mutex // guards what follows
	speaks []string   // subprotocols; "soap1.6" for that
	socket *websocket.Conn
	told   []string // of transactions
}

func (c *changing) become(versions ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.speaks = versions
	if c.socket != nil {
		c.socket.CloseNow()
		c.socket = nil
	}
}

func (c *changing) bill() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.told)
}

// take answers a call, and notes what it says of a transaction.
func (c *changing) take(version, action, payload string) (answer string) {
	var p struct {
		EventType, Timestamp string
		SeqNo                int
		MeterStart           int
		MeterStop            int
		TransactionID        int
		IDTag                string
	}
	if err := json.Unmarshal([]byte(payload), &p); err != nil && action != "TransactionEvent" {
		panic(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	note := func(format string, args ...any) { c.told = append(c.told, version+" "+fmt.Sprintf(format, args...)) }
	at, _, _ := strings.Cut(strings.TrimPrefix(p.Timestamp, "2026-01-01T"), ".")
	switch action {
	case "TransactionEvent":
		note("%s %d %s", p.EventType, p.SeqNo, at)
	case "StartTransaction":
		note("Start %s %d %s", p.IDTag, p.MeterStart, at)
		return `{"transactionId":42,"idTagInfo":{"status":"Accepted"}}`
	case "StopTransaction":
		note("Stop %d %d %s", p.TransactionID, p.MeterStop, at)
	case "Heartbeat":
		return `{"currentTime":"2026-01-01T00:00:00Z"}`
	}
	return `{}`
}

func (c *changing) serve(_ *world, _ int, rw http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	speaks := c.speaks
	c.mu.Unlock()
	if r.Method == http.MethodPost {
		c.serveSOAP(rw, r, slices.Contains(speaks, "soap1.6"))
		return
	}
	if slices.Equal(speaks, []string{"soap1.6"}) {
		http.NotFound(rw, r)
		return
	}
	ws, err := websocket.Accept(rw, r, &websocket.AcceptOptions{Subprotocols: speaks})
	if err != nil {
		return
	}
	defer ws.CloseNow()
	c.mu.Lock()
	c.socket = ws
	c.mu.Unlock()
	for {
		_, data, err := ws.Read(context.Background())
		if err != nil {
			return
		}
		f, err := rpc.Parse(data, rpc.V21, rpc.Limits{})
		if err != nil || f.Type != rpc.Call {
			return
		}
		answer := c.take(strings.TrimPrefix(ws.Subprotocol(), "ocpp"), f.Action, f.Payload)
		if ws.Write(context.Background(), websocket.MessageText, rpc.AppendCallResult(nil, f.ID, []byte(answer))) != nil {
			return
		}
	}
}

func (c *changing) serveSOAP(rw http.ResponseWriter, r *http.Request, spoken bool) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	m, err := soap.Parse(raw, soap.CentralSystem)
	if err != nil || !spoken {
		http.NotFound(rw, r)
		return
	}
	answer := c.take("soap1.6", m.Operation, string(m.Payload))
	raw, err = soap.AppendResponse(nil, m.Version, soap.CentralSystem, m.Operation, soap.Header{}, answer)
	if err != nil {
		panic(err)
	}
	rw.Write(raw)
}

// safeShelf is an outbox that grows while the link reads it.
type safeShelf struct {
	mu sync.Mutex // guards shelf
	shelf
}

func (s *safeShelf) Head(after string, max int) ([]Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shelf.Head(after, max)
}

// keep puts an event of transaction A into the outbox: n minutes after midnight, at n kWh.
func (s *safeShelf) keep(l *Link, phase station.Phase, n int) {
	ev := &station.TransactionEvent{
		Phase: phase, Transaction: "A", SeqNo: n, At: epoch.Add(time.Duration(n) * time.Minute), Trigger: term.TriggerMeterValuePeriodic,
		ChargingTime: -1, PhasesUsed: -1, Ref: term.Ref{EVSE: 1, Connector: 1}, Begin: 0, Register: unit.Energy(n) * unit.KiloWattHour,
	}
	if phase == station.PhaseStarted {
		ev.Token = term.IdToken{Value: "CARD", Type: term.TokenISO14443}
	}
	id := station.ReportID(1)<<32 + station.ReportID(n)
	s.mu.Lock()
	s.entries = append(s.entries, Entry{id.Key(), station.EncodeReport(station.Report{ID: id, Class: station.Kept, Body: ev})})
	s.mu.Unlock()
	l.Wake()
}

// A transaction that began with one CSMS goes on with one that speaks another generation: it keeps its generation as long as
// the CSMS takes it; else it is told anew from its beginning, with the time and register of then. Nothing that was acknowledged is
// told again in the same generation. See docs/design/0012.
func TestTransactionAcrossGenerationsOnTheWire(t *testing.T) {
	const soap16 = "soap1.6"
	for _, c := range []struct {
		name          string
		before, after []string
		want          []string
	}{
		{"2.0.1 to 1.6", []string{"ocpp2.0.1"}, []string{"ocpp1.6"}, []string{
			"2.0.1 Started 0 00:00:00", "2.0.1 Updated 1 00:01:00", "1.6 Start CARD 0 00:00:00", "1.6 Stop 42 2000 00:02:00"}},
		{"1.6 to 2.0.1", []string{"ocpp1.6"}, []string{"ocpp2.0.1"}, []string{
			"1.6 Start CARD 0 00:00:00", "2.0.1 Started 0 00:00:00", "2.0.1 Ended 2 00:02:00"}},
		{"2.0.1 to both", []string{"ocpp2.0.1"}, []string{"ocpp1.6", "ocpp2.0.1"}, []string{
			"2.0.1 Started 0 00:00:00", "2.0.1 Updated 1 00:01:00", "2.0.1 Ended 2 00:02:00"}},
		{"1.6 to both", []string{"ocpp1.6"}, []string{"ocpp2.0.1", "ocpp1.6"}, []string{
			"1.6 Start CARD 0 00:00:00", "1.6 Stop 42 2000 00:02:00"}},
		{"2.0.1 to SOAP", []string{"ocpp2.0.1"}, []string{soap16}, []string{
			"2.0.1 Started 0 00:00:00", "2.0.1 Updated 1 00:01:00", "soap1.6 Start CARD 0 00:00:00", "soap1.6 Stop 42 2000 00:02:00"}},
		{"SOAP to 2.0.1", []string{soap16}, []string{"ocpp2.0.1"}, []string{
			"soap1.6 Start CARD 0 00:00:00", "2.0.1 Started 0 00:00:00", "2.0.1 Ended 2 00:02:00"}},
		{"SOAP to 1.6", []string{soap16}, []string{"ocpp1.6"}, []string{ // by its number, which the new CSMS has of the old one
			"soap1.6 Start CARD 0 00:00:00", "1.6 Stop 42 2000 00:02:00"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			csms, outbox := &changing{speaks: c.before}, &safeShelf{}
			change := func(o *Options) {
				d16 := dialect16.New([]station.EVSE{{ID: 1, Connectors: []station.Connector{{ID: 1}}}})
				o.Dialects = []ocpp.Dialect{dialect2.New(rpc.V21), dialect2.New(rpc.V201), d16, dialect15.New(soap.V16, d16)}
				o.Config.ConnectionAttempts = 2
				o.Config.Profiles = append(o.Config.Profiles, profileOf(2, "http://csms.test/soap"))
				o.Outbox, o.Decode = outbox, station.DecodeReport
			}
			in(t, change, csms.serve, func(w *world) {
				outbox.keep(w.l, station.PhaseStarted, 0)
				outbox.keep(w.l, station.PhaseUpdated, 1)
				w.core(10 * time.Minute)
				csms.become(c.after...)
				outbox.keep(w.l, station.PhaseEnded, 2)
				w.core(10 * time.Minute)
			})
			if got := csms.bill(); !slices.Equal(got, c.want) {
				t.Errorf("told\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}
