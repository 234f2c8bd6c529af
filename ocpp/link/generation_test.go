package link

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// numbered is a dialect of 1.x in small: the CSMS numbers a transaction when it begins, and all that follows needs the
// number. A transaction whose beginning was refused has number -1.
type numbered struct{ plain }

func (d numbered) Encode(r station.Report, t *ocpp.Table) ([]ocpp.Call, error) {
	ev, ok := r.Body.(*station.TransactionEvent)
	if !ok {
		return d.plain.Encode(r, t)
	}
	id, known := t.Get(ocpp.TransactionKey(ev.Transaction, "id"))
	call := func(action string, payload string) ocpp.Call {
		return ocpp.Call{Report: r.ID, Action: action, Payload: []byte(payload), Transaction: ev.Transaction}
	}
	switch {
	case !known && (ev.Token.Value == "" || ev.Phase == station.PhaseUpdated && ev.SeqNo > 1):
		return nil, nil
	case !known:
		return []ocpp.Call{call("Start", fmt.Sprintf(`{"token":%q}`, ev.Token.Value))}, nil
	case ev.Phase == station.PhaseEnded:
		return []ocpp.Call{call("Values", `{"id":`+id+`}`), call("Stop", `{"id":`+id+`}`)}, nil
	}
	return []ocpp.Call{call("Values", fmt.Sprintf(`{"id":%s,"n":%d}`, id, ev.SeqNo))}, nil
}

func (d numbered) Result(c ocpp.Call, payload string, t *ocpp.Table) (station.Reply, error) {
	if c.Action == "Start" {
		id := strings.Trim(payload, `{}"id:`)
		if _, err := strconv.Atoi(id); err != nil {
			return nil, &rpc.DecodeError{Code: rpc.TypeConstraintViolation, Reason: "no id"}
		}
		t.Put(ocpp.TransactionKey(c.Transaction, "id"), id)
	}
	return d.plain.Result(c, payload, t)
}

func (d numbered) Abandoned(c ocpp.Call, t *ocpp.Table) {
	if c.Action == "Start" {
		t.Put(ocpp.TransactionKey(c.Transaction, "id"), "-1")
	}
}

// named is a dialect of 2.x in small: the station names its transactions.
type named struct{ plain }

func (d named) Encode(r station.Report, t *ocpp.Table) ([]ocpp.Call, error) {
	ev, ok := r.Body.(*station.TransactionEvent)
	if !ok {
		return d.plain.Encode(r, t)
	}
	return []ocpp.Call{{Report: r.ID, Action: "Event", Payload: fmt.Appendf(nil, `{"tx":%q,"n":%d}`, ev.Transaction, ev.SeqNo)}}, nil
}

func (named) Independent() {}

var (
	speaks1 = numbered{plain{rpc.V16}}
	speaks2 = named{plain{rpc.V201}}
)

// bills is a dialogue about transactions: what the engine has and what survives a power cut.
type bills struct {
	t      *testing.T
	e      *Engine
	shelf  *shelf
	table  *ocpp.Table
	kept   []station.Record // of the side table, as acknowledged
	now    time.Time
	frames []string
	id     string // of the CALL under way
	next   station.ReportID
	boots  int
	urgent bool // the last reply owed a sync
}

func newBills(t *testing.T) *bills {
	b := &bills{t: t, shelf: &shelf{}, now: epoch, next: 1 << 32}
	b.boot()
	return b
}

// boot begins a life with what was kept. Reports that were settled are gone from the outbox.
func (b *bills) boot() {
	b.table = ocpp.NewTable()
	for _, r := range b.kept {
		b.table.Restore(r)
	}
	b.boots++
	b.e = NewEngine(EngineOptions{Outbox: b.shelf, Decode: station.DecodeReport, Table: b.table, IDPrefix: fmt.Sprintf("b%d-", b.boots),
		Config: EngineConfig{MessageAttempts: 2, AttemptInterval: 10 * time.Second}})
	b.did(b.e.Gate(b.now, station.RegistrationAccepted))
}

