package main

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/storage"
)

// books are what the CSMS knows of transactions, and what the station promised it would hear (I4, I5). Closed accounts are
// forgotten, so that a year takes no more room than a day.
type books struct {
	s      *sim
	open   map[string]*account
	order  []string // of open, by their first event
	meters []meterAccount
	recent []told // the newest events, a ring
	at     int
	seed   maphash.Seed
	since  int // transactions up to this number are not judged: the device lied

	promised map[promise]bool   // events that were made durable and have not arrived
	events   map[string]int     // kept reports of no transaction that were made durable and have not arrived, by keyOf
	waiting  []numbered         // handed to the store, not durable yet
	gaps     map[promise]bool   // numbers that were passed over and want an excuse
	dead     map[promise]bool   // events of open accounts that the CSMS refused to the last attempt
	closed   map[string]closing // the newest accounts that were closed
	closings []string           // of closed, oldest first
}

// account is one transaction.
type account struct {
	id        string
	evse      int
	next      int // the number that is owed
	started   bool
	ended     bool
	has       bool
	begin     unit.Energy
	last      unit.Energy
	late      bool        // its begin was not told yet
	prev      unit.Energy // register of its EVSE before it, if so
	remote    int
	hasRemote bool
}

// meterAccount is what was billed of one EVSE.
type meterAccount struct {
	billed  unit.Energy
	last    unit.Energy // register in the newest event of any transaction
	excused bool        // the CSMS has refused what would have told the rest
	unsure  unit.Energy // what was not billed, and excused
}

type closing struct{ next int }

// promise is an event that was made durable.
type promise struct {
	id  string
	seq int
}

type numbered struct {
	n    uint64
	p    promise
	told string // which report of no transaction it is; "": none
}

// told is an event as it came.
type told struct {
	p       promise
	version rpc.Version
	sum     uint64
}

// memory is how many events are remembered to compare repetitions with: one that comes again after more is none that a lost
// acknowledgement explains.
const memory = 256

// remembered is how many closed accounts are known, so that a late event is told from a new transaction.
const remembered = 64

func newBooks(s *sim) *books {
	return &books{s: s, open: map[string]*account{}, meters: make([]meterAccount, len(s.plan.evses)+1), recent: make([]told, memory), seed: maphash.MakeSeed(),
		promised: map[promise]bool{}, events: map[string]int{}, gaps: map[promise]bool{}, dead: map[promise]bool{}, closed: map[string]closing{}}
}

// appended notes what the store was handed.
func (b *books) appended(n uint64, batch []station.Record) {
	for i := range batch {
		r := &batch[i]
		switch {
		case r.Bucket == station.BucketDeadLetter && r.Value != nil:
			b.s.count.deadLetters++
			b.deadLetter(r.Value)
		case r.Bucket != station.BucketOutbox || r.Value == nil:
		default:
			h, _, err := station.ParseOutboxHeader(r.Value)
			if err != nil {
				b.s.broken("I4", "an outbox entry without a header: %v", err)
				return
			}
			w := numbered{n: n, p: promise{string(h.Transaction), h.SeqNo}}
			if h.Phase == station.PhaseNone {
				w.told = b.keyOf(r.Key, r.Value)
			}
			b.waiting = append(b.waiting, w)
			if h.Phase == station.PhaseEnded {
				b.s.csms.limits.ending(w.p.id)
			}
		}
	}
}

// keyOf tells a kept report of no transaction from others.
func (b *books) keyOf(key string, value []byte) string {
	if id, err := station.ParseReportID(key); err == nil {
		rep, err := station.DecodeReport(id, value)
		switch body := rep.Body.(type) {
		case station.SecurityEvent:
			return body.Type + " " + body.At.UTC().Format(time.RFC3339Nano)
		case station.ReservationStatus:
			return reservationKey(body.ID)
		}
		b.s.broken("I4", "a kept report that cannot be read: %v: %q", err, value)
	}
	return ""
}

