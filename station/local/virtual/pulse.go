package virtual

import (
	"sync/atomic"
	"time"
)

// Pulse is what a watchdog of the process has to know.
type Pulse struct {
	On    bool      // the station lives; it does not while the simulated mains are off, or between two lives
	Turns uint64    // of its loop
	Guard time.Time // when its guard last showed that it moves, in real time; zero: never
}

// Pulse feels whether loop and guard move. It asks neither, so that it cannot hang with them.
func (s *Station) Pulse() Pulse {
	l := s.alive()
	if l == nil {
		return Pulse{}
	}
	p := Pulse{On: true, Turns: l.loop.Turns()}
	if g, ok := l.guard.(interface{ Heard() time.Time }); ok {
		p.Guard = g.Heard()
	}
	return p
}

// moment is an instant that one goroutine writes and others read.
type moment struct {
	began time.Time // real, and monotonic
	since atomic.Int64
}

func newMoment() *moment { return &moment{began: time.Now()} }

func (m *moment) now() { m.since.Store(int64(time.Since(m.began))) }

func (m *moment) last() time.Time { return m.began.Add(time.Duration(m.since.Load())) }

// Heard is when the guard within the process began its last cycle, or was made.
func (w within) Heard() time.Time { return w.moved.last() }
