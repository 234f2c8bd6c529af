package main

import (
	"bufio"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evsed/evsed/station"
)

// What the agent takes of a small board's memory. An operator who sets GOGC or GOMEMLIMIT knows better.
const (
	// garbagePercent: live are some 2 MB, so garbage may be 1 MB of its own before it is collected; a collection takes
	// a millisecond and, while two cars charge, is due every few seconds.
	garbagePercent = 50
	// memoryLimit is where the collector works harder instead: three times what four cars take, far below what a board
	// with 64 MB has left.
	memoryLimit = 32 << 20
	// settled is how long after the start its code is no longer needed.
	settled = time.Second
	// shedEvery is how often what some rare event has needed is given back.
	shedEvery = time.Hour
)

// beModest keeps the process small until the end of done, and tells when it has become large all the same.
func beModest(done <-chan struct{}, short func(live uint64)) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	timer := time.NewTimer(settled)
	defer timer.Stop()
	for limiting := false; ; {
		select {
		case <-timer.C:
			if !limiting {
				limiting = true
				defer limitHeap(short)()
			}
			shedCode()
			timer.Reset(shedEvery)
		case <-done:
			return
		}
	}
}

// shortOfMemory tells the core, for whom it is a security event. A station without power hears nothing.
func (a *agent) shortOfMemory(live uint64) {
	a.log.Warn("memory is short", "live", live)
	a.station.Post(station.MemoryShort{Live: live})
}

// shedCode gives back the pages of the binary that are not in use: the start needs most of them, to make tables and to
// look decoders up. The kernel maps them 64 kB at a time and keeps them for as long as the process lives; they are
// most of the binary, and two thirds of an idle agent. What is needed again comes from the page cache.
func shedCode() {
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	maps, err := os.Open("/proc/self/smaps")
	if err != nil {
		return
	}
	defer maps.Close()
	var from, size uintptr
	ok := false
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		line := lines.Text()
		anonymous, is := strings.CutPrefix(line, "Anonymous:")
		switch {
		case !is && !strings.Contains(line, ":  "):
			from, size, ok = readOnly(line, exe)
		case is && ok && strings.TrimSpace(anonymous) == "0 kB": // what a linker has written at the start would be lost
			_, _, _ = unix.Syscall(unix.SYS_MADVISE, from, size, unix.MADV_DONTNEED) // advice: if it is not taken, nothing changes
			ok = false
		}
	}
}

// readOnly reads the first line of a mapping in /proc/PID/smaps: a part of the file path that is mapped and cannot be written, so that each of its
// pages is what the file has.
func readOnly(line, path string) (from, size uintptr, ok bool) {
	f := strings.Fields(line)
	if len(f) < 6 || f[5] != path || len(f[1]) != 4 || f[1][1] != '-' {
		return 0, 0, false
	}
	low, high, _ := strings.Cut(f[0], "-")
	a, errA := strconv.ParseUint(low, 16, strconv.IntSize)
	b, errB := strconv.ParseUint(high, 16, strconv.IntSize)
	return uintptr(a), uintptr(b - a), errA == nil && errB == nil && a < b
}
