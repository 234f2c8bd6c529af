package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"
)

// flatness is what the process holds over virtual time (I11): everything is looked at after a demand for liveness, when nothing
// waits.
type flatness struct {
	looks []look
	slope float64 // bytes of living heap a year
}

type look struct {
	at         time.Duration
	heap       uint64
	queue      int // things that are planned
	descriptor int
	goroutines int
	held       int // by the books
}

// maxSlope is by how much the living heap may seem to grow in a virtual year: what the collector leaves lying about.
const maxSlope = 2 << 20

func (f *flatness) look(s *sim) {
	if s.err != nil || s.store == nil {
		return
	}
	runtime.GC()
	runtime.GC() // what finalizers let go
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b := s.csms.books
	f.looks = append(f.looks, look{s.since(), m.HeapAlloc, len(s.queue.heap), descriptors(), runtime.NumGoroutine(),
		len(b.open) + len(b.promised) + len(b.gaps) + len(b.events) + len(b.waiting)})
	f.slope = f.fit()
}

func descriptors() int {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(list)
}

// fit is the slope of the living heap: the median of the slopes between any two looks from the third on, so that one store that was
// opened just now says nothing. The first looks fill pools.
func (f *flatness) fit() float64 {
	if len(f.looks) < 6 {
		return 0
	}
	var slopes []float64
	for i, a := range f.looks[2:] {
		for _, b := range f.looks[2+i+1:] {
			slopes = append(slopes, (float64(b.heap)-float64(a.heap))/(float64(b.at-a.at)/float64(year)))
		}
	}
	slices.Sort(slopes)
	return slopes[len(slopes)/2]
}

// check says what grows.
func (f *flatness) check(s *sim) {
	if len(f.looks) < 6 {
		return
	}
	first, last := f.looks[2], f.looks[len(f.looks)-1]
	s.count.checks += 4
	switch {
	case f.slope > maxSlope && s.since() > 180*day:
		s.broken("I11", "the living heap grows by %.0f KiB a year: %v", f.slope/1024, f.heaps())
	case last.descriptor > first.descriptor+2:
		s.broken("I11", "%d open files at first, %d in the end", first.descriptor, last.descriptor)
	case last.goroutines > first.goroutines+2:
		s.broken("I11", "%d goroutines at first, %d in the end", first.goroutines, last.goroutines)
	case last.queue > first.queue+200:
		s.broken("I11", "%d things were planned at first, %d in the end", first.queue, last.queue)
	}
}

// heaps lists what lived at each look, in KiB.
func (f *flatness) heaps() []uint64 {
	var all []uint64
	for _, l := range f.looks {
		all = append(all, l.heap>>10)
	}
	return all
}

func (f *flatness) worse(o *flatness) { f.slope = max(f.slope, o.slope) }

func (f *flatness) String() string {
	if len(f.looks) == 0 {
		return "not looked at"
	}
	a, b := f.looks[0], f.looks[len(f.looks)-1]
	return fmt.Sprintf("heap %d to %d KiB (%.0f KiB a year), %d to %d planned, %d to %d files, %d to %d goroutines", a.heap>>10, b.heap>>10, f.slope/1024,
		a.queue, b.queue, a.descriptor, b.descriptor, a.goroutines, b.goroutines)
}
