package gpio

import (
	"time"
	"unsafe"

	"github.com/warthog618/go-gpiocdev/uapi"
	"golang.org/x/sys/unix"
)

// Line is a line that was requested.
type Line struct {
	fd     int
	values uapi.LineValues
	wakes  bool
	edges  *Edges
	events [drainAtOnce]uapi.LineEvent
	seq    uint32 // of the newest edge
}

// Edges is what edges have told so far.
type Edges struct {
	Count uint64
	Lost  uint64        // edges that the kernel had no room for: the level is right all the same
	First time.Duration // since boot (CLOCK_MONOTONIC): first edge after quiet
	Last  time.Duration // newest edge; 0: none, or it has been dealt with
}

const (
	drainAtOnce = 16
	drainMost   = 8                      // reads of one Drain: a line that oscillates must not hold up a cycle
	quiet       = 100 * time.Millisecond // edges that are nearer to each other belong together
)

// Set drives the line.
func (l *Line) Set(active bool) error {
	l.values.Bits = 0
	if active {
		l.values.Bits = 1
	}
	return uapi.SetLineValuesV2(uintptr(l.fd), l.values)
}

// Get reads the line.
func (l *Line) Get() (bool, error) {
	l.values.Bits = 0
	err := uapi.GetLineValuesV2(uintptr(l.fd), &l.values)
	return err == nil && l.values.Bits&1 != 0, err
}

// Descriptor can be waited for: it can be read when an edge has come.
func (l *Line) Descriptor() int { return l.fd }

// Drain takes the edges that wait. The level is what Get says; edges are for waking, for their time, and for noticing that some were
// lost.
func (l *Line) Drain() {
	buffer := unsafe.Slice((*byte)(unsafe.Pointer(&l.events)), unsafe.Sizeof(l.events))
	for range drainMost {
		n, err := unix.Read(l.fd, buffer)
		if err != nil || n <= 0 {
			return
		}
		for i := range n / int(unsafe.Sizeof(l.events[0])) {
			l.note(&l.events[i])
		}
		if n < len(buffer) {
			return
		}
	}
}

// note counts an edge.
func (l *Line) note(e *uapi.LineEvent) {
	if gap := e.LineSeqno - l.seq - 1; gap > 0 && gap < 1<<31 {
		l.edges.Lost += uint64(gap)
	}
	l.seq = e.LineSeqno
	l.edges.add(time.Duration(e.Timestamp))
}

func (e *Edges) add(at time.Duration) {
	e.Count++
	if e.Last == 0 || at-e.Last > quiet {
		e.First = at
	}
	e.Last = max(e.Last, at)
}

// Settle forgets the newest edges: they have been dealt with.
func (e *Edges) Settle() { e.First, e.Last = 0, 0 }
