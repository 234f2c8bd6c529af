package run

import (
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/storage"
)

// slowAfter is how long something may wait for the journal before the driver is told that the station is at work, and
// before what needs no journal stops waiting behind it.
const slowAfter = time.Second

// teller is a Host that wants to know how storage is, beside what the core says of it: storage.CodeSlow, or "" when nothing
// waits any more.
type teller interface{ Storage(code string) }

// waitsSince is since when the oldest of what waits for the journal has waited; zero: nothing does.
func (r *Runner) waitsSince() time.Time {
	var since time.Time
	if len(r.held) > 0 {
		since = r.held[0].since
	}
	for i := range r.permits.slots {
		if s := &r.permits.slots[i]; s.waiting && (since.IsZero() || s.since.Before(since)) {
			since = s.since
		}
	}
	return since
}

// slowDue is when the journal will be called slow; zero while nothing waits, or while all is said.
func (r *Runner) slowDue() time.Time {
	since := r.waitsSince()
	if since.IsZero() || r.slow || r.ill {
		return time.Time{}
	}
	return since.Add(slowAfter)
}

// watchJournal tells when the journal takes long, and when it has caught up. A start that waits shows so.
func (r *Runner) watchJournal(now time.Time) {
	since := r.waitsSince()
	slow := !since.IsZero() && !r.ill && now.Sub(since) >= slowAfter
	if slow != r.slow {
		r.slow = slow
		code := ""
		if slow {
			code = storage.CodeSlow
		}
		if t, ok := r.ports.Host.(teller); ok {
			t.Storage(code)
		}
	}
	for i := range r.permits.slots {
		s := &r.permits.slots[i]
		if patient := slow && s.waiting && s.target.Close; patient != s.patient {
			s.patient = patient
			show := s.light
			if patient {
				show = hal.IndicateAuthorizing
			}
			r.ports.Board.Indicate(s.ref, show)
		}
	}
}