// reservationKey stands for the end of a reservation, whatever the word for it.
func reservationKey(id int) string { return "reservation " + strconv.Itoa(id) }

// deadLetter excuses an event that the CSMS refused to the last attempt.
func (b *books) deadLetter(value []byte) {
	h, _, err := station.ParseOutboxHeader(value)
	if err != nil {
		return
	}
	p := promise{string(h.Transaction), h.SeqNo}
	b.s.check.refused(p)
	delete(b.promised, p)
	delete(b.gaps, p)
	if h.Phase == station.PhaseNone {
		b.heard(b.keyOf(station.ReportID(1).Key(), value))
		return
	}
	b.dead[p] = true
	for i := range b.meters {
		b.meters[i].excused = true
	}
	b.waiting = slices.DeleteFunc(b.waiting, func(w numbered) bool { return w.p == p })
	if h.Phase == station.PhaseEnded {
		b.finish(p.id)
	}
}

// durable turns what was handed over up to n into promises.
func (b *books) durable(n uint64) {
	i := 0
	for ; i < len(b.waiting) && b.waiting[i].n <= n; i++ {
		w := &b.waiting[i]
		if w.told != "" {
			b.events[w.told]++
		} else if !b.arrived(w.p) && !b.deceit(w.p.id) {
			b.promised[w.p] = true
		}
	}
	b.waiting = b.waiting[:copy(b.waiting, b.waiting[i:])]
}

// gone forgets what was never durable: nobody was promised anything.
func (b *books) gone() { b.waiting = b.waiting[:0] }

// deceived forgets every promise and every open account: a device that lies has lost what it called durable, and no station can
// know what it has told.
func (b *books) deceived() {
	b.s.csms.limits.deceived()
	b.s.csms.reservations.haunted = true
	b.s.csms.reservations.spoil(0)
	clear(b.promised)
	clear(b.events)
	clear(b.gaps)
	clear(b.dead)
	clear(b.open)
	b.order = b.order[:0]
	b.since = b.s.ids
	for i := range b.meters {
		b.meters[i].excused = true
	}
}

// deceit reports whether an event belongs to a transaction from before the device lied.
func (b *books) deceit(id string) bool {
	var n int
	_, err := fmt.Sscanf(id, "tx-%d", &n)
	return err == nil && n <= b.since
}

func (b *books) arrived(p promise) bool {
	if b.dead[p] {
		return true
	}
	if a := b.open[p.id]; a != nil {
		return p.seq < a.next
	}
	c, ok := b.closed[p.id]
	return ok && p.seq < c.next
}

// heard takes a report of no transaction.
func (b *books) heard(key string) {
	switch n := b.events[key]; {
	case n > 1:
		b.events[key] = n - 1
	case n == 1:
		delete(b.events, key)
	}
}

// enter books a transaction event (I4, I5).
func (b *books) enter(x *msg2.TransactionEventRequest, payload string, v rpc.Version) {
	p := promise{strings.Clone(x.TransactionInfo.TransactionID), x.SeqNo}
	if b.deceit(p.id) {
		if x.EventType == msg2.TransactionEventEnded {
			b.s.csms.limits.closed(p.id)
		}
		for i := range b.meters {
			b.meters[i].excused = true
		}
		return
	}
	sum := maphash.String(b.seed, payload)
	if b.again(p, sum, v) {
		b.s.count.repeats++
		return
	}
	if c, ok := b.closed[p.id]; ok {
		b.s.broken("I4", "event %d of %s came after it had ended with %d", p.seq, p.id, c.next-1)
		return
	}
	b.s.count.events++
	b.recent[b.at] = told{p, v, sum}
	b.at = (b.at + 1) % memory
	delete(b.promised, p)
	a := b.account(p)
	if p.seq < a.next && !b.gaps[p] {
		b.s.broken("I4", "event %d of %s came again after more than %d others", p.seq, p.id, memory)
		return
	}
	delete(b.gaps, p)
	for ; a.next < p.seq; a.next++ {
		if gap := (promise{p.id, a.next}); !b.dead[gap] {
			b.gaps[gap] = true
		}
	}
	a.next = max(a.next, p.seq+1)
	b.note(a, x)
	if a.ended {
		b.finish(p.id)
	}
}

