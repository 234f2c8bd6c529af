package run

import (
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// permits keeps, for each connector, what the guard was told and what it shall be told once the records before it are
// durable. A permit is a level: only the newest waits, so an old one can never be granted after it was withdrawn.
type permits struct {
	guard Guard
	slots []permitSlot
}

type permitSlot struct {
	ref     term.Ref
	applied term.Permit
	told    bool
	waiting bool
	target  term.Permit
	needs   uint64 // the journal position behind which target holds
	since   time.Time
	light   hal.Indication // what the core wants shown
	patient bool           // shown is that the driver has to wait
}

func (p *permits) slot(ref term.Ref) *permitSlot {
	for i := range p.slots {
		if p.slots[i].ref == ref {
			return &p.slots[i]
		}
	}
	p.slots = append(p.slots, permitSlot{ref: ref, applied: term.Permit{Ref: ref}})
	return &p.slots[len(p.slots)-1]
}

// cut takes power away now: of what the guard was told only what the cut still allows remains. If a higher permit was
// waiting, the cut takes its place, and waits in its stead for the records that it needs.
func (p *permits) cut(c term.Permit) {
	s := p.slot(c.Ref)
	p.apply(s, c.AtMost(s.applied))
	if s.waiting {
		s.target = c
	}
}

// grant lets a permit take effect behind journal position needs.
func (p *permits) grant(c term.Permit, needs uint64, now time.Time) {
	s := p.slot(c.Ref)
	if !s.waiting {
		s.since = now
	}
	s.waiting, s.target, s.needs = true, c, needs
}

// release applies what waits for positions up to durable.
func (p *permits) release(durable uint64) {
	for i := range p.slots {
		if s := &p.slots[i]; s.waiting && s.needs <= durable {
			s.waiting = false
			p.apply(s, s.target)
		}
	}
}

func (p *permits) apply(s *permitSlot, c term.Permit) {
	if s.told && s.applied == c {
		return
	}
	s.told, s.applied = true, c
	if c.Close {
		p.guard.Heartbeat() // the guard may have slept through a long idle time
	}
	p.guard.Permit(c)
}

// energised reports whether any connector may carry energy: then the guard wants to hear from the loop.
func (p *permits) energised() bool {
	for i := range p.slots {
		if p.slots[i].applied.Close {
			return true
		}
	}
	return false
}

// held is the rest of an Output that waits for the journal.
type held struct {
	needs     uint64
	since     time.Time
	reports   []station.Report
	responses []station.Response
	commands  []station.Command
}

// Permitted reports whether the guard was told that the contactor of a connector may close.
func (r *Runner) Permitted(ref term.Ref) bool { return r.permits.slot(ref).applied.Close }
