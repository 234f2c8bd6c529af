package storage

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/storage/faultfs"
)

// rot is a sealer that hides a secret from the eyes of this test, and knows where it belongs.
type rot struct {
	key  byte
	gone error
}

func (r *rot) Seal(secret, bound []byte) ([]byte, error) {
	if r.gone != nil {
		return nil, r.gone
	}
	sealed := []byte{r.key, byte(len(bound))}
	for _, b := range bound {
		sealed[1] += b
	}
	for _, b := range secret {
		sealed = append(sealed, b^0x80)
	}
	return sealed, nil
}

func (r *rot) Open(sealed, bound []byte) ([]byte, error) {
	if r.gone != nil {
		return nil, r.gone
	}
	head, _ := r.Seal(nil, bound)
	if len(sealed) < 2 || !bytes.Equal(sealed[:2], head) {
		return nil, errors.New("sealed by another key")
	}
	var secret []byte
	for _, b := range sealed[2:] {
		secret = append(secret, b^0x80)
	}
	return secret, nil
}

const (
	passwordKey = "SecurityCtrlr/BasicAuthPassword"
	password1   = "0123456789ABCDEF"
	password2   = "fedcba9876543210"
	updating    = `{"st":"Downloading","u":{"n":1,"url":"ftp://u:` + password1 + `@host/fw","left":1,"every":10}}`
)

// secrets are records with and without one.
func secrets() []station.Record {
	return []station.Record{
		set(station.BucketVariable, passwordKey, password1),
		set(station.BucketVariable, "SecurityCtrlr/Identity", "cp001"),
		set(station.BucketNetwork, "1", `{"url":"ws://csms","securityProfile":1,"messageTimeout":0,"password":"`+password2+`"}`),
		set(station.BucketNetwork, "2", `{"url":"ws://other","securityProfile":0,"messageTimeout":0}`),
		set(station.BucketUpdate, "update", updating),
		set(station.BucketNetwork, "last", `{"slot":1,"profile":{"url":"ws://csms","securityProfile":1,"messageTimeout":0,"password":"`+password2+`"}}`),
	}
}

// wantAll are those as Load gives them back.
func wantAll(t *testing.T, s *Store) {
	t.Helper()
	var want strings.Builder
	for _, r := range secrets() {
		fmt.Fprintf(&want, "%v/%s=%s\n", r.Bucket, r.Key, r.Value)
	}
	if got := dump(t, s); sortedLines(got) != sortedLines(want.String()) {
		t.Errorf("got\n%swant\n%s", got, want.String())
	}
	if len(s.Findings()) > 0 {
		t.Errorf("findings %v", s.Findings())
	}
}

// lies reports which files of a directory hold a text.
func lies(t *testing.T, dir, text string) (where []string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(names) < 4 {
		t.Fatalf("%v, %v", names, err)
	}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(content, []byte(text)) {
			where = append(where, filepath.Base(name))
		}
	}
	return where
}

func TestSecretsLieSealed(t *testing.T) {
	for _, end := range []string{"abandon", "close"} {
		t.Run(end, func(t *testing.T) {
			dir := t.TempDir()
			s, _ := mustOpen(t, dir, Options{Sealer: &rot{}})
			must(t, s.Commit(secrets()))
			if got, found, err := s.Get(station.BucketVariable, passwordKey); string(got) != password1 || !found || err != nil {
				t.Errorf("%q, %v, %v", got, found, err)
			}
			if end == "close" {
				must(t, s.Close())
			}
			s.Abandon()
			for _, text := range []string{password1, password2} {
				if where := lies(t, dir, text); len(where) > 0 {
					t.Errorf("%s lies open in %v", text, where)
				}
			}
			if len(lies(t, dir, "ws://csms")) == 0 {
				t.Error("the address is not to be found: this test would see nothing")
			}
			s, _ = mustOpen(t, dir, Options{Sealer: &rot{}})
			wantAll(t, s)
			must(t, s.Commit([]station.Record{del(station.BucketVariable, passwordKey)}))
			if _, found, err := s.Get(station.BucketVariable, passwordKey); found || err != nil {
				t.Errorf("a deleted secret: %v, %v", found, err)
			}
		})
	}
}

