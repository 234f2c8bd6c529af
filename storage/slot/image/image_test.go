package image

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"
)

var released = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// payload is what the images of these tests carry.
var payload = bytes.Repeat([]byte("evsed"), 40)

func manifest() Manifest {
	return Manifest{Product: Product, Version: Version{Minor: 2}, Security: 3, Target: "linux/arm/7", Released: released,
		Hardware: []Hardware{{"cc1", 2, 4}, {"cc2", 0, 0}}, MinAgent: Version{Minor: 1}, Length: int64(len(payload)), SHA256: sha256.Sum256(payload)}
}

func newKey(t testing.TB, ed bool) crypto.Signer {
	t.Helper()
	if ed {
		_, k, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func public(t testing.TB, k crypto.Signer) []byte {
	t.Helper()
	b, err := EncodePublic(k.Public())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func trust(t testing.TB, files ...[]byte) *Trust {
	t.Helper()
	tr, err := ParseTrust(files...)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// signed is an image, and what comes before its payload.
func signed(t testing.TB, m Manifest, k crypto.Signer, chain ...[]byte) ([]byte, Header) {
	t.Helper()
	h, err := NewHeader(m)
	if err != nil {
		t.Fatal(err)
	}
	if k != nil {
		if h, err = h.Sign(k, chain); err != nil {
			t.Fatal(err)
		}
	}
	return append(h.Append(nil), payload...), h
}

// verify is what a station does with an image.
func verify(tr *Trust, file []byte, now time.Time) error {
	r := bytes.NewReader(file)
	h, err := ReadHeader(r)
	if err != nil {
		return err
	}
	if err := tr.Verify(h, now); err != nil {
		return err
	}
	return h.Manifest.CheckPayload(r)
}

// certificate makes one for key, signed by parent; nil parent is itself.
func certificate(t testing.TB, key crypto.Signer, parent *x509.Certificate, by crypto.Signer, change func(*x509.Certificate)) (*x509.Certificate, []byte) {
	t.Helper()
	c := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "maker"}, NotBefore: released.AddDate(-1, 0, 0),
		NotAfter: released.AddDate(1, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}, BasicConstraintsValid: true}
	if parent == nil {
		c.IsCA, c.KeyUsage, c.ExtKeyUsage, parent, by = true, x509.KeyUsageCertSign, nil, c, key
	}
	if change != nil {
		change(c)
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), by)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return parsed, der
}

func pemOf(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// TestEveryFlipIsRefused changes each bit of an image, one at a time, signed by a key, by the other kind of key and by a chain.
func TestEveryFlipIsRefused(t *testing.T) {
	root, mid, leaf := newKey(t, false), newKey(t, false), newKey(t, true)
	rootCert, rootDER := certificate(t, root, nil, nil, nil)
	midCert, midDER := certificate(t, mid, rootCert, root, func(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign })
	_, leafDER := certificate(t, leaf, midCert, mid, nil)
	p256, ed := newKey(t, false), newKey(t, true)
	tr := trust(t, public(t, p256), public(t, ed), pemOf(rootDER))
	for _, test := range []struct {
		name  string
		key   crypto.Signer
		chain [][]byte
	}{{"P-256", p256, nil}, {"Ed25519", ed, nil}, {"chain", leaf, [][]byte{leafDER, midDER}}} {
		t.Run(test.name, func(t *testing.T) {
			file, _ := signed(t, manifest(), test.key, test.chain...)
			if err := verify(tr, file, time.Time{}); err != nil {
				t.Fatal(err)
			}
			for i := range file {
				for bit := range 8 {
					if test.chain != nil && bit != i%8 { // checks of chains take their time
						continue
					}
					file[i] ^= 1 << bit
					if err := verify(tr, file, time.Time{}); err == nil {
						t.Errorf("byte %d bit %d: accepted", i, bit)
					}
					file[i] ^= 1 << bit
				}
			}
			for n := range file {
				if err := verify(tr, file[:n], time.Time{}); err == nil {
					t.Errorf("the first %d bytes: accepted", n)
				}
			}
			if err := verify(tr, append(file, 0), time.Time{}); !errors.Is(err, ErrDigest) {
				t.Errorf("a byte more: %v", err)
			}
		})
	}
}

func TestWhoseSignatureCounts(t *testing.T) {
	mine, next, other := newKey(t, false), newKey(t, true), newKey(t, false)
	root := newKey(t, false)
	rootCert, rootDER := certificate(t, root, nil, nil, nil)
	leaf := newKey(t, false)
	_, good := certificate(t, leaf, rootCert, root, nil)
	_, web := certificate(t, leaf, rootCert, root, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })
	strange := newKey(t, false)
	strangeCert, strangeDER := certificate(t, strange, nil, nil, nil)
	_, foreign := certificate(t, leaf, strangeCert, strange, nil)
	day := 24 * time.Hour
	for _, test := range []struct {
		name  string
		key   crypto.Signer
		chain [][]byte
		now   time.Time
		want  error
	}{
		{"the key", mine, nil, time.Time{}, nil},
		{"the next key", next, nil, time.Time{}, nil},
		{"another's key", other, nil, time.Time{}, ErrKey},
		{"nobody", nil, nil, time.Time{}, ErrUnsigned},
		{"a chain", leaf, [][]byte{good}, released.Add(day), nil},
		{"a chain that is over", leaf, [][]byte{good}, released.Add(400 * day), ErrExpired},
		{"a chain that is not yet", leaf, [][]byte{good}, released.Add(-400 * day), ErrExpired},
		{"a chain that was good at the release", leaf, [][]byte{good}, time.Time{}, nil},
		{"a certificate for something else", leaf, [][]byte{web}, released, ErrKey},
		{"a chain to another root", leaf, [][]byte{foreign}, released, ErrKey},
		{"a chain with its own root", leaf, [][]byte{foreign, strangeDER}, released, ErrKey},
		{"a chain with more than it needs", leaf, [][]byte{good, strangeDER}, released, ErrKey},
		{"no chain to the trusted root", leaf, nil, released, ErrKey},
	} {
		t.Run(test.name, func(t *testing.T) {
			file, _ := signed(t, manifest(), test.key, test.chain...)
			tr := trust(t, append(public(t, mine), public(t, next)...), pemOf(rootDER))
			if err := verify(tr, file, test.now); !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
				t.Errorf("%v, want %v", err, test.want)
			}
		})
	}
}

