package virtual

import (
	"time"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// mains is the switch of the mains and what is planned with it. At most one switching is planned; whatever is done to the
// switch ends the plan.
type mains struct {
	on     bool
	timer  *time.Timer // nil: nothing is planned
	plan   uint64      // counts the plans: one whose timer fires too late sees that it is no longer meant
	due    time.Time   // of the station's clock
	to     bool        // what the plan switches to
	buffer bool        // the mains are gone already, and a buffer runs until then
}

// PowerOff ends the station as a kill does: contactors open, and what was not durable is gone. A ups above 0 keeps it
// alive for that long after it was told.
func (s *Station) PowerOff(ups time.Duration) error {
	told := ups > 0 && s.Post(station.PowerFailing{})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unplan()
	if !told {
		s.switchPower(false)
		return nil
	}
	s.mains.buffer = true
	s.planPower(ups, false)
	return nil
}

// PowerOn switches the mains on. A station that runs from its buffer goes on.
func (s *Station) PowerOn() error {
	s.mu.Lock()
	buffered := s.mains.buffer
	s.unplan()
	s.switchPower(true)
	s.mu.Unlock()
	if w := s.World(); buffered && w != nil && !w.State().Faults.Has(term.FaultPowerLoss) {
		s.Post(station.FaultChanged{Fault: term.FaultPowerLoss})
	}
	return nil
}

// PowerCycle switches the mains off, and on again after off.
func (s *Station) PowerCycle(off time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unplan()
	s.switchPower(false)
	s.planPower(off, true)
	return nil
}

// planPower switches the mains after d; s.mu is held.
func (s *Station) planPower(d time.Duration, on bool) {
	m := &s.mains
	m.plan++
	plan := m.plan
	m.due, m.to = s.clock.Now().Add(d), on
	m.timer = time.AfterFunc(s.clock.Real(d), func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.mains.plan != plan {
			return
		}
		if rest := s.mains.due.Sub(s.clock.Now()); rest > 0 { // a clock that stood still, or was slowed down
			s.mains.timer.Reset(s.clock.Real(rest))
			return
		}
		s.unplan()
		s.switchPower(on)
	})
}

// unplan ends what is planned; s.mu is held.
func (s *Station) unplan() {
	m := &s.mains
	if m.timer != nil {
		m.timer.Stop()
	}
	m.plan++
	m.timer, m.buffer = nil, false
}

// replan keeps a plan after the clock's speed changed; s.mu is held.
func (s *Station) replan() {
	if m := &s.mains; m.timer != nil {
		m.timer.Reset(s.clock.Real(max(m.due.Sub(s.clock.Now()), 0)))
	}
}

// switchPower throws the switch; s.mu is held.
func (s *Station) switchPower(on bool) {
	if s.mains.on == on {
		return
	}
	s.mains.on = on
	if !on && s.life != nil {
		s.kill = true
		s.life.cut()
	}
	s.notify()
}
