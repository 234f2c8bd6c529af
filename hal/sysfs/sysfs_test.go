package sysfs

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestAttribute(t *testing.T) {
	path := filepath.Join(t.TempDir(), "value")
	put(t, path, "4095\n")
	a, err := Open(path, true)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	for text, want := range map[string]int64{"4095\n": 4095, "-7\n": -7, "0": 0, "9223372036854775000": 9223372036854775000} {
		put(t, path, text)
		if v, err := a.Read(); v != want || err != nil {
			t.Errorf("%q reads as %d, %v", text, v, err)
		}
	}
	for _, text := range []string{"", "\n", "-", "12 13\n", "1.5\n", "x", "92233720368547758080", "nan"} {
		put(t, path, text)
		if v, err := a.Read(); err == nil {
			t.Errorf("%q reads as %d", text, v)
		}
	}
	put(t, path, "")
	if err := a.Write(1000000); err != nil {
		t.Fatal(err)
	}
	if text, _ := Text(path); text != "1000000" {
		t.Errorf("%q", text)
	}
	if n := testing.AllocsPerRun(100, func() { _ = a.Write(1000000); _, _ = a.Read() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	b, err := Open(path, true)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := errors.Join(a.Lock(), a.Lock()); err != nil {
		t.Error(err)
	}
	if err := b.Lock(); !errors.Is(err, unix.EWOULDBLOCK) {
		t.Errorf("locked twice: %v", err)
	}
	if _, err := Open(path+"x", false); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("%v", err)
	}
	if err := Put(path+"x", "1"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("made a file: %v", err)
	}
}

func TestFind(t *testing.T) {
	root := t.TempDir()
	class := filepath.Join(root, "class")
	if err := os.MkdirAll(class, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Find(class, "dev", "x"); err == nil || !strings.Contains(err.Error(), "is its driver loaded?") {
		t.Errorf("%v", err)
	}
	if _, err := Find(filepath.Join(root, "none"), "dev", "x"); err == nil || !strings.Contains(err.Error(), "is its driver loaded?") {
		t.Errorf("%v", err)
	}
	for i, hardware := range []string{"20fc000.pwm", "20f8000.pwm"} {
		dir := filepath.Join(root, "devices", hardware, "class", "dev"+string(rune('0'+i)))
		put(t, filepath.Join(dir, "name"), "same")
		if err := os.Symlink(dir, filepath.Join(class, filepath.Base(dir))); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("../../../"+hardware, filepath.Join(dir, "device")); err != nil {
			t.Fatal(err)
		}
	}
	put(t, filepath.Join(class, "other0", "name"), "other")
	for _, name := range []string{"20f8000.pwm", "dev1"} {
		if d, err := Find(class, "dev", name); err != nil || filepath.Base(d.Path) != "dev1" {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
	}
	if _, err := Find(class, "dev", "same"); err == nil || !strings.Contains(err.Error(), "2 devices in "+class) {
		t.Errorf("%v", err)
	}
	if _, err := Find(class, "dev", "20fc000.pmw"); err == nil || !strings.Contains(err.Error(), "dev0=same=20fc000.pwm") {
		t.Errorf("%v", err)
	}
}