func (b *bills) did(o *Output) {
	for _, f := range o.Frames {
		frame, err := rpc.Parse(f, rpc.V21, rpc.Limits{})
		if err != nil {
			b.t.Fatalf("%s: %v", f, err)
		}
		b.id = frame.ID
		b.frames = append(b.frames, frame.Action+frame.Payload)
	}
	for _, ev := range o.Events {
		r, ok := ev.(station.ReplyReceived)
		if !ok {
			continue
		}
		b.kept = append(b.kept, r.Side...)
		b.urgent = r.MustKeep
		if r.Class == station.Kept {
			if len(b.shelf.entries) == 0 || b.shelf.entries[0].Key != r.ID.Key() {
				b.t.Fatalf("report %d was settled out of order", r.ID)
			}
			b.shelf.entries = b.shelf.entries[1:]
		}
	}
}

func (b *bills) keep(phase station.Phase, tx term.TransactionID, n int, token string) {
	ev := &station.TransactionEvent{Phase: phase, Transaction: tx, SeqNo: n, At: epoch, ChargingTime: -1, PhasesUsed: -1}
	if token != "" {
		ev.Token = term.IdToken{Value: token, Type: term.TokenISO14443}
	}
	b.next++
	b.shelf.entries = append(b.shelf.entries, Entry{b.next.Key(), station.EncodeReport(station.Report{ID: b.next, Class: station.Kept, Body: ev})})
	b.did(b.e.Woken(b.now))
}

func (b *bills) open(d ocpp.Dialect) { b.did(b.e.Opened(b.now, d, 1, 0)) }
func (b *bills) cut()                { b.did(b.e.Closed(b.now, "cut")) }
func (b *bills) answer(payload string) {
	b.did(b.e.Frame(b.now, []byte(`[3,"`+b.id+`",`+payload+`]`)))
}
func (b *bills) refuse() {
	b.did(b.e.Frame(b.now, []byte(`[4,"`+b.id+`","InternalError","",{}]`)))
	b.now = b.now.Add(time.Minute)
	b.did(b.e.Tick(b.now))
}

// want compares what was sent since the last want.
func (b *bills) want(frames ...string) {
	b.t.Helper()
	if got, want := strings.Join(b.frames, "\n"), strings.Join(frames, "\n"); got != want {
		b.t.Fatalf("sent\n%s\nwant\n%s", got, want)
	}
	b.frames = nil
}

// What follows the beginning of a transaction waits for the number that the CSMS gives it, and the number is kept with the
// acknowledgement.
func TestNumberComesBeforeWhatNeedsIt(t *testing.T) {
	b := newBills(t)
	b.keep(station.PhaseStarted, "A", 0, "CARD")
	b.keep(station.PhaseUpdated, "A", 1, "")
	b.keep(station.PhaseEnded, "A", 2, "")
	b.open(speaks1)
	b.e.Ahead()
	b.want(`Start{"token":"CARD"}`)
	b.answer(`{"id":7}`)
	if !b.urgent {
		t.Error("the number owes no sync")
	}
	b.want(`Values{"id":7,"n":1}`)
	b.answer(`{}`)
	b.want(`Values{"id":7}`)
	b.answer(`{}`)
	b.want(`Stop{"id":7}`)
	b.answer(`{}`)
	if left := b.table.Keys(""); len(left) != 0 {
		t.Errorf("rows %q of a transaction that is over", left)
	}
}

// A power cut between answer and record: the beginning is asked again with the same content, and its number is the one that
// counts. Behind the record the number is known.
func TestNumberSurvivesPowerCuts(t *testing.T) {
	b := newBills(t)
	b.keep(station.PhaseStarted, "A", 0, "CARD")
	b.open(speaks1)
	kept, entries := b.kept, b.shelf.entries
	b.answer(`{"id":7}`)
	b.want(`Start{"token":"CARD"}`)
	b.kept, b.shelf.entries = kept, entries // nothing of it came to the journal
	b.boot()
	b.open(speaks1)
	b.want(`Start{"token":"CARD"}`)
	b.answer(`{"id":8}`)
	b.boot()
	b.keep(station.PhaseUpdated, "A", 1, "")
	b.open(speaks1)
	b.want(`Values{"id":8,"n":1}`)
	b.cut()
	b.open(speaks1)
	b.want(`Values{"id":8,"n":1}`)
}

