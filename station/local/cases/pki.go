package cases

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"testing"
	"time"
)

// Authority issues certificates. One that another has issued is an intermediate.
type Authority struct {
	t    *testing.T
	key  crypto.Signer
	Cert *x509.Certificate
	over *Authority // nil: a root
}

// day is how long before now a certificate begins, so that it is valid in the bubble's time.
const day = 24 * time.Hour

// NewRoot makes an authority that nobody is above.
func NewRoot(t *testing.T, name string) *Authority {
	t.Helper()
	a := &Authority{t: t, key: newKey(t)}
	a.Cert = a.sign(a, template(name, func(c *x509.Certificate) { authority(c) }), a.key.Public())
	return a
}

// Below makes an intermediate authority.
func (a *Authority) Below(name string) *Authority {
	a.t.Helper()
	b := &Authority{t: a.t, key: newKey(a.t), over: a}
	b.Cert = a.sign(a, template(name, authority), b.key.Public())
	return b
}

// Renewed makes the root that follows on this one: another key, certified by the old one.
func (a *Authority) Renewed(name string) *Authority {
	a.t.Helper()
	b := &Authority{t: a.t, key: newKey(a.t)}
	b.Cert = a.sign(a, template(name, authority), b.key.Public())
	return b
}

func authority(c *x509.Certificate) {
	c.IsCA, c.BasicConstraintsValid = true, true
	c.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature
}

func newKey(t *testing.T) crypto.Signer {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// RSAKey makes a key of so many bits.
func RSAKey(t *testing.T, bits int) crypto.Signer {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func template(name string, more func(*x509.Certificate)) *x509.Certificate {
	c := &x509.Certificate{Subject: pkix.Name{CommonName: name, Organization: []string{"Test"}},
		NotBefore: time.Now().Add(-day), NotAfter: time.Now().Add(10 * 365 * day)}
	if more != nil {
		more(c)
	}
	return c
}

// sign issues a certificate for a key.
func (a *Authority) sign(by *Authority, c *x509.Certificate, public crypto.PublicKey) *x509.Certificate {
	a.t.Helper()
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		a.t.Fatal(err)
	}
	c.SerialNumber = serial
	parent := by.Cert
	if parent == nil {
		parent = c
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, public, by.key)
	if err != nil {
		a.t.Fatal(err)
	}
	out, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return out
}

// Server issues a certificate for hosts, names or addresses; more may change it. It comes with its intermediates.
func (a *Authority) Server(more func(*x509.Certificate), hosts ...string) tls.Certificate {
	a.t.Helper()
	return a.ServerFor(newKey(a.t), more, hosts...)
}

// ServerFor is Server for a key that is given.
func (a *Authority) ServerFor(key crypto.Signer, more func(*x509.Certificate), hosts ...string) tls.Certificate {
	a.t.Helper()
	c := template(hosts[0], func(c *x509.Certificate) {
		c.KeyUsage, c.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		c.NotAfter = time.Now().Add(365 * day)
		for _, h := range hosts {
			if ip := net.ParseIP(h); ip != nil {
				c.IPAddresses = append(c.IPAddresses, ip)
			} else {
				c.DNSNames = append(c.DNSNames, h)
			}
		}
		if more != nil {
			more(c)
		}
	})
	return tls.Certificate{Certificate: a.chain(a.sign(a, c, key.Public())), PrivateKey: key}
}

// chain is a certificate with the intermediates that issued it, without the root.
func (a *Authority) chain(leaf *x509.Certificate) [][]byte {
	all := [][]byte{leaf.Raw}
	for ; a.over != nil; a = a.over {
		all = append(all, a.Cert.Raw)
	}
	return all
}

// Answer issues what a CSR in PEM asks for, as a chain in PEM without the root; more may change it.
func (a *Authority) Answer(csr string, more func(*x509.Certificate)) string {
	a.t.Helper()
	block, _ := pem.Decode([]byte(csr))
	if block == nil || block.Type != "CERTIFICATE REQUEST" {
		a.t.Fatalf("no certificate request: %q", csr)
	}
	r, err := x509.ParseCertificateRequest(block.Bytes)
	if err == nil {
		err = r.CheckSignature()
	}
	if err != nil {
		a.t.Fatal(err)
	}
	c := template("", func(c *x509.Certificate) {
		c.Subject = r.Subject
		c.KeyUsage, c.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		c.NotAfter = time.Now().Add(365 * day)
		if more != nil {
			more(c)
		}
	})
	return PEM(a.chain(a.sign(a, c, r.PublicKey))...)
}

// Signing issues a certificate that signs firmware, with its key; more may change it.
func (a *Authority) Signing(more func(*x509.Certificate)) (text string, key crypto.Signer) {
	a.t.Helper()
	key = newKey(a.t)
	c := template("Firmware", func(c *x509.Certificate) {
		c.KeyUsage, c.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
		c.NotAfter = time.Now().Add(365 * day)
		if more != nil {
			more(c)
		}
	})
	return PEM(a.chain(a.sign(a, c, key.Public()))...), key
}

// PEM is the text of certificates.
func PEM(ders ...[]byte) string {
	var out []byte
	for _, der := range ders {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return string(out)
}

// PEM is the text of the authority's own certificate.
func (a *Authority) PEM() string { return PEM(a.Cert.Raw) }

// Pool is what trusts this authority alone.
func (a *Authority) Pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.Cert)
	return p
}
