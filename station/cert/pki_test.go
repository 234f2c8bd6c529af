package cert_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/evsed/evsed/station/cert"
)

// now is when these tests take place.
var now = time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)

// ca is an authority, or with less in its template any other certificate.
type ca struct {
	*x509.Certificate
	key crypto.Signer
}

func newKey(tb testing.TB) crypto.Signer {
	tb.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

// rsaKeys are made once: they take their time.
var rsaKeys = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// root makes a CA that signs itself; change may spoil it.
func root(tb testing.TB, name string, change ...func(*x509.Certificate)) *ca {
	tb.Helper()
	return (*ca)(nil).sub(tb, name, change...)
}

// sub makes a CA that c has signed.
func (c *ca) sub(tb testing.TB, name string, change ...func(*x509.Certificate)) *ca {
	tb.Helper()
	t := &x509.Certificate{Subject: pkix.Name{CommonName: name, Organization: []string{"Operator"}}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	return c.issue(tb, t, newKey(tb), change...)
}

// leaf makes a certificate of a station for a key.
func (c *ca) leaf(tb testing.TB, name string, key crypto.Signer, change ...func(*x509.Certificate)) *ca {
	tb.Helper()
	t := &x509.Certificate{Subject: pkix.Name{CommonName: name, Organization: []string{"Operator"}}, KeyUsage: x509.KeyUsageDigitalSignature}
	return c.issue(tb, t, key, change...)
}

var serial int64 = 0x0a0b

func (c *ca) issue(tb testing.TB, t *x509.Certificate, key crypto.Signer, change ...func(*x509.Certificate)) *ca {
	tb.Helper()
	serial++
	t.SerialNumber, t.NotBefore, t.NotAfter = big.NewInt(serial), now.AddDate(-1, 0, 0), now.AddDate(10, 0, 0)
	for _, f := range change {
		f(t)
	}
	parent, by := t, key
	if c != nil {
		parent, by = c.Certificate, c.key
	}
	der, err := x509.CreateCertificate(rand.Reader, t, parent, key.Public(), by)
	if err != nil {
		tb.Fatal(err)
	}
	got, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	return &ca{got, key}
}

func (c *ca) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}

func csr(tb testing.TB, key crypto.Signer, name string) string {
	tb.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: name}}, key)
	if err != nil {
		tb.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
}

func install(t *testing.T, s *cert.Store, u cert.Use, c *ca, strict bool) []cert.Change {
	t.Helper()
	cs, wrong := s.Install(u, c.Certificate, cert.Terms{Now: now, Strict: strict})
	if wrong != nil {
		t.Fatalf("install %s: %v", c.Subject.CommonName, wrong)
	}
	return cs
}

// names lists the roots of a use by their common names.
func names(t *testing.T, s *cert.Store, u cert.Use) string {
	t.Helper()
	text := ""
	for _, der := range s.Roots(u) {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		text += c.Subject.CommonName
	}
	return text
}
