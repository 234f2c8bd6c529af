package keys

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// proves checks that a signer signs for its public key, in each way that TLS and certificates ask for.
func proves(t *testing.T, s crypto.Signer) {
	t.Helper()
	d256, d512 := sha256.Sum256([]byte("a")), sha512.Sum512([]byte("b"))
	switch pub := s.Public().(type) {
	case *ecdsa.PublicKey:
		for _, d := range []struct {
			sum  []byte
			hash crypto.Hash
		}{{d256[:], crypto.SHA256}, {d512[:], crypto.SHA512}} {
			sig, err := s.Sign(rand.Reader, d.sum, d.hash)
			if err != nil || !ecdsa.VerifyASN1(pub, d.sum, sig) {
				t.Fatalf("%v: %v", d.hash, err)
			}
		}
	case *rsa.PublicKey:
		sig, err := s.Sign(rand.Reader, d256[:], crypto.SHA256)
		if err != nil || rsa.VerifyPKCS1v15(pub, crypto.SHA256, d256[:], sig) != nil {
			t.Fatalf("PKCS #1: %v", err)
		}
		pss := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}
		sig, err = s.Sign(rand.Reader, d256[:], pss)
		if err != nil || rsa.VerifyPSS(pub, crypto.SHA256, d256[:], sig, pss) != nil {
			t.Fatalf("PSS: %v", err)
		}
	default:
		t.Fatalf("a %T", pub)
	}
}

func samePublic(a, b crypto.Signer) bool {
	return a.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(b.Public())
}

func TestKeysSurviveARestart(t *testing.T) {
	stores(t, func(t *testing.T, open func() Store) {
		s := open()
		made := map[string]crypto.Signer{}
		for name, alg := range map[string]Algorithm{"station-1": P256, "v2g": RSA2048, "v2g20": P521, "c": P384} {
			k, err := s.Create(name, alg)
			if err != nil {
				t.Fatal(err)
			}
			proves(t, k)
			made[name] = k
		}
		s.Close()
		s = open()
		if names, err := s.Names(); err != nil || !reflect.DeepEqual(names, []string{"c", "station-1", "v2g", "v2g20"}) {
			t.Fatalf("names %v, %v", names, err)
		}
		for name, before := range made {
			k, err := s.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			if proves(t, k); !samePublic(k, before) {
				t.Errorf("%s is another key now", name)
			}
		}
		if again, err := s.Create("station-1", P256); err != nil || samePublic(again, made["station-1"]) {
			t.Errorf("a new key in place of the old one: %v", err)
		}
		for range 2 { // deleting what is gone is fine
			if err := s.Delete("station-1"); err != nil {
				t.Error(err)
			}
		}
		if _, err := s.Open("station-1"); !errors.Is(err, ErrNotFound) {
			t.Errorf("a deleted key: %v", err)
		}
		if _, err := s.Create(Fitted+"station", P256); err != nil {
			t.Error(err)
		}
		if err := s.Wipe(); err != nil {
			t.Error(err)
		}
		if names, _ := open().Names(); !reflect.DeepEqual(names, []string{Fitted + "station"}) {
			t.Errorf("after a factory reset there are %v", names)
		}
	})
}

func TestSecretsAreSealed(t *testing.T) {
	stores(t, func(t *testing.T, open func() Store) {
		s := open()
		secret := bytes.Repeat([]byte("secret 7"), MaxSecret/8)
		for _, want := range [][]byte{[]byte("short"), secret} {
			if err := s.Seal("storage", want); err != nil {
				t.Fatal(err)
			}
			if got, err := open().Unseal("storage"); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%q, %v", got, err)
			}
		}
		if err := s.Seal("storage", append(secret, 1)); !errors.Is(err, ErrTooLarge) {
			t.Errorf("a secret that is too large: %v", err)
		}
		if _, err := s.Unseal("other"); !errors.Is(err, ErrNotFound) {
			t.Errorf("no secret of that name: %v", err)
		}
		if _, err := s.Open("storage"); !errors.Is(err, ErrNotFound) {
			t.Errorf("a secret opens as a key: %v", err)
		}
	})
}

func TestNothingReadableLies(t *testing.T) {
	stores(t, func(t *testing.T, open func() Store) {
		s := open()
		key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		der, _ := x509.MarshalPKCS8PrivateKey(key)
		if err := s.Import("fitted", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), ""); err != nil {
			t.Fatal(err)
		}
		if err := s.Seal("storage", []byte("0123456789ABCDEF")); err != nil {
			t.Fatal(err)
		}
		scalar, _ := key.Bytes()
		st := s.(*store)
		for name := range st.shelf.names {
			content, err := st.shelf.get(name)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(content, scalar) || bytes.Contains(content, []byte("0123456789ABCDEF")) {
				t.Errorf("%s lies open", name)
			}
		}
		k, err := open().Open("fitted")
		if err != nil {
			t.Fatal(err)
		}
		if proves(t, k); !samePublic(k, key) {
			t.Error("another key than the one imported")
		}
	})
}

func TestImportRSA(t *testing.T) {
	stores(t, func(t *testing.T, open func() Store) {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		block := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
		if err := open().Import("r", pem.EncodeToMemory(block), ""); err != nil {
			t.Fatal(err)
		}
		k, err := open().Open("r")
		if err != nil {
			t.Fatal(err)
		}
		if proves(t, k); !samePublic(k, key) {
			t.Error("another key than the one imported")
		}
	})
}

