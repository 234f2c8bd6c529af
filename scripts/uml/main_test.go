package uml

import (
	"flag"
	"fmt"
	"os"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// allDone is what process 1 says when the checks have run, whatever they said.
const allDone = "init: done"

// checksEnv names the checks to run, as gpio|guard; all where it is empty.
const checksEnv = "EVSED_CHECKS"

// TestMain is process 1 where the kernel has started it, and any test program elsewhere.
func TestMain(m *testing.M) {
	other()
	if os.Getpid() != 1 {
		os.Exit(m.Run())
	}
	code := 1
	if err := prepare(); err != nil {
		fmt.Println("init:", err)
	} else {
		code = m.Run()
		fmt.Println(allDone, code)
	}
	unix.Sync()
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
}

// prepare mounts what programs expect, and lets the tests run with their names.
func prepare() error {
	for _, m := range []struct{ what, where string }{
		{"proc", "/proc"}, {"sysfs", "/sys"}, {"configfs", "/sys/kernel/config"}, {"devtmpfs", "/dev"}, {"tmpfs", "/tmp"}, {"tmpfs", "/run"},
		{"devpts", "/dev/pts"}, {"tmpfs", "/dev/shm"},
	} {
		if err := os.MkdirAll(m.where, 0o755); err != nil {
			return err
		}
		data := ""
		if m.what == "devpts" {
			data = "ptmxmode=0666"
		}
		if err := unix.Mount(m.what, m.where, m.what, 0, data); err != nil && err != unix.EBUSY {
			return fmt.Errorf("mount %s: %w", m.where, err)
		}
	}
	_ = os.Setenv("TMPDIR", "/tmp")
	if err := interfaceUp("lo"); err != nil {
		return err
	}
	if err := flag.Set("test.v", "true"); err != nil {
		return err
	}
	if only := os.Getenv(checksEnv); only != "" {
		if err := flag.Set("test.run", "TestKernel/^("+only+")$"); err != nil {
			return err
		}
	}
	return flag.Set("test.timeout", (kernelLimit() - 1e10).String())
}

// interfaceUp switches a network interface on.
func interfaceUp(name string) error { return interfaceSet(name, true) }

// interfaceSet switches a network interface on or off.
func interfaceSet(name string, up bool) error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(s)
	r, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	if err := unix.IoctlIfreq(s, unix.SIOCGIFFLAGS, r); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	flags := r.Uint16() &^ unix.IFF_UP
	if up {
		flags |= unix.IFF_UP
	}
	r.SetUint16(flags)
	if err := unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, r); err != nil {
		return fmt.Errorf("%s: switch: %w", name, err)
	}
	return nil
}
