package term

import "time"

// Ration bounds how often somebody may have something: a burst in a row, and after that one in every while. The zero value
// is whole.
type Ration struct {
	spent int       // takings that time has not given back
	since time.Time // since when it gives them back
}

// Spent reports whether nothing is left of a ration of burst takings, of which time gives one back in every while.
func (r *Ration) Spent(now time.Time, burst int, every time.Duration) bool {
	if back := int(now.Sub(r.since) / every); r.spent > 0 && back > 0 {
		r.spent = max(r.spent-back, 0)
		r.since = r.since.Add(time.Duration(back) * every)
	}
	return r.spent >= burst
}

// Take takes one; false: nothing is left, and nothing has changed.
func (r *Ration) Take(now time.Time, burst int, every time.Duration) bool {
	if r.Spent(now, burst, every) {
		return false
	}
	if r.spent == 0 {
		r.since = now
	}
	r.spent++
	return true
}
