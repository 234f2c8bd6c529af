package can

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Socket is where a Bus reads and writes the kernel's frames, one a call. Read ends with os.ErrDeadlineExceeded at the
// deadline; Close ends it as well.
type Socket interface {
	Read(b []byte) (int, error)
	Write(b []byte) (int, error)
	SetReadDeadline(t time.Time) error
	SetWriteDeadline(t time.Time) error
	Close() error
}

// openSocket opens a raw socket at an interface. filters: none lets everything pass.
func openSocket(name string, filters []Filter) (Socket, error) {
	ifi, err := net.InterfaceByName(name)
	if err != nil {
		return nil, fmt.Errorf("no interface %s: %w: want a CAN interface (ip link)", name, err)
	}
	fd, err := unix.Socket(unix.AF_CAN, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.CAN_RAW)
	if err != nil {
		return nil, fmt.Errorf("open a CAN socket: %w: the kernel wants CONFIG_CAN_RAW", err)
	}
	if err := prepare(fd, ifi.Index, filters); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("CAN interface %s: %w", name, err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

func prepare(fd, index int, filters []Filter) error {
	if len(filters) > 0 {
		list := make([]unix.CanFilter, len(filters))
		for i, f := range filters {
			list[i] = unix.CanFilter{Id: f.ID, Mask: f.Mask&MaxExtended | flagExtended} // with flagError in a mask the kernel takes it for one of error frames, which have a filter of their own
			if f.Extended {
				list[i].Id |= flagExtended
			}
		}
		if err := unix.SetsockoptCanRawFilter(fd, unix.SOL_CAN_RAW, unix.CAN_RAW_FILTER, list); err != nil {
			return fmt.Errorf("set filters: %w", err)
		}
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_CAN_RAW, unix.CAN_RAW_ERR_FILTER, allClasses); err != nil {
		return fmt.Errorf("ask for error frames: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrCAN{Ifindex: index}); err != nil {
		return fmt.Errorf("bind: %w: want a CAN interface", err)
	}
	return nil
}

// down reports whether an error says that the interface is down or gone rather than that a call was wrong.
func down(err error) bool {
	return errors.Is(err, unix.ENETDOWN) || errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENXIO) || errors.Is(err, unix.ENETUNREACH)
}

// full reports whether the interface's queue holds no more; it is no fault unless it lasts.
func full(err error) bool { return errors.Is(err, unix.ENOBUFS) || errors.Is(err, unix.EAGAIN) }

// errorFrame is an error frame as the kernel writes it.
func errorFrame(class uint32, control byte) (b raw) {
	binary.NativeEndian.PutUint32(b[:], flagError|class)
	b[4], b[9] = MaxData, control
	return b
}
