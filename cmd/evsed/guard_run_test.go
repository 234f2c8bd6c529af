package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evsed/evsed/hal/simlines"
	"github.com/evsed/evsed/ocpp/csms"
	"github.com/evsed/evsed/station/guard/realtime"
)

// waitTogether lets more tests run in parallel than there are processors, where nobody says how many: those that do wait for
// the deadlines of other processes most of their time.
func waitTogether() {
	const together = 8
	flag.Parse()
	said := false
	flag.Visit(func(f *flag.Flag) { said = said || f.Name == "test.parallel" })
	if !said {
		_ = flag.Set("test.parallel", strconv.Itoa(max(together, runtime.GOMAXPROCS(0))))
	}
}

// stationed is an `evsed run` whose guard is a process of its own, as a user starts it, and the lines of its board as the
// test sees them.
type stationed struct {
	*process
	lines *simlines.Lines
	mu    sync.Mutex // heard
	heard []csms.Request
}

// newStationed prepares a station; guard is its --guard.
func newStationed(t *testing.T, guard string, more ...string) *stationed {
	t.Helper()
	s := &stationed{}
	_, url := backend(t, func(r csms.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.heard = append(s.heard, r)
	})
	s.process = newProcess(t, url, variable("OCPPCommCtrlr", "RetryBackOffWaitMinimum", "1"), variable("OCPPCommCtrlr", "RetryBackOffRandomRange", "0"))
	path := filepath.Join(t.TempDir(), "lines")
	var err error
	if s.lines, err = simlines.OpenFile(path); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.lines.Close() })
	s.args = append([]string{"--guard", guard, "--sim-lines", path}, more...)
	return s
}

func (s *stationed) file() string { return s.lines.File().Name() }

// coil is what the guard has told the contactor of EVSE 1.
func (s *stationed) coil() bool { return s.lines.Energised(0) }
func (s *stationed) dark() bool { return !s.coil() }

// told reports whether the CSMS was sent an action with a word in it.
func (s *stationed) told(action, word string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.heard {
		if r.Action == action && strings.Contains(r.Payload, word) {
			return true
		}
	}
	return false
}

// text is the answer of the simulator API to a GET; "" where there is none.
func (s *stationed) text(path string) string {
	resp, err := http.Get(s.api + path)
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return ""
	}
	return string(b)
}

func (s *stationed) forget() { s.mu.Lock(); defer s.mu.Unlock(); s.heard = nil }

var reached = regexp.MustCompile(`msg=guard reached=true pid=(\d+)`)

// guardPID is the newest guard that the agent says it has started.
func (s *stationed) guardPID() int {
	all := reached.FindAllStringSubmatch(s.out.String(), -1)
	if len(all) == 0 {
		return 0
	}
	pid, _ := strconv.Atoi(all[len(all)-1][1])
	return pid
}

func (s *stationed) signal(pid int, sig unix.Signal) {
	s.t.Helper()
	if err := unix.Kill(pid, sig); err != nil {
		s.t.Fatal(err)
	}
}

// well reports whether the station answers and knows of no internal error.
func (s *stationed) well() bool {
	text := s.text("/state")
	return text != "" && !strings.Contains(text, "internalError")
}

// unguarded waits until no guard drives the lines any more, and keeps every guard away until the result is called.
func (s *stationed) unguarded() (release func()) {
	s.t.Helper()
	l, err := simlines.OpenFile(s.file())
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := l.Guard(30 * time.Second); err != nil {
		s.t.Fatal(err)
	}
	return func() { l.Close() }
}

// chargeAgain lets ALICE charge with the car that stands there: her transaction goes on, or she presents her card again.
func (s *stationed) chargeAgain() {
	s.t.Helper()
	const patience = 2 * time.Second // for a transaction to show, or to charge: the same card again would end it
	next := time.Now().Add(patience)
	last := ""
	defer func() {
		if s.t.Failed() {
			s.t.Logf("coil %v, %s", s.coil(), last)
		}
	}()
	s.until("the car charges again", func() bool {
		last = s.text("/state")
		if !s.well() {
			next = time.Now().Add(patience)
			return false
		}
		st := s.state()
		if len(st.EVSEs) > 0 && st.EVSEs[0].Transaction == nil && time.Now().After(next) {
			s.do("/swipe", `{"idToken":"ALICE","type":"ISO14443","evses":[1]}`)
			next = time.Now().Add(patience)
		}
		return s.coil() && len(st.EVSEs) > 0 && st.EVSEs[0].Relay
	})
}

