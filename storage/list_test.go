package storage

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"

	"github.com/evsed/evsed/storage/faultfs"
)

func content(t *testing.T, l *List) map[string]string {
	t.Helper()
	got, last := map[string]string{}, ""
	must(t, l.Iterate(func(k, v []byte) bool {
		if string(k) <= last {
			t.Fatalf("%q after %q", k, last)
		}
		last = string(k)
		got[last] = string(v)
		return true
	}))
	return got
}

func same(t *testing.T, l *List, want map[string]string) {
	t.Helper()
	got := content(t, l)
	if len(got) != len(want) || l.Len() != len(want) {
		t.Fatalf("%d entries, says %d, want %d", len(got), l.Len(), len(want))
	}
	for k, v := range want {
		if got[k] != v {
			t.Fatalf("%q is %q, want %q", k, got[k], v)
		}
		if found, ok, err := l.Lookup([]byte(k)); err != nil || !ok || string(found) != v {
			t.Fatalf("lookup of %q: %q, %v, %v", k, found, ok, err)
		}
	}
	for _, k := range []string{"", "\x00", "zzzz", "token-000000x"} {
		if _, ok, err := l.Lookup([]byte(k)); ok || err != nil {
			t.Errorf("lookup of %q: %v, %v", k, ok, err)
		}
	}
}

// TestListEqualsMap builds lists of all sizes from entries in random order, with repeats and deletes, then updates
// them, and compares with a map.
func TestListEqualsMap(t *testing.T) {
	for _, n := range []int{0, 1, 50, 3000, 60000} {
		rng := rand.New(rand.NewPCG(uint64(n), 1))
		s, _ := mustOpen(t, t.TempDir(), Options{Files: faultfs.New()})
		want := map[string]string{}
		var list *List
		for round := 0; round < 3; round++ {
			b, err := s.NewList(list)
			must(t, err)
			steps := n
			if round > 0 {
				steps = n / 20
			}
			for i := 0; i < steps; i++ {
				k := fmt.Sprintf("token-%06d", rng.IntN(n+n/2))
				if rng.IntN(8) == 0 {
					must(t, b.Delete([]byte(k)))
					delete(want, k)
					continue
				}
				v := strings.Repeat("v", rng.IntN(40)) + fmt.Sprint(i)
				must(t, b.Add([]byte(k), []byte(v)))
				want[k] = v
			}
			next, err := b.Finish()
			must(t, err)
			same(t, next, want)
			must(t, s.PruneLists(next.Name()))
			list = next
		}
		names, err := s.opts.Files.List()
		must(t, err)
		if got := strings.Count(strings.Join(names, " "), listPrefix); got != 1 {
			t.Errorf("files %v", names)
		}
	}
}

func TestListDamage(t *testing.T) {
	fs := faultfs.New()
	s, _ := mustOpen(t, t.TempDir(), Options{Files: fs})
	b, err := s.NewList(nil)
	must(t, err)
	for i := 0; i < 2000; i++ {
		must(t, b.Add([]byte(fmt.Sprintf("k%05d", i)), []byte("value")))
	}
	l, err := b.Finish()
	must(t, err)
	size, err := l.file.Size()
	must(t, err)
	for i := int64(0); i < size; i += 487 {
		must(t, fs.Damage(l.Name(), func(b []byte) { b[i] ^= 0x10 }))
		if _, err := s.OpenList(l.Name()); !errors.Is(err, ErrListDamaged) {
			t.Fatalf("byte %d: %v", i, err)
		}
		must(t, fs.Damage(l.Name(), func(b []byte) { b[i] ^= 0x10 }))
	}
	must(t, fs.Damage(l.Name(), func(b []byte) { b[5000] ^= 1 }))
	if v, ok, err := l.Lookup([]byte("k00001")); ok || !errors.Is(err, ErrListDamaged) {
		t.Errorf("lookup in an open list: %q, %v, %v", v, ok, err)
	}
	for _, name := range []string{"list-99", "state.db", "list-1.run-0", "../list-1"} {
		if _, err := s.OpenList(name); err == nil {
			t.Errorf("%q was opened", name)
		}
	}
}