// again tells a repetition, which has to say what was said before.
func (b *books) again(p promise, sum uint64, v rpc.Version) bool {
	for i := range b.recent {
		t := &b.recent[i]
		if t.p != p {
			continue
		}
		if t.version == v && t.sum != sum {
			b.s.broken("I4", "event %d of %s came again with other content", p.seq, p.id)
		}
		return true
	}
	return false
}

func (b *books) account(p promise) *account {
	a := b.open[p.id]
	if a == nil {
		a = &account{id: p.id}
		b.open[p.id] = a
		b.order = append(b.order, p.id)
		b.s.count.transactions++
	}
	return a
}

// note takes what an event says to its account.
func (b *books) note(a *account, x *msg2.TransactionEventRequest) {
	first := !a.started && a.next == 1
	switch {
	case x.EventType == msg2.TransactionEventStarted && x.SeqNo != 0:
		b.s.broken("I4", "%s began with number %d", a.id, x.SeqNo)
	case x.EventType != msg2.TransactionEventStarted && x.SeqNo == 0:
		b.s.broken("I4", "%s: number 0 is %s", a.id, x.EventType)
	case a.ended:
		b.s.broken("I4", "%s: number %d after the end", a.id, x.SeqNo)
	}
	a.started = a.started || x.EventType == msg2.TransactionEventStarted
	a.ended = x.EventType == msg2.TransactionEventEnded
	if x.TransactionInfo.RemoteStartID.Has {
		a.remote, a.hasRemote = x.TransactionInfo.RemoteStartID.V, true
		b.s.check.remoteStarted(a.remote)
		b.s.csms.limits.began(a.remote, a.id, x.EVSE.V.ID, a.ended)
	}
	if x.ReservationID.Has {
		b.s.csms.reservations.used(x.ReservationID.V, x)
	}
	if x.TriggerReason == msg2.TriggerReasonTxResumed {
		b.s.count.resumed++
	}
	if x.EVSE.Has {
		if a.evse != 0 && a.evse != x.EVSE.V.ID {
			b.s.broken("I14", "%s moved from EVSE %d to %d", a.id, a.evse, x.EVSE.V.ID)
		}
		a.evse = x.EVSE.V.ID
	}
	for i := range x.MeterValue {
		for j := range x.MeterValue[i].SampledValue {
			if r, ok := register(&x.MeterValue[i].SampledValue[j]); ok {
				b.s.count.samples++
				b.register(a, r, &x.MeterValue[i].SampledValue[j])
			}
		}
	}
	if first && a.evse != 0 && len(x.MeterValue) == 0 && a.has {
		b.s.broken("I5", "%s has a register before its first value", a.id)
	}
}

// register checks one value of an import register (I5). Values of an Ended event that were taken during the transaction may
// be lower than those that were told since.
func (b *books) register(a *account, r unit.Energy, v *msg2.SampledValue) {
	if a.ended && v.Context != msg2.ReadingContextTransactionEnd {
		if v.Context == msg2.ReadingContextTransactionBegin {
			b.beginOfEnded(a, r)
		}
		return
	}
	if a.evse == 0 {
		b.s.broken("I5", "%s tells a register and no EVSE", a.id)
		return
	}
	m := &b.meters[a.evse]
	switch {
	case a.has:
	case b.gapped(a.id): // what told the begin may have been thinned: the Ended event tells it again
		a.late, a.prev = true, m.last
		m.unsure += max(r-m.last, 0)
		a.has, a.begin, a.last, m.last = true, r, r, max(m.last, r)
		return
	default:
		a.has, a.begin, a.last = true, r, r
		b.bill(m, a, m.last, r)
		m.last = r
		return
	}
	if r < a.last {
		b.s.broken("I5", "%s: the register fell from %d to %d mWh", a.id, a.last, r)
	}
	m.billed += r - a.last
	a.last, m.last = r, max(m.last, r)
}

