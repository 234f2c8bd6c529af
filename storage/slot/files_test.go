package slot

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestDir installs on a real directory: what was checked cannot be written, and stays what it is while it is held.
func TestDir(t *testing.T) {
	path := filepath.Join(t.TempDir(), "slots")
	f, err := Dir(path)
	if err != nil {
		t.Fatal(err)
	}
	m := newMaker(t)
	m.update(t, f, 2)
	name := filepath.Join(path, payloadName(A))
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o500 {
		t.Fatalf("%v, mode %v", err, info.Mode())
	}
	_, c := m.boot(t, f)
	held, ok := c.File.(*osFile)
	if !ok || c.Boot.Slot != A {
		t.Fatalf("%+v", c)
	}
	if err := held.held(); err != nil {
		t.Fatal(err)
	}
	if !held.leased {
		t.Skip("this file system has no leases")
	}
	if err := os.Chmod(name, 0o700); err != nil {
		t.Fatal(err)
	}
	// Somebody else wants to write: he has to wait, and is seen.
	_, err = syscall.Open(name, syscall.O_WRONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if !errors.Is(err, syscall.EWOULDBLOCK) {
		t.Errorf("open for writing: %v", err)
	}
	if err := Exec(held, nil, nil); err == nil {
		t.Error("started all the same")
	}
	if err := held.Close(); err != nil {
		t.Fatal(err)
	}
	w, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if c, err := Choose(m.options(f)); c.File != nil {
		t.Errorf("a file that is open for writing: %+v, %v", c.Boot, err)
	}
}

// TestDirRefusesLinks: a slot is a file of its own.
func TestDirRefusesLinks(t *testing.T) {
	path := t.TempDir()
	f, err := Dir(path)
	if err != nil {
		t.Fatal(err)
	}
	m := newMaker(t)
	m.update(t, f, 2)
	name := filepath.Join(path, payloadName(A))
	if err := errors.Join(os.Rename(name, name+".1"), os.Symlink(name+".1", name)); err != nil {
		t.Fatal(err)
	}
	if c, _ := Choose(m.options(f)); c.Boot.Slot != Factory {
		t.Errorf("%+v", c.Boot)
	}
	if err := errors.Join(os.Remove(name), syscall.Mkfifo(name, 0o600)); err != nil {
		t.Fatal(err)
	}
	done := make(chan Choice, 1)
	go func() { c, _ := Choose(m.options(f)); done <- c }()
	select {
	case c := <-done:
		if c.Boot.Slot != Factory {
			t.Errorf("%+v", c.Boot)
		}
	case <-time.After(20 * time.Second):
		t.Error("a launcher that waits for a pipe")
	}
}
