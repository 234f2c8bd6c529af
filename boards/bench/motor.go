package bench

import "time"

// motorTravel is how long a lock's motor has to be driven from one end to the other.
const motorTravel = 300 * time.Millisecond

// motor moves the bolt of a lock while one of its two lines drives it. Without a drive the bolt stays where it is.
type motor struct {
	toward int           // 1: locked, -1: open, 0: no drive, or both ends at the same level
	since  time.Time     // of the drive
	at     time.Duration // how far the bolt was from open when the drive began
	jammed bool
}

// drive gives the two lines their levels.
func (m *motor) drive(now time.Time, lock, open bool) {
	toward := 0
	switch {
	case lock && !open:
		toward = 1
	case open && !lock:
		toward = -1
	}
	if toward == m.toward {
		return
	}
	m.at, m.since, m.toward = m.place(now), now, toward
}

// place is how far the bolt is from open.
func (m *motor) place(now time.Time) time.Duration {
	if m.jammed {
		return m.at
	}
	return min(max(m.at+time.Duration(m.toward)*now.Sub(m.since), 0), motorTravel)
}

// next is when the bolt reaches its end.
func (m *motor) next() time.Time {
	switch {
	case m.jammed:
	case m.toward > 0 && m.at < motorTravel:
		return m.since.Add(motorTravel - m.at)
	case m.toward < 0 && m.at > 0:
		return m.since.Add(m.at)
	}
	return time.Time{}
}

// act stops the bolt at its end.
func (m *motor) act(t time.Time) { m.at, m.since = m.place(t), t }

// jam holds the bolt where it is, or lets it go.
func (m *motor) jam(now time.Time, on bool) {
	m.act(now)
	m.jammed = on
}

// locked reports whether the bolt is at its locked end.
func (m *motor) locked(now time.Time) bool { return m.place(now) == motorTravel }