// TestGuardIsAChild: the guard is a process of its own, and opens and ends with its agent.
func TestGuardIsAChild(t *testing.T) {
	s := newStationed(t, "child")
	s.boot()
	s.charge()
	if !s.coil() {
		t.Error("the world charges, and the lines say nothing of it")
	}
	pid := s.guardPID()
	if name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)); err != nil || string(name) != "evsed-guard\n" {
		t.Errorf("guard %d is %q, %v", pid, name, err)
	}
	if code := s.do("/clock", `{"rate":10}`); code != 409 {
		t.Errorf("a faster clock: %d, want 409: the guard knows the real time only", code)
	}
	s.terminate()
	if s.coil() {
		t.Error("the contactor is closed after the agent's end")
	}
	s.unguarded()() // the guard has ended
	if s.told("NotifyEvent", "internalError") {
		t.Error("an orderly end is told as a fault")
	}
	s.boot()
	s.chargeAgain()
}

// TestLivesOfAGuardedStation: each life of a simulated station has a guard of its own, on the same lines.
func TestLivesOfAGuardedStation(t *testing.T) {
	t.Parallel()
	s := newStationed(t, "child")
	s.boot()
	s.charge()
	for _, change := range []struct{ path, body string }{
		{"/power", `{"cycle":true,"offMs":300}`},
		{"/reset-state", `{}`},
	} {
		guard := s.guardPID()
		s.do(change.path, change.body)
		s.until("the next guard is there", func() bool { return s.guardPID() != guard })
		if s.told("NotifyEvent", "internalError") {
			t.Error("the end of a life is told as a fault")
		}
		if change.path == "/reset-state" { // the world is a new one
			s.until("the contactor is open", s.dark)
			s.connected()
			s.do("/evses/1/plug", `{}`)
		}
		s.chargeAgain()
	}
}

// TestAgentDiesWhileCharging: killed, stopped or starved, the contactor opens without it.
func TestAgentDiesWhileCharging(t *testing.T) {
	t.Parallel()
	t.Run("kill -9", func(t *testing.T) {
		t.Parallel()
		s := newStationed(t, "child")
		s.boot()
		s.charge()
		s.process.kill()
		s.until("the contactor opens", s.dark)
		s.unguarded()()
		s.boot()
		s.chargeAgain()
	})
	t.Run("SIGSTOP", func(t *testing.T) {
		t.Parallel()
		s := newStationed(t, "child", "--guard-silence", "3s")
		s.boot()
		s.charge()
		pid, guard := s.cmd.Process.Pid, s.guardPID()
		s.signal(pid, unix.SIGSTOP)
		defer func() { _ = unix.Kill(pid, unix.SIGCONT) }()
		s.until("the contactor opens", s.dark)
		s.signal(pid, unix.SIGCONT)
		s.chargeAgain()
		if s.guardPID() != guard {
			t.Error("the agent has given up a guard that had done its work")
		}
	})
	t.Run("starved", func(t *testing.T) {
		t.Parallel()
		s := newStationed(t, "child", "--guard-silence", "3s")
		s.boot()
		s.charge()
		starve(s)
		s.chargeAgain()
	})
}

