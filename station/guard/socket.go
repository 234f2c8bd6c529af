package guard

import (
	"errors"
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/evsed/evsed/station/iec61851"
)

// ErrClosed says that the other end of the socket is gone.
var ErrClosed = errors.New("the other end has closed the socket")

// SocketLink is the guard's end of a SOCK_SEQPACKET socket. It neither blocks nor allocates, and asks the kernel past
// Go's scheduler: none of its calls waits. A socket that is full takes nothing; the guard then keeps the newest status
// of each connector and offers it again. What is no frame ends the link: on a local socket it is no accident of a line
// but a foreign or broken program, whose permits must not count.
type SocketLink struct {
	fd    int
	clock instants
	err   error
	in    [CommandSize]byte
	out   [StatusSize]byte
}

// NewSocketLink returns a link over fd, a connected socket that stays the caller's; -1 is a link that waits for Connect.
// clock is the one whose times the guard's statuses carry.
func NewSocketLink(fd int, clock func() time.Time) *SocketLink {
	l := &SocketLink{clock: newInstants(clock)}
	l.Connect(fd)
	return l
}

// Connect goes on with another socket, or with -1 for none.
func (l *SocketLink) Connect(fd int) { l.fd, l.err = fd, nil }

// Err says why the link has ended: ErrClosed, ErrFrame or an error of the kernel; nil while it has not.
func (l *SocketLink) Err() error { return l.err }

// Receive takes the next waiting command.
func (l *SocketLink) Receive(c *Command) bool {
	if l.fd < 0 || l.err != nil {
		return false
	}
	n, _, e := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(l.fd), uintptr(unsafe.Pointer(&l.in)), CommandSize, unix.MSG_DONTWAIT|unix.MSG_TRUNC, 0, 0)
	switch {
	case e == unix.EAGAIN || e == unix.EINTR:
		return false
	case e == unix.ECONNRESET || e == 0 && n == 0:
		l.err = ErrClosed
		return false
	case e != 0:
		l.err = fmt.Errorf("receive from the station: %w", e)
		return false
	case n != CommandSize:
		l.err = ErrFrame
		return false
	}
	sent, err := decodeCommand(l.in[:], c)
	if err != nil {
		l.err = err
		return false
	}
	if c.Kind == CommandMeter {
		c.Meter.Age += max(l.clock.since(sent), 0)
	}
	return true
}

// Send passes on a status.
func (l *SocketLink) Send(s *iec61851.Status) bool {
	if l.fd < 0 || l.err != nil {
		return false
	}
	encodeStatus(&l.out, s, l.clock.nano(s.At))
	_, _, e := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(l.fd), uintptr(unsafe.Pointer(&l.out)), StatusSize, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	switch e {
	case 0:
		return true
	case unix.EAGAIN, unix.EINTR, unix.ENOBUFS:
	case unix.EPIPE, unix.ECONNRESET: // what still waits to be received comes first, and then the end
	default:
		l.err = fmt.Errorf("send to the station: %w", e)
	}
	return false
}

// instants translates between the times of a clock and CLOCK_MONOTONIC, which all processes share.
type instants struct {
	clock func() time.Time
	at    time.Time
	nanos int64 // CLOCK_MONOTONIC at at
}

// readings is how often both clocks are read for a pair that lies close together.
const readings = 8

func newInstants(clock func() time.Time) instants {
	i := instants{clock: clock}
	best := int64(-1)
	for range readings {
		before := monotonic()
		at := clock()
		after := monotonic()
		if best < 0 || after-before < best {
			best, i.at, i.nanos = after-before, at, before+(after-before)/2
		}
	}
	return i
}

func monotonic() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		panic(fmt.Sprintf("guard: this kernel has no monotonic clock: %v", err))
	}
	return t.Nano()
}

func (i *instants) nano(t time.Time) int64 { return i.nanos + int64(t.Sub(i.at)) }

func (i *instants) time(nanos int64) time.Time { return i.at.Add(time.Duration(nanos - i.nanos)) }

func (i *instants) since(nanos int64) time.Duration { return i.clock().Sub(i.time(nanos)) }
