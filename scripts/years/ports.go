package main

import (
	"context"
	"errors"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/ocpp/link"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/guard"
	"github.com/evsed/evsed/station/run"
	"github.com/evsed/evsed/station/term"
	"github.com/evsed/evsed/storage"
)

// ---- The journal: what storage.Writer is on its goroutine, at once ----

// Append implements run.Journal.
func (s *sim) Append(batch []station.Record, sync bool) (uint64, error) {
	if s.dead {
		return 0, errDead
	}
	err := s.store.Note(batch)
	switch {
	case errors.Is(err, storage.ErrBacklog), errors.Is(err, storage.ErrOutboxFull), errors.Is(err, storage.ErrTooLarge), errors.Is(err, storage.ErrClosed):
		return 0, err
	case s.files.Off():
		s.dead = true
		return 0, errDead
	}
	s.appended++
	s.check.appended(s.appended, batch)
	s.trace.begin(s.since(), "append")
	s.trace.num(int64(s.appended))
	s.trace.flag(sync)
	for i := range batch {
		s.trace.num(int64(batch[i].Bucket))
		s.trace.str(batch[i].Key)
		s.trace.num(int64(len(batch[i].Value)))
	}
	s.trace.end()
	if sync {
		s.flush()
	}
	s.stored()
	return s.appended, nil
}

// flush makes durable what the store has taken, if its device lets it.
func (s *sim) flush() {
	err := s.store.Commit(nil)
	if s.files.Off() {
		s.dead = true
		return
	}
	if err != nil {
		return
	}
	n := s.appended
	s.check.durable(n)
	if s.slow == 0 {
		s.durable = n
		return
	}
	s.in(s.slow, func() {
		s.durable = max(s.durable, n)
		s.runner.Handle(s.now, nil)
	})
}

// DurableTo implements run.Journal.
func (s *sim) DurableTo() uint64 { return s.durable }

// stored tells the core how the store is.
func (s *sim) stored() {
	if s.dead {
		return
	}
	for _, f := range s.store.Findings()[s.found:] {
		s.found++
		s.check.found(f)
		s.inbox = append(s.inbox, station.StorageFound{Code: f.Code, Text: f.String()})
	}
	if code := s.store.State().Code; code != s.told {
		s.told = code
		s.inbox = append(s.inbox, station.StorageChanged{Code: code})
	}
}

// tick gives the store the time.
func (s *sim) tick() {
	was := s.store.State().Code
	s.store.Tick(s.now)
	if s.files.Off() {
		s.dead = true
		return
	}
	if s.store.State().Code == "" && (was != "" || s.durable < s.appended) {
		s.flush()
	}
	s.stored()
	if !s.dead {
		s.runner.Retry()
		s.runner.Handle(s.now, nil)
	}
}

// ---- The guard ----

// guardPort sees what the guard is told.
type guardPort struct{ s *sim }

func (g guardPort) Permit(p term.Permit) bool {
	s := g.s
	s.permits[p.Ref] = p
	s.trace.begin(s.since(), "permit")
	s.trace.ref(int64(p.Ref.EVSE), int64(p.Ref.Connector))
	s.trace.flag(p.Close)
	s.trace.num(int64(p.Max))
	s.trace.flag(p.Lock)
	s.trace.flag(p.Fail)
	s.trace.end()
	s.check.permit(p)
	s.watched = s.now.Add(watchFor)
	s.guardSoon(s.jitter())
	if s.liars.permit != nil {
		p = s.liars.permit(p)
	}
	return s.pipe.Permit(p)
}

func (g guardPort) Meter(e term.EVSEID, m guard.MeterSummary) bool {
	g.s.guardSoon(0)
	return g.s.pipe.Meter(e, m)
}

func (g guardPort) Heartbeat() { g.s.pipe.Heartbeat() }

// closeLook is how often the guard looks while the world is watched closely.
const closeLook = 250 * time.Millisecond

// cycle lets the guard look. The loop's heartbeat comes as often as the guard looks.
func (s *sim) cycle() {
	if s.runner.Energised() {
		s.pipe.Heartbeat()
	}
	s.guardAt = s.now.Add(s.guard.Cycle(s.now))
	s.worldAt = time.Time{}
	if s.now.Before(s.watched) {
		s.guardSoon(closeLook)
	}
	s.notices = s.pipe.Take(s.notices[:0])
	for _, n := range s.notices {
		s.inbox = append(s.inbox, run.EventOf(n))
	}
}

