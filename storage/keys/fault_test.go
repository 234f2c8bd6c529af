package keys

import (
	"errors"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"

	"github.com/evsed/evsed/storage/faultfs"
	"github.com/evsed/evsed/storage/journal"
)

func vaultOn(files journal.FS) (Store, error) {
	return open(spec{kind: kindFile}, "", files)
}

// act is one change to a vault, and what holds before and after it.
type act struct {
	name string
	do   func(Store) error
}

var acts = []act{
	{"seal", func(s Store) error { return s.Seal("a", []byte("one")) }},
	{"seal again", func(s Store) error { return s.Seal("a", []byte("two")) }},
	{"make a key", func(s Store) error { return errOf(s.Create("k", P256)) }},
	{"another in its place", func(s Store) error { return errOf(s.Create("k", P256)) }},
	{"drop it", func(s Store) error { return s.Delete("k") }},
}

// secretAfter are the values of a that may be there once so many acts have begun: what the last whole one left, or the one
// after it.
func secretAfter(whole int) []string {
	return [][]string{{"", "one"}, {"one", "two"}, {"two"}, {"two"}, {"two"}, {"two"}}[whole]
}

// check opens what is on the device and wants one of the two states, whole.
func checkVault(t *testing.T, files journal.FS, whole int) {
	t.Helper()
	s, err := vaultOn(files)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Unseal("a")
	if err != nil && !errors.Is(err, ErrNotFound) || !slices.Contains(secretAfter(whole), string(got)) {
		t.Errorf("after %d acts: secret %q, %v", whole, got, err)
	}
	k, err := s.Open("k")
	switch {
	case err == nil && whole >= 2:
		proves(t, k)
	case err == nil || !errors.Is(err, ErrNotFound) || whole == 3:
		t.Errorf("after %d acts: key %v, %v", whole, k, err)
	}
	if err := s.Seal("new", []byte("x")); err != nil {
		t.Errorf("after %d acts: it takes nothing any more: %v", whole, err)
	}
}

// The power goes at each call to the device, and any part of what was not synced is on it.
func TestPowerCutsInTheVault(t *testing.T) {
	cuts := 0
	for n := 1; ; n++ {
		for seed := range uint64(8) {
			files := faultfs.New()
			files.Plan(n, faultfs.Cut, nil)
			s, err := vaultOn(files)
			whole := 0
			for err == nil && whole < len(acts) {
				if err = acts[whole].do(s); err == nil {
					whole++
				}
			}
			if !files.Off() {
				t.Logf("%d cuts at %d calls", cuts, n-1)
				return
			}
			cuts++
			rng := rand.New(rand.NewPCG(uint64(n), seed))
			checkVault(t, files.Reboot(func() bool { return seed != 0 && (seed == 1 || rng.IntN(2) == 0) }), whole)
		}
	}
}

// Each call fails once: the act that meets it says so, what was there is there, and the next try works.
func TestTheNthCallFailsInTheVault(t *testing.T) {
	for _, fault := range []faultfs.Fault{{Kind: faultfs.Fail, Err: syscall.EIO}, {Kind: faultfs.Fail, Err: syscall.ENOSPC}, {Kind: faultfs.Short, Err: syscall.ENOSPC}} {
		for n := 1; ; n++ {
			files := faultfs.New()
			hit := false
			files.Script(func(c faultfs.Call) (faultfs.Fault, bool) {
				if c.N == n {
					hit = true
				}
				return fault, c.N == n
			})
			s, err := vaultOn(files)
			if err != nil {
				t.Fatal(err)
			}
			for i, a := range acts {
				if err := a.do(s); err != nil {
					if !errors.Is(err, fault.Err) {
						t.Errorf("call %d: %s: %v", n, a.name, err)
					}
					if err := a.do(s); err != nil {
						t.Errorf("call %d: %s, once more: %v", n, a.name, err)
					}
				}
				if i == 1 {
					if got, err := s.Unseal("a"); err != nil || string(got) != "two" {
						t.Errorf("call %d: %q, %v", n, got, err)
					}
				}
			}
			checkVault(t, files.Reboot(func() bool { return false }), len(acts))
			if !hit {
				break
			}
		}
	}
}

// FuzzEntry wants that no file on the shelf harms the store, and that none but its own opens.
func FuzzEntry(f *testing.F) {
	files := faultfs.New()
	s, err := vaultOn(files)
	if err != nil {
		f.Fatal(err)
	}
	if _, err := s.Create("k", P256); err != nil {
		f.Fatal(err)
	}
	if err := s.Seal("a", []byte("secret")); err != nil {
		f.Fatal(err)
	}
	key, _ := readFile(files, "k.key", maxEntry)
	secret, _ := readFile(files, "a.secret", maxEntry)
	f.Add(secret)
	f.Add(key)
	f.Add(secret[:headSize])
	f.Add([]byte{})
	vaultKey, _ := readFile(files, vaultKeyFile, maxEntry)
	chip := &tpm{}
	f.Fuzz(func(t *testing.T, content []byte) {
		if _, _, body, ok := unframe(content, aKey); ok {
			_, _ = chip.signer(bound(content, "k"), body) // what it says of its public half is checked at its certificate
		}
		files := faultfs.New()
		for name, c := range map[string][]byte{vaultKeyFile: vaultKey, "a.secret": content} {
			if err := writeFile(files, name, c); err != nil {
				t.Fatal(err)
			}
		}
		s, err := vaultOn(files)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Unseal("a")
		if err == nil && (string(got) != "secret" || string(content) != string(secret)) {
			t.Fatalf("%x opens as %q", content, got)
		}
		if err != nil && !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrForeign) {
			t.Fatal(err)
		}
	})
}

// FuzzPEM wants an error or a key that signs, in little time.
func FuzzPEM(f *testing.F) {
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"), "")
	f.Add(encryptedPEM(f, []byte("password"), 2), "password")
	f.Fuzz(func(t *testing.T, data []byte, password string) {
		if k, err := parseKey(data, password); err == nil && k.Public() == nil {
			t.Fatal("a key without a public half")
		}
	})
}