// A report of several calls that is cut off between them has kept what the first brought.
func TestNumberIsKeptBetweenTheCallsOfOneReport(t *testing.T) {
	b := newBills(t)
	b.keep(station.PhaseStarted, "A", 0, "CARD")
	b.open(twice{speaks1})
	b.want(`Start{"token":"CARD"}`)
	b.answer(`{"id":7}`)
	b.want(`Values{}`)
	b.boot()
	if id, _ := b.table.Get(ocpp.TransactionKey("A", "id")); id != "7" {
		t.Errorf("number %q", id)
	}
}

// twice tells a beginning by two calls.
type twice struct{ numbered }

func (d twice) Encode(r station.Report, t *ocpp.Table) ([]ocpp.Call, error) {
	calls, err := d.numbered.Encode(r, t)
	return append(calls, ocpp.Call{Report: r.ID, Action: "Values", Payload: []byte(`{}`)}), err
}

// A beginning that is refused for good leaves the rest to be told without a number.
func TestRefusedBeginning(t *testing.T) {
	b := newBills(t)
	b.keep(station.PhaseStarted, "A", 0, "CARD")
	b.keep(station.PhaseEnded, "A", 1, "")
	b.open(speaks1)
	b.refuse()
	b.want(`Start{"token":"CARD"}`, `Start{"token":"CARD"}`)
	b.refuse()
	b.want(`Values{"id":-1}`)
}

// A transaction that is told in one generation, and goes on in another, is told there from its beginning: with its token,
// also if that came later. Nothing is told twice in one generation.
func TestTransactionIsToldAnewInAnotherGeneration(t *testing.T) {
	b := newBills(t)
	b.keep(station.PhaseStarted, "A", 0, "CARD")
	b.open(speaks1)
	b.answer(`{"id":7}`)
	b.cut()
	b.keep(station.PhaseUpdated, "A", 1, "")
	b.keep(station.PhaseUpdated, "A", 2, "")
	b.want(`Start{"token":"CARD"}`)
	b.open(speaks2)
	b.want(`Event{"tx":"A","n":0}`)
	b.cut()
	b.boot()
	b.open(speaks2)
	b.want(`Event{"tx":"A","n":0}`)
	b.answer(`{}`)
	b.want(`Event{"tx":"A","n":1}`)
	b.answer(`{}`)
	b.want(`Event{"tx":"A","n":2}`)
	b.answer(`{}`)
	b.cut()

	b.keep(station.PhaseStarted, "B", 0, "")
	b.keep(station.PhaseUpdated, "B", 1, "LATER")
	b.open(speaks2)
	b.answer(`{}`)
	b.answer(`{}`)
	b.cut()
	b.boot()
	b.frames = nil
	b.keep(station.PhaseEnded, "B", 2, "")
	b.open(speaks1)
	b.want(`Start{"token":"LATER"}`)
	b.answer(`{"id":9}`)
	b.want(`Values{"id":9}`)
	b.answer(`{}`)
	b.want(`Stop{"id":9}`)
	b.answer(`{}`)
}

// What 2.x has heard of a beginning it hears again as it was, also when a token that came later was told to 1.x with it.
func TestBeginningIsTheSameEachTime(t *testing.T) {
	b := newBills(t)
	told := func() string { // content of the prelude
		start := b.e.backlog.prelude.report.Body.(*station.TransactionEvent)
		return fmt.Sprintf("%d %s", start.SeqNo, start.Token.Value)
	}
	b.keep(station.PhaseStarted, "A", 0, "")
	b.keep(station.PhaseUpdated, "A", 1, "LATER")
	b.open(speaks2)
	b.answer(`{}`)
	b.answer(`{}`)
	b.cut()
	for n := range 3 {
		b.boot()
		b.keep(station.PhaseUpdated, "A", 2+2*n, "")
		b.open(speaks1)
		if got := told(); got != "0 LATER" {
			t.Errorf("1.x hears %q", got)
		}
		b.answer(`{"id":9}`)
		b.answer(`{}`)
		b.cut()
		b.boot()
		b.keep(station.PhaseUpdated, "A", 3+2*n, "")
		b.open(speaks2)
		if got := told(); got != "0 " {
			t.Errorf("2.x hears %q", got)
		}
		b.answer(`{}`)
		b.answer(`{}`)
		b.cut()
	}
}

