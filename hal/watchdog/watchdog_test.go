package watchdog

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// fake is a watchdog's driver in memory.
type fake struct {
	did     []string
	seconds int32 // that it takes, whatever it is told; 0: as told
	never   bool  // it cannot be switched off
	err     error
}

func (f *fake) control(_ int, request uint, value *int32) error {
	switch request {
	case unix.WDIOC_SETTIMEOUT:
		if f.seconds == 0 {
			f.seconds = *value
		}
		f.did = append(f.did, fmt.Sprint("timeout ", *value))
	case unix.WDIOC_GETTIMEOUT:
		*value = f.seconds
	case unix.WDIOC_SETOPTIONS:
		if f.never {
			return unix.EBUSY
		}
		f.did = append(f.did, map[int32]string{unix.WDIOS_DISABLECARD: "off", unix.WDIOS_ENABLECARD: "on"}[*value])
	case unix.WDIOC_KEEPALIVE:
		f.did = append(f.did, "pet")
	default:
		return unix.ENOTTY
	}
	return f.err
}

func (f *fake) write(_ int, b []byte) error { f.did = append(f.did, string(b)); return nil }

// TestDog: it sleeps until it is fed, and lets go when the end is meant.
func TestDog(t *testing.T) {
	for _, test := range []struct {
		never bool
		want  []string
	}{
		{false, []string{"timeout 30", "off", "on", "pet", "pet", "V"}},
		{true, []string{"timeout 30", "pet", "pet", "V"}},
	} {
		k := &fake{never: test.never}
		fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
		if err != nil {
			t.Fatal(err)
		}
		d, err := open(k, fd, 30*time.Second)
		if err != nil || d.Timeout() != 30*time.Second {
			t.Fatal(d, err)
		}
		if err := errors.Join(d.Pet(), d.Pet(), d.Close()); err != nil {
			t.Error(err)
		}
		if !reflect.DeepEqual(k.did, test.want) {
			t.Errorf("did %q, want %q", k.did, test.want)
		}
	}
}

func TestOpenFails(t *testing.T) {
	for _, test := range []struct {
		k       fake
		timeout time.Duration
		says    string
	}{
		{fake{}, time.Second, "want whole seconds, 5s to 10m0s"},
		{fake{}, 5500 * time.Millisecond, "want whole seconds"},
		{fake{seconds: 60}, 30 * time.Second, "it takes 1m0s instead"},
		{fake{seconds: 2}, 30 * time.Second, "it takes 2s instead"},
		{fake{err: unix.EIO}, 30 * time.Second, "set timeout 30s"},
	} {
		if _, err := open(&test.k, -1, test.timeout); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%v: %v", test.timeout, err)
		}
	}
	path := filepath.Join(t.TempDir(), "watchdog0")
	if _, err := Open(path, 30*time.Second); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("%v", err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, 30*time.Second); !errors.Is(err, unix.ENOTTY) && !errors.Is(err, unix.ENOSYS) { // the latter from an emulator
		t.Errorf("a file was taken for a watchdog: %v", err)
	}
}

// TestPetDoesNotAllocate: on a descriptor that is none, for the kernel's part.
func TestPetDoesNotAllocate(t *testing.T) {
	d := &Dog{fd: -1, control: kernel{}}
	if n := testing.AllocsPerRun(100, func() {
		d.waiting = !d.waiting
		if d.Pet() == nil {
			t.Error("fed")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
