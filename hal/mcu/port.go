package mcu

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// takeover is how long Open waits for a port that another holds: a guard that follows a killed one starts while the last
// one ends.
const takeover = 2 * time.Second

const (
	lockRetry   = 5 * time.Millisecond
	reopenEvery = time.Second
	openFlags   = unix.O_RDWR | unix.O_NOCTTY | unix.O_NONBLOCK | unix.O_CLOEXEC
)

// errGone is a port without a device behind it.
var errGone = errors.New("the serial port is gone")

// Port is the serial line to a controller. It calls the kernel past Go's scheduler, since none of its calls waits, and
// comes back by itself when the device does.
type Port struct {
	fd     int
	path   []byte // ends with a zero
	mode   unix.Termios
	clock  func() time.Time
	retry  time.Time
	failed bool // what the device has now failed; it is opened anew
}

// Open opens and locks the port of a controller and begins to talk to it.
func Open(spec Spec) (*MCU, error) {
	spec, err := spec.normal()
	if err != nil {
		return nil, err
	}
	p, err := OpenPort(spec.Port, spec.Baud)
	if err != nil {
		return nil, fmt.Errorf("open mcu: %w", err)
	}
	m, err := New(spec, p, time.Now)
	if err != nil {
		p.Close()
	}
	return m, err
}

// OpenPort opens a serial device, locks it, and sets it to 8 bits without parity and to bytes as they are.
func OpenPort(path string, baud int) (*Port, error) {
	fd, err := unix.Open(path, openFlags, 0)
	if err != nil {
		return nil, fmt.Errorf("serial port %s: %w", path, err)
	}
	p := &Port{fd: fd, path: append([]byte(path), 0), clock: time.Now}
	if err := p.claim(path, baud); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// removable are the beginnings of names of serial ports behind plugs.
var removable = []string{"/dev/ttyUSB", "/dev/ttyACM", "/dev/serial/"}

// Removable reports whether a port can be unplugged, by its name.
func Removable(path string) bool {
	for _, r := range removable {
		if strings.HasPrefix(path, r) {
			return true
		}
	}
	return false
}

func (p *Port) claim(path string, baud int) error {
	for end := time.Now().Add(takeover); ; time.Sleep(lockRetry) {
		err := unix.Flock(p.fd, unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			break
		}
		if err != unix.EWOULDBLOCK || time.Now().After(end) {
			return fmt.Errorf("lock serial port %s: %w: somebody else talks to this controller", path, err)
		}
	}
	mode, err := unix.IoctlGetTermios(p.fd, unix.TCGETS2)
	if err != nil {
		return fmt.Errorf("serial port %s: %w: want a serial device", path, err)
	}
	mode.Iflag = unix.IGNBRK
	mode.Oflag, mode.Lflag = 0, 0
	mode.Cflag = mode.Cflag&^(unix.CBAUD|unix.CBAUD<<unix.IBSHIFT|unix.CSIZE|unix.PARENB|unix.CSTOPB|unix.CRTSCTS) |
		unix.CS8 | unix.CREAD | unix.CLOCAL | unix.BOTHER
	mode.Ispeed, mode.Ospeed = uint32(baud), uint32(baud)
	mode.Cc[unix.VMIN], mode.Cc[unix.VTIME] = 1, 0 // with O_NONBLOCK: EAGAIN for nothing, and 0 only for the end
	p.mode = *mode
	if err := p.set(); err != nil {
		return fmt.Errorf("set serial port %s to %d baud: %w", path, baud, err)
	}
	return nil
}

// set puts the device into its mode and forgets what it still held.
func (p *Port) set() error {
	if _, _, e := unix.RawSyscall(unix.SYS_IOCTL, uintptr(p.fd), unix.TCSETS2, uintptr(unsafe.Pointer(&p.mode))); e != 0 {
		return e
	}
	_, _, _ = unix.RawSyscall(unix.SYS_IOCTL, uintptr(p.fd), unix.TCFLSH, unix.TCIOFLUSH) // what cannot be flushed is noise
	return nil
}

// Descriptor is what can be waited for; -1 while the device is gone.
func (p *Port) Descriptor() int {
	if p.failed {
		return -1
	}
	return p.fd
}

// Close lets go of the device.
func (p *Port) Close() {
	if p.fd >= 0 {
		_ = unix.Close(p.fd)
	}
	p.fd, p.failed = -1, true
}

// Read takes what has come.
func (p *Port) Read(b []byte) (int, error) {
	if p.failed && !p.reopen() {
		return 0, errGone
	}
	n, _, e := unix.RawSyscall(unix.SYS_READ, uintptr(p.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	switch {
	case e == unix.EAGAIN || e == unix.EINTR:
		return 0, nil
	case e != 0 || n == 0:
		return 0, p.lost()
	}
	return int(n), nil
}

// Write gives as much as fits.
func (p *Port) Write(b []byte) (int, error) {
	if p.failed || len(b) == 0 {
		return 0, errIf(p.failed)
	}
	n, _, e := unix.RawSyscall(unix.SYS_WRITE, uintptr(p.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	switch {
	case e == unix.EAGAIN || e == unix.EINTR:
		return 0, nil
	case e != 0:
		return 0, p.lost()
	}
	return int(n), nil
}

func errIf(failed bool) error {
	if failed {
		return errGone
	}
	return nil
}

// lost gives the device up.
func (p *Port) lost() error {
	p.failed, p.retry = true, p.clock().Add(reopenEvery)
	return errGone
}

// reopen tries, from time to time, whether the device is there again. It is not waited for, and nothing is allocated.
func (p *Port) reopen() bool {
	now := p.clock()
	if now.Before(p.retry) {
		return false
	}
	p.retry = now.Add(reopenEvery)
	if p.fd >= 0 {
		_, _, _ = unix.RawSyscall(unix.SYS_CLOSE, uintptr(p.fd), 0, 0)
		p.fd = -1
	}
	at := unix.AT_FDCWD
	fd, _, e := unix.RawSyscall6(unix.SYS_OPENAT, uintptr(at), uintptr(unsafe.Pointer(unsafe.SliceData(p.path))), openFlags, 0, 0, 0)
	if e != 0 {
		return false
	}
	p.fd = int(fd)
	if _, _, e := unix.RawSyscall(unix.SYS_FLOCK, fd, unix.LOCK_EX|unix.LOCK_NB, 0); e != 0 || p.set() != nil {
		return false
	}
	p.failed = false
	return true
}
