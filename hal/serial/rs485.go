package serial

import (
	"errors"
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// rs485 is struct serial_rs485 of linux/serial.h.
type rs485 struct {
	flags  uint32
	before uint32 // ms
	after  uint32 // ms
	_      [5]uint32
}

// Flags of rs485.
const (
	rs485Enabled   = 1 << 0
	rs485RTSOn     = 1 << 1 // level of RTS while sending
	rs485RTSAfter  = 1 << 2 // level of RTS otherwise
	rs485Terminate = 1 << 5
)

func (r RS485) kernel() rs485 {
	k := rs485{flags: rs485Enabled, before: uint32(r.Before / time.Millisecond), after: uint32(r.After / time.Millisecond)}
	if r.RTSLow {
		k.flags |= rs485RTSAfter
	} else {
		k.flags |= rs485RTSOn
	}
	if r.Termination {
		k.flags |= rs485Terminate
	}
	return k
}

// turnDirection hands the transceiver's direction to the driver and checks that it took it: a driver may silently
// keep what it cannot do.
func turnDirection(fd int, r RS485) error {
	want := r.kernel()
	if err := ioctlRS485(fd, unix.TIOCSRS485, &want); err != nil {
		if errors.Is(err, unix.ENOTTY) || errors.Is(err, unix.EINVAL) {
			return fmt.Errorf("%w: %w: this driver does not turn the transceiver; leave rs485 to the device tree, or use a transceiver that turns itself", ErrDirection, err)
		}
		return fmt.Errorf("%w: %w", ErrDirection, err)
	}
	var got rs485
	if err := ioctlRS485(fd, unix.TIOCGRS485, &got); err != nil {
		return fmt.Errorf("%w: read it back: %w", ErrDirection, err)
	}
	if got.flags&rs485Enabled == 0 {
		return fmt.Errorf("%w: the driver left it switched off", ErrDirection)
	}
	if missing := r.kernel().flags &^ got.flags; missing&(rs485RTSOn|rs485RTSAfter|rs485Terminate) != 0 {
		return fmt.Errorf("%w: the driver refuses flags %#x", ErrDirection, missing)
	}
	return nil
}

func ioctlRS485(fd int, request uintptr, r *rs485) error {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(unsafe.Pointer(r)))
	if errno != 0 {
		return errno
	}
	return nil
}
