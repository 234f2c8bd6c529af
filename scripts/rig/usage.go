package main

import (
	"fmt"
	"os"
	"strings"
)

// usage is what the kernel has counted so far.
type usage struct {
	total, stolen uint64  // ticks of all processors
	load          float64 // of the last minute
}

// takeUsage reads the counts; where the kernel tells none they are zero.
func takeUsage() usage {
	var u usage
	if b, err := os.ReadFile("/proc/loadavg"); err == nil {
		_, _ = fmt.Sscan(string(b), &u.load)
	}
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return u
	}
	line, _, _ := strings.Cut(string(b), "\n")
	var name string
	var t [8]uint64 // user, nice, system, idle, iowait, irq, softirq, steal
	_, _ = fmt.Sscan(line, &name, &t[0], &t[1], &t[2], &t[3], &t[4], &t[5], &t[6], &t[7])
	for _, n := range t {
		u.total += n
	}
	u.stolen = t[7]
	return u
}

// until returns the load at the run's end, which a run of some minutes has brought about itself, and how much of the
// processors' time was stolen, in percent.
func (u usage) until(end usage) (load, stolen float64) {
	if end.total > u.total {
		stolen = 100 * float64(end.stolen-u.stolen) / float64(end.total-u.total)
	}
	return end.load, stolen
}
