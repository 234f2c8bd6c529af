package stationtest

import (
	"fmt"
	"strings"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/term"
	"github.com/evsed/evsed/station/transaction"
)

// check holds every step against the invariants of a charging station. The first break is kept; Bench.Err tells it.
type check struct {
	err      error
	permits  map[term.Ref]term.Permit // what the station has allowed since its start
	running  map[term.TransactionID]running
	next     map[term.TransactionID]int // next sequence number
	register map[term.TransactionID]unit.Energy
	asked    map[station.RequestID]bool
	profiles profiles
	promises promises
	looked   time.Duration                      // when the permits were last held against the profiles
	unsigned bool                               // energy may flow that the meters do not count: the scenario says so
	moved    bool                               // the wall clock was set: later need not look later
	views    map[term.Ref]station.ConnectorView // told last
}

type running struct {
	evse term.EVSEID
}

func (c *check) init() {
	c.next = map[term.TransactionID]int{}
	c.running = map[term.TransactionID]running{}
	c.register = map[term.TransactionID]unit.Energy{}
	c.asked = map[station.RequestID]bool{}
	c.permits = map[term.Ref]term.Permit{}
	c.promises.init()
	c.views = map[term.Ref]station.ConnectorView{}
	c.profiles.init()
}

func (c *check) fail(b *Bench, format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf("%s: "+format, append([]any{b.stamp()}, args...)...)
	}
}

// Err returns the first invariant that was broken.
func (b *Bench) Err() error { return b.check.err }

// lostPower forgets what the power cut took: permits, requests, and sequence numbers that were never durable.
func (c *check) lostPower() {
	c.permits = map[term.Ref]term.Permit{}
	c.views = map[term.Ref]station.ConnectorView{}
	c.asked = map[station.RequestID]bool{}
	c.promises.lostPower()
}

// booted reads from the store what runs: a transaction whose record was lost has never been.
func (c *check) booted(b *Bench) {
	c.running = map[term.TransactionID]running{}
	c.next = map[term.TransactionID]int{}
	for k, v := range b.store.durable {
		if k.bucket != station.BucketOutbox {
			continue
		}
		if h, _, err := station.ParseOutboxHeader(v); err == nil && h.Phase != station.PhaseNone {
			c.next[h.Transaction] = max(c.next[h.Transaction], h.SeqNo+1)
		}
	}
	for tx, events := range b.csms.heard {
		for seq := range events {
			c.next[tx] = max(c.next[tx], seq+1)
		}
	}
	c.profiles.init()
	for k, v := range b.store.durable {
		if k.bucket == station.BucketTransaction {
			c.running[term.TransactionID(k.key)] = running{}
		}
		c.remember(b, station.Record{Bucket: k.bucket, Key: k.key, Value: v})
	}
}

// remember follows the records of profiles and of the sessions that they are for.
func (c *check) remember(b *Bench, r station.Record) {
	switch r.Bucket {
	case station.BucketProfile:
		if delete(c.profiles.list, r.Key); r.Value == nil || strings.HasPrefix(r.Key, "start/") {
			return
		}
		in, err := station.DecodeProfile(r.Value)
		if err != nil {
			c.fail(b, "profile %s: %v", r.Key, err)
		}
		c.profiles.list[r.Key] = in
	case station.BucketTransaction:
		if delete(c.profiles.txs, term.TransactionID(r.Key)); r.Value == nil {
			return
		}
		tx, err := transaction.Unmarshal(r.Value)
		if err != nil {
			c.fail(b, "transaction %s: %v", r.Key, err)
			return
		}
		c.profiles.txs[tx.ID] = session{tx.Ref.EVSE, tx.Ready}
	}
}

// limits: at no moment may an EVSE offer more than the profiles allow, nor all of them together more than the station
// may have. at is a moment in which the permits are in force.
func (c *check) limits(b *Bench, at time.Time) {
	if len(c.profiles.list) == 0 || !b.Station.Model().Bool(model.SmartChargingEnabled) || b.offset != 0 || b.rtc != 0 || c.moved {
		return // the station may know another time of day than the onlooker
	}
	sum := unit.Current(0)
	for ref, p := range c.permits {
		if !p.Close {
			continue
		}
		sum += p.Max
		if most := c.profiles.least(ref.EVSE, at); most >= 0 && p.Max > most {
			c.fail(b, "%s may draw %d mA, its profiles allow %d at %s", ref, p.Max, most, at.Format("15:04:05.000"))
		}
	}
	if most := c.profiles.least(0, at); most >= 0 && sum > most {
		c.fail(b, "all may draw %d mA, the station's profile allows %d at %s", sum, most, at.Format("15:04:05.000"))
	}
}