// starve leaves the agent no processor until the contactor opens: it is bound to one, of which it gets what is left over by
// ever more hogs. Its guard is not.
func starve(s *stationed) {
	s.t.Helper()
	const more, most = 12, 48
	var hogs []*exec.Cmd
	defer func() {
		for _, h := range hogs {
			_ = h.Process.Kill()
			_ = h.Wait()
		}
		place(s.t, s.cmd.Process.Pid, unix.SCHED_NORMAL)
	}()
	place(s.t, s.cmd.Process.Pid, unix.SCHED_IDLE)
	for len(hogs) < most {
		for range more {
			h := exec.Command(os.Args[0])
			h.Env = append(os.Environ(), "EVSED_TEST_AGENT=hog")
			if err := h.Start(); err != nil {
				s.t.Fatal(err)
			}
			hogs = append(hogs, h)
		}
		for end := time.Now().Add(12 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			if s.dark() {
				s.t.Logf("open with %d hogs", len(hogs))
				return
			}
		}
	}
	s.t.Fatalf("the contactor is closed although %d hogs leave the agent nothing", len(hogs))
}

// hungryCPU is the processor of hogs and starving agents.
const hungryCPU = 0

// place binds all threads of a process to one processor, under a policy; or lets them go, with SCHED_NORMAL.
func place(t *testing.T, pid, policy int) {
	t.Helper()
	var set unix.CPUSet
	for cpu := range 1024 {
		if policy == unix.SCHED_NORMAL || cpu == hungryCPU {
			set.Set(cpu)
		}
	}
	for known := map[int]bool{}; ; { // a thread inherits from the one that makes it, while we look at others
		tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
		if err != nil {
			t.Fatal(err)
		}
		more := false
		for _, task := range tasks {
			tid, _ := strconv.Atoi(task.Name())
			if known[tid] {
				continue
			}
			known[tid], more = true, true
			attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: uint32(policy)}
			err := unix.SchedSetAttr(tid, &attr, 0)
			if errors.Is(err, unix.EPERM) && policy == unix.SCHED_NORMAL {
				err = nil // not everybody may go back; without hogs what is left over is enough
			}
			if err := errors.Join(err, unix.SchedSetaffinity(tid, &set)); err != nil && !errors.Is(err, unix.ESRCH) {
				t.Fatal(err)
			}
		}
		if !more {
			return
		}
	}
}

// testHog turns on the hungry processor until it is killed, and not for ever if it is forgotten.
func testHog() int {
	var set unix.CPUSet
	set.Set(hungryCPU)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return 1
	}
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); {
	}
	return 0
}

// TestGuardDiesWhileCharging: the agent says so with its code, to its log and to the CSMS, for as long as there is none; the
// next guard opens first of all; and then all is well again.
func TestGuardDiesWhileCharging(t *testing.T) {
	t.Parallel()
	s := newStationed(t, "child")
	s.boot()
	s.charge()
	s.forget()
	s.signal(s.guardPID(), unix.SIGKILL)
	release := s.unguarded() // no guard can come back yet
	s.until("the CSMS hears of it", func() bool {
		return s.told("NotifyEvent", `"techCode":"internalError"`) && s.told("StatusNotification", `"Faulted"`)
	})
	s.until("the log says that none can be started", func() bool {
		out := s.out.String()
		return strings.Contains(out, "code="+realtime.CodeLost) && strings.Contains(out, "another guard drives them")
	})
	s.until("the transaction ends", func() bool { return s.told("TransactionEvent", `"Ended"`) })
	s.forget()
	release()
	s.until("the next guard opens", s.dark)
	s.until("the CSMS hears that all is well", func() bool {
		return s.told("NotifyEvent", `"cleared":true`)
	})
	s.chargeAgain()
}

// TestGuardHangsWhileCharging: a guard that is stopped keeps its socket and its locks. The agent notices, ends it, and
// starts another.
func TestGuardHangsWhileCharging(t *testing.T) {
	t.Parallel()
	s := newStationed(t, "child")
	s.boot()
	s.charge()
	first := s.guardPID()
	s.signal(first, unix.SIGSTOP)
	s.until("the next guard opens", s.dark)
	s.until("the agent says why", func() bool {
		return s.guardPID() != first && strings.Contains(s.out.String(), "the guard is silent")
	})
	s.chargeAgain()
}

// listener is an `evsed guard` that is a unit of its own.
type listener struct {
	cmd *exec.Cmd
	out output
}

