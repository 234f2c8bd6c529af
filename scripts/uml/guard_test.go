package uml

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/guard"
	"github.com/evsed/evsed/station/guard/realtime"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

const (
	boardFile = "/board.yaml"
	tableFile = "/tmp/table"
)

var connector = term.Ref{EVSE: 1, Connector: 1}

// text is what a process says, to be read while it says it.
type text struct {
	mu sync.Mutex // b
	b  bytes.Buffer
}

func (t *text) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.Write(p)
}

func (t *text) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
}

// guarded is a guard process on the kernel's lines, with a station's side in the test.
type guarded struct {
	t      *testing.T
	w      *wires
	cmd    *exec.Cmd
	remote *guard.Remote
	hangUp context.CancelFunc
	alive  atomic.Bool // the station's loop moves
	errs   text
}

// startGuard compiles the board file and starts evsed guard on it, wrapped in a command if one is named.
func startGuard(t *testing.T, w *wires, wrap ...string) *guarded {
	t.Helper()
	if out, err := exec.Command("/evsed", "table", "--board", boardFile, "--to", tableFile, "--silence", "3s").CombinedOutput(); err != nil {
		t.Fatalf("compile the line table: %v: %s", err, out)
	}
	socket := "/run/guard.sock"
	_ = os.Remove(socket)
	g := &guarded{t: t, w: w}
	args := append(wrap, "/evsed", "guard", "--table", tableFile, "--listen", socket, "--figures")
	g.cmd = exec.Command(args[0], args[1:]...)
	g.cmd.Stdout, g.cmd.Stderr = &g.errs, &g.errs
	if err := g.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var conn *os.File
	start, asked := time.Now(), false
	g.within(time.Minute, "the guard answers", func() (ok bool) {
		c, err := realtime.Dial(socket)
		conn = c
		if late := time.Since(start) > 50*time.Second; late && err != nil && !asked { // where it stands is told with the failure
			asked = true
			_ = g.cmd.Process.Signal(syscall.SIGQUIT)
		}
		return err == nil
	})
	g.remote = guard.NewRemote([]term.Ref{connector}, time.Now)
	ctx, cancel := context.WithCancel(context.Background())
	done, beaten := make(chan struct{}), make(chan struct{})
	g.alive.Store(true)
	go func() { defer close(done); _ = g.remote.Run(ctx, conn) }()
	go func() {
		defer close(beaten)
		for ctx.Err() == nil {
			if g.alive.Load() {
				g.remote.Heartbeat()
			}
			time.Sleep(100 * time.Millisecond)
		}
	}()
	g.hangUp = func() { cancel(); <-done; <-beaten }
	t.Cleanup(g.end)
	return g
}

// end asks the guard to end, and returns what it said.
func (g *guarded) end() {
	if g.cmd.ProcessState != nil {
		return
	}
	g.hangUp()
	_ = g.cmd.Process.Signal(syscall.SIGTERM)
	_ = g.cmd.Wait()
	g.t.Logf("the guard said:\n%s", g.errs.String())
}

// within waits for what happens in real time.
func (g *guarded) within(limit time.Duration, what string, is func() bool) time.Duration {
	g.t.Helper()
	start := time.Now()
	for !is() {
		if time.Since(start) > limit {
			g.t.Fatalf("not within %v: %s; the guard said: %s", limit, what, g.errs.String())
		}
		time.Sleep(time.Millisecond)
	}
	return time.Since(start)
}

func (g *guarded) status() iec61851.Status {
	s, _ := g.remote.Status(connector)
	return s
}

func (g *guarded) pilot(s term.PilotState) {
	g.t.Helper()
	g.within(time.Minute, "the pilot is "+s.String(), func() bool { return g.status().Pilot == s })
}

// charge lets a vehicle charge.
func (g *guarded) charge() {
	g.t.Helper()
	g.w.plug(inB)
	g.pilot(term.StateB)
	g.remote.Permit(term.Permit{Ref: connector, Close: true, Lock: true, Max: 16 * unit.Ampere})
	g.within(20*time.Second, "the plug is locked", func() bool { return g.status().Locked })
	g.w.plug(inC)
	g.powered("it charges")
}

// powered waits for power. A contact that moved late on a machine that stood still has left a fault behind, which is acknowledged.
func (g *guarded) powered(why string) {
	g.t.Helper()
	asked := time.Now()
	g.within(60*time.Second, "power: "+why, func() bool {
		if time.Since(asked) > 5*time.Second {
			asked = time.Now()
			g.remote.Service(connector)
		}
		return g.w.power()
	})
}

// open waits until the contactor's line is low.
func (g *guarded) open(why string) {
	g.t.Helper()
	g.within(20*time.Second, "the contactor's line is low: "+why, func() bool { return !g.w.driven() })
	g.within(20*time.Second, "the contactor is open: "+why, func() bool { return !g.w.power() })
}

