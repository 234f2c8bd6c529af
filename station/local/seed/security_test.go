package seed

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/cert"
	"github.com/evsed/evsed/storage/keys"
)

// party is someone with a key and a certificate.
type party struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newParty(t *testing.T, name string, curve elliptic.Curve, by *party, ca bool) *party {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := &party{key: key}
	c := &x509.Certificate{SerialNumber: big.NewInt(int64(len(name)) + time.Now().UnixNano()), Subject: pkix.Name{CommonName: name, Organization: []string{"O"}},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: ca, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature}
	if ca {
		c.KeyUsage |= x509.KeyUsageCertSign
	}
	if by == nil {
		by = &party{key, c}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, by.cert, key.Public(), by.key)
	if err != nil {
		t.Fatal(err)
	}
	if p.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *party) pem() string { return string(file{c: p.cert}.encode()) }

func (p *party) private(t *testing.T) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(p.key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A factory's certificates and keys are in force at the first boot.
func TestSecurityIsInstalled(t *testing.T) {
	dir := t.TempDir()
	root, other, v2g := newParty(t, "root", elliptic.P256(), nil, true), newParty(t, "other", elliptic.P256(), nil, true), newParty(t, "v2g", elliptic.P521(), nil, true)
	sub := newParty(t, "sub", elliptic.P256(), root, true)
	leaf, secc, secc20 := newParty(t, "cp001", elliptic.P256(), sub, false), newParty(t, "secc", elliptic.P256(), v2g, false), newParty(t, "secc20", elliptic.P521(), v2g, false)
	sec := Security{
		Roots:   [4]string{filepath.Join(dir, "roots"), write(t, dir, "maker.pem", other.pem()), "", filepath.Join(dir, "v2g")},
		Station: Pair{filepath.Join(dir, "own"), filepath.Join(dir, "keys")},
		V2G:     Pair{filepath.Join(dir, "secc"), filepath.Join(dir, "keys")},
	}
	write(t, dir, "roots/a.pem", "a line of text\n"+root.pem()+"between\n"+other.pem())
	write(t, dir, "roots/README.txt", "not a certificate")
	write(t, dir, "v2g/r.crt", v2g.pem())
	write(t, dir, "own/0-sub.pem", sub.pem())
	write(t, dir, "own/1-leaf.pem", leaf.pem())
	write(t, dir, "secc/all.pem", secc.pem()+secc20.pem())
	for name, p := range map[string]*party{"a.key": secc20, "b.key": leaf, "c.key": secc} {
		write(t, dir, "keys/"+name, p.private(t))
	}

	m, err := sec.Load()
	if err != nil {
		t.Fatal(err)
	}
	store, err := keys.Open("file", filepath.Join(dir, "state"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	s := parse(t, `{"csms":[{"url":"ws://127.0.0.1:9000"}]}`)
	st, err := station.New(station.Config{Identity: s.Identity, Name: s.Name, EVSEs: s.EVSEs, Slots: s.Slots})
	if err != nil {
		t.Fatal(err)
	}
	records, err := m.Install(st, store, "")
	if err != nil {
		t.Fatal(err)
	}
	if len(records) < 6 {
		t.Errorf("%d records", len(records))
	}
	for u, n := range map[cert.Use]int{cert.CSMSRootCertificate: 2, cert.ManufacturerRootCertificate: 1, cert.V2GRootCertificate: 1, cert.MORootCertificate: 0} {
		if got := len(st.Roots(u)); got != n {
			t.Errorf("%d of %s, want %d", got, u, n)
		}
	}
	for u, want := range map[cert.Use][]*party{cert.ChargingStationCertificate: {leaf, sub}, cert.V2GCertificate: {secc}, cert.V2G20Certificate: {secc20}} {
		chain, name, ok := st.OwnChain(u)
		if !ok || len(chain) != len(want) || string(chain[0]) != string(want[0].cert.Raw) {
			t.Errorf("%s: %v, chain of %d", u, ok, len(chain))
			continue
		}
		signer, err := store.Open(name)
		if err != nil || !signer.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(want[0].key.Public()) {
			t.Errorf("%s: the key %q is not that of the certificate: %v", u, name, err)
		}
	}
}

func TestSecurityRefusesWithFileAndCure(t *testing.T) {
	dir := t.TempDir()
	root, a, b := newParty(t, "root", elliptic.P256(), nil, true), newParty(t, "a", elliptic.P256(), nil, false), newParty(t, "b", elliptic.P256(), nil, false)
	empty := filepath.Join(dir, "empty")
	if err := os.Mkdir(empty, 0o700); err != nil {
		t.Fatal(err)
	}
	rootFile, text := write(t, dir, "root.pem", root.pem()), write(t, dir, "text.pem", "hello")
	bad := write(t, dir, "bad.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")})))
	keyA := write(t, dir, "k/a.key", a.private(t))
	two := write(t, dir, "two.pem", a.pem()+a.pem())
	for _, tc := range []struct {
		name string
		sec  Security
		want []string
	}{
		{"no such file", Security{Roots: [4]string{dir + "/none"}}, []string{"security.csmsRootCertificates", dir + "/none", "want a file or folder"}},
		{"empty folder", Security{Roots: [4]string{"", empty}}, []string{"security.manufacturerRootCertificates", empty, "want files in PEM"}},
		{"no certificate", Security{Roots: [4]string{"", "", text}}, []string{"security.moRootCertificates", text, "openssl x509"}},
		{"a broken one", Security{Roots: [4]string{"", "", "", bad}}, []string{"security.v2gRootCertificates", bad}},
		{"another's key", Security{Station: Pair{write(t, dir, "b.pem", b.pem()), keyA}}, []string{"chargingStationCertificateDir", "b.pem", keyA}},
		{"no key", Security{V2G: Pair{write(t, dir, "a.pem", a.pem()), text}}, []string{"v2gCertificateDir", text, "no private key"}},
		{"two of them", Security{Station: Pair{two, keyA}}, []string{two, "a second", "keep one"}},
		{"authorities alone", Security{Station: Pair{rootFile, keyA}}, []string{rootFile, "want the station's own"}},
	} {
		m, err := tc.sec.Load()
		if err == nil {
			t.Errorf("%s: accepted as %+v", tc.name, m)
			continue
		}
		for _, want := range append(tc.want, "") {
			if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: %q: want %q in one line", tc.name, err, want)
			}
		}
	}
}
