package faultfs

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
)

func never() bool  { return false }
func always() bool { return true }

func read(t *testing.T, f *FS, name string, n int) string {
	t.Helper()
	h, err := f.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, n)
	got, _ := h.ReadAt(b, 0)
	return string(b[:got])
}

func TestRebootKeepsWhatWasSynced(t *testing.T) {
	f := New()
	h, _ := f.Open("a")
	h.WriteAt([]byte("one"), 0)
	if err := errors.Join(h.SyncData(), f.SyncDir()); err != nil {
		t.Fatal(err)
	}
	h.WriteAt([]byte("two"), 0)
	if got := read(t, f.Reboot(never), "a", 8); got != "one" {
		t.Errorf("nothing kept: %q", got)
	}
	if got := read(t, f.Reboot(always), "a", 8); got != "two" {
		t.Errorf("everything kept: %q", got)
	}
}

func TestUnsyncedNameMayBeGone(t *testing.T) {
	f := New()
	h, _ := f.Open("a")
	h.WriteAt([]byte("one"), 0)
	h.SyncData()
	if names, _ := f.Reboot(never).List(); len(names) != 0 {
		t.Errorf("names %v", names)
	}
	if names, _ := f.Reboot(always).List(); len(names) != 1 {
		t.Errorf("names %v", names)
	}
}

func TestFaults(t *testing.T) {
	for _, tt := range []struct {
		name       string
		kind       Kind
		err        error
		view, disk string
	}{
		{"fail", Fail, syscall.EIO, "....", "...."},
		{"short", Short, syscall.EIO, "abc.", "abc."},
		{"torn", Torn, syscall.EIO, "ab..", "ab.."},
		{"torn and not told", Torn, nil, "abcd", "ab.."},
		{"late", Late, nil, "abcd", "abcd"},
		{"lost", Lost, nil, "abcd", "...."},
		{"misplaced", Misplaced, nil, "abcd", "...."},
		{"cut", Cut, ErrCut, "", "abcd"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := New()
			h, _ := f.Open("a")
			h.WriteAt([]byte("...."), 0)
			if err := errors.Join(h.SyncData(), f.SyncDir()); err != nil {
				t.Fatal(err)
			}
			f.Plan(f.Calls()+1, tt.kind, tt.err)
			if _, err := h.WriteAt([]byte("abcd"), 0); !errors.Is(err, tt.err) {
				t.Errorf("error %v, want %v", err, tt.err)
			}
			if tt.kind != Cut {
				if got := read(t, f, "a", 4); got != tt.view {
					t.Errorf("seen %q, want %q", got, tt.view)
				}
			}
			if got := read(t, f.Reboot(always), "a", 4); got != tt.disk {
				t.Errorf("on the device %q, want %q", got, tt.disk)
			}
		})
	}
}

func TestRoom(t *testing.T) {
	f := New()
	f.Room(10)
	h, _ := f.Open("a")
	if err := h.Allocate(11); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("allocate: %v", err)
	}
	if err := h.Allocate(10); err != nil {
		t.Error(err)
	}
	if _, err := h.WriteAt([]byte("x"), 10); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("write: %v", err)
	}
	if err := f.Remove("a"); err != nil {
		t.Error(err)
	}
	h, _ = f.Open("b")
	if _, err := h.WriteAt([]byte("x"), 9); err != nil {
		t.Errorf("write after removal: %v", err)
	}
}

func TestLateWriteOvertakes(t *testing.T) {
	f := New()
	h, _ := f.Open("a")
	f.Plan(f.Calls()+1, Late, nil)
	h.WriteAt([]byte("old"), 0)
	h.WriteAt([]byte("new"), 0)
	if err := errors.Join(h.SyncData(), f.SyncDir()); err != nil {
		t.Fatal(err)
	}
	if got := read(t, f.Reboot(never), "a", 3); got != "new" {
		t.Errorf("behind one sync the device has %q", got)
	}
	h.SyncData()
	if got := read(t, f.Reboot(never), "a", 3); got != "old" {
		t.Errorf("behind the next sync the device has %q", got)
	}
}

func TestScriptSeesEveryCall(t *testing.T) {
	f := New()
	var seen []Call
	f.Script(func(c Call) (Fault, bool) {
		seen = append(seen, c)
		return Fault{Fail, syscall.ENOSPC}, c.Op == OpSync
	})
	h, _ := f.Open("a")
	h.WriteAt([]byte("one"), 0)
	if err := h.SyncData(); err != syscall.ENOSPC {
		t.Errorf("sync: %v", err)
	}
	want := []Call{{1, OpCreate, "a", 0}, {2, OpWrite, "a", 3}, {3, OpSync, "a", 0}}
	if !slices.Equal(seen, want) {
		t.Errorf("calls %v", seen)
	}
	f.PowerOff()
	if _, err := f.Open("a"); err != ErrCut {
		t.Errorf("open without power: %v", err)
	}
}

func TestPartly(t *testing.T) {
	before, after := bytes.Repeat([]byte("b"), 3*PageSize), bytes.Repeat([]byte("b"), 4*PageSize)
	after[PageSize], after[2*PageSize+SectorSize] = 'a', 'a'
	if got := Changed(before, after); !slices.Equal(got, []int{1, 2, 3}) {
		t.Errorf("changed pages %v", got)
	}
	got := Partly(before, after, false, func(page int) bool { return page == 2 })
	if len(got) != len(after) || got[PageSize] != 'b' || got[2*PageSize+SectorSize] != 'a' || got[3*PageSize] != 0 {
		t.Error("want page 2 and no other")
	}
	n := 0
	got = Partly(before, after, true, func(page int) bool { n++; return page == 2 && n%2 == 0 })
	if got[2*PageSize+SectorSize] != 'a' || n != 24 {
		t.Errorf("%d sectors were asked about", n)
	}
}

func TestHurtChangesOneSector(t *testing.T) {
	image := bytes.Repeat([]byte{0xa5}, 4*PageSize)
	for seed := range uint64(50) {
		what, hurt := Hurt(rand.New(rand.NewPCG(seed, 1)), image, PageSize, 2*PageSize)
		first, last := -1, 0
		for i := range hurt {
			if hurt[i] != image[i] {
				last = i
				if first < 0 {
					first = i
				}
			}
		}
		if first < PageSize || last >= 2*PageSize || first/SectorSize != last/SectorSize {
			t.Errorf("%s: bytes %d to %d changed", what, first, last)
		}
	}
}

func TestSlow(t *testing.T) {
	f, waits := New(), 0
	h, err := Slow(f, func() { waits++ }).Open("a")
	if err != nil {
		t.Fatal(err)
	}
	h.WriteAt([]byte("x"), 0)
	if waits > 0 {
		t.Error("a write waited")
	}
	if err := h.SyncData(); err != nil || waits != 1 {
		t.Errorf("%v, waited %d times", err, waits)
	}
	f.SyncDir()
	if got := f.Content("a"); string(got) != "x" {
		t.Errorf("content %q", got)
	}
}
