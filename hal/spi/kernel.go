package spi

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Config says which device, and how it speaks.
type Config struct {
	Port  string // bus and chip select, or a path: "0.0", "/dev/spidev0.0"
	Speed uint32 // bits per second, 10 kHz to 50 MHz
	Mode  uint8  // clock polarity and phase, 0 to 3
	Late  bool   // no error while the device is not there
}

// Requests of spidev (linux/spi/spidev.h).
const (
	requestMessage = 0x40206b00 // one transfer
	requestMode    = 0x40016b01
	requestBits    = 0x40016b03
	requestSpeed   = 0x40046b04
)

const minSpeed, maxSpeed = 10_000, 50_000_000

// transfer is struct spi_ioc_transfer.
type transfer struct {
	tx, rx                 uint64
	length, speed          uint32
	delay                  uint16
	bits, change, txn, rxn uint8
	wordDelay, padding     uint8
}

// Open opens a device of the kernel.
func Open(c Config) (*Device, error) {
	if c.Speed < minSpeed || c.Speed > maxSpeed {
		return nil, fmt.Errorf("SPI device %s: speed %d: want %d to %d bits per second", c.Port, c.Speed, minSpeed, maxSpeed)
	}
	if c.Mode > 3 {
		return nil, fmt.Errorf("SPI device %s: mode %d: want 0 to 3", c.Port, c.Mode)
	}
	path, err := path(c.Port)
	if err != nil {
		return nil, err
	}
	open := func() (Wire, error) { return openWire(path, c) }
	first, err := open()
	if err != nil && !(c.Late && errors.Is(err, ErrUnplugged)) {
		return nil, fmt.Errorf("SPI device %s: %w", c.Port, err)
	}
	return On(c.Port, func() (Wire, error) {
		if w := first; w != nil {
			first = nil
			return w, nil
		}
		return open()
	}), nil
}

// path is the device file of a port.
func path(port string) (string, error) {
	if strings.HasPrefix(port, "/") {
		return filepath.Clean(port), nil
	}
	var bus, chip uint8
	if n, err := fmt.Sscanf(port, "%d.%d", &bus, &chip); n != 2 || err != nil || fmt.Sprintf("%d.%d", bus, chip) != port {
		return "", fmt.Errorf("SPI device %q: want bus and chip select like 0.0, or a path like /dev/spidev0.0", port)
	}
	return "/dev/spidev" + port, nil
}

// wire is an open /dev/spidevB.C.
type wire struct {
	fd    int
	speed uint32
}

func openWire(path string, c Config) (Wire, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, judge(err)
	}
	bits, speed := uint8(8), c.Speed
	for _, s := range []struct {
		name    string
		request uintptr
		value   unsafe.Pointer
	}{
		{"mode", requestMode, unsafe.Pointer(&c.Mode)},
		{"word length", requestBits, unsafe.Pointer(&bits)},
		{"speed", requestSpeed, unsafe.Pointer(&speed)},
	} {
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), s.request, uintptr(s.value)); errno != 0 {
			unix.Close(fd)
			return nil, fmt.Errorf("set %s of %s: no SPI device, or one that cannot: %w", s.name, path, errno)
		}
	}
	return wire{fd, c.Speed}, nil
}

func (w wire) Transfer(out, in []byte) error {
	var pin runtime.Pinner // the kernel follows pointers that the collector does not see in an integer
	defer pin.Unpin()
	pin.Pin(&out[0])
	pin.Pin(&in[0])
	t := transfer{
		tx: uint64(uintptr(unsafe.Pointer(&out[0]))), rx: uint64(uintptr(unsafe.Pointer(&in[0]))),
		length: uint32(len(out)), speed: w.speed, bits: 8,
	}
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(w.fd), requestMessage, uintptr(unsafe.Pointer(&t))); errno != 0 {
		return judge(errno)
	}
	return nil
}

func (w wire) Close() error { return unix.Close(w.fd) }

// judge says what a call's error means.
func judge(err error) error {
	switch {
	case errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENOENT), errors.Is(err, unix.ESHUTDOWN), errors.Is(err, unix.ENXIO):
		return fmt.Errorf("%w: %w", ErrUnplugged, err)
	}
	return err
}
