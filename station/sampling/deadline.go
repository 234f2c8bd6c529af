package sampling

import "time"

// NextAligned returns the first clock-aligned instant after wall: the multiples of interval counted from midnight
// UTC of each day, and every midnight (OCPP 2.0.1 part 2, J section 2.2). Zero where interval is not positive.
func NextAligned(wall time.Time, interval time.Duration) time.Time {
	if interval <= 0 {
		return time.Time{}
	}
	wall = wall.UTC()
	midnight := time.Date(wall.Year(), wall.Month(), wall.Day(), 0, 0, 0, 0, time.UTC)
	next := midnight.Add((wall.Sub(midnight)/interval + 1) * interval)
	if tomorrow := midnight.AddDate(0, 0, 1); next.After(tomorrow) {
		return tomorrow
	}
	return next
}

// MaxAlignedLag is how late a clock-aligned sample may be taken, and never a whole interval. Where the clock was set across an instant, the
// sample of that instant is gone: a later one under its name would be false.
const MaxAlignedLag = 10 * time.Second

// Aligned says when a clock-aligned sample is due. The zero value is ready.
type Aligned struct {
	next     time.Time // wall
	told     time.Time // the last instant that was due
	interval time.Duration
}

// Next returns the wall time of the next sample; zero where there is none. It is current after Due.
func (a *Aligned) Next() time.Time { return a.next }

// Due reports whether a sample is due at wall time, at most once per instant. It follows a changed interval and a
// clock that was set: forward over an instant skips it, back waits for the next one, and the instant just told is
// not told again.
func (a *Aligned) Due(wall time.Time, interval time.Duration) bool {
	if interval <= 0 || interval != a.interval {
		*a = Aligned{interval: interval, told: a.told}
		a.arm(wall)
		return false
	}
	if a.next.Sub(wall) > interval { // the clock was set back
		a.arm(wall)
		return false
	}
	if wall.Before(a.next) {
		return false
	}
	due := a.next
	a.told = due
	a.arm(wall)
	return wall.Sub(due) < min(interval, MaxAlignedLag)
}

func (a *Aligned) arm(wall time.Time) {
	a.next = NextAligned(wall, a.interval)
	if !a.next.IsZero() && a.next.Equal(a.told) {
		a.next = NextAligned(a.told, a.interval)
	}
}

// NextPeriodic returns the first instant after now that lies a whole number of intervals after start, so that late
// calls do not drift. All times are monotonic. Zero where interval is not positive.
func NextPeriodic(start, now time.Time, interval time.Duration) time.Time {
	if interval <= 0 {
		return time.Time{}
	}
	if now.Before(start) {
		return start.Add(interval)
	}
	return start.Add((now.Sub(start)/interval + 1) * interval)
}

// Periodic says when a sample of a transaction is due, counted from its start (J02.FR.11). The zero value is ready.
type Periodic struct {
	next     time.Time // monotonic
	start    time.Time
	interval time.Duration
}

// Next returns the monotonic time of the next sample; zero where there is none. It is current after Due.
func (p *Periodic) Next() time.Time { return p.next }

// Due reports whether a sample is due now: once, however many intervals have passed. It follows a changed interval
// or start.
func (p *Periodic) Due(now, start time.Time, interval time.Duration) bool {
	if interval != p.interval || !start.Equal(p.start) {
		*p = Periodic{start: start, interval: interval, next: NextPeriodic(start, now, interval)}
		return false
	}
	if interval <= 0 || now.Before(p.next) {
		return false
	}
	p.next = NextPeriodic(start, now, interval)
	return true
}
