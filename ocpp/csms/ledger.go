package csms

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/ocpp/msg2"
)

// Bounds of the books. What exceeds them is an error in the ledger, so that nothing is missed in silence.
const (
	MaxTransactions = 16384
	MaxEvents       = 1 << 18 // of all transactions together
	MaxErrors       = 256
)

// Ledger is the books of a CSMS: every transaction event by number, and every error. Its methods may be called from any
// goroutine.
type Ledger struct {
	mu      sync.Mutex // everything below
	txs     map[key]*entry
	order   []key
	events  int
	errors  []string
	lost    int // errors beyond MaxErrors
	numbers int // transaction ids given to stations of 1.6
}

type key struct{ station, transaction string }

// entry is a transaction as it was told.
type entry struct {
	tx     Transaction
	events map[int]*Event
	seen   map[string]int // 1.6: content of a message to the number of its event
	over   bool           // 1.6: the end was booked
}

// Transaction is what the CSMS knows of one transaction.
type Transaction struct {
	Station, ID     string
	EVSE, Connector int
	IdToken         string           // value of the first token that was told
	Events          []Event          // taken or refused, by number
	Started, Ended  int              // events of that type that were taken, repeats not counted
	Repeats         int              // events that came once more
	Begin, Last     msg2.Opt[Energy] // import register: in the first event that told it, and in the newest
	End             msg2.Opt[Energy] // import register in the Ended event
	State           string           // charging state, as told last
	StoppedReason   string
	Missing         []int // numbers from 0 to the highest that were not taken
}

// Energy is a meter register.
type Energy = unit.Energy

// Event is one transaction event.
type Event struct {
	SeqNo    int
	Type     msg2.TransactionEvent
	Trigger  msg2.TriggerReason
	At       time.Time
	Offline  bool
	Arrivals int  // how often it came
	Taken    bool // it was answered, or its answer was lost; not refused
	Energy   msg2.Opt[Energy]
	token    string
	state    string
	reason   string
	payload  string
	version  msg2.Version
}

func newLedger() *Ledger { return &Ledger{txs: map[key]*entry{}} }

// fault keeps an error.
func (l *Ledger) fault(station, format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faultLocked(station, format, args...)
}

func (l *Ledger) faultLocked(station, format string, args ...any) {
	if len(l.errors) >= MaxErrors {
		l.lost++
		return
	}
	l.errors = append(l.errors, station+": "+fmt.Sprintf(format, args...))
}

// enter books a transaction event; taken is false where it is refused. It reports whether the event came before.
func (l *Ledger) enter(station string, x *msg2.TransactionEventRequest, payload string, v msg2.Version, taken bool) (repeat bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entry(station, x)
	if e == nil {
		return false
	}
	if old := e.events[x.SeqNo]; old != nil {
		if why := difference(old, payload, v); why != "" {
			l.faultLocked(station, "transaction %s: event %d came again, but %s", x.TransactionInfo.TransactionID, x.SeqNo, why)
		}
		old.Arrivals++
		if old.Taken {
			e.tx.Repeats++
		}
		old.Taken = old.Taken || taken
		return true
	}
	if l.events++; l.events > MaxEvents {
		l.faultLocked(station, "more than %d transaction events", MaxEvents)
		return false
	}
	ev := newEvent(x, payload, v, taken)
	e.events[x.SeqNo] = ev
	e.place(x)
	return false
}

func (l *Ledger) entry(station string, x *msg2.TransactionEventRequest) *entry {
	k := key{station, x.TransactionInfo.TransactionID}
	if e := l.txs[k]; e != nil {
		return e
	}
	if len(l.order) >= MaxTransactions {
		l.faultLocked(station, "more than %d transactions", MaxTransactions)
		return nil
	}
	e := &entry{tx: Transaction{Station: station, ID: k.transaction}, events: map[int]*Event{}}
	l.txs[k] = e
	l.order = append(l.order, k)
	return e
}

func newEvent(x *msg2.TransactionEventRequest, payload string, v msg2.Version, taken bool) *Event {
	ev := &Event{SeqNo: x.SeqNo, Type: x.EventType, Trigger: x.TriggerReason, At: x.Timestamp, Offline: x.Offline.V,
		Arrivals: 1, Taken: taken, payload: payload, version: v,
		state: string(x.TransactionInfo.ChargingState), reason: string(x.TransactionInfo.StoppedReason)}
	if x.IdToken.Has {
		ev.token = x.IdToken.V.IdToken
	}
	for i := range x.MeterValue {
		for j := range x.MeterValue[i].SampledValue {
			if r, ok := register(&x.MeterValue[i].SampledValue[j]); ok {
				ev.Energy = msg2.Some(r) // the newest of the event
			}
		}
	}
	return ev
}

