package main

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/evsed/evsed/station/iec61851"
)

// rigPriority is above that of the guards: what delays the rig's threads is the machine, not a program of ours. All of them
// have it, for each may wait for another within Go's runtime.
const rigPriority = 46

// clocks measure what the machine itself adds to any wait: on each processor a thread that does nothing but sleep for a
// tick, by the kernel alone, and look how late it is. On a virtual machine this holds what its host takes. A decision waits
// several times, for each sample of a debounce: so that its delay can be compared, the latest of as many ticks as a debounce
// takes is what counts.
type clocks struct {
	ended atomic.Bool
	group sync.WaitGroup
	late  [][]int64
}

// window is how many ticks a decision takes.
const window = int(iec61851.PilotOpenDelay / tick)

// samplesPerClock bounds what a clock keeps; a longer run goes on over the oldest, the most is kept apart.
const samplesPerClock = 1 << 18

func startClocks() *clocks {
	c := &clocks{late: make([][]int64, runtime.NumCPU())}
	for cpu := range c.late {
		c.late[cpu] = make([]int64, 1, samplesPerClock)
		c.group.Go(func() { c.run(cpu) })
	}
	return c
}

func (c *clocks) run(cpu int) {
	runtime.LockOSThread() // and never unlocked: the thread ends with its goroutine, and with it that it is pinned
	var set unix.CPUSet
	set.Set(cpu)
	_ = unix.SchedSetaffinity(0, &set) // a clock that may not be pinned still tells the time
	kept := c.late[cpu]
	for n := 1; !c.ended.Load(); n++ {
		late := int64(0)
		for range window {
			before := time.Now()
			nap()
			late = max(late, int64(time.Since(before)-tick))
		}
		kept[0] = max(kept[0], late)
		if len(kept) < cap(kept) {
			kept = append(kept, late)
		} else {
			kept[1+n%(samplesPerClock-1)] = late
		}
	}
	c.late[cpu] = kept
}

// stop ends the clocks and returns what they found.
func (c *clocks) stop() machineFigure {
	c.ended.Store(true)
	c.group.Wait()
	var f machineFigure
	var all []int64
	for _, kept := range c.late {
		f.Max = max(f.Max, time.Duration(kept[0]))
		all = append(all, kept[1:]...)
	}
	slices.Sort(all)
	f.P99, f.P9999 = quantile(all, 9900), quantile(all, 9999)
	return f
}

// machineFigure is how late the machine wakes a thread that comes before all others, at the worst of a window.
type machineFigure struct{ P99, P9999, Max time.Duration }

// nap sleeps for a tick past Go's scheduler.
func nap() {
	t := unix.NsecToTimespec(int64(tick))
	_, _, _ = unix.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&t)), 0, 0)
}
