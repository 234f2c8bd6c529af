package cert_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"

	"github.com/evsed/evsed/station/cert"
)

// covers: A00.FR.501 A00.FR.502 A00.FR.503 A00.FR.507 A00.FR.508
func TestParse(t *testing.T) {
	a := root(t, "A")
	good := a.pem()
	body := strings.TrimSuffix(strings.TrimPrefix(good, "-----BEGIN CERTIFICATE-----\n"), "-----END CERTIFICATE-----\n")
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	strong, err := rsaKeys()
	if err != nil {
		t.Fatal(err)
	}
	big384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ name, text, reason string }{
		{"plain", good, ""},
		{"space around it, and lines of Windows", "\r\n " + strings.ReplaceAll(good, "\n", "\r\n") + " \n", ""},
		{"no last line end", strings.TrimSpace(good), ""},
		{"RSA of 2048 bits", a.leaf(t, "r", strong).pem(), ""},
		{"P-384", a.leaf(t, "p", big384).pem(), ""},
		{"RSA-PSS", (*ca)(nil).issue(t, &x509.Certificate{Subject: a.Subject, SignatureAlgorithm: x509.SHA256WithRSAPSS}, strong).pem(), ""},
		{"SHA-1", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: sha1Signed(t, (*ca)(nil).issue(t, &x509.Certificate{Subject: a.Subject}, strong))})), "InvalidCertificate"},

		{"nothing", "", "InvalidCertificate"},
		{"words", "hello", "InvalidCertificate"},
		{"words before", "Certificate:\n" + good, "InvalidCertificate"},
		{"words behind", good + "bye", "InvalidCertificate"},
		{"two", good + good, "InvalidCertificate"},
		{"broken off", good[:len(good)/2], "InvalidCertificate"},
		{"broken off, with another behind", good[:len(good)/2] + "\n" + good, "InvalidCertificate"},
		{"headers", "-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n\n" + body + "-----END CERTIFICATE-----\n", "InvalidCertificate"},
		{"a key", "-----BEGIN PRIVATE KEY-----\n" + body + "-----END PRIVATE KEY-----\n", "InvalidCertificate"},
		{"bare base64", base64.StdEncoding.EncodeToString(a.Raw), "InvalidCertificate"},
		{"DER with a tail", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: append(a.Raw[:len(a.Raw):len(a.Raw)], 0)})), "InvalidCertificate"},
		{"too long", good + strings.Repeat("\n", cert.MaxPEM), "TooLargeElement"},
		{"RSA of 1024 bits", a.leaf(t, "w", weak).pem(), "InvalidCertificate"},
		{"a critical extension that nobody knows", a.leaf(t, "x", newKey(t), func(c *x509.Certificate) {
			c.ExtraExtensions = append(c.ExtraExtensions, extension(true))
		}).pem(), "InvalidCertificate"},
		{"an extension that nobody knows", a.leaf(t, "x", newKey(t), func(c *x509.Certificate) {
			c.ExtraExtensions = append(c.ExtraExtensions, extension(false))
		}).pem(), ""},
		{"a serial number of 20 octets", a.leaf(t, "s", newKey(t), func(c *x509.Certificate) {
			c.SerialNumber = new(big.Int).SetBit(new(big.Int), 158, 1)
		}).pem(), ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, wrong := cert.Parse(tc.text, cert.MaxPEM)
			switch {
			case tc.reason == "" && (wrong != nil || c == nil):
				t.Errorf("%v", wrong)
			case tc.reason != "" && (wrong == nil || wrong.Reason != tc.reason || wrong.Info == "" || c != nil):
				t.Errorf("%v, want %s", wrong, tc.reason)
			}
		})
	}
}

// extension is one that nobody knows.
func extension(critical bool) pkix.Extension {
	return pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}, Critical: critical, Value: []byte{5, 0}}
}

// sha1Signed says of a certificate signed by RSA with SHA-256 that it is signed with SHA-1, which no library does any more.
func sha1Signed(t *testing.T, c *ca) []byte {
	t.Helper()
	sha256 := []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11}
	sha1 := []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5}
	if !bytes.Contains(c.Raw, sha256) {
		t.Fatal("not signed with sha256WithRSAEncryption")
	}
	return bytes.ReplaceAll(c.Raw, sha256, sha1)
}

func TestParseChain(t *testing.T) {
	a := root(t, "A")
	text := ""
	for i := range cert.MaxChain {
		text += a.pem()
		if got, wrong := cert.ParseChain(text, cert.MaxChainPEM); wrong != nil || len(got) != i+1 {
			t.Fatalf("%d certificates: %d, %v", i+1, len(got), wrong)
		}
	}
	if _, wrong := cert.ParseChain(text+a.pem(), cert.MaxChainPEM); wrong == nil || wrong.Reason != "TooManyElements" {
		t.Errorf("one too many: %v", wrong)
	}
	if _, wrong := cert.ParseChain(text, len(text)-1); wrong == nil || wrong.Reason != "TooLargeElement" {
		t.Errorf("a character too many: %v", wrong)
	}
}

// FuzzCertificate: no text makes the parser panic, and what it takes is one sound certificate that reads back.
func FuzzCertificate(f *testing.F) {
	a := root(f, "A")
	f.Add(a.pem())
	f.Add(a.sub(f, "B").pem() + a.pem())
	f.Add("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, wrong := cert.Parse(text, cert.MaxPEM)
		if (c == nil) == (wrong == nil) {
			t.Fatalf("%v, %v", c, wrong)
		}
		if wrong != nil {
			if wrong.Reason == "" || wrong.Info == "" {
				t.Fatalf("%+v", wrong)
			}
			return
		}
		again, wrong := cert.Parse((&ca{Certificate: c}).pem(), len(text)+1000)
		if wrong != nil || !again.Equal(c) {
			t.Fatalf("read back: %v", wrong)
		}
	})
}

// FuzzChain: whatever comes as a signed chain is taken or refused, and only a chain for the key that was asked for is taken.
func FuzzChain(f *testing.F) {
	a := root(f, "A")
	key := newKey(f)
	request := csr(f, key, "S1")
	mine, other := a.leaf(f, "S1", key), a.leaf(f, "S1", newKey(f))
	f.Add(mine.pem())
	f.Add(mine.pem() + a.pem())
	f.Add(other.pem() + mine.pem())
	f.Fuzz(func(t *testing.T, text string) {
		s := cert.Store{Max: 32}
		install(t, &s, cert.CSMSRootCertificate, a, false)
		chain, wrong := cert.ParseChain(text, cert.MaxChainPEM)
		if wrong != nil {
			return
		}
		path, issuer, wrong := s.CheckOwn(cert.Asked{Use: cert.ChargingStationCertificate, CSR: request, CommonName: "S1"}, chain, now)
		if wrong == nil && (!path[0].Equal(mine.Certificate) || !issuer.Equal(a.Certificate)) {
			t.Fatalf("taken: %s by %s", path[0].Subject, issuer.Subject)
		}
	})
}
