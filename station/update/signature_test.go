package update

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"
)

var someday = time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)

// maker is a manufacturer: a root and what it signs with.
type maker struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newMaker(t testing.TB) *maker {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Maker"}, NotBefore: someday.AddDate(-10, 0, 0),
		NotAfter: someday.AddDate(10, 0, 0), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	m := &maker{key: key}
	m.cert = m.sign(t, tpl, tpl, &key.PublicKey)
	return m
}

func (m *maker) sign(t testing.TB, tpl, parent *x509.Certificate, key crypto.PublicKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, tpl, parent, key, m.key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// issue makes a signing certificate for a key, after a change of what is usual.
func (m *maker) issue(t testing.TB, key crypto.PublicKey, change func(*x509.Certificate)) string {
	t.Helper()
	tpl := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "Signer"}, NotBefore: someday.AddDate(0, -1, 0),
		NotAfter: someday.AddDate(1, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}}
	if change != nil {
		change(tpl)
	}
	return inPEM(m.sign(t, tpl, m.cert, key).Raw)
}

func inPEM(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// covers: L01.FR.12 L01.FR.21
func TestSigningCertificate(t *testing.T) {
	m, other := newMaker(t), newMaker(t)
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	weak, _ := rsa.GenerateKey(rand.Reader, 1024)
	good := m.issue(t, &key.PublicKey, nil)
	for _, c := range []struct {
		name  string
		text  string
		roots [][]byte
		at    time.Time
		want  error
	}{
		{"good", good, [][]byte{m.cert.Raw}, someday, nil},
		{"good beside another root", good, [][]byte{other.cert.Raw, m.cert.Raw}, someday, nil},
		{"no usage said", m.issue(t, &key.PublicKey, func(c *x509.Certificate) { c.ExtKeyUsage, c.KeyUsage = nil, 0 }), [][]byte{m.cert.Raw}, someday, nil},
		{"no root", good, nil, someday, ErrChain},
		{"a root that is none", good, [][]byte{[]byte("rubbish")}, someday, ErrChain},
		{"another maker", good, [][]byte{other.cert.Raw}, someday, ErrChain},
		{"expired", good, [][]byte{m.cert.Raw}, someday.AddDate(2, 0, 0), ErrDates},
		{"not yet valid", good, [][]byte{m.cert.Raw}, someday.AddDate(-1, 0, 0), ErrDates},
		{"expired, and no clock", m.issue(t, &key.PublicKey, func(c *x509.Certificate) { c.NotAfter = someday.AddDate(0, 0, -7) }), [][]byte{m.cert.Raw}, time.Time{}, nil},
		{"another maker, and no clock", good, [][]byte{other.cert.Raw}, time.Time{}, ErrChain},
		{"the root itself", inPEM(m.cert.Raw), [][]byte{m.cert.Raw}, someday, ErrUsage},
		{"for servers", m.issue(t, &key.PublicKey, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }), [][]byte{m.cert.Raw}, someday, ErrUsage},
		{"not for signatures", m.issue(t, &key.PublicKey, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }), [][]byte{m.cert.Raw}, someday, ErrUsage},
		{"weak key", m.issue(t, &weak.PublicKey, nil), [][]byte{m.cert.Raw}, someday, ErrKey},
		{"two", good + good, [][]byte{m.cert.Raw}, someday, ErrCertificate},
		{"no PEM", "MIIB", [][]byte{m.cert.Raw}, someday, ErrCertificate},
		{"empty", "", [][]byte{m.cert.Raw}, someday, ErrCertificate},
		{"another kind of PEM", strings.ReplaceAll(good, "CERTIFICATE", "PRIVATE KEY"), [][]byte{m.cert.Raw}, someday, ErrCertificate},
		{"too long", good + strings.Repeat("\n", MaxCertificate), [][]byte{m.cert.Raw}, someday, ErrCertificate},
	} {
		t.Run(c.name, func(t *testing.T) {
			der, err := Certificate(c.text, c.roots, c.at)
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if (der != nil) != (err == nil) {
				t.Errorf("a certificate of %d bytes came with %v", len(der), err)
			}
		})
	}
}

