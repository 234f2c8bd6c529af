package csms

import (
	"cmp"
	"strconv"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
)

// A transaction of OCPP 1.6 has no numbers. In the books its begin is event 0 and every message that was not there before
// the next one; its EVSE is the connector's number. Registers are whole watt-hours there, rounded down.
//
// A StartTransaction that comes again with the same content is the same transaction: its answer was lost.

// start16 books a begin and returns the id of the transaction.
func (l *Ledger) start16(station string, x *msg16.StartTransactionRequest) (id int, repeat bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	content := content16(x)
	for _, k := range l.order {
		e := l.txs[k]
		if k.station != station || e.seen == nil {
			continue
		}
		if _, same := e.seen[content]; same {
			id, _ = strconv.Atoi(k.transaction)
			e.again(content)
			return id, true
		}
		if e.tx.EVSE == x.ConnectorID && !e.over {
			l.faultLocked(station, "connector %d begins while transaction %s is open there", x.ConnectorID, k.transaction)
		}
	}
	l.numbers++
	id = l.numbers
	if len(l.order) >= MaxTransactions {
		l.faultLocked(station, "more than %d transactions", MaxTransactions)
		return id, false
	}
	k := key{station, strconv.Itoa(id)}
	e := &entry{tx: Transaction{Station: station, ID: k.transaction, EVSE: x.ConnectorID, Connector: 1}, events: map[int]*Event{}, seen: map[string]int{}}
	l.txs[k] = e
	l.order = append(l.order, k)
	l.book16(e, content, &Event{Type: msg2.TransactionEventStarted, At: x.Timestamp, token: x.IdTag, Energy: wattHours(x.MeterStart)})
	return id, false
}

// values16 books the values of a transaction.
func (l *Ledger) values16(station string, x *msg16.MeterValuesRequest) (repeat bool) {
	id, of := x.TransactionID.Get()
	if !of {
		return false
	}
	ev := &Event{Type: msg2.TransactionEventUpdated}
	for i := range x.MeterValue {
		ev.At = x.MeterValue[i].Timestamp
		for j := range x.MeterValue[i].SampledValue {
			if r, ok := register16(&x.MeterValue[i].SampledValue[j]); ok {
				ev.Energy = msg2.Some(r)
			}
		}
	}
	return l.enter16(station, "MeterValues", id, content16(x), ev)
}

// stop16 books an end.
func (l *Ledger) stop16(station string, x *msg16.StopTransactionRequest) (repeat bool) {
	return l.enter16(station, "StopTransaction", x.TransactionID, content16(x), &Event{Type: msg2.TransactionEventEnded, At: x.Timestamp,
		Energy: wattHours(x.MeterStop), reason: string(cmp.Or(x.Reason, msg16.ReasonLocal))})
}

func (l *Ledger) enter16(station, action string, id int, content string, ev *Event) (repeat bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.txs[key{station, strconv.Itoa(id)}]
	if e == nil {
		l.faultLocked(station, "%s of transaction %d, which never began", action, id)
		return false
	}
	if _, same := e.seen[content]; same {
		e.again(content)
		return true
	}
	l.book16(e, content, ev)
	return false
}

// book16 enters an event; the ledger is locked.
func (l *Ledger) book16(e *entry, content string, ev *Event) {
	if l.events++; l.events > MaxEvents {
		l.faultLocked(e.tx.Station, "more than %d transaction events", MaxEvents)
		return
	}
	ev.SeqNo, ev.Arrivals, ev.Taken, ev.version, ev.payload = len(e.events), 1, true, rpc.V16, content
	e.events[ev.SeqNo], e.seen[content] = ev, ev.SeqNo
	e.over = e.over || ev.Type == msg2.TransactionEventEnded
}

// again counts a message that came once more.
func (e *entry) again(content string) {
	e.events[e.seen[content]].Arrivals++
	e.tx.Repeats++
}

// content16 is what a message says, in one spelling.
func content16(m msg16.Message) string {
	b, err := msg16.AppendJSON(nil, m)
	if err != nil {
		return msg16.Action(m) + err.Error() // decoded from JSON, so it never fails
	}
	return msg16.Action(m) + string(b)
}

func wattHours(n int) msg2.Opt[Energy] { return msg2.Some(Energy(n) * unit.WattHour) }

// register16 returns the total import register of a sampled value, rounded down to watt-hours.
func register16(s *msg16.SampledValue) (unit.Energy, bool) {
	if s.Measurand != "" && s.Measurand != msg16.MeasurandEnergyActiveImportRegister || s.Phase != "" || s.Format == msg16.ValueFormatSignedData {
		return 0, false
	}
	d, err := rpc.ParseDecimal(s.Value)
	if err != nil {
		return 0, false
	}
	digits := 3 // mWh
	if s.Unit == msg16.UnitOfMeasureKWh {
		digits += 3
	}
	v, ok := d.Units(digits)
	return unit.Energy(v) / unit.WattHour * unit.WattHour, ok
}