// place notes where the transaction is.
func (e *entry) place(x *msg2.TransactionEventRequest) {
	if x.EVSE.Has {
		e.tx.EVSE = x.EVSE.V.ID
		if x.EVSE.V.ConnectorID.Has {
			e.tx.Connector = x.EVSE.V.ConnectorID.V
		}
	}
}

// register returns the total import register of a sampled value.
func register(s *msg2.SampledValue) (unit.Energy, bool) {
	if s.Measurand != "" && s.Measurand != msg2.MeasurandEnergyActiveImportRegister || s.Phase != "" {
		return 0, false
	}
	digits := 3 // mWh
	if u, ok := s.UnitOfMeasure.Get(); ok {
		if u.Unit.Or("Wh") == "kWh" {
			digits += 3
		}
		digits += u.Multiplier.Or(0)
	}
	v, ok := s.Value.Units(digits)
	return unit.Energy(v), ok
}

// Transactions returns all transactions in the order in which they were first heard of.
func (l *Ledger) Transactions() []Transaction {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]Transaction, 0, len(l.order))
	for _, k := range l.order {
		out = append(out, l.txs[k].sum())
	}
	return out
}

// Transaction returns one transaction.
func (l *Ledger) Transaction(station, id string) (Transaction, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.txs[key{station, id}]
	if e == nil {
		return Transaction{}, false
	}
	return e.sum(), true
}

// sum makes up the account of a transaction from its events.
func (e *entry) sum() Transaction {
	t := e.tx
	for _, ev := range e.events {
		t.Events = append(t.Events, *ev)
	}
	slices.SortFunc(t.Events, func(a, b Event) int { return cmp.Compare(a.SeqNo, b.SeqNo) })
	next := 0
	for i := range t.Events {
		ev := &t.Events[i]
		if !ev.Taken {
			continue
		}
		for ; next < ev.SeqNo && len(t.Missing) < MaxErrors; next++ {
			t.Missing = append(t.Missing, next)
		}
		next = ev.SeqNo + 1
		t.add(ev)
	}
	return t
}

func (t *Transaction) add(ev *Event) {
	switch ev.Type {
	case msg2.TransactionEventStarted:
		t.Started++
	case msg2.TransactionEventEnded:
		t.Ended++
		t.End = ev.Energy
	}
	if ev.Energy.Has {
		if !t.Begin.Has {
			t.Begin = ev.Energy
		}
		t.Last = ev.Energy
	}
	if t.IdToken == "" {
		t.IdToken = ev.token
	}
	t.State = cmp.Or(ev.state, t.State)
	t.StoppedReason = cmp.Or(ev.reason, t.StoppedReason)
}

// Open reports whether the transaction has not ended.
func (t Transaction) Open() bool { return t.Ended == 0 }

// Energy returns what the transaction took, as told so far: from the first register to the last.
func (t Transaction) Energy() Energy { return t.Last.V - t.Begin.V }

// Energy returns what a transaction took, as told so far; false if the CSMS has not heard of it.
func (l *Ledger) Energy(station, id string) (Energy, bool) {
	t, ok := l.Transaction(station, id)
	return t.Energy(), ok
}

// Errors returns what stations did wrong, in order.
func (l *Ledger) Errors() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := slices.Clone(l.errors)
	if l.lost > 0 {
		out = append(out, fmt.Sprintf("and %d more", l.lost))
	}
	return out
}

// String is the account in one line: "evse 1 tx 6f1c 0.512 kWh 9 events ended Local".
func (t Transaction) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "evse %d tx %.4s %d.%03d kWh %d events", t.EVSE, t.ID, t.Energy()/unit.KiloWattHour, t.Energy()%unit.KiloWattHour/unit.WattHour, len(t.Events))
	if t.Repeats > 0 {
		fmt.Fprintf(&b, " %d repeated", t.Repeats)
	}
	if len(t.Missing) > 0 {
		fmt.Fprintf(&b, " missing %v", t.Missing)
	}
	if t.Open() {
		return b.String() + " " + cmp.Or(t.State, "open")
	}
	return b.String() + " ended " + t.StoppedReason
}
