package link

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"golang.org/x/crypto/ocsp"
)

// Limits of a certificate chain that is shown to the station. Three or four certificates are usual, with RSA of 4096 bits
// about 6 KiB.
const (
	MaxChain      = 8
	MaxChainBytes = 24 << 10

	minRSABits = 2048 // A00.FR.502
	minECBits  = 224  // A00.FR.503
)

// Criteria are what a certificate chain is judged by.
type Criteria struct {
	Roots  [][]byte // DER; whoever vouches must be one of these
	Host   string   // name, or IP address where one is dialled, that the certificate must be for
	At     time.Time
	AtMost bool   // At may be too early: nobody has set the clock. What is not yet valid passes, as Provisional
	Staple []byte // OCSP response in DER that came along; nil: none

	// Caller: the certificate is shown by a client. It may be one for a client, and one for a server too: a CSMS has one.
	Caller bool
}

// Judged is what was found of a chain that is trusted.
type Judged struct {
	Path        [][]byte  // DER, from the certificate of the CSMS to the root
	From, Until time.Time // the time in which all of the path is valid
	Provisional bool      // by the clock it is not valid yet, but that may be wrong
}

// JudgeChain says whether a chain in DER, the certificate of the CSMS first, is to be trusted, by section 6 of RFC 5280
// and the rules of OCPP (A00.FR.308, A00.FR.309, A00.FR.411, A00.FR.412, A00.FR.501 to A00.FR.506). It draws on nothing
// but its arguments. Certificates of the chain that lead nowhere do no harm.
func JudgeChain(chain [][]byte, c Criteria) (Judged, *Distrust) {
	given, refusal := readChain(chain)
	if refusal != nil {
		return Judged{}, refusal
	}
	p := pathFinder{leaf: given[0], given: given, order: c.Roots, roots: readRoots(c.Roots), usages: usagesOf(c.Caller)}
	if p.path(c.At) == nil {
		return p.late(c)
	}
	return p.judge(p.best(c.At), c)
}

// readChain reads what is shown, within the limits.
func readChain(chain [][]byte) ([]*x509.Certificate, *Distrust) {
	n := 0
	for _, der := range chain {
		n += len(der)
	}
	switch {
	case len(chain) == 0:
		return nil, distrust(CauseMissing, "no certificate")
	case len(chain) > MaxChain:
		return nil, distrust(CauseTooLong, "%d certificates, limit %d", len(chain), MaxChain)
	case n > MaxChainBytes:
		return nil, distrust(CauseTooLarge, "%d bytes of certificates, limit %d", n, MaxChainBytes)
	}
	given := make([]*x509.Certificate, len(chain))
	for i, der := range chain {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, distrust(CauseMalformed, "certificate %d: %v", i+1, err)
		}
		given[i] = cert
	}
	return given, nil
}

// readRoots leaves out what cannot be read: one bad root must not shut out the others.
func readRoots(ders [][]byte) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, der := range ders {
		if cert, err := x509.ParseCertificate(der); err == nil {
			pool.AddCert(cert)
		}
	}
	return pool
}

// usagesOf are those of which a certificate must allow one. A certificate that names none allows all (A00.FR.514).
func usagesOf(caller bool) []x509.ExtKeyUsage {
	if caller {
		return []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
	}
	return []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
}

// pathFinder finds ways from a certificate to the roots.
type pathFinder struct {
	leaf   *x509.Certificate
	given  []*x509.Certificate
	order  [][]byte
	roots  *x509.CertPool
	usages []x509.ExtKeyUsage
	err    error // of the last search
}

// path returns the ways that are valid at t.
func (p *pathFinder) path(t time.Time) [][]*x509.Certificate {
	between := x509.NewCertPool()
	for _, cert := range p.given[1:] {
		between.AddCert(cert)
	}
	var paths [][]*x509.Certificate
	paths, p.err = p.leaf.Verify(x509.VerifyOptions{Roots: p.roots, Intermediates: between, CurrentTime: t, KeyUsages: p.usages})
	return paths
}

// best returns a way at t: one that is strong enough if there is one, and of these the one whose root stands first.
func (p *pathFinder) best(t time.Time) []*x509.Certificate {
	return slices.MinFunc(p.path(t), func(a, b []*x509.Certificate) int { return p.rank(a) - p.rank(b) })
}

func (p *pathFinder) rank(path []*x509.Certificate) int {
	root := path[len(path)-1].Raw
	n := slices.IndexFunc(p.order, func(der []byte) bool { return bytes.Equal(der, root) })
	if weakness(path) != nil {
		n += len(p.order)
	}
	return n
}

// judge looks at a way that is there: strength, name, revocation.
func (p *pathFinder) judge(path []*x509.Certificate, c Criteria) (Judged, *Distrust) {
	if refusal := weakness(path); refusal != nil {
		return Judged{}, refusal
	}
	if err := isFor(p.leaf, c.Host); err != nil {
		return Judged{}, distrust(CauseWrongName, "%v", err)
	}
	if refusal := stapled(path, c); refusal != nil {
		return Judged{}, refusal
	}
	var j Judged
	j.From, j.Until = window(path)
	for _, cert := range path {
		j.Path = append(j.Path, cert.Raw)
	}
	return j, nil
}