func (g *guarded) fault(f term.Fault) {
	g.t.Helper()
	g.within(20*time.Second, "the fault "+f.String(), func() bool { return g.status().Faults.Has(f) })
}

func (g *guarded) well() {
	g.t.Helper()
	g.within(30*time.Second, "no fault", func() bool { return g.status().Faults == 0 })
}

// withWires makes the board's wires once; checks follow each other on the same lines.
var withWires = sync.OnceValues(newWires)

func board(t *testing.T) *wires {
	t.Helper()
	w, err := withWires()
	if err != nil {
		t.Fatal(err)
	}
	w.set(func(w *wires) { w.v, w.welded, w.frozen, w.stuck = nobody, false, false, false })
	return w
}

// reported is how many openings are measured in every run.
const reported = 10

// checkGuard: the guard process on the kernel's lines: a vehicle charges; each reason to open opens. How long it takes is
// reported, and not judged.
func checkGuard(t *testing.T) {
	g := startGuard(t, board(t))
	g.pilot(term.StateA)
	g.charge()
	if d := g.w.bus.duty(0); d < whole*26/100 || d > whole*28/100 {
		t.Errorf("duty of the pilot at 16 A: %d of %d, want 26.7 %%", d, whole)
	}
	g.w.plug(inB)
	g.open("the vehicle went to B")
	g.w.plug(inC)
	g.powered("again")
	t.Logf("pilot edge to contactor command: %s", distribution(openings(g, reported)))
	g.w.plug(inC)
	g.powered("and again")

	g.w.lines.pull("ESTOP_OK", false)
	g.open("emergency stop")
	g.w.lines.pull("ESTOP_OK", true)
	g.well()
	g.powered("behind the emergency stop")

	g.w.lines.pull("RCM_OK", false)
	g.open("residual current")
	g.w.lines.pull("RCM_OK", true)
	g.remote.Service(connector)
	g.well()
	g.w.plug(nobody)
	g.pilot(term.StateA)
	g.remote.Permit(term.Permit{Ref: connector})
	g.within(20*time.Second, "the plug is free", func() bool { return !g.status().Locked })
}

// checkFaults: devices that fail: the contactor is open, the fault is up, and goes by itself where it may.
func checkFaults(t *testing.T) {
	g := startGuard(t, board(t))
	g.pilot(term.StateA)
	g.charge()
	g.w.set(func(w *wires) { w.v.noDiode = true })
	g.open("no diode")
	g.fault(term.FaultDiode)
	g.w.set(func(w *wires) { w.v = inB })
	g.well()
	g.charge()

	g.w.set(func(w *wires) { w.welded = true })
	g.w.plug(inB)
	g.fault(term.FaultContactor)
	g.w.set(func(w *wires) { w.welded = false })
	g.within(20*time.Second, "the weld is gone", func() bool { return !g.w.power() })
	g.remote.Service(connector)
	g.well()

	g.w.bus.setWord(addrThermo, lm75Temp, 95<<8)
	g.fault(term.FaultHighTemperature)
	g.w.bus.setWord(addrThermo, lm75Temp, 25<<8)
	g.well()
}

// checkUnplug: who pulls the plug under power finds it dead, and a guard that is killed leaves lines that the next one opens.
func checkUnplug(t *testing.T) {
	g := startGuard(t, board(t))
	g.pilot(term.StateA)
	g.charge()
	g.w.plug(nobody)
	g.open("unplugged")
	g.charge()
	_ = g.cmd.Process.Kill()
	_ = g.cmd.Wait()
	g.hangUp()
	next := startGuard(t, g.w)
	next.open("the next guard begins with the safe state")
}

// checkWatchdog: the kernel's watchdog is fed while guard and station's loop move, and barks when the loop hangs.
func checkWatchdog(t *testing.T) {
	g := startGuard(t, board(t))
	g.pilot(term.StateA)
	g.within(20*time.Second, "the watchdog is armed", func() bool { return read("/sys/class/watchdog/watchdog0/state") == "active" })
	time.Sleep(8 * time.Second) // longer than its timeout: what is seen is the feeding
	if log := kernelLog(); strings.Contains(log, "softdog: Triggered") {
		t.Fatalf("the watchdog barked at a station that moves: %s", log)
	}
	g.charge()
	g.alive.Store(false)
	g.open("the station's loop is silent")
	g.within(60*time.Second, "the watchdog barks", func() bool { return strings.Contains(kernelLog(), "softdog: Triggered") })
}

// kernelLog is the kernel's ring buffer.
func kernelLog() string {
	b := make([]byte, 1<<18)
	n, err := syscall.Klogctl(3, b)
	if err != nil {
		return err.Error()
	}
	return string(b[:n])
}