// beginOfEnded takes the value of the begin that an Ended event tells again, where nothing else has told it.
func (b *books) beginOfEnded(a *account, r unit.Energy) {
	m := &b.meters[a.evse]
	switch {
	case !a.has:
		a.has, a.begin, a.last = true, r, r
		b.bill(m, a, m.last, r)
		m.last = max(m.last, r)
	case a.late:
		a.late = false
		m.unsure -= a.begin - max(r, a.prev)
		m.billed += a.begin - max(r, a.prev)
		a.begin = r
		m.unsure -= max(r-a.prev, 0) // bill adds it again
		b.bill(m, a, a.prev, r)
	}
}

// gapped tells whether numbers of a transaction were passed over.
func (b *books) gapped(id string) bool {
	for p := range b.gaps {
		if p.id == id {
			return true
		}
	}
	return false
}

// bill checks that nothing flowed between two transactions of an EVSE: the next begins where the one before ended.
func (b *books) bill(m *meterAccount, a *account, last, r unit.Energy) {
	if r < last {
		b.s.broken("I5", "EVSE %d: %s begins at %d mWh, and the one before ended at %d", a.evse, a.id, r, last)
	}
	if free := r - last; free > 0 {
		m.unsure += free
		if !m.excused && b.s.plan.kinds&kindBoard == 0 {
			b.s.broken("I5", "EVSE %d: %v flowed between the transaction before and %s", a.evse, free, a.id)
		}
	}
	m.excused = false
}

// register returns the total import register of a sampled value, in mWh.
func register(s *msg2.SampledValue) (unit.Energy, bool) {
	if s.Measurand != "" && s.Measurand != msg2.MeasurandEnergyActiveImportRegister || s.Phase != "" {
		return 0, false
	}
	digits := 3
	if u, ok := s.UnitOfMeasure.Get(); ok {
		if u.Unit.Or("Wh") == "kWh" {
			digits += 3
		}
		digits += u.Multiplier.Or(0)
	}
	v, ok := s.Value.Units(digits)
	return unit.Energy(v), ok
}

// finish closes an account.
func (b *books) finish(id string) {
	next := 0
	if a := b.open[id]; a != nil {
		next = a.next
	}
	delete(b.open, id)
	b.s.csms.limits.closed(id)
	maps.DeleteFunc(b.dead, func(p promise, _ bool) bool { return p.id == id })
	b.order = slices.DeleteFunc(b.order, func(o string) bool { return o == id })
	b.closed[id] = closing{next}
	if b.closings = append(b.closings, id); len(b.closings) > remembered {
		delete(b.closed, b.closings[0])
		b.closings = slices.Delete(b.closings, 0, 1)
	}
}

// forgive strikes out what the store itself has noted as dropped to keep its bounds (E04.FR.08).
func (b *books) forgive(store *storage.Store) {
	for _, id := range store.ThinnedTransactions() {
		seqs, err := store.Thinned(id)
		if err != nil {
			return
		}
		for _, n := range seqs {
			p := promise{id, n}
			if b.gaps[p] || b.promised[p] {
				b.s.count.thinned++
			}
			delete(b.gaps, p)
			delete(b.promised, p)
		}
	}
}

// owed lists what was promised and has neither come nor an excuse, sorted.
func (b *books) owed() []promise {
	var out []promise
	for p := range b.promised {
		out = append(out, p)
	}
	for p := range b.gaps {
		out = append(out, p)
	}
	slices.SortFunc(out, func(x, y promise) int { return cmp.Or(strings.Compare(x.id, y.id), cmp.Compare(x.seq, y.seq)) })
	return out
}
