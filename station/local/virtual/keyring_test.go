package virtual

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"slices"
	"testing"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/cert"
	"github.com/evsed/evsed/storage/keys"
)

// keyringOf returns a keyring without a station around it.
func keyringOf(t *testing.T, store keys.Store) *keyring {
	t.Helper()
	l := &life{s: &Station{o: Options{Keys: store, Log: slog.New(slog.DiscardHandler)}}}
	l.ctx, l.cancel = context.WithCancel(t.Context())
	return &keyring{l: l, work: make(chan station.Command, maxKeyWork)}
}

func fileStore(t *testing.T) keys.Store {
	t.Helper()
	s, err := keys.Open("file", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestMakeCSR(t *testing.T) {
	store := fileStore(t)
	k := keyringOf(t, store)
	ask := station.MakeCSR{Number: 7, Use: cert.ChargingStationCertificate, Key: "station-1", Algorithm: cert.P256, CommonName: "S1", Organization: "O", Country: "DE"}
	first := k.makeCSR(ask)
	block, rest := pem.Decode([]byte(first.PEM))
	if first.Number != 7 || first.Code != "" || block == nil || block.Type != "CERTIFICATE REQUEST" || len(rest) > 0 {
		t.Fatalf("%+v", first)
	}
	req, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if err := req.CheckSignature(); err != nil {
		t.Error(err)
	}
	if n := req.Subject; n.CommonName != "S1" || len(n.Organization) != 1 || n.Organization[0] != "O" || len(n.Country) != 1 || n.Country[0] != "DE" {
		t.Errorf("subject %v", n)
	}

	ask.Number, ask.Country = 8, ""
	again := k.makeCSR(ask) // the command may come twice: the key stays
	block, _ = pem.Decode([]byte(again.PEM))
	req2, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil || len(req2.Subject.Country) != 0 {
		t.Fatalf("%v, %v", req2.Subject, err)
	}
	if !req.PublicKey.(interface{ Equal(crypto.PublicKey) bool }).Equal(req2.PublicKey) {
		t.Error("the second request is for another key")
	}

	k.do(station.DropKey{Key: "station-1"})
	if _, err := store.Open("station-1"); !errors.Is(err, keys.ErrNotFound) {
		t.Errorf("a dropped key: %v", err)
	}
}

func TestMakeCSRWithoutAStore(t *testing.T) {
	if keyringOf(t, nil).MakeCSR(station.MakeCSR{Number: 1}) {
		t.Error("taken, with nobody to do it")
	}
	gone, err := keys.Open("tpm:unix:"+t.TempDir()+"/none", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if got := keyringOf(t, gone).makeCSR(station.MakeCSR{Number: 2, Key: "a", Algorithm: cert.P256}); got.Code != "KEY-STORE" || got.Number != 2 || got.PEM != "" {
		t.Errorf("%+v", got)
	}
	if got := keyringOf(t, fileStore(t)).makeCSR(station.MakeCSR{Number: 3, Key: "a", Algorithm: "DSA"}); got.Code != "KEY-STORE" {
		t.Errorf("%+v", got)
	}
}

func TestKeyWorkIsBounded(t *testing.T) {
	k := keyringOf(t, fileStore(t))
	for i := range maxKeyWork {
		if !k.MakeCSR(station.MakeCSR{Number: uint64(i)}) {
			t.Fatalf("number %d refused", i)
		}
	}
	if k.MakeCSR(station.MakeCSR{}) {
		t.Error("one more taken")
	}
}

// A key whose DropKey a power cut swallowed goes at the next start; where storage lost records, none goes.
func TestKeysThatNobodyNeedsAreSwept(t *testing.T) {
	for _, damaged := range []bool{false, true} {
		store := fileStore(t)
		for _, name := range []string{"a", "b", "c"} {
			if _, err := store.Create(name, keys.P256); err != nil {
				t.Fatal(err)
			}
		}
		if err := store.Seal("storage", []byte("stays")); err != nil {
			t.Fatal(err)
		}
		k := keyringOf(t, store)
		k.l.damaged, k.need = damaged, []string{"b", "gone"}
		k.sweep()
		want := []string{"b"}
		if damaged {
			want = []string{"a", "b", "c"}
		}
		if names, err := store.Names(); err != nil || !slices.Equal(names, want) {
			t.Errorf("damaged is %v: %v, %v", damaged, names, err)
		}
		if got, err := store.Unseal("storage"); err != nil || string(got) != "stays" {
			t.Errorf("a secret went with them: %q, %v", got, err)
		}
	}
}