// ---- The board ----

// PollMeter implements run.Board.
func (s *sim) PollMeter(e term.EVSEID) {
	s.in(10*time.Millisecond, func() { s.readMeter(e) })
}

// MeterRate implements run.Board.
func (s *sim) MeterRate(e term.EVSEID, every time.Duration) {
	i := int(e) - 1
	s.rate[i] = every
	if s.turn[i] = (time.Time{}); every > 0 {
		s.turn[i] = s.now.Add(every)
	}
}

// meters reads what is due. While nothing else happens, readings in which only the register has moved are left out.
func (s *sim) meters() {
	for i := range s.turn {
		if s.turn[i].IsZero() || s.turn[i].After(s.now) {
			continue
		}
		wait := s.rate[i]
		if !s.now.Before(s.watched) {
			wait = max(wait, s.plan.cruise)
		}
		s.turn[i] = s.now.Add(wait)
		s.readMeter(s.plan.evses[i].ID)
	}
}

func (s *sim) readMeter(e term.EVSEID) {
	m, err := s.world.Meter(e)
	if err != nil {
		s.broken("I0", "meter of EVSE %d: %v", e, err)
		return
	}
	r, err := m.Read(context.Background())
	if err != nil {
		return // a meter that does not answer delivers nothing
	}
	s.trace.begin(s.since(), "meter")
	s.trace.num(int64(e))
	s.trace.num(int64(r.Import))
	s.trace.end()
	s.runner.Meter(s.now, e, r)
}

// Indicate implements run.Board.
func (s *sim) Indicate(ref term.Ref, in hal.Indication) {
	s.trace.begin(s.since(), "light")
	s.trace.ref(int64(ref.EVSE), int64(ref.Connector))
	s.trace.num(int64(in))
	s.trace.end()
}

// ---- The host ----

// Answer implements run.Host.
func (s *sim) Answer(station.Response) {}

// Reconfigure implements run.Host.
func (s *sim) Reconfigure() { s.linked(s.engine.Configure(s.now, s.linkConfig())) }

// Reboot implements run.Host: once the queue is empty, or flush has passed.
func (s *sim) Reboot(flush time.Duration) {
	if s.leaving {
		return
	}
	s.leaving = true
	until := s.now.Add(flush)
	var look func()
	look = func() {
		if s.now.Before(until) && (s.runner.Waiting() > 0 || s.engine.Pending() > 0 || s.store.OutboxLen() > 0) {
			s.in(50*time.Millisecond, look)
			return
		}
		s.reboot()
	}
	s.in(50*time.Millisecond, look)
}

// ---- The link ----

// outbox lets the engine read the store.
type outbox struct{ s *sim }

func (o outbox) Head(after string, most int) ([]link.Entry, error) {
	es, err := o.s.store.Head(after, most)
	out := make([]link.Entry, 0, len(es))
	for _, e := range es {
		if hide := o.s.liars.outbox; hide == nil || hide(link.Entry(e)) {
			out = append(out, link.Entry(e))
		}
	}
	return out, err
}

// linkPort is the link: the product's engine, whose frames the wire carries.
type linkPort struct{ s *sim }

func (l linkPort) Send(r station.Report) bool {
	l.s.linked(l.s.engine.Send(l.s.now, r))
	return true
}
func (l linkPort) Wake()                          { l.s.linked(l.s.engine.Woken(l.s.now)) }
func (l linkPort) Respond(r station.Response)     { l.s.linked(l.s.engine.Respond(l.s.now, r)) }
func (l linkPort) SetGate(g station.Registration) { l.s.linked(l.s.engine.Gate(l.s.now, g)) }
func (l linkPort) Reconnect()                     { l.s.wire.hangUp("asked to") }

// linked carries out what the engine wants.
func (s *sim) linked(o *link.Output) {
	s.inbox = append(s.inbox, o.Events...)
	s.linkAt = o.Deadline
	for _, f := range o.Frames {
		s.wire.fromStation(f)
	}
	if o.Close != nil {
		s.wire.hangUp(o.Close.Reason)
	}
}
