package realtime

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// edge is a source that a test rings.
type edge struct{ fd, drained int }

func (e *edge) Descriptor() int { return e.fd }

func (e *edge) Drain() {
	e.drained++
	_, _ = unix.Read(e.fd, rung[:])
}

// What a bell is rung with, and what it is read into: under the race detector each of its own would be allocated.
var one, rung = [8]byte{0: 1}, [8]byte{}

func ring(t *testing.T, fd int) {
	t.Helper()
	if _, err := unix.Write(fd, one[:]); err != nil {
		t.Fatal(err)
	}
}

// TestSourceWakes: a source that has something to say ends the wait at once and is drained, one that is silent does not, and one
// that is not there is not looked at.
func TestSourceWakes(t *testing.T) {
	var fds [2]int
	for i := range fds {
		var err error
		if fds[i], err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fds[i])
	}
	heard, absent := &edge{fd: fds[1]}, &edge{fd: -1}
	l := &loop{conn: -1, socket: -1, bell: fds[0], sources: []Source{absent, heard}, fds: make([]unix.PollFd, others+2)}
	past := time.Now().Add(-time.Second)
	if next := l.wait(past); next != past || heard.drained != 0 {
		t.Errorf("woken by nothing at %v, drained %d times", next, heard.drained)
	}
	far := time.Now().Add(time.Hour)
	ring(t, fds[1])
	if next := l.wait(far); !next.Before(far) || heard.drained != 1 || absent.drained != 0 {
		t.Errorf("next cycle at %v, drained %d and %d times", next, heard.drained, absent.drained)
	}
	ring(t, fds[1])
	if next := l.wait(far); !next.Before(far) || heard.drained != 2 { // after its rest
		t.Errorf("next cycle at %v, drained %d times", next, heard.drained)
	}
	ring(t, fds[0])
	l.ending.Store(true)
	if next := l.wait(far); !next.Equal(far) {
		t.Errorf("not ended at once: %v", next)
	}
	var b [8]byte
	_, _ = unix.Read(fds[0], b[:])
	l.ending.Store(false)
	if n := testing.AllocsPerRun(100, func() { ring(t, fds[1]); l.wait(far) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