// An intermediate certificate is not found by itself, whatever the root.
func TestSigningCertificateHasNoIntermediate(t *testing.T) {
	m := newMaker(t)
	between, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	tpl := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "Between"}, NotBefore: someday.AddDate(-1, 0, 0),
		NotAfter: someday.AddDate(1, 0, 0), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	sub := &maker{key: between, cert: m.sign(t, tpl, m.cert, &between.PublicKey)}
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if _, err := Certificate(sub.issue(t, &key.PublicKey, nil), [][]byte{m.cert.Raw}, someday); !errors.Is(err, ErrChain) {
		t.Errorf("got %v, want %v", err, ErrChain)
	}
}

// covers: L01.FR.04
func TestVerify(t *testing.T) {
	m := newMaker(t)
	digest := sha256.Sum256([]byte("firmware"))
	wrong := sha256.Sum256([]byte("firmwarf"))
	ec, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	rs, _ := rsa.GenerateKey(rand.Reader, 2048)
	byEC, err := ecdsa.SignASN1(rand.Reader, ec, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	byPSS, _ := rsa.SignPSS(rand.Reader, rs, crypto.SHA256, digest[:], nil)
	byPKCS, _ := rsa.SignPKCS1v15(rand.Reader, rs, crypto.SHA256, digest[:])
	certEC, _ := Certificate(m.issue(t, &ec.PublicKey, nil), [][]byte{m.cert.Raw}, someday)
	certRSA, _ := Certificate(m.issue(t, &rs.PublicKey, nil), [][]byte{m.cert.Raw}, someday)
	for _, c := range []struct {
		name              string
		cert, sig, digest []byte
		ok                bool
	}{
		{"ECDSA", certEC, byEC, digest[:], true},
		{"RSA-PSS", certRSA, byPSS, digest[:], true},
		{"RSA PKCS 1, which the specification does not name", certRSA, byPKCS, digest[:], false},
		{"ECDSA of another file", certEC, byEC, wrong[:], false},
		{"RSA-PSS of another file", certRSA, byPSS, wrong[:], false},
		{"by another key", certEC, byPSS, digest[:], false},
		{"cut", certRSA, byPSS[:len(byPSS)-1], digest[:], false},
		{"empty", certEC, nil, digest[:], false},
		{"no digest", certEC, byEC, nil, false},
		{"no certificate", nil, byEC, digest[:], false},
	} {
		if err := Verify(c.cert, c.sig, c.digest); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestSignatureEncoding(t *testing.T) {
	raw := []byte{1, 2, 3, 250}
	text := base64.StdEncoding.EncodeToString(raw)
	for in, want := range map[string]string{text: string(raw), text[:4] + "\r\n" + text[4:]: string(raw), "": "", "  ": ""} {
		if got, err := Signature(in); err != nil || string(got) != want || (got == nil) != (want == "") {
			t.Errorf("%q: %x, %v", in, got, err)
		}
	}
	for _, bad := range []string{"%%%", "AQID+", strings.Repeat("A", MaxSignature+1)} {
		if got, err := Signature(bad); !errors.Is(err, ErrEncoding) || got != nil {
			t.Errorf("%.10q: %x, %v", bad, got, err)
		}
	}
}

func FuzzCertificate(f *testing.F) {
	m := newMaker(f)
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	f.Add(m.issue(f, &key.PublicKey, nil), "AQID")
	f.Add(inPEM(m.cert.Raw), "")
	other := newMaker(f)
	f.Fuzz(func(t *testing.T, text, signature string) {
		if _, err := Certificate(text, [][]byte{other.cert.Raw}, someday); err == nil {
			t.Fatal("a certificate counts that the maker has not signed")
		}
		sig, err := Signature(signature)
		if err != nil {
			return
		}
		digest := sha256.Sum256([]byte(signature))
		if Verify([]byte(text), sig, digest[:]) == nil || Verify(m.cert.Raw, sig, digest[:]) == nil {
			t.Fatal("a signature counts that nobody has made")
		}
	})
}
