package iec61851

import (
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// CloseLimit is how long a contactor may take until its mirror contact says closed.
const CloseLimit = 500 * time.Millisecond

// OpenLimit is how long a contactor may take until its mirror contact says open; after that it is welded.
const OpenLimit = 100 * time.Millisecond

// feedbackDebounce is how long a settled mirror contact may disagree: contacts bounce.
const feedbackDebounce = 50 * time.Millisecond

// RecloseDelay is the least time from an opening to the next closing: a vehicle that chatters between B and C must
// not make the contactor chatter. It leaves room in the 3 s in which supply has to follow state C.
const RecloseDelay = 1500 * time.Millisecond

// OffLimit is how long a vehicle may go on drawing after PWM was switched off, before it is opened under load. The
// standard's sequence allows 3 s to 6 s; the earliest end is taken, since the permit is gone.
const OffLimit = 3 * time.Second

// idleCurrent is what counts as no load: an opening below it is no opening under load.
const idleCurrent = 1 * unit.Ampere

// supply is the contactor: its command, what its mirror contact made of it, and when.
type supply struct {
	command   bool
	phases    uint8
	rating    unit.Current // of the cable at closing
	started   bool
	changed   time.Time // command changed
	confirmed bool      // the mirror contact has followed the command
	opened    time.Time // the mirror contact opened last after a closing
	differs   time.Time // a confirmed mirror contact has disagreed since; zero: it agrees
	idle      time.Time // closed, and nothing has been offered since; zero: something is offered
	welded    bool      // closed against its command for longer than OpenLimit; stays set until it opens
	reason    OpenReason
	closings  uint32 // closings that the mirror contact has confirmed
}

// live reports whether the mirror contact last settled at closed.
func (s *supply) live() bool { return s.command == s.confirmed }

// dead reports whether the contactor is open by command and by mirror contact.
func (s *supply) dead() bool { return !s.command && s.confirmed }

// observe compares the mirror contact with the command and returns FaultContactor as cause where it fails.
func (s *supply) observe(now time.Time, closed bool, due *deadline) FaultSet {
	if !s.started {
		s.started, s.changed, s.confirmed = true, now, !closed
	}
	if closed != s.command {
		return s.disagrees(now, due)
	}
	s.differs = time.Time{}
	if !s.confirmed {
		s.confirmed = true
		if s.command {
			s.closings++
		} else {
			s.opened = now
		}
	}
	s.welded = s.welded && closed
	return 0
}

func (s *supply) disagrees(now time.Time, due *deadline) FaultSet {
	if s.confirmed {
		if s.differs.IsZero() {
			s.differs = now
		}
		if now.Sub(s.differs) < feedbackDebounce {
			due.at(s.differs.Add(feedbackDebounce))
			return 0
		}
		s.confirmed, s.changed = false, now.Add(-CloseLimit) // fell off, or closed by itself: no second chance
	}
	limit := OpenLimit
	if s.command {
		limit = CloseLimit
	}
	if now.Sub(s.changed) < limit {
		due.at(s.changed.Add(limit))
		return 0
	}
	s.welded = !s.command
	return FaultsOf(term.FaultContactor)
}

// set changes the command.
func (s *supply) set(now time.Time, closed bool) {
	s.command, s.changed, s.confirmed, s.differs = closed, now, false, time.Time{}
}

// switchSupply opens or closes. Opening asks for one reason, closing for every condition.
func (m *Machine) switchSupply(now time.Time, in *Input, due *deadline) {
	s := &m.supply
	if s.command {
		if reason := m.mustOpen(now, in, due); reason != OpenedNever {
			s.reason = reason
			s.set(now, false)
			due.at(now.Add(OpenLimit))
		}
		return
	}
	if !m.mayClose(now, in, due) {
		return
	}
	s.phases, s.rating, s.idle = m.wantPhases(in), m.cable.rating, time.Time{}
	s.set(now, true)
	due.at(now.Add(CloseLimit))
}

// mustOpen returns why a closed contactor must open now, or OpenedNever.
func (m *Machine) mustOpen(now time.Time, in *Input, due *deadline) OpenReason {
	switch {
	case m.stopped(), in.Interlock:
		return OpenedByFault
	case in.Permit.Fail:
		return OpenedByPermit
	case !m.pilot.ready(m.cfg.Ventilation):
		return OpenedByVehicle
	}
	if current, _ := CurrentForDuty(m.offer.duty); current > 0 {
		m.supply.idle = time.Time{}
		return OpenedNever
	}
	if m.supply.idle.IsZero() {
		m.supply.idle = now
	}
	if m.measured.idleSince(m.supply.idle) {
		return OpenedByPermit
	}
	if end := m.supply.idle.Add(OffLimit); now.Before(end) {
		due.at(end)
		return OpenedNever
	}
	return OpenedUnderLoad
}

// mayClose reports whether every condition for energy holds.
func (m *Machine) mayClose(now time.Time, in *Input, due *deadline) bool {
	s := &m.supply
	current, _ := CurrentForDuty(m.offer.duty)
	switch {
	case !s.dead() || in.Closed, m.stopped(), in.Interlock:
		return false
	case !in.Permit.Close, in.Permit.Fail, current < MinimumOffer:
		return false
	case !m.pilot.ready(m.cfg.Ventilation), !m.pilot.raw.Ready(), !m.pilot.diodeSeen:
		return false
	case m.cable.state != CablePresent, !m.cable.settled(), !m.held(in):
		return false
	}
	if again := s.opened.Add(RecloseDelay); !s.opened.IsZero() && now.Before(again) {
		due.at(again)
		return false
	}
	return true
}
