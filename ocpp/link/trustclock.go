package link

import (
	"time"
)

// Clock is the station's wall clock, for certificates: wall time is the monotonic time and Offset. See
// docs/design/0018-tls-before-the-clock-is-set.md.
type Clock struct {
	Offset time.Duration

	// Set: somebody who knows has set the clock since the start. Before, Offset is what the operating system says.
	Set bool

	// Floor is a time that has been for certain: that of the build, or the last at which a CSMS was trusted.
	Floor time.Time
}

// MaxUnsetAhead is how far behind Floor a clock that nobody has set may be and still be believed. A dead battery may leave
// any time.
const MaxUnsetAhead = 15 * 366 * 24 * time.Hour

// at returns the time by which certificates are judged.
func (c Clock) at(now time.Time) time.Time {
	wall := now.Add(c.Offset).UTC()
	switch {
	case c.Set:
		return wall
	case wall.Before(c.Floor), !c.Floor.IsZero() && wall.Sub(c.Floor) > MaxUnsetAhead:
		return c.Floor
	}
	return wall
}
