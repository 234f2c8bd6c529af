package cert

import (
	"crypto/x509"
	"errors"
)

// maxSeedPEM bounds a text of several roots, in characters.
const maxSeedPEM = 16 * MaxPEM

// Seed installs what a fitter brings (A00.FR.801): of a root use every certificate of the text, of an own use one chain, leaf
// first, for the key of that name. The clock is not set then, and a factory's chain may end in a root that the station does
// not know: neither is a reason to refuse.
func (s *Store) Seed(u Use, text, key string) ([]Change, error) {
	switch {
	case u.Own() && key == "":
		return nil, errors.New("an own certificate needs the name of its key")
	case u.Root() && key != "":
		return nil, errors.New("a root has no key")
	case !u.Own() && !u.Root():
		return nil, errors.New("no such use of a certificate")
	}
	certs, wrong := parseAll(text, maxSeedPEM, s.Max)
	if wrong != nil {
		return nil, wrong
	}
	if u.Own() {
		return s.seedOwn(u, certs, key)
	}
	var cs []Change
	for _, c := range certs {
		more, wrong := s.Install(u, c, Terms{})
		if wrong != nil {
			return cs, wrong
		}
		cs = append(cs, more...)
	}
	return cs, nil
}

func (s *Store) seedOwn(u Use, chain []*x509.Certificate, key string) ([]Change, error) {
	if len(chain) > MaxChain {
		return nil, refuse("TooManyElements", "a chain of %d certificates", len(chain))
	}
	for i, c := range chain[1:] {
		if !signedBy(chain[i], c) {
			return nil, refuse("InvalidCertificate", "%s is not signed by the certificate behind it", chain[i].Subject)
		}
	}
	last := chain[len(chain)-1]
	issuer := s.seedIssuer(u, last)
	if u != ChargingStationCertificate && issuer == last && !selfIssued(last) { // its hash data could not be told
		return nil, refuse("InvalidCertificate", "the %s that signed it is not installed", u.anchor())
	}
	if len(chain) > 1 && selfIssued(last) { // a root is known to those who need it
		chain = chain[:len(chain)-1]
	}
	cs, wrong := s.Adopt(u, chain, issuer, key, false)
	if wrong != nil {
		return nil, wrong
	}
	return cs, nil
}

// seedIssuer returns who signed the last certificate of a chain; the certificate itself where nobody known did.
func (s *Store) seedIssuer(u Use, c *x509.Certificate) *x509.Certificate {
	for _, r := range append(s.roots(u.anchor()), s.roots(ManufacturerRootCertificate)...) {
		if signedBy(c, r) {
			return r
		}
	}
	return c
}