// TestListPowerCut cuts the power in every call of a list being built: the one in use stays whole.
func TestListPowerCut(t *testing.T) {
	for n := 1; ; n++ {
		fs, dir := faultfs.New(), t.TempDir()
		s, _ := mustOpen(t, dir, smallLog(fs))
		first, err := s.NewList(nil)
		must(t, err)
		must(t, first.Add([]byte("a"), []byte("1")))
		old, err := first.Finish()
		must(t, err)
		fs.Plan(fs.Calls()+n, faultfs.Cut, nil)
		b, err := s.NewList(old)
		must(t, err)
		for i := 0; i < 300 && err == nil; i++ {
			err = b.Add([]byte(fmt.Sprintf("k%05d", i)), []byte(strings.Repeat("v", 100)))
		}
		next, err := b.Finish()
		done := err == nil
		s.Abandon()
		rng := rand.New(rand.NewPCG(uint64(n), 2))
		fs = fs.Reboot(func() bool { return rng.IntN(2) == 0 })
		s, _ = mustOpen(t, dir, smallLog(fs))
		name := old.Name()
		if done {
			name = next.Name()
		}
		l, err := s.OpenList(name)
		if err != nil {
			t.Fatalf("call %d: %v", n, err)
		}
		if v, ok, err := l.Lookup([]byte("a")); !ok || string(v) != "1" {
			t.Fatalf("call %d: %q, %v, %v", n, v, ok, err)
		}
		must(t, s.PruneLists(name))
		s.Abandon()
		if done {
			break
		}
	}
}

func TestListNumbersAreNeverUsedAgain(t *testing.T) {
	fs, dir := faultfs.New(), t.TempDir()
	s, _ := mustOpen(t, dir, smallLog(fs))
	seen := map[string]bool{}
	finish := func() {
		b, err := s.NewList(nil)
		must(t, err)
		l, err := b.Finish()
		must(t, err)
		if seen[l.Name()] {
			t.Fatalf("%s again", l.Name())
		}
		seen[l.Name()] = true
	}
	finish()
	must(t, s.PruneLists())
	finish()
	must(t, s.Commit(nil))
	must(t, s.PruneLists())
	s.Abandon()
	s, _ = mustOpen(t, dir, smallLog(fs))
	finish()
	must(t, s.Wipe())
	finish()
}

func TestListBuilderRefuses(t *testing.T) {
	fs := faultfs.New()
	s, _ := mustOpen(t, t.TempDir(), Options{Files: fs})
	b, err := s.NewList(nil)
	must(t, err)
	if b.Add(nil, []byte("x")) == nil || !errors.Is(b.Add([]byte("k"), make([]byte, MaxListEntry)), ErrTooLarge) {
		t.Error("entries without a key or too large are taken")
	}
	must(t, b.Add([]byte("k"), make([]byte, MaxListEntry-1)))
	fs.Always(syscall.ENOSPC)
	if _, err := b.Finish(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("disk full: %v", err)
	}
	fs.Always(nil)
	if b.Add([]byte("k"), nil) == nil {
		t.Error("a builder that is done takes entries")
	}
}

func BenchmarkList(b *testing.B) {
	const entries = 100_000
	s, _, err := Open(b.TempDir(), Options{})
	fail(b, err)
	defer s.Abandon()
	key := func(i int) []byte { return []byte(fmt.Sprintf("ISO14443/%014X", uint64(i)*2654435761%(1<<40))) }
	build := func(base *List, n int) *List {
		lb, err := s.NewList(base)
		fail(b, err)
		for i := 0; i < n; i++ {
			fail(b, lb.Add(key(i), []byte("accepted, group 7, valid for a year")))
		}
		l, err := lb.Finish()
		fail(b, err)
		return l
	}
	l := build(nil, entries)
	b.Run("lookup", func(b *testing.B) {
		b.ReportAllocs()
		for n := 0; n < b.N; n++ {
			if _, ok, err := l.Lookup(key(n * 7919 % entries)); !ok || err != nil {
				b.Fatal(ok, err)
			}
		}
	})
	b.Run("replace", func(b *testing.B) {
		b.ReportAllocs()
		for n := 0; n < b.N; n++ {
			fail(b, build(nil, entries).Close())
		}
	})
	b.Run("diff-1000", func(b *testing.B) {
		for n := 0; n < b.N; n++ {
			fail(b, build(l, 1000).Close())
		}
	})
}
