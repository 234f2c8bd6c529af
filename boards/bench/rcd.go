package bench

import "time"

// A tested fault-current device trips after tripsAfter, and is ready again restsAfter the end of the test.
const (
	tripsAfter = 25 * time.Millisecond
	restsAfter = 40 * time.Millisecond
)

// rcd is the test circuit of a fault-current device.
type rcd struct {
	testing bool
	since   time.Time // of the level of the test line
	dead    bool      // a test does not trip it
	tests   int       // that have made it trip
}

func (r *rcd) test(now time.Time, on bool) {
	if on != r.testing {
		if r.tripped(now) && r.testing {
			r.tests++
		}
		r.testing, r.since = on, now
	}
}

// tripped reports whether the test shows at the device's contact.
func (r *rcd) tripped(now time.Time) bool {
	switch {
	case r.dead || r.since.IsZero():
		return false
	case r.testing:
		return now.Sub(r.since) >= tripsAfter
	}
	return now.Sub(r.since) < restsAfter
}
