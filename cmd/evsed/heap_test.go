package main

import (
	"math"
	"runtime"
	"runtime/debug"
	"slices"
	"testing"
)

func TestHeapLimit(t *testing.T) {
	const mb = 1 << 20
	for _, test := range []struct{ live, other, want uint64 }{
		{0, 3 * mb, 3*mb + leastGoal + heapSlack},
		{mb, 3 * mb, 3*mb + leastGoal + heapSlack}, // 1.5 MB are less than the runtime collects at
		{2 * mb, 3 * mb, 3*mb + 3*mb + heapSlack},
		{20 * mb, 5 * mb, 5*mb + 30*mb + heapSlack}, // a station that needs more has it
	} {
		if got := heapLimit(test.live, test.other); got != int64(test.want) {
			t.Errorf("%d live, %d other: limit %d, want %d", test.live, test.other, got, test.want)
		}
	}
}

// The limit follows what is live, up and down, from one collection to the next.
func TestLimitFollowsTheHeap(t *testing.T) {
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(-1))
	stop := limitHeap(nil)
	defer stop()
	limit := func() int64 {
		for range 3 { // the cleanup of one collection comes to its turn before the next has ended
			runtime.GC()
			runtime.Gosched()
		}
		return debug.SetMemoryLimit(-1)
	}
	small := limit()
	live := make([]byte, 16<<20)
	more := uint64(len(live))
	waitFor(t, func() bool { return limit() >= small+int64(more) })
	runtime.KeepAlive(live)
	waitFor(t, func() bool { return limit() < small+int64(more)/2 })
}

func TestOperatorsLimitStays(t *testing.T) {
	t.Setenv("GOMEMLIMIT", "1GiB")
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(math.MaxInt64))
	stop := limitHeap(nil)
	runtime.GC()
	stop()
	if got := debug.SetMemoryLimit(-1); got != math.MaxInt64 {
		t.Errorf("limit %d", got)
	}
}

// That memory is short is told once, and again only after it was not.
func TestShortMemoryIsToldOnce(t *testing.T) {
	var told []uint64
	l := &limiter{short: func(live uint64) { told = append(told, live) }}
	for _, live := range []uint64{2 << 20, shortAt, shortAt + 1, shortAt / 2, shortAt, shortAt/2 - 1, shortAt - 1, shortAt + 7} {
		l.watch(live)
	}
	if !slices.Equal(told, []uint64{shortAt, shortAt + 7}) {
		t.Errorf("told %v", told)
	}
}

// waitFor asks again until f is true: cleanups run when the scheduler lets them.
func waitFor(t *testing.T, f func() bool) {
	t.Helper()
	for range 1000 {
		if f() {
			return
		}
	}
	t.Error("the limit does not follow")
}