// startUnit compiles the line table and starts the guard of a board at a socket.
func (s *stationed) startUnit(socket string, hold time.Duration) *listener {
	s.t.Helper()
	table := filepath.Join(filepath.Dir(s.file()), "table")
	s.tool("table", "--seed", s.seed, "--to", table, "--silence", "3s", "--hold", hold.String())
	u := &listener{cmd: exec.Command(os.Args[0], "guard", "--table", table, "--sim-lines", s.file(), "--listen", socket)}
	u.cmd.Env = append(os.Environ(), "EVSED_TEST_MAIN=1")
	u.cmd.Stdout, u.cmd.Stderr = &u.out, &u.out
	if err := u.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(u.kill)
	return u
}

func (u *listener) kill() {
	if u.cmd.ProcessState == nil {
		_ = u.cmd.Process.Kill()
		_ = u.cmd.Wait()
	}
}

// tool runs a subcommand that ends by itself.
func (s *stationed) tool(args ...string) {
	s.t.Helper()
	c := exec.Command(os.Args[0], args...)
	c.Env = append(os.Environ(), "EVSED_TEST_MAIN=1")
	if text, err := c.CombinedOutput(); err != nil {
		s.t.Fatalf("%q: %v: %s", args, err, text)
	}
}

// TestTwoUnits: the guard outlives the agent, opens after it when nothing may be held, serves the next one, and is missed
// when it is gone.
func TestTwoUnits(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "guard")
	s := newStationed(t, socket)
	s.boot() // before there is a guard: it is waited for
	s.until("it is missed", func() bool { return strings.Contains(s.out.String(), "code="+realtime.CodeNone) })
	u := s.startUnit(socket, 0)
	s.until("the station is well", s.well)
	s.charge()

	s.process.kill()
	s.until("the contactor opens", s.dark)
	if u.cmd.ProcessState != nil || unix.Kill(u.cmd.Process.Pid, 0) != nil {
		t.Error("the guard has ended with its agent")
	}
	s.boot()
	s.chargeAgain()

	u.kill()
	s.until("it is missed", func() bool { return strings.Contains(s.text("/state"), "internalError") })
	s.startUnit(socket, 0)
	s.chargeAgain()
	s.terminate()
	s.until("the contactor opens", s.dark)
}

// TestTwoUnitsHold: an agent that is gone leaves what it had permitted for the hold of the line table, and no longer.
func TestTwoUnitsHold(t *testing.T) {
	t.Parallel()
	const hold = 3 * time.Second
	socket := filepath.Join(t.TempDir(), "guard")
	s := newStationed(t, socket)
	s.startUnit(socket, hold)
	s.boot()
	s.charge()
	s.process.kill()
	start := time.Now()
	s.until("the contactor opens", s.dark)
	if took := time.Since(start); took < hold/2 {
		t.Errorf("it was held for %v only", took)
	}
}

// TestSecondAgentOrGuard: lines that are driven already are left alone.
func TestSecondAgentOrGuard(t *testing.T) {
	t.Parallel()
	s := newStationed(t, "child")
	s.boot()
	s.charge()
	commands := s.lines.Commands(0)
	socket := filepath.Join(t.TempDir(), "guard")
	u := s.startUnit(socket, 0)
	if err := u.cmd.Wait(); err == nil || !strings.Contains(u.out.String(), "another guard drives them") {
		t.Errorf("a second guard: %v: %s", err, u.out.String())
	}
	again := exec.Command(os.Args[0], "run", "--seed", s.seed, "--state", filepath.Join(t.TempDir(), "state"), "--sim-listen", "127.0.0.1:0",
		"--guard", "child", "--sim-lines", s.file())
	again.Env = append(os.Environ(), "EVSED_TEST_MAIN=1")
	if text, err := again.CombinedOutput(); err == nil || !strings.Contains(string(text), "another world") {
		t.Errorf("a second agent: %v: %s", err, text)
	}
	if s.dark() || s.lines.Commands(0) != commands {
		t.Error("a contactor moved")
	}
}

