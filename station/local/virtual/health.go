package virtual

import (
	"errors"

	"github.com/evsed/evsed/station/term"
)

// ErrLeave ends Run: another program is to run in place of this one.
var ErrLeave = errors.New("another program is next")

// GuardWell tells whether the station lives and its guard answers for every connector without a fault of its own. A station
// that lives has opened its storage.
func (s *Station) GuardWell() bool {
	l := s.alive()
	if l == nil {
		return false
	}
	for _, c := range l.fitting.Connectors() {
		st, ok := l.guard.Status(c.Ref)
		if !ok || st.Faults.Has(term.FaultInternal) {
			return false
		}
	}
	return true
}