// An entry that was damaged is told, put aside, and in nobody's way.
func TestADamagedEntryIsPutAside(t *testing.T) {
	stores(t, func(t *testing.T, open func() Store) {
		s := open()
		if err := s.Seal("b", []byte("b")); err != nil {
			t.Fatal(err)
		}
		for i, hurt := range []func([]byte) []byte{
			func(b []byte) []byte { return nil },
			func(b []byte) []byte { return b[:len(b)-1] },
			func(b []byte) []byte { b[len(b)/2] ^= 4; return b },
			func(b []byte) []byte { return append(b, make([]byte, 1<<20)...) },
		} {
			if _, err := s.Create("a", P256); err != nil {
				t.Fatal(err)
			}
			st := s.(*store)
			content, err := st.shelf.get("a" + endKey)
			if err != nil {
				t.Fatal(err)
			}
			if err := writeFile(st.shelf.files, "a"+endKey, hurt(content)); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Open("a"); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "put aside as a.key.damaged") {
				t.Errorf("damage %d: %v", i, err)
			}
			if _, err := s.Open("a"); !errors.Is(err, ErrNotFound) {
				t.Errorf("damage %d, once more: %v", i, err)
			}
		}
		if got, err := s.Unseal("b"); err != nil || string(got) != "b" {
			t.Errorf("the other entry: %q, %v", got, err)
		}
	})
}

// An entry under another name than its own does not open: who can write files cannot exchange keys.
func TestAnEntryIsBoundToItsName(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, "file", dir)
	if err := s.Seal("a", []byte("a")); err != nil {
		t.Fatal(err)
	}
	content, _ := os.ReadFile(filepath.Join(dir, Folder, "a.secret"))
	if err := os.WriteFile(filepath.Join(dir, Folder, "b.secret"), content, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openStore(t, "file", dir).Unseal("b"); !errors.Is(err, ErrDamaged) {
		t.Errorf("%v", err)
	}
}

func TestTheShelfIsBounded(t *testing.T) {
	s := openStore(t, "file", t.TempDir())
	for i := range MaxEntries {
		if err := s.Seal(fmt.Sprint("s", i), []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Seal("more", []byte("x")); !errors.Is(err, ErrFull) {
		t.Errorf("one more: %v", err)
	}
	if _, err := s.Create("more", P256); !errors.Is(err, ErrFull) {
		t.Errorf("one more key: %v", err)
	}
	if err := s.Seal("s3", []byte("y")); err != nil {
		t.Errorf("in place of one: %v", err)
	}
}

func TestNames(t *testing.T) {
	s := openStore(t, "file", t.TempDir())
	for _, name := range []string{"", ".", "..", "../x", "a/b", "-a", "a b", "ä", "a\x00", strings.Repeat("a", MaxName+1)} {
		if _, err := s.Create(name, P256); !errors.Is(err, ErrName) {
			t.Errorf("name %q: %v", name, err)
		}
		if err := s.Delete(name); !errors.Is(err, ErrName) {
			t.Errorf("delete %q: %v", name, err)
		}
	}
	if err := s.Seal("A.b_c-9", nil); err != nil {
		t.Error(err)
	}
}

func TestSpec(t *testing.T) {
	for _, tc := range []struct {
		spec string
		want spec // kind "": refused
	}{
		{"file", spec{kind: "file", handle: defaultHandle}},
		{"file?key=/a/b", spec{kind: "file", path: "/a/b", handle: defaultHandle}},
		{"tpm:/dev/tpmrm0", spec{kind: "tpm", path: "/dev/tpmrm0", handle: defaultHandle}},
		{"tpm:unix:/run/t?pcr=7,0&handle=0x81000100", spec{kind: "tpm", path: "/run/t", socket: true, pcrs: []uint{0, 7}, handle: 0x81000100}},
		{"", spec{}}, {"files", spec{}}, {"file:/x", spec{}}, {"file?key=", spec{}}, {"file?key=rel", spec{}}, {"file?pcr=7", spec{}},
		{"tpm", spec{}}, {"tpm:", spec{}}, {"tpm:tpmrm0", spec{}}, {"tpm:/dev/t?pcr=", spec{}}, {"tpm:/dev/t?pcr=24", spec{}},
		{"tpm:/dev/t?pcr=7,7", spec{}}, {"tpm:/dev/t?handle=5", spec{}}, {"tpm:/dev/t?what=1", spec{}}, {"tpm:/dev/t?pcr=%", spec{}},
	} {
		got, err := parseSpec(tc.spec)
		if err != nil && tc.want.kind == "" {
			continue
		}
		if err != nil || !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%q: %+v, %v", tc.spec, got, err)
		}
	}
}

func TestLaterSignsForItsCertificateAlone(t *testing.T) {
	s := openStore(t, "file", t.TempDir())
	k := Later(s, "a", nil)
	if _, err := k.Sign(rand.Reader, make([]byte, 32), crypto.SHA256); !errors.Is(err, ErrNotFound) {
		t.Errorf("before there is a key: %v", err)
	}
	made, err := s.Create("a", P256)
	if err != nil {
		t.Fatal(err)
	}
	proves(t, Later(s, "a", made.Public()))
	other, err := s.Create("b", P256)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Later(s, "a", other.Public()).Sign(rand.Reader, make([]byte, 32), crypto.SHA256); err == nil {
		t.Error("signed for another certificate")
	}
}
