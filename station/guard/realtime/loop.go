package realtime

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/evsed/evsed/station/guard"
)

// rest is how long the loop does not look at its socket and sources after one of them has woken it: a station that floods it and a
// line that oscillates cost a bounded share of the processor, whatever the thread's priority.
const rest = time.Millisecond

// testStep is how long the cycles of a self-test are apart: real time has to pass for the machines to move.
const testStep = 50 * time.Microsecond

// Source wakes the loop: while its descriptor can be read, Drain takes what is there without waiting, and a cycle follows at once.
// A descriptor below 0 is none for now.
type Source interface {
	Descriptor() int
	Drain()
}

// Figures are what a guard can say about its own life.
type Figures struct {
	Cycles      uint64
	Late        time.Duration // the most that a cycle began after it was due
	Mallocs     uint64        // allocations since the first cycle
	Collections uint32        // of garbage, likewise
}

// loop is the guard's only thread at work.
type loop struct {
	g       *guard.Guard
	link    *guard.SocketLink
	conn    int // the station's socket, -1: none
	socket  int // where stations call, -1: the one station is a parent
	bell    int // an eventfd that wakes the loop when it shall end
	ending  atomic.Bool
	woken   bool // by a socket or a source, the last time
	assured time.Time
	sources []Source      // what wakes it besides
	fds     []unix.PollFd // bell, station, callers, then the sources
	timeout unix.Timespec
	figures Figures
	least   uint64 // cycles of a self-test; 0: no test
}

// end makes the loop end soon, from any goroutine.
func (l *loop) end() {
	l.ending.Store(true)
	one := [8]byte{0: 1}
	_, _ = unix.Write(l.bell, one[:]) // full: it rings already
}

// run cycles until end is called (nil) or the station is gone for good, and opens everything. So does a panic.
func (l *loop) run() (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("guard: panic: %v", r)
		}
		err = errors.Join(err, l.g.Stop())
	}()
	for due := time.Now(); ; {
		now := time.Now()
		l.figures.Late = max(l.figures.Late, now.Sub(due))
		if now.Sub(l.assured) >= guard.AssureEvery {
			l.assured = now
			l.g.Assure()
		}
		due = now.Add(l.g.Cycle(now))
		l.figures.Cycles++
		if err := l.link.Err(); err != nil {
			if l.socket < 0 {
				return err
			}
			l.hangUp(now)
			due = now
		}
		if l.ending.Load() || l.least > 0 && l.figures.Cycles >= l.least {
			return nil
		}
		if l.least > 0 {
			due = now.Add(testStep)
		}
		due = l.wait(due)
	}
}

// wait sleeps until due, or until a frame or the bell comes; it returns when the next cycle is due now.
func (l *loop) wait(due time.Time) time.Time {
	if resting := time.Now().Add(rest); l.woken && resting.Before(due) {
		l.woken = false
		l.poll(resting, false)
	}
	if l.ending.Load() || l.poll(due, true) == 0 {
		l.woken = false
		return due
	}
	l.woken = true
	if l.fds[callers].Revents != 0 {
		l.answer()
	}
	for i, s := range l.sources {
		if l.fds[others+i].Revents != 0 {
			s.Drain()
		}
	}
	return time.Now()
}

// Places in fds.
const (
	bell = iota
	station
	callers
	others
)

// poll waits for the bell, and for sockets and sources too, and returns how many of them are ready; 0: it is due.
func (l *loop) poll(due time.Time, all bool) int {
	l.fds[bell] = unix.PollFd{Fd: int32(l.bell), Events: unix.POLLIN}
	n := 1
	if all { // what is below zero is not looked at
		l.fds[station] = unix.PollFd{Fd: int32(l.conn), Events: unix.POLLIN}
		l.fds[callers] = unix.PollFd{Fd: int32(l.socket), Events: unix.POLLIN}
		for i, s := range l.sources {
			l.fds[others+i] = unix.PollFd{Fd: int32(s.Descriptor()), Events: unix.POLLIN}
		}
		n = len(l.fds)
	}
	for {
		left := max(time.Until(due), 0)
		l.timeout = unix.NsecToTimespec(int64(left))
		ready, _, e := unix.Syscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&l.fds[0])), uintptr(n), uintptr(unsafe.Pointer(&l.timeout)), 0, 0, 0)
		switch {
		case e == unix.EINTR && !l.ending.Load():
			continue
		case e != 0:
			return 0 // the cycle is early then, which harms nobody
		}
		return int(ready)
	}
}

// answer takes the call of a station. Where one is connected already the new one is sent away: a stranger must not be
// able to push a charging station's guard off.
func (l *loop) answer() {
	fd, _, e := unix.RawSyscall6(unix.SYS_ACCEPT4, uintptr(l.socket), 0, 0, unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0, 0)
	if e != 0 {
		return
	}
	if l.conn >= 0 {
		_ = unix.Close(int(fd))
		return
	}
	l.conn = int(fd)
	l.link.Connect(l.conn)
	l.g.Found()
}

// hangUp parts from a station that is gone or speaks something else.
func (l *loop) hangUp(now time.Time) {
	_ = unix.Close(l.conn)
	l.conn = -1
	l.link.Connect(-1)
	l.g.Lost(now)
}
