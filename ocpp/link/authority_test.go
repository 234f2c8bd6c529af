package link

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ocsp"
)

// today is what the clocks of stations in these tests show.
var today = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

const aDay = 24 * time.Hour

// Keys of the tests. None is kept anywhere.
var (
	keyP256    = sync.OnceValue(func() crypto.Signer { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	keyP384    = sync.OnceValue(func() crypto.Signer { return must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)) })
	keyRSA2048 = sync.OnceValue(func() crypto.Signer { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	keyRSA1024 = sync.OnceValue(func() crypto.Signer { return must(rsa.GenerateKey(rand.Reader, 1024)) })
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// authority issues certificates.
type authority struct {
	key  crypto.Signer
	cert *x509.Certificate
}

var serial atomic.Int64

// issue signs a certificate for a key; change makes it another one than the usual.
func (a *authority) issue(name string, key crypto.Signer, change func(*x509.Certificate)) *x509.Certificate {
	t := &x509.Certificate{
		SerialNumber: big.NewInt(serial.Add(1)), Subject: pkix.Name{CommonName: name, Organization: []string{"Test"}},
		NotBefore: today.Add(-30 * aDay), NotAfter: today.Add(300 * aDay), KeyUsage: x509.KeyUsageDigitalSignature,
	}
	if change != nil {
		change(t)
	}
	parent, signer := t, key
	if a != nil {
		parent, signer = a.cert, a.key
	}
	return must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, t, parent, key.Public(), signer))))
}

func isCA(t *x509.Certificate) {
	t.IsCA, t.BasicConstraintsValid, t.KeyUsage = true, true, x509.KeyUsageCertSign|x509.KeyUsageDigitalSignature
	t.NotBefore, t.NotAfter = today.Add(-3000*aDay), today.Add(3000*aDay)
}

// newAuthority makes a root; under makes an intermediate.
func newAuthority(name string, key crypto.Signer) *authority {
	return &authority{key, (*authority)(nil).issue(name, key, isCA)}
}

func (a *authority) under(name string, key crypto.Signer, change func(*x509.Certificate)) *authority {
	return &authority{key, a.issue(name, key, func(t *x509.Certificate) {
		isCA(t)
		if change != nil {
			change(t)
		}
	})}
}

// root is the authority of the CSMS in these tests.
var root = sync.OnceValue(func() *authority { return newAuthority("Root", keyP256()) })

func ders(certs ...*x509.Certificate) [][]byte {
	var out [][]byte
	for _, c := range certs {
		out = append(out, c.Raw)
	}
	return out
}

// pair is what a server shows.
func pair(key crypto.Signer, chain ...*x509.Certificate) tls.Certificate {
	return tls.Certificate{Certificate: ders(chain...), PrivateKey: key}
}

// staple makes an OCSP response of the authority about a certificate.
func (a *authority) staple(cert *x509.Certificate, status int) []byte {
	return must(ocsp.CreateResponse(a.cert, a.cert, ocsp.Response{
		Status: status, SerialNumber: cert.SerialNumber, ThisUpdate: today.Add(-aDay), NextUpdate: today.Add(aDay), RevokedAt: today.Add(-aDay),
	}, a.key))
}

func alsoFor(names ...string) func(*x509.Certificate) {
	return func(t *x509.Certificate) {
		for _, n := range names {
			if ip := net.ParseIP(n); ip != nil {
				t.IPAddresses = append(t.IPAddresses, ip)
			} else {
				t.DNSNames = append(t.DNSNames, n)
			}
		}
	}
}

func lasting(from, until time.Time) func(*x509.Certificate) {
	return func(t *x509.Certificate) { t.NotBefore, t.NotAfter = from, until }
}
