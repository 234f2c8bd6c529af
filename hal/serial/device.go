package serial

import (
	"errors"
	"fmt"
	"io"
	"time"

	"go.bug.st/serial"
	"golang.org/x/sys/unix"
)

// device is a UART of the kernel: the library's port for reading and settings, and a descriptor of our own that holds the
// lock, turns the direction, and writes without ever blocking.
type device struct {
	port serial.Port
	own  int
}

// openDevice opens, locks and configures a UART.
func openDevice(c Config) (line, error) {
	path := c.Path()
	own, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, openError(path, err)
	}
	d := &device{own: own}
	if err := d.setUp(c, path); err != nil {
		unix.Close(own)
		return nil, err
	}
	return d, nil
}

func (d *device) setUp(c Config, path string) error {
	if err := lock(d.own, path); err != nil {
		return err
	}
	if c.RS485 != nil {
		if err := turnDirection(d.own, *c.RS485); err != nil {
			return err
		}
	}
	f, err := parseFrame(c.Frame)
	if err != nil {
		return err
	}
	port, err := serial.Open(path, mode(c.Baud, f))
	if err != nil {
		return openError(path, err)
	}
	d.port = port
	return nil
}

func mode(baud int, f frame) *serial.Mode {
	m := &serial.Mode{BaudRate: baud, DataBits: f.data, StopBits: serial.OneStopBit}
	if f.stop == 2 {
		m.StopBits = serial.TwoStopBits
	}
	switch f.parity {
	case 'E':
		m.Parity = serial.EvenParity
	case 'O':
		m.Parity = serial.OddParity
	}
	return m
}

// openError says why a device does not open, and what to do.
func openError(path string, err error) error {
	var refused *serial.PortError
	busy := errors.As(err, &refused) && refused.Code() == serial.PortBusy
	denied := errors.As(err, &refused) && refused.Code() == serial.PermissionDenied
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO), errors.Is(err, unix.EIO):
		return fmt.Errorf("%w: %w: plug the adapter in, or name another device", ErrUnplugged, err)
	case errors.Is(err, unix.EBUSY), busy:
		return heldBy(path)
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM), denied:
		return fmt.Errorf("%w: give evsed's user the group that owns %s", err, path)
	}
	return err
}

// Read waits for the first byte. The library tells a timeout as no bytes without an error, which would let
// readers spin.
func (d *device) Read(p []byte, until time.Time) (int, error) {
	wait := serial.NoTimeout
	if !until.IsZero() {
		wait = max(0, time.Until(until))
	}
	if err := d.port.SetReadTimeout(wait); err != nil {
		return 0, err
	}
	n, err := d.port.Read(p)
	if err == nil && n == 0 {
		return 0, ErrTimeout
	}
	return n, gone(err)
}

// Write writes all of p before the deadline; a line that takes nothing any more cannot hold its owner up.
func (d *device) Write(p []byte, until time.Time) (int, error) {
	done := 0
	for done < len(p) {
		n, err := unix.Write(d.own, p[done:])
		done += max(0, n)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			if err := d.room(until); err != nil {
				return done, err
			}
		case err != nil:
			return done, gone(err)
		}
	}
	return done, nil
}

// room waits until the driver takes more.
func (d *device) room(until time.Time) error {
	wait := -1
	if !until.IsZero() {
		wait = int(max(0, time.Until(until)+time.Millisecond-1) / time.Millisecond)
	}
	fds := []unix.PollFd{{Fd: int32(d.own), Events: unix.POLLOUT}}
	n, err := unix.Poll(fds, wait)
	switch {
	case errors.Is(err, unix.EINTR):
		return nil
	case err != nil:
		return err
	case n == 0:
		return ErrTimeout
	case fds[0].Revents&(unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) != 0:
		return ErrUnplugged
	}
	return nil
}

func (d *device) Drop() error { return gone(d.port.ResetInputBuffer()) }

func (d *device) Close() error {
	err := d.port.Close()
	return errors.Join(err, unix.Close(d.own))
}

// gone tells an unplugged device from other errors: the driver says that there is no device, or the read ends.
func gone(err error) error {
	var port *serial.PortError
	ended := errors.As(err, &port) && port.Code() == serial.PortClosed || errors.Is(err, io.EOF)
	for _, e := range []error{unix.EIO, unix.ENODEV, unix.ENXIO, unix.EPIPE, unix.EBADF} {
		ended = ended || errors.Is(err, e)
	}
	if ended {
		return fmt.Errorf("%w: %w", ErrUnplugged, err)
	}
	return err
}
