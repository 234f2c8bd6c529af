package station

import "github.com/evsed/evsed/station/term"

// contradicted notes that the CSMS says of a token other than the local list in force that it sent: one of the two is
// wrong, and the CSMS is told that its list is to be sent anew (OCPP 1.6, 3.5.2).
func (s *Station) contradicted(t term.IdToken, info term.TokenInfo) {
	if listed, ok := s.auth.Listed(s.wall(), t, s.settings.auth); ok && valid(listed.Status) != valid(info.Status) {
		s.listConflict = true
	}
}

// valid reports whether a status is of a token that may charge as such; ConcurrentTx is one that charges elsewhere.
func valid(s term.TokenStatus) bool { return s == term.TokenAccepted || s == term.TokenConcurrentTx }