func (c *check) event(b *Bench, ev station.Event) {
	if b.t != c.looked { // what was allowed until now
		c.limits(b, b.wall().Add(-time.Millisecond))
	}
	switch ev := ev.(type) {
	case station.RequestReceived:
		c.asked[ev.ID] = true
		c.promises.request(ev)
	case station.ClockSet:
		c.moved = true
	}
}

func (c *check) output(b *Bench, o station.Output) {
	for _, r := range o.Records {
		c.remember(b, r)
	}
	for _, p := range o.Cut {
		if was, ok := c.permits[p.Ref]; ok && (p.Close && !was.Close || p.Max > was.Max) {
			c.fail(b, "cut of %s raises: %+v after %+v", p.Ref, p, was)
		}
		c.permits[p.Ref] = p
	}
	for _, r := range o.Reports {
		switch body := r.Body.(type) {
		case *station.TransactionEvent:
			c.transaction(b, r, body, o)
		case station.StatusNotification:
			c.status(b, body)
		}
	}
	for _, p := range o.Permits {
		if p.Close {
			c.energy(b, p)
		}
		c.permits[p.Ref] = p
	}
	c.limits(b, b.wall())
	c.looked = b.t
	if !o.Deadline.IsZero() && o.Deadline.Before(b.mono()) {
		c.fail(b, "deadline %s in the past", b.mono().Sub(o.Deadline))
	}
}

// status: each one rests on the one before or on nothing, and says something new.
func (c *check) status(b *Bench, n station.StatusNotification) {
	none := station.ConnectorView{}
	if n.Was == n.ConnectorView || n.Was != none && n.Was != c.views[n.Ref] {
		c.fail(b, "status of %s: %+v after %+v, and %+v was told", n.Ref, n.ConnectorView, n.Was, c.views[n.Ref])
	}
	c.views[n.Ref] = n.ConnectorView
}

// energy: nothing flows before a transaction is on record, but where only the flow itself starts one.
func (c *check) energy(b *Bench, p term.Permit) {
	if b.Station.Model().Has(model.TxStartPoint, "EnergyTransfer") {
		return
	}
	for _, r := range c.running {
		if r.evse == p.Ref.EVSE {
			return
		}
	}
	c.fail(b, "energy allowed at %s without a transaction", p.Ref)
}

func (c *check) transaction(b *Bench, r station.Report, ev *station.TransactionEvent, o station.Output) {
	if want := c.next[ev.Transaction]; ev.SeqNo != want {
		c.fail(b, "%s: seqNo %d, want %d", ev.Transaction, ev.SeqNo, want)
	}
	c.next[ev.Transaction] = ev.SeqNo + 1
	if (ev.Phase == station.PhaseStarted) != (ev.SeqNo == 0) {
		c.fail(b, "%s: phase %d with seqNo %d", ev.Transaction, ev.Phase, ev.SeqNo)
	}
	was, runs := c.running[ev.Transaction]
	if ev.Phase != station.PhaseStarted && !runs {
		c.fail(b, "%s: phase %d of a transaction that does not run", ev.Transaction, ev.Phase)
	}
	if ev.Phase == station.PhaseEnded {
		delete(c.running, ev.Transaction)
	} else {
		if ev.Ref.EVSE != 0 {
			was.evse = ev.Ref.EVSE
		}
		c.running[ev.Transaction] = was
		for id, o := range c.running {
			if id != ev.Transaction && o.evse != 0 && o.evse == was.evse {
				c.fail(b, "%s and %s both run at EVSE %d", id, ev.Transaction, was.evse)
			}
		}
	}
	c.registers(b, ev)
	recorded := false
	for _, rec := range o.Records {
		recorded = recorded || rec.Bucket == station.BucketOutbox && rec.Key == r.ID.Key()
	}
	if !recorded {
		c.fail(b, "%s: event %d is not in the outbox", ev.Transaction, ev.SeqNo)
	}
	if ev.Phase != station.PhaseUpdated && !o.MustSync {
		c.fail(b, "%s: start or end owes no sync", ev.Transaction)
	}
}

