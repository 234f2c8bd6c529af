package csms

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
)

// told is a transaction event as a test writes it.
type told struct {
	tx   string // "" is "t"
	evse int    // 0 is 1
	typ  string // S, U, E
	seq  int
	wh   int // register, < 0: none
	at   int // seconds after noon; 0: seq
}

var typeNames = map[string]string{"S": "Started", "U": "Updated", "E": "Ended"}

func (e told) payload() string {
	if e.tx == "" {
		e.tx = "t"
	}
	if e.evse == 0 {
		e.evse = 1
	}
	if e.at == 0 {
		e.at = e.seq
	}
	values := ""
	if e.wh >= 0 {
		values = fmt.Sprintf(`"meterValue":[{"timestamp":"2026-03-01T12:00:%02dZ","sampledValue":[{"value":16,"measurand":"Current.Import"},{"value":%d}]}],`, e.at, e.wh)
	}
	stopped := ""
	if e.typ == "E" {
		stopped = `,"stoppedReason":"Local"`
	}
	return fmt.Sprintf(`{"eventType":"%s",%s"timestamp":"2026-03-01T12:00:%02dZ","triggerReason":"MeterValuePeriodic","seqNo":%d,"evse":{"id":%d,"connectorId":2},`+
		`"idToken":{"idToken":"DEMO","type":"ISO14443"},"transactionInfo":{"transactionId":"%s","chargingState":"Charging"%s}}`,
		typeNames[e.typ], values, e.at, e.seq, e.evse, e.tx, stopped)
}

func (d *desk) tell(events ...told) {
	d.t.Helper()
	for _, e := range events {
		d.want(d.call("TransactionEvent", e.payload()), `{"idTokenInfo":{"status":"Accepted"}}`)
	}
}

func TestLedgerKeepsATransaction(t *testing.T) {
	d := registeredDesk(t, msg2.V21)
	d.tell(told{typ: "S", seq: 0, wh: 1000}, told{typ: "U", seq: 1, wh: 1200}, told{typ: "U", seq: 2, wh: -1})
	tx, ok := d.Ledger().Transaction("cs", "t")
	if !ok || !tx.Open() || tx.Energy() != 200*unit.WattHour || tx.State != "Charging" {
		t.Fatalf("while open: %+v", tx)
	}
	d.tell(told{typ: "E", seq: 3, wh: 1500})
	got := d.Ledger().Transactions()[0]
	want := Transaction{Station: "cs", ID: "t", EVSE: 1, Connector: 2, IdToken: "DEMO", Started: 1, Ended: 1,
		Begin: msg2.Some(1000 * unit.WattHour), Last: msg2.Some(1500 * unit.WattHour), End: msg2.Some(1500 * unit.WattHour),
		State: "Charging", StoppedReason: "Local"}
	if len(got.Events) != 4 {
		t.Fatalf("%d events", len(got.Events))
	}
	got.Events = nil
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if e, ok := d.Ledger().Energy("cs", "t"); !ok || e != 500*unit.WattHour {
		t.Errorf("energy %v, %v", e, ok)
	}
	if _, ok := d.Ledger().Energy("cs", "other"); ok {
		t.Error("knows a transaction that nobody told")
	}
	if found := d.Ledger().Check(nil); len(found) != 0 {
		t.Errorf("check: %q", found)
	}
}

func TestRepeatsAreCompared(t *testing.T) {
	start := told{typ: "S", seq: 0, wh: 1000}
	d := registeredDesk(t, msg2.V21)
	d.Next("TransactionEvent", Answer{Drop: true})
	d.want(d.call("TransactionEvent", start.payload()), "")
	d.tell(start)
	spaced := strings.ReplaceAll(start.payload(), ",", " , ")
	d.want(d.call("TransactionEvent", spaced), "Accepted")
	d.faults()
	tx, _ := d.Ledger().Transaction("cs", "t")
	if tx.Repeats != 2 || tx.Started != 1 || tx.Events[0].Arrivals != 3 {
		t.Fatalf("%+v", tx)
	}

	if err := d.Open("cs", msg2.V201); err != nil { // told again in an older version
		t.Fatal(err)
	}
	d.tell(start)
	d.faults()

	other := start
	other.wh = 1001
	d.tell(other)
	d.faults("event 0 came again, but was")
}

func TestRefusedEventsAreNotBooked(t *testing.T) {
	d := registeredDesk(t, msg2.V21)
	d.tell(told{typ: "S", seq: 0, wh: 0})
	d.Next("TransactionEvent", Answer{Error: &CallError{rpc.InternalError, ""}}, Answer{Error: &CallError{rpc.InternalError, ""}})
	first, second := told{typ: "U", seq: 1, wh: 5}, told{typ: "U", seq: 2, wh: 6}
	d.want(d.call("TransactionEvent", first.payload()), "InternalError")
	d.want(d.call("TransactionEvent", second.payload()), "InternalError")
	d.tell(second, told{typ: "E", seq: 3, wh: 7})
	tx, _ := d.Ledger().Transaction("cs", "t")
	if !slices.Equal(tx.Missing, []int{1}) || tx.Repeats != 0 {
		t.Fatalf("%+v", tx)
	}
	if found := d.Ledger().Check(nil); len(found) != 1 || !strings.Contains(found[0], "event 1 is missing") {
		t.Errorf("check: %q", found)
	}
	excused := func(station, tx string, seq int) bool { return station == "cs" && tx == "t" && seq == 1 }
	if found := d.Ledger().Check(excused); len(found) != 0 {
		t.Errorf("check: %q", found)
	}
}

