package iec61851

import (
	"time"

	"github.com/evsed/evsed/hal/unit"
)

// CableState is what the proximity resistor says about a detachable cable.
type CableState uint8

// States of the proximity line.
const (
	CableUnknown CableState = iota // not yet settled
	CableAbsent                    // open line
	CablePresent                   // a resistor that codes a rating
	CableError                     // neither open nor a code: short to earth or a bad contact
)

// The nominal resistors are 1500, 680, 220 and 100 Ohm for 13, 20, 32 and 63 A, the last 70 A for a single phase
// (IEC 61851-1 Annex B). The limits between them lie near their geometric means, so that a worn contact in series
// reads as the smaller rating, never as the greater one.
const (
	proximityShort  = 50 * unit.Ohm
	proximity63     = 148 * unit.Ohm
	proximity32     = 387 * unit.Ohm
	proximity20     = 1010 * unit.Ohm
	proximity13     = 2700 * unit.Ohm
	proximityAbsent = 4500 * unit.Ohm
)

// ProximityDebounce is how long a new reading must stand.
const ProximityDebounce = 50 * time.Millisecond

// ProximityOpenDelay is how long the reading may differ from that at closing while the contactor is closed.
const ProximityOpenDelay = 20 * time.Millisecond

// CableRating returns what a detachable cable with proximity resistor r may carry per phase; phases is that of
// the connector. The rating is 0 unless the state is CablePresent. Source: IEC 61851-1 Annex B.
func CableRating(r unit.Resistance, phases uint8) (unit.Current, CableState) {
	switch {
	case r > proximityAbsent:
		return 0, CableAbsent
	case r > proximity13 || r < proximityShort:
		return 0, CableError
	case r > proximity20:
		return 13 * unit.Ampere, CablePresent
	case r > proximity32:
		return 20 * unit.Ampere, CablePresent
	case r > proximity63:
		return 32 * unit.Ampere, CablePresent
	case phases == 1:
		return 70 * unit.Ampere, CablePresent
	}
	return 63 * unit.Ampere, CablePresent
}

// cable debounces the proximity line of one socket.
type cable struct {
	state     CableState
	rating    unit.Current
	raw       CableState
	rawRating unit.Current
	since     time.Time
}

// settled reports whether the newest reading is the debounced one.
func (c *cable) settled() bool { return c.raw == c.state && c.rawRating == c.rating }

// observe takes one reading; closed says that the contactor is commanded closed, where a change is judged sooner.
func (c *cable) observe(now time.Time, r unit.Resistance, phases uint8, closed bool, due *deadline) {
	rating, state := CableRating(r, phases)
	if state != c.raw || rating != c.rawRating || c.since.IsZero() {
		c.raw, c.rawRating, c.since = state, rating, now
	}
	if c.settled() {
		return
	}
	wait := ProximityDebounce
	if closed {
		wait = ProximityOpenDelay
	}
	if now.Sub(c.since) >= wait {
		c.state, c.rating = c.raw, c.rawRating
		return
	}
	due.at(c.since.Add(wait))
}
