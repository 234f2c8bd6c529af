package uml

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// decisionsEnv says how many openings are measured of each kind.
const decisionsEnv = "EVSED_DECISIONS"

// decisions is what decisionsEnv says; 0 where it says nothing.
func decisions() int {
	n, err := strconv.Atoi(os.Getenv(decisionsEnv))
	if err != nil || n < 1 {
		return 0
	}
	return min(n, 10_000)
}

// First arguments by which this program is something else.
const (
	bareArgument = "bare" // become the command that follows, without the right to priority and locked memory
	hogArgument  = "hog"  // do nothing but turn
)

// turns is how often a hog has turned.
var turns uint64

// other is what this program is by its first argument; it returns where it is none of it.
func other() {
	if len(os.Args) < 2 {
		return
	}
	switch os.Args[1] {
	case hogArgument:
		for {
			turns++
		}
	case bareArgument:
		runtime.LockOSThread()
		for _, c := range []uintptr{unix.CAP_SYS_NICE, unix.CAP_IPC_LOCK} {
			if err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0); err != nil {
				fmt.Println("bare:", err)
				os.Exit(1)
			}
		}
		for _, limit := range []int{unix.RLIMIT_RTPRIO, unix.RLIMIT_MEMLOCK} {
			if err := unix.Setrlimit(limit, &unix.Rlimit{}); err != nil {
				fmt.Println("bare:", err)
				os.Exit(1)
			}
		}
		fmt.Println("bare:", unix.Exec(os.Args[2], os.Args[2:], os.Environ()))
		os.Exit(1)
	}
}

// look is how often the contactor's line is looked at while a reaction is measured.
const look = 250 * time.Microsecond

// ahead gives every thread of this process the weight of a nice value, one that is more than a hog has: wires and contacts are no
// programs that wait for one. A guard that starts has no priority yet: by then they have to have their usual weight again.
// Processes that it starts have no part in it, and a guard with SCHED_FIFO comes first all the same.
func ahead(nice int32) error {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, thread := range threads {
		id, err := strconv.Atoi(thread.Name())
		if err != nil {
			return err
		}
		a := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_NORMAL, Nice: nice, Flags: unix.SCHED_FLAG_RESET_ON_FORK}
		if err := unix.SchedSetAttr(id, &a, 0); err != nil && err != unix.ESRCH {
			return fmt.Errorf("weight of thread %d: %w", id, err)
		}
	}
	return nil
}

// openings lets a vehicle leave C again and again, and returns how long after it the contactor's line went low.
func openings(g *guarded, n int) []time.Duration {
	all := make([]time.Duration, 0, n)
	for i := range n {
		g.w.plug(inC)
		g.powered("it charges")
		time.Sleep(50*time.Millisecond + time.Duration(i*37%23)*time.Millisecond) // at no fixed place between two samples
		start := g.w.plug(inB)
		for g.w.driven() && time.Since(start) < 10*time.Second {
			time.Sleep(look)
		}
		all = append(all, time.Since(start))
		g.within(60*time.Second, "the contactor is open", func() bool { return !g.w.power() })
	}
	slices.Sort(all)
	return all
}

// distribution tells sorted times.
func distribution(all []time.Duration) string {
	n := len(all)
	return fmt.Sprintf("n %d, least %v, p50 %v, p90 %v, max %v", n, all[0].Round(look/2), all[n/2].Round(look/2), all[n*9/10].Round(look/2), all[n-1].Round(look/2))
}

// checkLatency: from a pilot that leaves C to the command on the contactor's line, with and without load, with and without priority
// and locked memory. It judges no time: this kernel's clock is a program's on a machine with other things to do.
func checkLatency(t *testing.T) {
	n := decisions()
	if n == 0 {
		t.Skip("with load and without priority it is a measurement for an idle machine: make test-kernel EVSED_DECISIONS=15; the check guard reports some of the others")
	}
	for _, kind := range []struct {
		name string
		hogs int
		wrap []string
	}{
		{"SCHED_FIFO and locked memory, idle", 0, nil},
		{"SCHED_FIFO and locked memory, 3 hogs", 3, nil},
		{"neither, idle", 0, []string{"/init", bareArgument}},
		{"neither, 3 hogs", 3, []string{"/init", bareArgument}},
	} {
		g := startGuard(t, board(t), kind.wrap...)
		g.w.plug(inB)
		g.pilot(term.StateB)
		g.remote.Permit(term.Permit{Ref: connector, Close: true, Lock: true, Max: 16 * unit.Ampere})
		g.within(60*time.Second, "the plug is locked", func() bool { return g.status().Locked })
		var hogs []*exec.Cmd
		for range kind.hogs {
			hog := exec.Command("/init", hogArgument)
			if err := hog.Start(); err != nil {
				t.Fatal(err)
			}
			hogs = append(hogs, hog)
		}
		if err := ahead(-18); err != nil {
			t.Fatal(err)
		}
		all := openings(g, n)
		for _, hog := range hogs {
			_ = hog.Process.Kill()
			_ = hog.Wait()
		}
		if err := ahead(0); err != nil {
			t.Fatal(err)
		}
		t.Logf("pilot edge to contactor command, %s: %s", kind.name, distribution(all))
		g.w.plug(nobody)
		g.end()
		if bare := strings.Contains(g.errs.String(), "goes on without"); bare != (kind.wrap != nil) {
			t.Errorf("%s: the guard said %q", kind.name, g.errs.String())
		}
	}
}