func TestCheckFinds(t *testing.T) {
	start, end := told{typ: "S", seq: 0, wh: 10}, told{typ: "E", seq: 2, wh: 12}
	mid := told{typ: "U", seq: 1, wh: 11}
	rows := []struct {
		name   string
		events []told
		want   []string
	}{
		{"nothing", []told{start, mid, end}, nil},
		{"arrival in another order", []told{end, start, mid}, nil},
		{"a gap", []told{start, end}, []string{"event 1 is missing"}},
		{"no end", []told{start, mid}, []string{"1 times Started, 0 times Ended"}},
		{"no start", []told{{typ: "U", seq: 0, wh: 10}, mid, end}, []string{"0 times Started"}},
		{"two starts", []told{start, {typ: "S", seq: 1, wh: 10}, end}, []string{"2 times Started", "Started has number 1"}},
		{"two ends", []told{start, {typ: "E", seq: 1, wh: 11}, end}, []string{"2 times Ended", "event 2 after the Ended event 1"}},
		{"event behind the end", []told{start, mid, end, {typ: "U", seq: 3, wh: 12}}, []string{"event 3 after the Ended event 2"}},
		{"register falls", []told{start, {typ: "U", seq: 1, wh: 9}, end}, []string{"fell from 10000 to 9000 mWh in event 1"}},
		{"register falls between transactions", []told{start, mid, end, {tx: "u", typ: "S", seq: 0, wh: 11, at: 8}, {tx: "u", typ: "E", seq: 1, wh: 13, at: 9}},
			[]string{"EVSE 1: register fell from 12000 to 11000 mWh at the start of u"}},
		{"another EVSE has another register", []told{start, mid, end, {tx: "u", evse: 2, typ: "S", seq: 0, wh: 1, at: 8}, {tx: "u", evse: 2, typ: "E", seq: 1, wh: 2, at: 9}}, nil},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			d := registeredDesk(t, msg2.V21)
			d.tell(r.events...)
			got := d.Ledger().Check(nil)
			if len(got) != len(r.want) {
				t.Fatalf("found %q, want %q", got, r.want)
			}
			for i := range got {
				if !strings.Contains(got[i], r.want[i]) {
					t.Errorf("found %q, want %q", got[i], r.want[i])
				}
			}
		})
	}
}

func TestRegisterReadsUnits(t *testing.T) {
	value := func(text, unitName string, multiplier int) *msg2.SampledValue {
		v, err := rpc.ParseDecimal(text)
		if err != nil {
			t.Fatal(err)
		}
		s := &msg2.SampledValue{Value: v}
		if unitName != "" || multiplier != 0 {
			s.UnitOfMeasure = msg2.Some(msg2.UnitOfMeasure{Unit: msg2.Opt[string]{V: unitName, Has: unitName != ""}, Multiplier: msg2.Some(multiplier)})
		}
		return s
	}
	rows := []struct {
		s    *msg2.SampledValue
		want unit.Energy
	}{
		{value("1234.567", "", 0), 1234_567},
		{value("1234567", "Wh", -3), 1234_567},
		{value("1.5", "kWh", 0), 1_500_000},
		{value("15", "kWh", -1), 1_500_000},
		{value("2", "", 3), 2_000_000},
	}
	for _, r := range rows {
		if got, ok := register(r.s); !ok || got != r.want {
			t.Errorf("%v %+v: %d, %v, want %d", r.s.Value, r.s.UnitOfMeasure.V, got, ok, r.want)
		}
	}
	for _, s := range []*msg2.SampledValue{
		{Measurand: msg2.MeasurandPowerActiveImport}, {Measurand: msg2.MeasurandEnergyActiveImportRegister, Phase: msg2.PhaseL1},
	} {
		if _, ok := register(s); ok {
			t.Errorf("%+v is no register of the whole", s)
		}
	}
}

func TestErrorsAreBounded(t *testing.T) {
	d := registeredDesk(t, msg2.V21)
	for range MaxErrors + 5 {
		d.frame("x")
	}
	got := d.Ledger().Errors()
	if len(got) != MaxErrors+1 || got[MaxErrors] != "and 5 more" {
		t.Fatalf("%d errors, the last %q", len(got), got[len(got)-1])
	}
}

func TestTransactionsAreBounded(t *testing.T) {
	l := newLedger()
	x := &msg2.TransactionEventRequest{EventType: msg2.TransactionEventStarted}
	for i := range MaxTransactions + 1 {
		x.TransactionInfo.TransactionID = fmt.Sprint(i)
		l.enter("cs", x, "{}", msg2.V21, true)
	}
	if n := len(l.Transactions()); n != MaxTransactions {
		t.Errorf("%d transactions", n)
	}
	if got := l.Errors(); len(got) != 1 || !strings.Contains(got[0], "more than") {
		t.Errorf("errors %q", got)
	}
}