// registers never fall within a transaction, in the order in which they are told: but for the values that an Ended event
// collected, which were measured before.
func (c *check) registers(b *Bench, ev *station.TransactionEvent) {
	last := time.Time{}
	for _, v := range ev.Values {
		if v.At.Before(last) && b.offset == 0 && b.rtc == 0 && !c.moved {
			c.fail(b, "%s: values of event %d go back in time", ev.Transaction, ev.SeqNo)
		}
		last = v.At
		for _, sv := range v.Sampled {
			if sv.Measurand != term.EnergyActiveImportRegister {
				continue
			}
			if e := unit.Energy(sv.Value); ev.Phase != station.PhaseEnded || sv.Context == term.TransactionEnd {
				if was, known := c.register[ev.Transaction]; known && e < was {
					c.fail(b, "%s: register %d after %d", ev.Transaction, e, was)
				}
				c.register[ev.Transaction] = e
			}
		}
	}
}

func (c *check) response(b *Bench, r station.Response) {
	if !c.asked[r.ID] {
		c.fail(b, "response %d to nothing, or a second one", r.ID)
	}
	delete(c.asked, r.ID)
	c.promises.answered(b, r)
	if (r.Body == nil) == (r.Error == nil) {
		c.fail(b, "response %d: want a body or an error", r.ID)
	}
}

// delivered notes what the CSMS heard; the same number again must be the same message.
func (c *check) delivered(b *Bench, r station.Report) {
	if st, ok := r.Body.(station.FirmwareStatus); ok {
		b.fw.heard(b, r, st)
	}
	c.promises.heard(b, r.Body)
	ev, ok := r.Body.(*station.TransactionEvent)
	if !ok {
		return
	}
	heard := b.csms.heard[ev.Transaction]
	if heard == nil {
		heard = map[int]event{}
		b.csms.heard[ev.Transaction] = heard
	}
	raw := string(station.EncodeReport(r))
	if old, ok := heard[ev.SeqNo]; ok && old.raw != raw {
		c.fail(b, "%s: event %d told twice with different content", ev.Transaction, ev.SeqNo)
	}
	heard[ev.SeqNo] = event{ev, raw}
}

// Settled checks what must hold at the end of a story, when every car is gone and the CSMS has heard everything: each
// transaction has one Started, one Ended and no gap.
func (b *Bench) Settled() error {
	if b.check.err != nil {
		return b.check.err
	}
	if n := b.store.outbox(); n > 0 {
		return fmt.Errorf("%d messages still wait", n)
	}
	if n := len(b.check.asked); n > 0 {
		return fmt.Errorf("%d requests without an answer", n)
	}
	for k := range b.store.durable {
		if k.bucket == station.BucketTransaction {
			return fmt.Errorf("transaction %s never ended", k.key)
		}
	}
	for tx, events := range b.csms.heard {
		if _, err := b.settled(events); err != nil {
			return fmt.Errorf("%s: %w", tx, err)
		}
	}
	return b.check.promises.settled(b)
}

// Billed checks that the CSMS knows every watt-hour, by the first and the last register of each transaction. It holds
// for stories in which the meters answer.
func (b *Bench) Billed() error {
	billed := unit.Energy(0)
	for _, events := range b.csms.heard {
		e, err := b.settled(events)
		if err == nil && e > 0 {
			err = b.signedFor(events[len(events)-1].body, e)
		}
		if err != nil {
			return err
		}
		billed += e
	}
	flowed := unit.Energy(0)
	for _, m := range b.meters {
		m.integrate(b)
		flowed += m.energy
	}
	if billed != flowed {
		return fmt.Errorf("%d mWh flowed, the CSMS knows of %d", flowed, billed)
	}
	return nil
}

// settled checks one transaction and returns its energy by its first and last register.
func (b *Bench) settled(events map[int]event) (unit.Energy, error) {
	first, last, have := unit.Energy(0), unit.Energy(0), false
	for seq := range len(events) {
		ev, ok := events[seq]
		if !ok {
			return 0, fmt.Errorf("event %d is missing", seq)
		}
		want := station.PhaseUpdated
		switch seq {
		case 0:
			want = station.PhaseStarted
		case len(events) - 1:
			want = station.PhaseEnded
		}
		if ev.body.Phase != want {
			return 0, fmt.Errorf("event %d has phase %d, want %d", seq, ev.body.Phase, want)
		}
		for _, v := range ev.body.Values {
			for _, sv := range v.Sampled {
				if sv.Measurand != term.EnergyActiveImportRegister {
					continue
				}
				if !have {
					first, have = unit.Energy(sv.Value), true
				}
				first, last = min(first, unit.Energy(sv.Value)), max(last, unit.Energy(sv.Value))
			}
		}
	}
	return last - first, nil
}
