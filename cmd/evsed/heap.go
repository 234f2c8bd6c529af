package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
)

// How the heap is kept from growing past its goal. The collector overshoots when much is allocated while it runs, most of
// all on a board whose cores are busy, and what it frees lies about in pieces. A memory limit holds both down: near it
// the collector starts sooner and pages are given back at once. The limit follows what is live, so that it never asks for
// more than garbagePercent does, and a station that needs more has it.
const (
	leastGoal = 4 << 20 * garbagePercent / 100 // bytes: below that the runtime does not collect
	heapSlack = 1 << 20                        // bytes above the goal
	limitStep = 256 << 10                      // bytes; a smaller change is not worth stopping for
	shortAt   = memoryLimit * 3 / 4            // bytes that are live: from there on memory is short, until it is half as much
)

// heapLimit is what the process may take: what is not heap, the goal of the collector for what is live, and some slack.
func heapLimit(live, other uint64) int64 {
	return int64(other + max(leastGoal, live+live*garbagePercent/100) + heapSlack)
}

// limiter sets the memory limit anew after every collection.
type limiter struct {
	samples []metrics.Sample
	limit   int64
	short   func(live uint64) // memory has become short; nil: nobody is told
	told    bool
	done    atomic.Bool
}

// limitHeap sets memory limits until the function that it returns is called, and tells when memory becomes short. It does
// nothing where the operator has set GOGC or GOMEMLIMIT.
func limitHeap(short func(live uint64)) (stop func()) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	l := &limiter{short: short, samples: []metrics.Sample{
		{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/unused:bytes"}, {Name: "/memory/classes/heap/free:bytes"},
	}}
	l.collected()
	return func() { l.done.Store(true) }
}

// collected sets the limit, and arranges to be called after the next collection.
func (l *limiter) collected() {
	if l.done.Load() {
		return
	}
	metrics.Read(l.samples)
	live, other := l.samples[0].Value.Uint64(), l.samples[1].Value.Uint64()
	l.watch(live)
	for _, heap := range l.samples[2:] {
		other -= min(other, heap.Value.Uint64())
	}
	if limit := heapLimit(live, other); limit < l.limit-limitStep || limit > l.limit+limitStep {
		l.limit = limit
		debug.SetMemoryLimit(limit)
	}
	runtime.AddCleanup(new([2]uint64), (*limiter).collected, l)
}

// watch tells once that memory has become short.
func (l *limiter) watch(live uint64) {
	switch {
	case live >= shortAt && !l.told:
		l.told = true
		if l.short != nil {
			l.short(live)
		}
	case live < shortAt/2:
		l.told = false
	}
}