// An older program kept secrets open: they are read, and sealed at once.
func TestOpenSecretsOfAnOlderProgram(t *testing.T) {
	dir := t.TempDir()
	s, _ := mustOpen(t, dir, Options{})
	must(t, s.Commit(secrets()))
	must(t, s.Close())
	s, _ = mustOpen(t, dir, Options{Sealer: &rot{}})
	wantAll(t, s)
	must(t, s.Close())
	s, _ = mustOpen(t, dir, Options{Sealer: &rot{}})
	wantAll(t, s)
	s.Abandon()
	s, _ = mustOpen(t, dir, Options{Sealer: &rot{key: 1}})
	dump(t, s)
	if len(s.Findings()) != 4 {
		t.Errorf("of three secrets %v were sealed", s.Findings())
	}
}

// A key that is gone takes the secrets, each with a finding; the rest stays, and so do the secrets if the key comes back.
func TestTheKeyOfSecretsIsGone(t *testing.T) {
	for name, sealer := range map[string]Sealer{"another key": &rot{key: 1}, "no answer": &rot{gone: errors.New("busy")}, "no key store": nil} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s, _ := mustOpen(t, dir, Options{Sealer: &rot{}})
			must(t, s.Commit(secrets()))
			must(t, s.Close())
			for range 2 {
				s, rep := mustOpen(t, dir, Options{Sealer: sealer})
				if rep.Damaged() {
					t.Errorf("damage %v", rep.Findings)
				}
				got := dump(t, s)
				for _, want := range []string{"Password=\n", "Identity=cp001\n", `1={"url":"ws://csms","securityProfile":1,"messageTimeout":0}`, "last=", "ws://other"} {
					if !strings.Contains(got, want) {
						t.Errorf("no %q in\n%s", want, got)
					}
				}
				findings := fmt.Sprint(s.Findings())
				if len(s.Findings()) != 4 || strings.Contains(findings, password1) || !strings.Contains(findings, passwordKey) {
					t.Errorf("findings %v", findings)
				}
				must(t, s.Close())
			}
			s, _ = mustOpen(t, dir, Options{Sealer: &rot{}})
			wantAll(t, s)
		})
	}
}

// A secret that cannot be sealed is kept all the same, told, and sealed when it can be.
func TestASecretThatCannotBeSealed(t *testing.T) {
	dir := t.TempDir()
	s, _ := mustOpen(t, dir, Options{Sealer: &rot{gone: errors.New("the TPM is busy")}})
	must(t, s.Commit(secrets()))
	if len(s.Findings()) != 4 || s.Findings()[0].Code != FoundSealed {
		t.Errorf("findings %v", s.Findings())
	}
	must(t, s.Close())
	s, _ = mustOpen(t, dir, Options{Sealer: &rot{}})
	wantAll(t, s)
	s.Abandon()
	s, _ = mustOpen(t, dir, Options{Sealer: &rot{key: 1}})
	if dump(t, s); len(s.Findings()) != 4 {
		t.Errorf("still open: %v", s.Findings())
	}
}

// The power goes at each call while a password changes: the old one or the new one is there, whole.
func TestPowerCutsWhileAPasswordChanges(t *testing.T) {
	for n := 1; ; n++ {
		fs, dir := faultfs.New(), t.TempDir()
		fs.Plan(n, faultfs.Cut, nil)
		o := smallLog(fs)
		o.Sealer = &rot{}
		kept := ""
		s, _, err := Open(dir, o)
		for i := 0; err == nil && i < 3; i++ {
			value := fmt.Sprintf("password-%08d", i)
			if err = s.Commit([]station.Record{set(station.BucketVariable, passwordKey, value)}); err == nil {
				kept = value
			}
		}
		if s != nil {
			s.Abandon()
		}
		whole := !fs.Off()
		o.Files = fs.Reboot(func() bool { return n%2 == 0 })
		s, _ = mustOpen(t, dir, o)
		got, _, err := s.Get(station.BucketVariable, passwordKey)
		if err != nil || string(got) < kept || len(got) > 0 && !strings.HasPrefix(string(got), "password-") {
			t.Fatalf("cut %d: %q after %q, %v", n, got, kept, err)
		}
		s.Abandon()
		if whole {
			return
		}
	}
}
