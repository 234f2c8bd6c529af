package station

// KeyNames lists the names of the private keys that the station needs: those of its certificates, and the one of a request
// that waits for its certificate. For the owner of the core, after the records were restored: a key of another name was left
// by a power cut between a record and its DropKey.
func (s *Station) KeyNames() []string {
	names := s.certs.store.KeyNames()
	if k := s.certs.signing.Key; k != "" {
		names = append(names, k)
	}
	return names
}