// A beginning that the other generation refuses does not hold up the end.
func TestRefusedPreludeIsGivenUp(t *testing.T) {
	b := newBills(t)
	b.keep(station.PhaseStarted, "A", 0, "CARD")
	b.open(speaks1)
	b.answer(`{"id":7}`)
	b.cut()
	b.keep(station.PhaseEnded, "A", 1, "")
	b.frames = nil
	b.open(speaks2)
	b.refuse()
	b.refuse()
	b.want(`Event{"tx":"A","n":0}`, `Event{"tx":"A","n":0}`, `Event{"tx":"A","n":1}`)
}

// While transactions of one generation alone are open, that is the one to offer.
func TestOpenTransactionsSayWhatIsOffered(t *testing.T) {
	b := newBills(t)
	if _, ok := b.e.generation(); ok {
		t.Error("a generation without a transaction")
	}
	b.keep(station.PhaseStarted, "A", 0, "CARD")
	b.open(speaks1)
	b.answer(`{"id":7}`)
	g, ok := b.e.generation()
	if !ok || g != generation1 {
		t.Fatalf("generation %c", g)
	}
	all := choose(nil, allDialects)
	if got := fmt.Sprint((&endpoint{offer: kin(all, g)}).names()); got != "[ocpp1.6]" {
		t.Errorf("offer %s", got)
	}
	if got := fmt.Sprint((&endpoint{offer: kin(all, generation2)}).names()); got != "[ocpp2.1 ocpp2.0.1 ocpp2.0]" {
		t.Errorf("offer %s", got)
	}
	if got := fmt.Sprint((&endpoint{offer: kin(all[:3], g)}).names()); got != "[ocpp2.1 ocpp2.0.1 ocpp2.0]" {
		t.Errorf("a profile without 1.6 offers %s", got)
	}
	b.cut()
	b.keep(station.PhaseStarted, "B", 0, "CARD")
	b.open(speaks2)
	b.answer(`{}`)
	if _, ok := b.e.generation(); ok {
		t.Error("two generations are not one")
	}
}

// What a beginning did not know and a later event does is kept for who has not heard of it: a card may come before the cable.
func TestBeginningIsCompleted(t *testing.T) {
	e := NewEngine(EngineOptions{IDPrefix: "g"})
	start := station.TransactionEvent{Phase: station.PhaseStarted, Transaction: "A", At: epoch, Begin: -1, Register: -1}
	next := start
	next.Phase, next.SeqNo, next.Token = station.PhaseUpdated, 1, term.IdToken{Value: "CARD", Type: term.TokenISO14443}
	next.Ref, next.Begin, next.Register = term.Ref{EVSE: 2, Connector: 1}, 5, 7
	e.told(&start, generation2)
	e.told(&next, generation2)
	later := next
	later.SeqNo, later.Token.Value, later.Begin, later.Register, later.Ref.EVSE = 2, "OTHER", 8, 9, 1
	e.told(&later, generation2)
	row, _ := e.table.Get(ocpp.TransactionKey("A", rowWith))
	if got := decodeStart(row); got == nil || got.SeqNo != 0 || got.Token.Value != "CARD" || got.Ref != next.Ref || got.Register != 5 {
		t.Errorf("kept %+v", got)
	}
	row, _ = e.table.Get(ocpp.TransactionKey("A", rowFrom))
	if got := startOf(row); got == nil || got.Token.Value != "" || got.Register != -1 {
		t.Errorf("2.x hears %+v", got)
	}
	end := next
	end.Phase = station.PhaseEnded
	e.told(&end, generation2)
	if left := e.table.Keys(""); len(left) != 0 {
		t.Errorf("rows %q of a transaction that is over", left)
	}
}
