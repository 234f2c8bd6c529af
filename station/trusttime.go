package station

import (
	"fmt"
	"time"
)

// metaTrusted is the last time by which a CSMS was trusted: no certificate is judged by an earlier one
// (docs/design/0018-tls-before-the-clock-is-set.md).
const metaTrusted = "trusted"

// trustedEvery is how much later a time must be to be kept: a day is nothing in the life of a certificate.
const trustedEvery = 24 * time.Hour

// trustedAt takes the time by which a CSMS has just been found valid. It owes no sync.
func (s *Station) trustedAt(t time.Time) {
	if t.Sub(s.trustFloor) >= trustedEvery {
		s.trustFloor = t
		s.record(BucketMeta, metaTrusted, t.UTC().AppendFormat(nil, time.RFC3339))
	}
}

func (s *Station) restoreTrusted(value []byte) error {
	t, err := time.Parse(time.RFC3339, string(value))
	if err != nil {
		return fmt.Errorf("time of trust: %w", err)
	}
	s.trustFloor = t
	return nil
}

// TrustClock returns the clock by which certificates are judged: what is to be added to the monotonic time, whether somebody
// has set it since the start, and the last time by which a CSMS was trusted. For the owner of the core, after a Reconfigure.
func (s *Station) TrustClock() (offset time.Duration, set bool, floor time.Time) {
	return s.clock.offset, s.clock.known, s.trustFloor
}

// tellTrustClock lets the link judge by a clock that has been set, where it judges at all.
func (s *Station) tellTrustClock() {
	for slot := range s.sortedSlots() {
		if s.profiles[slot].SecurityProfile >= securityTLS {
			s.command(Reconfigure{})
			return
		}
	}
}