// TestSignatureOfAnother puts the signature of one manifest before another.
func TestSignatureOfAnother(t *testing.T) {
	k := newKey(t, true)
	_, a := signed(t, manifest(), k)
	m := manifest()
	m.Version.Minor++
	_, b := signed(t, m, nil)
	b.Signature = a.Signature
	if err := trust(t, public(t, k)).Verify(b, time.Time{}); !errors.Is(err, ErrSignature) {
		t.Errorf("%v", err)
	}
}

func TestSameBytesTwice(t *testing.T) {
	for _, ed := range []bool{false, true} {
		k := newKey(t, ed)
		a, _ := signed(t, manifest(), k)
		b, _ := signed(t, manifest(), k)
		if !bytes.Equal(a, b) {
			t.Errorf("Ed25519 %v: the same image twice has other bytes", ed)
		}
	}
}

func TestManifest(t *testing.T) {
	m := manifest()
	b, err := m.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"format":"evsed-firmware/1","product":"evsed","version":"0.2.0","securityVersion":3,"target":"linux/arm/7","hardware":[{"id":"cc1","min":2,"max":4},{"id":"cc2","min":0,"max":0}],"released":"2026-11-01T12:00:00Z","minAgent":"0.1.0","length":200,"sha256":"`
	if !strings.HasPrefix(string(b), want) {
		t.Errorf("%s", b)
	}
	for _, test := range []struct{ name, from, to string }{
		{"an unknown field", `"product"`, `"script":"x","product"`},
		{"a field twice", `"product":"evsed"`, `"product":"evsed","product":"evsed"`},
		{"a field in capitals", `"product"`, `"Product"`},
		{"a blank", `{"format"`, `{ "format"`},
		{"another format", "firmware/1", "firmware/2"},
		{"no hardware", `[{"id":"cc1","min":2,"max":4},{"id":"cc2","min":0,"max":0}]`, `[]`},
		{"revisions the wrong way", `"min":2,"max":4`, `"min":4,"max":2`},
		{"a version of two parts", `0.2.0`, `0.2`},
		{"a version with a leading zero", `0.2.0`, `0.02.0`},
		{"no length", `"length":200`, `"length":0`},
		{"a huge length", `"length":200`, `"length":99999999999`},
		{"a short digest", `"sha256":"`, `"sha256":"0`},
		{"a date with a zone", `12:00:00Z`, `13:00:00+01:00`},
		{"a path for a product", `"evsed"`, `"../evsed"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			changed := strings.Replace(string(b), test.from, test.to, 1)
			if changed == string(b) {
				t.Fatal("nothing was changed")
			}
			if _, err := ParseManifest([]byte(changed)); !errors.Is(err, ErrFormat) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestMachine(t *testing.T) {
	here := Machine{Target: "linux/arm/7", Hardware: "cc1", Revision: 3, Agent: Version{Minor: 1}, Highest: 3}
	for _, test := range []struct {
		name   string
		change func(*Machine, *Manifest)
		want   error
	}{
		{"as it should be", func(*Machine, *Manifest) {}, nil},
		{"the version that runs", func(x *Machine, _ *Manifest) { x.Agent.Minor = 2 }, nil},
		{"an older version", func(x *Machine, _ *Manifest) { x.Agent = Version{0, 2, 1, ""} }, ErrOlder},
		{"what came before the release", func(x *Machine, m *Manifest) { x.Agent.Minor = 2; m.Version.Pre = "rc.1" }, ErrOlder},
		{"a lower security version", func(x *Machine, m *Manifest) { x.Highest = 4; m.Version.Major = 9 }, ErrOlder},
		{"other hardware", func(x *Machine, _ *Manifest) { x.Hardware = "cc3" }, ErrHardware},
		{"a revision before", func(x *Machine, _ *Manifest) { x.Revision = 1 }, ErrHardware},
		{"a revision behind", func(x *Machine, _ *Manifest) { x.Revision = 5 }, ErrHardware},
		{"another processor", func(x *Machine, _ *Manifest) { x.Target = "linux/arm64" }, ErrTarget},
		{"for an older ARM", func(_ *Machine, m *Manifest) { m.Target = "linux/arm/6" }, nil},
		{"for a newer ARM", func(x *Machine, _ *Manifest) { x.Target = "linux/arm/6" }, ErrTarget},
		{"another product", func(_ *Machine, m *Manifest) { m.Product = "other" }, ErrTarget},
		{"an agent too old", func(_ *Machine, m *Manifest) { m.MinAgent = Version{0, 1, 1, ""} }, ErrAgent},
	} {
		t.Run(test.name, func(t *testing.T) {
			x, m := here, manifest()
			test.change(&x, &m)
			if err := x.Accepts(m); !errors.Is(err, test.want) {
				t.Errorf("%v, want %v", err, test.want)
			}
		})
	}
}

// TestVersionOrder has the versions of semver 11 in their order.
func TestVersionOrder(t *testing.T) {
	sorted := []string{"0.9.9", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.2.0", "1.10.0"}
	for i, a := range sorted {
		for j, b := range sorted {
			x, err := ParseVersion(a)
			if err != nil {
				t.Fatal(err)
			}
			y, _ := ParseVersion(b)
			if c := x.Compare(y); (c < 0) != (i < j) || (c > 0) != (i > j) {
				t.Errorf("%s against %s: %d", a, b, c)
			}
		}
	}
	for _, s := range []string{"", "1", "1.2", "1.2.3.4", "v1.2.3", "1.2.3-", "1.2.3-01", "1.2.3-a..b", "1.2.3+b", "1.2.-3", "01.2.3", "1.2.99999999999"} {
		if v, err := ParseVersion(s); err == nil {
			t.Errorf("%q is %v", s, v)
		}
	}
}

func TestKeyFile(t *testing.T) {
	for _, ed := range []bool{false, true} {
		k := newKey(t, ed)
		plain, err := EncodeKey(k, nil)
		if err != nil {
			t.Fatal(err)
		}
		secret, err := EncodeKey(k, []byte("open sesame"))
		if err != nil {
			t.Fatal(err)
		}
		der, _ := x509.MarshalPKCS8PrivateKey(k)
		if b, _ := pem.Decode(secret); bytes.Contains(b.Bytes, der[len(der)-16:]) {
			t.Error("the key can be read in its encrypted file")
		}
		for _, f := range [][]byte{plain, secret} {
			got, err := ParseKey(f, []byte("open sesame"))
			if err != nil || !got.(interface{ Equal(crypto.PrivateKey) bool }).Equal(k) {
				t.Errorf("read again: %v", err)
			}
		}
		if _, err := ParseKey(secret, []byte("open barley")); !errors.Is(err, ErrPassphrase) {
			t.Errorf("another passphrase: %v", err)
		}
		if _, err := ParseKey(secret, nil); !errors.Is(err, ErrPassphrase) {
			t.Errorf("no passphrase: %v", err)
		}
	}
}

func TestTrustFile(t *testing.T) {
	p384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	private, _ := EncodeKey(newKey(t, false), nil)
	for _, test := range []struct {
		name string
		file []byte
		want string
	}{
		{"nothing", nil, "no PEM block"},
		{"a private key", private, "want PUBLIC KEY or CERTIFICATE"},
		{"a key of P-384", public(t, p384), "P-256"},
		{"rubbish", pemOf([]byte("x")), "certificate"},
		{"too many", bytes.Repeat(pemOf(func() []byte { _, d := certificate(t, newKey(t, false), nil, nil, nil); return d }()), maxTrusted+1), "more than"},
	} {
		if _, err := ParseTrust(test.file); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
}

// FuzzImage: no bytes make the parser panic or take more than its bounds, and what it takes it writes again as it was.
func FuzzImage(f *testing.F) {
	k := newKey(f, true)
	tr := trust(f, public(f, k))
	file, h := signed(f, manifest(), k)
	f.Add(file)
	f.Add(file[:PrefixSize])
	f.Add([]byte(magic))
	unsigned, _ := signed(f, manifest(), nil)
	f.Add(unsigned)
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bytes.NewReader(b)
		got, err := ReadHeader(r)
		if err != nil {
			return
		}
		head := b[:len(b)-r.Len()]
		if again := got.Append(nil); !bytes.Equal(again, head) {
			t.Errorf("read %x, written %x", head, again)
		}
		if err := tr.Verify(got, time.Time{}); err == nil && !bytes.Equal(got.manifest, h.manifest) {
			t.Errorf("a manifest that nobody signed: %s", got.manifest)
		}
	})
}
