package realtime

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Capabilities are what a guard asks the kernel for priority and locked memory with. It does without.
var Capabilities = []uint{unix.CAP_SYS_NICE, unix.CAP_IPC_LOCK}

// guardPriority is that of the guard's threads: above what has none, below a kernel's threaded interrupts, which start at 50 and
// on which the guard's own devices depend.
const guardPriority = 45

// First makes every thread of the process SCHED_FIFO with a priority; threads that are made later inherit it.
func First(priority uint32) error {
	for known := map[int]bool{}; ; {
		tasks, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return fmt.Errorf("find threads: %w", err)
		}
		more := false
		for _, t := range tasks {
			tid, err := strconv.Atoi(t.Name())
			if err != nil || known[tid] {
				continue
			}
			known[tid], more = true, true
			attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: priority}
			if err := unix.SchedSetAttr(tid, &attr, 0); err != nil && !errors.Is(err, unix.ESRCH) {
				return fmt.Errorf("ask for SCHED_FIFO: %w", err)
			}
		}
		if !more { // a thread may have made another while we looked
			return nil
		}
	}
}
