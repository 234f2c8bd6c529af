package i2c

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Config says which bus.
type Config struct {
	Bus    string        // the adapter's number, or a path: "1", "/dev/i2c-1"
	Within time.Duration // what a transfer may take, to 10 ms; 0: 100 ms
	Late   bool          // no error while the adapter is not there
}

// Requests of i2c-dev (linux/i2c-dev.h) and the flag of a message that reads (linux/i2c.h).
const (
	setRetries  = 0x0701
	setTimeout  = 0x0702 // in 10 ms
	functions   = 0x0705 // of the adapter
	transaction = 0x0707 // I2C_RDWR
	readFlag    = 0x0001
	plainI2C    = 0x0001 // among the functions: any messages, not SMBus commands alone
)

const defaultWithin = 100 * time.Millisecond

// message is struct i2c_msg.
type message struct {
	address, flags, length uint16
	buffer                 *byte
}

// messages is struct i2c_rdwr_ioctl_data.
type messages struct {
	first *message
	count uint32
}

// Open opens a bus of the kernel.
func Open(c Config) (*Bus, error) {
	path := c.Bus
	if _, err := strconv.ParseUint(path, 10, 8); err == nil {
		path = "/dev/i2c-" + path
	}
	if !strings.HasPrefix(path, "/") {
		return nil, fmt.Errorf("I2C bus %q: want an adapter's number, or a path like /dev/i2c-1", c.Bus)
	}
	path = filepath.Clean(path)
	if c.Within == 0 {
		c.Within = defaultWithin
	}
	open := func() (Adapter, error) { return openAdapter(path, c.Within) }
	first, err := open()
	if err != nil && !(c.Late && errors.Is(err, ErrUnplugged)) {
		return nil, fmt.Errorf("I2C bus %s: %w", c.Bus, err)
	}
	return On(c.Bus, func() (Adapter, error) {
		if a := first; a != nil {
			first = nil
			return a, nil
		}
		return open()
	}), nil
}

// adapter is an open /dev/i2c-N.
type adapter struct{ fd int }

func openAdapter(path string, within time.Duration) (Adapter, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, judge(err)
	}
	if err := prepare(fd, within); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return adapter{fd}, nil
}

// prepare sees to it that the adapter can do what is asked of it, and that it gives up in time: the kernel's defaults
// are a second and as many tries as the driver likes, and others wait for the bus meanwhile.
func prepare(fd int, within time.Duration) error {
	var can uintptr // an unsigned long
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), functions, uintptr(unsafe.Pointer(&can))); errno != 0 {
		return fmt.Errorf("no I2C adapter: %w", errno)
	}
	if can&plainI2C == 0 {
		return errors.New("the adapter knows SMBus commands alone: want one that carries any message")
	}
	if err := unix.IoctlSetInt(fd, setTimeout, max(1, int(within/(10*time.Millisecond)))); err != nil {
		return fmt.Errorf("set timeout: %w", err)
	}
	if err := unix.IoctlSetInt(fd, setRetries, 1); err != nil {
		return fmt.Errorf("set retries: %w", err)
	}
	return nil
}

func (a adapter) Transfer(address uint8, w, r []byte) error {
	var m [2]message
	n := 0
	if len(w) > 0 {
		m[n] = message{address: uint16(address), length: uint16(len(w)), buffer: &w[0]}
		n++
	}
	if len(r) > 0 {
		m[n] = message{address: uint16(address), flags: readFlag, length: uint16(len(r)), buffer: &r[0]}
		n++
	}
	data := messages{first: &m[0], count: uint32(n)}
	var pin runtime.Pinner // the kernel follows pointers that the collector does not see in a uintptr
	defer pin.Unpin()
	pin.Pin(&m[0])
	for i := range m[:n] {
		pin.Pin(m[i].buffer)
	}
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(a.fd), transaction, uintptr(unsafe.Pointer(&data)))
	runtime.KeepAlive(&data)
	if errno != 0 {
		return judge(errno)
	}
	return nil
}

func (a adapter) Close() error { return unix.Close(a.fd) }

// judge says what a call's error means (Linux, Documentation/i2c/fault-codes).
func judge(err error) error {
	switch {
	case errors.Is(err, unix.ENXIO), errors.Is(err, unix.EREMOTEIO):
		return fmt.Errorf("%w: %w", ErrNoAnswer, err)
	case errors.Is(err, unix.ETIMEDOUT), errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EBUSY), errors.Is(err, unix.EIO):
		return fmt.Errorf("%w: %w", ErrStuck, err)
	case errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENOENT), errors.Is(err, unix.ESHUTDOWN):
		return fmt.Errorf("%w: %w", ErrUnplugged, err)
	}
	return err
}