// TestSafeStateComesFirst: whatever else is wrong with how a guard is started, what it can drive is opened.
func TestSafeStateComesFirst(t *testing.T) {
	no := filepath.Join(t.TempDir(), "not there", "guard")
	s := newStationed(t, "child")
	for name, run := range map[string]func() *exec.Cmd{
		"a socket that cannot be": func() *exec.Cmd { return s.startUnit(no, 0).cmd },
		"no station on the socket": func() *exec.Cmd {
			table := filepath.Join(filepath.Dir(s.file()), "table")
			s.tool("table", "--seed", s.seed, "--to", table)
			null, err := os.Open(os.DevNull)
			if err != nil {
				t.Fatal(err)
			}
			defer null.Close()
			c := exec.Command(os.Args[0], "guard", "--table", table, "--sim-lines", s.file())
			c.Env, c.ExtraFiles = append(os.Environ(), "EVSED_TEST_MAIN=1"), []*os.File{null}
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			return c
		},
	} {
		l, err := simlines.OpenFile(s.file())
		if err != nil {
			t.Fatal(err)
		}
		b, err := l.Guard(30 * time.Second)
		if err != nil {
			t.Fatal(err)
		}
		c, err := b.Connector(0)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Set(true, 3); err != nil || s.dark() {
			t.Fatal("the contactor does not close", err)
		}
		l.Close()
		if err := run().Wait(); err == nil {
			t.Errorf("%s: the guard ended well", name)
		}
		if s.coil() {
			t.Errorf("%s: the contactor is closed", name)
		}
	}
}

// TestGuardOptionsAreOneLine makes a user's mistakes: one line that names what is wrong and what is wanted, and exit code 2.
func TestGuardOptionsAreOneLine(t *testing.T) {
	dir := t.TempDir()
	seed := filepath.Join(dir, "seed.json")
	if err := os.WriteFile(seed, []byte(`{"csms":[{"url":"ws://127.0.0.1:1"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	run := func(more ...string) []string {
		return append([]string{"run", "--seed", seed, "--state", filepath.Join(dir, "state"), "--sim-listen", taken.Addr().String()}, more...)
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{run("--guard", ""), "--guard: want within, child, or the socket"},
		{run("--guard", "child", "--guard-silence", "1s"), "--guard-silence: 1s: want 3s to 1m0s"},
		{run("--guard-silence", "5s"), "want --guard child or a socket"},
		{run("--sim-lines", seed), "want --guard child or a socket"},
		{run("--guard", "child", "--sim-lines", seed), "these are no simulated lines"},
		{run("--guard", "/run/guard"), "want --sim-lines"},
		{run("--guard", "/run/guard", "--sim-lines", filepath.Join(dir, "l"), "--guard-silence", "5s"), "has it from its line table"},
		{[]string{"table"}, "or --seed with a file"},
		{[]string{"table", "--seed", seed}, "--to: want a file"},
		{[]string{"table", "--seed", seed, "--to", filepath.Join(dir, "no", "t")}, "--to: open"},
		{[]string{"table", "--seed", seed + "x", "--to", "t"}, "seed.jsonx: no such file"},
		{[]string{"table", "--seed", seed, "--to", "t", "--hold", "-1s"}, "--hold: -1s: want 0 to 1h0m0s"},
		{[]string{"table", "--seed", seed, "--to", "t", "--silence", "2h"}, "--silence: 2h0m0s: want 3s to 1m0s"},
		{[]string{"table", "--sed", seed}, "(or --seed FILE) --to FILE"},
		{[]string{"table", "--seed", seed, "--to", "t", "more"}, `unexpected argument "more"`},
	} {
		var out, errs output
		code := dispatch(test.args, &out, &errs)
		lines := 0
		for text := bufio.NewScanner(strings.NewReader(errs.String())); text.Scan(); {
			lines++
		}
		if code != exitUsage || lines != 1 || !strings.Contains(errs.String(), test.want) {
			t.Errorf("%q: exit code %d, %q; want %q", test.args, code, errs.String(), test.want)
		}
	}
}
