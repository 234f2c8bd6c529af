package cert

// KeyNames lists the names of the private keys that own certificates need, in the order of the store.
func (s *Store) KeyNames() []string {
	var names []string
	for i := range s.entries {
		if k := s.entries[i].Key; k != "" {
			names = append(names, k)
		}
	}
	return names
}
