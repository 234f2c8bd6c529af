package main

import (
	"fmt"
	"time"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/ocpp/msg2"
)

// T is how long a healed station may take until it is connected, has told everything and shows its true status (I12): the
// longest back-off, the longest wait of a refused message, and the way for what is queued.
func (s *sim) patience() time.Duration {
	queued := 0
	if s.store != nil {
		queued = s.store.OutboxLen()
	}
	return time.Hour + time.Duration(queued)*4*s.plan.latency
}

// demand heals everything, lets nobody come, and demands liveness (I12); then it audits the books (I4, I5). Everybody goes
// home first where home is true.
func (s *sim) demand(home bool) {
	if s.err != nil {
		return
	}
	s.count.heals++
	s.trace.say(s.since(), "heal")
	s.calm = true
	s.healAll()
	s.play(s.now.Add(time.Minute)) // what was planned before may still come
	s.healAll()
	if home {
		s.goHome()
	}
	until := s.now.Add(s.patience())
	for s.err == nil && !s.live() {
		if s.now.After(until) {
			s.broken("I12", "healed for %v, and not well: %s", s.patience(), s.how())
			return
		}
		s.play(s.now.Add(lookEvery))
	}
	s.play(s.now.Add(2 * steady))
	for n := 0; s.err == nil && !s.live() && n < 600; n++ { // not while an event is on its way
		s.play(s.now.Add(300 * time.Millisecond))
	}
	s.inventory()
	for n := 0; s.err == nil && !s.live() && n < 600; n++ {
		s.play(s.now.Add(300 * time.Millisecond))
	}
	s.audit(home)
	s.calm = false
}

// lookEvery is out of step with every interval at which a station samples: one event is always on its way then.
const lookEvery = 17300 * time.Millisecond

// healAll ends every trouble.
func (s *sim) healAll() {
	w, c := &s.wire, s.csms
	w.down, w.hole, w.since = false, false, s.now
	c.mute, c.moody, c.unwilling, c.offset = false, false, false, 0
	s.flash(nil)
	s.slow = 0
	if err := s.world.ClearFaults(); err != nil {
		s.broken("I0", "clear faults: %v", err)
	}
	s.worldAt = time.Time{}
	s.powerOn()
	s.service()
	s.watch()
	if s.alive {
		s.stationHealed()
	}
}

// goHome ends every session and takes every cable out.
func (s *sim) goHome() {
	s.csms.allInService()
	s.stop(0)
	for range 12 {
		s.play(s.now.Add(time.Minute))
		if s.err != nil {
			return
		}
		left := 0
		for _, d := range s.drivers {
			if !d.free() {
				left++
				d.busy = true
				d.swipe()
				s.play(s.now.Add(10 * time.Second))
				d.pullAny()
				s.csms.unlock(d.ref)
				s.play(s.now.Add(10 * time.Second))
			}
		}
		if left == 0 {
			break
		}
		s.service()
		s.stop(0)
	}
	for _, d := range s.drivers {
		if !d.free() {
			s.broken("I12", "the cable of %v cannot be taken out: %+v", d.ref, d.connector())
		}
	}
	s.play(s.now.Add(6 * time.Minute)) // those who showed a card and never came
}

// pullAny takes out what can be taken out.
func (d *driver) pullAny() {
	for _, side := range []halsim.Side{halsim.SideEV, halsim.SideEVSE} {
		if side == halsim.SideEVSE && !d.socket() {
			continue
		}
		_, err := d.s.world.Unplug(d.ref.EVSE, d.ref.Connector, halsim.UnplugOptions{Side: side})
		d.try(err)
	}
}

// live reports whether the station is connected and has nothing left to say.
func (s *sim) live() bool {
	return s.alive && s.wire.open != 0 && s.csms.registered == msg2.RegistrationStatusAccepted && s.store.OutboxLen() == 0 && s.engine.Idle() &&
		s.runner.Waiting() == 0 && len(s.inbox) == 0 && s.told == "" && s.now.Sub(s.begun) > time.Minute
}

func (s *sim) how() string {
	if !s.alive {
		return fmt.Sprintf("no process, power %v", s.powered)
	}
	return fmt.Sprintf("connection %d, registered %q, %d queued, link idle %v, %d wait for the journal, storage %q", s.wire.open, s.csms.registered,
		s.store.OutboxLen(), s.engine.Idle(), s.runner.Waiting(), s.told)
}

// audit compares what was promised with what has come, and the meters with the bills.
func (s *sim) audit(home bool) {
	if s.err != nil {
		return
	}
	b := s.csms.books
	b.forgive(s.store)
	s.count.checks += 3
	if owed := b.owed(); len(owed) > 0 {
		thinned, _ := s.store.Thinned(owed[0].id)
		s.broken("I4", "%d events never came: %v; of the first one's transaction the station has thinned %v", len(owed), owed[:min(len(owed), 5)], thinned)
		return
	}
	if len(b.events) > 0 {
		s.broken("I4", "reports never came: %v", b.events)
		return
	}
	if !home {
		return
	}
	if len(b.order) > 0 {
		a := b.open[b.order[0]]
		s.broken("I4", "%d transactions never ended, the first is %s at EVSE %d with %d events", len(b.order), a.id, a.evse, a.next)
		return
	}
	for _, e := range s.world.State().EVSEs {
		m := &b.meters[e.ID]
		free := e.Energy - m.billed - m.unsure
		if free >= unit.WattHour && s.plan.kinds&kindBoard == 0 && !m.excused || free < 0 {
			s.broken("I5", "EVSE %d: the meter shows %v, billed are %v, %v have an excuse", e.ID, e.Energy, m.billed, m.unsure)
		}
	}
}
