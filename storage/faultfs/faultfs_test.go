package faultfs

import (
	"errors"
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
		{"torn", Torn, syscall.EIO, "ab..", "ab.."},
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
