package realtime

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"golang.org/x/sys/unix"
)

// memoryLimit is what Go's heap may come to without a collection. The guard allocates nothing after its start; a bug
// that does shall cost time rather than the process.
const memoryLimit = 32 << 20

// oneProcessor leaves Go one processor to run code on, and switches the collector off once what the start left is gone.
func oneProcessor() {
	runtime.GOMAXPROCS(1)
	runtime.GC()
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(memoryLimit)
}

// lockMemory keeps in RAM what is there and what will be touched. The program's own pages are read now: the way to an
// open contactor must not begin with reading from a disk. What Go has merely reserved is not filled.
func lockMemory() error {
	if err := unix.Mlockall(unix.MCL_CURRENT | unix.MCL_FUTURE | unix.MCL_ONFAULT); err != nil {
		return fmt.Errorf("lock memory: %w", err)
	}
	return populate()
}

// populate reads every page of the program that is mapped from its file.
func populate() error {
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return fmt.Errorf("find the program: %w", err)
	}
	exe = strings.TrimSuffix(exe, " (deleted)") // an update has replaced it
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return fmt.Errorf("find the program: %w", err)
	}
	for line := range bytes.Lines(maps) {
		f := bytes.Fields(line)
		if len(f) < 6 || string(f[5]) != exe || f[1][0] != 'r' {
			continue
		}
		var from, to uintptr
		if _, err := fmt.Sscanf(string(f[0]), "%x-%x", &from, &to); err != nil {
			return fmt.Errorf("read /proc/self/maps: %w", err)
		}
		if _, _, e := unix.RawSyscall(unix.SYS_MLOCK, from, to-from, 0); e != 0 {
			return fmt.Errorf("lock the program: %w", e)
		}
	}
	return nil
}
