package storage

// Counts says how much of what is meant for the CSMS has not reached it: messages that wait, messages that it refused to the
// last attempt, and transactions of which updates were dropped to save room.
func (s *Store) Counts() (waiting, dead, thinned int) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.index.entries, s.index.dead, len(s.index.thinned)
}