// late judges a chain for which there is no way at the time that it is: whether there is one at another time.
func (p *pathFinder) late(c Criteria) (Judged, *Distrust) {
	from, until := window(p.given)
	for _, t := range []time.Time{from, until, p.leaf.NotBefore, p.leaf.NotAfter} {
		if p.path(t) == nil {
			continue
		}
		path := p.best(t)
		from, until = window(path)
		if !c.At.Before(from) {
			return Judged{}, distrust(CauseExpired, "valid until %s, it is %s", day(until), day(c.At))
		}
		if !c.AtMost {
			return Judged{}, distrust(CauseNotYetValid, "valid from %s, it is %s", day(from), day(c.At))
		}
		j, refusal := p.judge(path, c)
		j.Provisional = true
		return j, refusal
	}
	p.path(p.leaf.NotBefore) // once more, for what is wrong besides the time
	return Judged{}, p.lost(p.err)
}

func day(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// window is the time in which all certificates are valid.
func window(path []*x509.Certificate) (from, until time.Time) {
	from, until = path[0].NotBefore, path[0].NotAfter
	for _, cert := range path[1:] {
		if cert.NotBefore.After(from) {
			from = cert.NotBefore
		}
		if cert.NotAfter.Before(until) {
			until = cert.NotAfter
		}
	}
	return from, until
}

// lost says why there is no way to a root at any time.
func (p *pathFinder) lost(why error) *Distrust {
	for _, cert := range p.given {
		if !strongSignature(cert.SignatureAlgorithm) && !bytes.Equal(cert.RawIssuer, cert.RawSubject) {
			return distrust(CauseWeakSignature, "%s signed with %v", subject(cert), cert.SignatureAlgorithm)
		}
	}
	var unknown x509.UnknownAuthorityError
	if errors.As(why, &unknown) {
		return distrust(CauseUnknownIssuer, "%s, issued by %q, leads to no CSMS root of the station", subject(p.leaf), p.leaf.Issuer.CommonName)
	}
	return distrust(CauseWrongUse, "%s: %v", subject(p.leaf), why)
}

func subject(cert *x509.Certificate) string {
	return fmt.Sprintf("certificate %q", cert.Subject.CommonName)
}

// weakness says what in a path is not strong enough (A00.FR.501 to A00.FR.506). What signs a root is itself, which proves
// nothing.
func weakness(path []*x509.Certificate) *Distrust {
	for i, cert := range path {
		if what := weakKey(cert.PublicKey); what != "" {
			return distrust(CauseWeakKey, "%s has a key of %s", subject(cert), what)
		}
		if i < len(path)-1 && !strongSignature(cert.SignatureAlgorithm) {
			return distrust(CauseWeakSignature, "%s signed with %v", subject(cert), cert.SignatureAlgorithm)
		}
	}
	return nil
}

func weakKey(key any) string {
	switch key := key.(type) {
	case *rsa.PublicKey:
		if n := key.N.BitLen(); n < minRSABits {
			return fmt.Sprintf("RSA with %d bits", n)
		}
	case *ecdsa.PublicKey:
		if n := key.Curve.Params().BitSize; n < minECBits {
			return fmt.Sprintf("an elliptic curve with %d bits", n)
		}
	case ed25519.PublicKey:
	default:
		return fmt.Sprintf("an unknown kind (%T)", key)
	}
	return ""
}

func strongSignature(a x509.SignatureAlgorithm) bool {
	switch a {
	case x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA, x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS,
		x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512, x509.PureEd25519:
		return true
	}
	return false
}

// isFor tells whether a certificate is for host. OCPP has the name in the common name (A00.FR.510) and advises against
// alternative names (A00.FR.511); where there are any, they alone count, as for everybody else (RFC 2818, 3.1). An address
// serves only where it is an address that was dialled.
func isFor(cert *x509.Certificate, host string) error {
	if len(cert.DNSNames)+len(cert.IPAddresses) > 0 {
		return cert.VerifyHostname(host)
	}
	cn := x509.Certificate{DNSNames: []string{cert.Subject.CommonName}}
	if ip := net.ParseIP(cert.Subject.CommonName); ip != nil {
		cn = x509.Certificate{IPAddresses: []net.IP{ip}}
	}
	return cn.VerifyHostname(host)
}

// stapled judges the OCSP response that came along. One that is none for this certificate, or not by its issuer, ends the
// handshake (RFC 6066, 8), as does one that says revoked, however old: nobody takes that back. One that is over or does
// not know is as none.
func stapled(path []*x509.Certificate, c Criteria) *Distrust {
	if len(c.Staple) == 0 {
		return nil
	}
	issuer := path[min(1, len(path)-1)]
	r, err := ocsp.ParseResponseForCert(c.Staple, path[0], issuer)
	var refused ocsp.ResponseError
	switch {
	case errors.As(err, &refused): // the responder had no answer
		return nil
	case err != nil:
		return distrust(CauseBadStaple, "%v", err)
	case r.Certificate != nil && !r.Certificate.Equal(issuer) && !slices.Contains(r.Certificate.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning):
		return distrust(CauseBadStaple, "OCSP response signed by %q, which may not", r.Certificate.Subject.CommonName)
	case r.Status == ocsp.Revoked:
		return distrust(CauseRevoked, "%s revoked at %s", subject(path[0]), day(r.RevokedAt))
	}
	return nil
}
