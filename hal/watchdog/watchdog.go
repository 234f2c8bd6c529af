package watchdog

import (
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Bounds of a timeout: the kernel counts in seconds, and the station's loop says every 2 s that it moves.
const (
	MinTimeout = 5 * time.Second
	MaxTimeout = 10 * time.Minute
)

// Dog is the kernel's watchdog.
type Dog struct {
	fd      int
	timeout time.Duration
	waiting bool // switched off until the first Pet
	option  int32
	control caller
}

// caller are the kernel's calls; a test has its own.
type caller interface {
	control(fd int, request uint, value *int32) error
	write(fd int, b []byte) error
}

type kernel struct{}

func (kernel) control(fd int, request uint, value *int32) error {
	if _, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(request), uintptr(unsafe.Pointer(value))); e != 0 {
		return e
	}
	return nil
}

func (kernel) write(fd int, b []byte) error {
	_, err := unix.Write(fd, b)
	return err
}

// Open opens a watchdog and sets its timeout. The first Pet starts it, if its driver can wait for that; otherwise it runs from now
// on. A driver that cannot do the timeout takes one near to it; one that is longer is an error, and a shorter one than
// MinTimeout too.
func Open(path string, timeout time.Duration) (*Dog, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		if err == unix.EBUSY {
			return nil, fmt.Errorf("watchdog %s: %w: somebody else feeds it (RuntimeWatchdogSec of systemd?)", path, err)
		}
		return nil, fmt.Errorf("watchdog %s: %w", path, err)
	}
	d, err := open(kernel{}, fd, timeout)
	if err != nil {
		_, _ = unix.Write(fd, []byte(magic))
		_ = unix.Close(fd)
		return nil, fmt.Errorf("watchdog %s: %w", path, err)
	}
	return d, nil
}

// magic says that the end of feeding is meant.
const magic = "V"

func open(k caller, fd int, timeout time.Duration) (*Dog, error) {
	if timeout < MinTimeout || timeout > MaxTimeout || timeout%time.Second != 0 {
		return nil, fmt.Errorf("timeout %v: want whole seconds, %v to %v", timeout, MinTimeout, MaxTimeout)
	}
	d := &Dog{fd: fd, control: k}
	seconds := int32(timeout / time.Second)
	if err := k.control(fd, unix.WDIOC_SETTIMEOUT, &seconds); err != nil {
		return nil, fmt.Errorf("set timeout %v: %w", timeout, err)
	}
	if err := k.control(fd, unix.WDIOC_GETTIMEOUT, &seconds); err != nil {
		return nil, fmt.Errorf("read timeout: %w", err)
	}
	if d.timeout = time.Duration(seconds) * time.Second; d.timeout > timeout || d.timeout < MinTimeout {
		return nil, fmt.Errorf("timeout %v: it takes %v instead", timeout, d.timeout)
	}
	off := int32(unix.WDIOS_DISABLECARD)
	d.waiting = k.control(fd, unix.WDIOC_SETOPTIONS, &off) == nil
	return d, nil
}

// Timeout is after how long without food the board is reset.
func (d *Dog) Timeout() time.Duration { return d.timeout }

// Pet feeds it.
func (d *Dog) Pet() error {
	if d.waiting {
		d.option = unix.WDIOS_ENABLECARD
		if err := d.control.control(d.fd, unix.WDIOC_SETOPTIONS, &d.option); err != nil {
			return err
		}
		d.waiting = false
	}
	return d.control.control(d.fd, unix.WDIOC_KEEPALIVE, nil)
}

// Close lets the watchdog go for good: nothing is reset, whoever ends. It is for an orderly end alone; who ends otherwise leaves
// it, and the board is reset.
func (d *Dog) Close() error {
	err := d.control.write(d.fd, []byte(magic))
	if e := unix.Close(d.fd); err == nil {
		err = e
	}
	return err
}
