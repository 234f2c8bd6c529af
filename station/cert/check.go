package cert

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"time"
)

// notYet is how far a certificate's beginning may lie ahead: the clocks of CSMS and station differ a little (A03.FR.06, note).
const notYet = 5 * time.Minute

// current says what is wrong with the validity of a certificate at a time. A zero time is a clock that nobody has set: then
// every certificate is current, because a station that boots in 1970 would lock itself out.
func current(c *x509.Certificate, now time.Time) string {
	switch {
	case now.IsZero():
		return ""
	case now.Add(notYet).Before(c.NotBefore):
		return "not valid before " + c.NotBefore.UTC().Format(time.RFC3339)
	case now.After(c.NotAfter):
		return "expired " + c.NotAfter.UTC().Format(time.RFC3339)
	}
	return ""
}

// checkRoot refuses what cannot be a trust anchor of its use: it must be a CA, be valid at now, and bear a sound signature:
// its own, or that of a root of the same use.
func (s *Store) checkRoot(u Use, c *x509.Certificate, now time.Time) *Refusal {
	switch wrong := current(c, now); {
	case !c.BasicConstraintsValid || !c.IsCA:
		return refuse("InvalidCertificate", "not a CA certificate")
	case c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageCertSign == 0:
		return refuse("InvalidCertificate", "its key usage does not let it sign certificates")
	case wrong != "":
		return refuse("InvalidCertificate", "%s", wrong)
	}
	if s.issuerOf(u, c) == nil {
		return refuse("InvalidCertificate", "it is signed neither by itself nor by an installed %s", u)
	}
	return nil
}

// issuerOf returns the certificate that signed a root: itself, or a root of the same use; nil for none.
func (s *Store) issuerOf(u Use, c *x509.Certificate) *x509.Certificate {
	if signedBy(c, c) {
		return c
	}
	for i := range s.entries {
		if e := &s.entries[i]; e.Use == u && signedBy(c, e.Chain[0]) {
			return e.Chain[0]
		}
	}
	return nil
}

// signedBy reports whether a certificate names another one as its issuer and bears its signature. The names first: a
// signature takes a small processor a while.
func signedBy(c, by *x509.Certificate) bool {
	return bytes.Equal(c.RawIssuer, by.RawSubject) && c.CheckSignatureFrom(by) == nil
}

func selfIssued(c *x509.Certificate) bool { return bytes.Equal(c.RawIssuer, c.RawSubject) }

// Asked is what a certificate that the station asked for must be.
type Asked struct {
	Use          Use
	CSR          string // as it was sent, PEM
	CommonName   string
	Organization string // "": none was asked for
}

// CheckOwn verifies a chain for a key of the station (A02.FR.06) and returns the chain to be shown: the leaf and its
// sub-CAs, without the root. now is zero where the clock is not set.
func (s *Store) CheckOwn(a Asked, chain []*x509.Certificate, now time.Time) ([]*x509.Certificate, *x509.Certificate, *Refusal) {
	leaf := chain[0]
	switch {
	case leaf.IsCA:
		return nil, nil, refuse("InvalidCertificate", "the first certificate of the chain is a CA")
	case !sameKey(leaf, a.CSR):
		return nil, nil, refuse("InvalidCertificate", "it is for another key than that of the signing request")
	case leaf.Subject.CommonName != a.CommonName: // A00.FR.511
		return nil, nil, refuse("InvalidCertificate", "its common name is %q, not %q", leaf.Subject.CommonName, a.CommonName)
	case a.Organization != "" && !slices.Contains(leaf.Subject.Organization, a.Organization): // A00.FR.509
		return nil, nil, refuse("InvalidCertificate", "its organization is not %q", a.Organization)
	case leaf.KeyUsage != 0 && leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0:
		return nil, nil, refuse("InvalidCertificate", "its key usage has no digital signature")
	}
	if wrong := current(leaf, now); wrong != "" {
		return nil, nil, refuse("InvalidCertificate", "%s", wrong)
	}
	return s.verifyOwn(a.Use, chain, now)
}

// Certificate is a parsed certificate.
type Certificate = *x509.Certificate

// ValidCSR reports whether a text is one signing request in PEM whose signature is sound.
func ValidCSR(text string) bool {
	block, rest := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE REQUEST" || len(bytes.TrimSpace(rest)) > 0 {
		return false
	}
	r, err := x509.ParseCertificateRequest(block.Bytes)
	return err == nil && r.CheckSignature() == nil && weakKey(r.PublicKey) == ""
}

// sameKey reports whether a certificate is for the key of a signing request.
func sameKey(c *x509.Certificate, request string) bool {
	block, _ := pem.Decode([]byte(request))
	if block == nil {
		return false
	}
	r, err := x509.ParseCertificateRequest(block.Bytes)
	return err == nil && bytes.Equal(r.RawSubjectPublicKeyInfo, c.RawSubjectPublicKeyInfo)
}

// verifyOwn builds the path from a leaf to an installed root. Sub-CAs may come along or be known from the chain in force.
func (s *Store) verifyOwn(u Use, chain []*x509.Certificate, now time.Time) ([]*x509.Certificate, *x509.Certificate, *Refusal) {
	leaf, roots, middle := chain[0], x509.NewCertPool(), x509.NewCertPool()
	anchors := s.roots(u.anchor())
	if len(anchors) == 0 {
		return nil, nil, refuse("InvalidCertificate", "no %s is installed that could have signed it", u.anchor())
	}
	for _, r := range anchors {
		roots.AddCert(r)
	}
	for _, c := range chain[1:] {
		middle.AddCert(c)
	}
	for i := range s.entries {
		if e := &s.entries[i]; e.Use == u {
			for _, c := range e.Chain[1:] {
				middle.AddCert(c)
			}
		}
	}
	if now.IsZero() || now.Before(leaf.NotBefore) {
		now = leaf.NotBefore
	}
	usage := x509.ExtKeyUsageAny
	if u == ChargingStationCertificate { // one that restricts its use must let the station be a client
		usage = x509.ExtKeyUsageClientAuth
	}
	paths, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: middle, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{usage}})
	if err != nil {
		return nil, nil, refuse("InvalidCertificate", "%v", err)
	}
	path := paths[0]
	if len(path) > MaxChain {
		return nil, nil, refuse("TooManyElements", "a path of %d certificates", len(path))
	}
	n := len(path) - 1
	return path[:n:n], path[n], nil
}
