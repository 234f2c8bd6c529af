package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evsed/evsed/hal/rig"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/guard"
	"github.com/evsed/evsed/station/guard/realtime"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

var guardRef = term.Ref{EVSE: 1, Connector: 1}

// guardTable is a board with one connector in shared memory. Its guard gives up a silent station after a second.
func guardTable() *guard.Table {
	d := guard.Device{Kind: guard.DeviceRig, Chip: realtime.DeviceFD}
	return &guard.Table{Board: "rig", Silence: time.Second, Watchdog: d, Connectors: []guard.TableConnector{{
		Config: iec61851.Config{Ref: guardRef, MaxCurrent: 32 * unit.Ampere, Phases: 3, Tethered: true, HasFeedback: true},
		Pilot:  d, Contactor: d}}}
}

// log is where processes write while the test reads.
type log struct {
	mu sync.Mutex // b
	b  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) { l.mu.Lock(); defer l.mu.Unlock(); return l.b.Write(p) }
func (l *log) String() string              { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }

// guarded is a guard process under test, with the test as its station.
type guarded struct {
	t      *testing.T
	world  *rig.World
	table  *guard.Table
	child  *realtime.Child
	remote *guard.Remote
	alive  atomic.Bool // the station's loop moves
	hangUp context.CancelFunc
	ended  chan error // the guard's end
	errs   log
	closed bool // the test has seen the end
}

func guardEnv() []string { return append(os.Environ(), "EVSED_TEST_MAIN=1", "EVSED_TEST_AGENT=") }

func newGuarded(t *testing.T, args ...string) *guarded {
	t.Helper()
	w, err := rig.NewWorld()
	if err != nil {
		t.Fatal(err)
	}
	return startGuarded(t, w, guardTable(), args...)
}

func startGuarded(t *testing.T, w *rig.World, table *guard.Table, args ...string) *guarded {
	t.Helper()
	g := &guarded{t: t, world: w, table: table, ended: make(chan error, 1)}
	var err error
	g.child, err = realtime.Start(os.Args[0], append([]string{"guard"}, args...), table, []*os.File{w.File()}, guardEnv(), &g.errs)
	if err != nil {
		t.Fatal(err)
	}
	go func() { g.ended <- g.child.Wait() }()
	t.Cleanup(func() {
		if !g.closed {
			_ = unix.Kill(g.child.PID(), unix.SIGKILL)
			<-g.ended
		}
	})
	g.remote, g.hangUp = g.serve(g.child.Conn)
	return g
}

// serve is a station's loop on a connection.
func (g *guarded) serve(conn *os.File) (*guard.Remote, context.CancelFunc) {
	r := guard.NewRemote([]term.Ref{guardRef}, time.Now)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	g.alive.Store(true)
	go func() { defer close(done); _ = r.Run(ctx, conn) }()
	go func() {
		for ctx.Err() == nil {
			if g.alive.Load() {
				r.Heartbeat()
			}
			time.Sleep(50 * time.Millisecond) // a real guard in real time
		}
	}()
	hangUp := func() { cancel(); <-done }
	g.t.Cleanup(hangUp)
	return r, hangUp
}

// within waits for what processes do in real time, and returns how long it took.
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

func (g *guarded) open() bool  { return !g.world.Closed(0) }
func (g *guarded) power() bool { return g.world.Closed(0) }

// charge plugs a car in and lets it charge.
func (g *guarded) charge() {
	g.t.Helper()
	g.remote.Permit(term.Permit{Ref: guardRef, Close: true, Max: 16 * unit.Ampere})
	g.world.SetPilot(0, term.StateC)
	g.within(20*time.Second, "the contactor closes", g.power)
}

// end waits for the guard's end and wants the contactor open and the exit code.
func (g *guarded) end(code int) {
	g.t.Helper()
	select {
	case err := <-g.ended:
		g.closed = true
		got := 0
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			got = exit.ExitCode()
		}
		if got != code {
			g.t.Errorf("exit code %d (%v), want %d: %s", got, err, code, g.errs.String())
		}
	case <-time.After(20 * time.Second):
		g.t.Fatal("the guard lives on")
	}
	if g.power() {
		g.t.Error("the contactor is closed after the guard's end")
	}
}

// slow is what a loaded machine may add to a reaction; what is measured here is that it comes, not how fast.
const slow = 5 * time.Second

func TestGuardEnds(t *testing.T) {
	for _, test := range []struct {
		name string
		do   func(*guarded) error
		code int
		says string
	}{
		{"socket closes", func(g *guarded) error { g.hangUp(); return nil }, exitOK, ""},
		{"SIGTERM", func(g *guarded) error { return unix.Kill(g.child.PID(), unix.SIGTERM) }, exitOK, ""},
		{"SIGINT", func(g *guarded) error { return unix.Kill(g.child.PID(), unix.SIGINT) }, exitOK, ""},
		{"garbage", func(g *guarded) error { _, err := g.child.Conn.Write(make([]byte, guard.CommandSize)); return err }, exitFailed, "no frame"},
		{"short garbage", func(g *guarded) error { _, err := g.child.Conn.Write([]byte("close!")); return err }, exitFailed, "no frame"},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := newGuarded(t)
			g.charge()
			if err := test.do(g); err != nil {
				t.Fatal(err)
			}
			took := g.within(slow, "the contactor opens", g.open)
			g.end(test.code)
			if !strings.Contains(g.errs.String(), test.says) {
				t.Errorf("it said %q, want %q", g.errs.String(), test.says)
			}
			t.Logf("open after %v", took)
		})
	}
}

// TestGuardOutlastsALoopThatHangs: the socket lives, and nothing is said on it.
func TestGuardOutlastsALoopThatHangs(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	g.charge()
	pets := g.world.Pets()
	g.within(slow, "the watchdog is fed", func() bool { return g.world.Pets() > pets })
	g.alive.Store(false)
	took := g.within(g.table.Silence+iec61851.OffLimit+slow, "the contactor opens", g.open)
	if took < g.table.Silence/2 {
		t.Errorf("open after %v already", took)
	}
	pets = g.world.Pets()
	time.Sleep(300 * time.Millisecond) // many cycles of the guard
	if now := g.world.Pets(); now != pets {
		t.Errorf("the watchdog was fed %d times while the station hung", now-pets)
	}
	g.alive.Store(true)
	g.within(iec61851.RecloseDelay+slow, "it charges again", g.power)
	t.Logf("open after %v", took)
}

// testAgent is a station in a process of its own: it starts a guard for the board on descriptor 3 and permits everything.
func testAgent() int {
	if os.Getenv("EVSED_TEST_AGENT") == "hog" {
		return testHog()
	}
	world := os.NewFile(3, "rig")
	child, err := realtime.Start(os.Args[0], []string{"guard"}, guardTable(), []*os.File{world}, guardEnv(), os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	r := guard.NewRemote([]term.Ref{guardRef}, time.Now)
	r.Permit(term.Permit{Ref: guardRef, Close: true, Max: 16 * unit.Ampere})
	go func() {
		for {
			r.Heartbeat()
			time.Sleep(50 * time.Millisecond)
		}
	}()
	fmt.Fprintln(os.Stderr, r.Run(context.Background(), child.Conn))
	return 1
}

// TestGuardOutlivesItsAgent kills the agent, and stops it.
func TestGuardOutlivesItsAgent(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		signal unix.Signal
		limit  time.Duration
	}{
		{"kill -9", unix.SIGKILL, slow},
		{"SIGSTOP", unix.SIGSTOP, guardTable().Silence + iec61851.OffLimit + slow},
	} {
		t.Run(test.name, func(t *testing.T) {
			w, err := rig.NewWorld()
			if err != nil {
				t.Fatal(err)
			}
			g := &guarded{t: t, world: w, closed: true}
			agent := exec.Command(os.Args[0])
			agent.Env = append(os.Environ(), "EVSED_TEST_AGENT=1")
			agent.ExtraFiles = []*os.File{w.File()}
			agent.Stderr = &g.errs
			if err := agent.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = agent.Process.Kill(); _ = agent.Wait() })
			w.SetPilot(0, term.StateC)
			g.within(20*time.Second, "the contactor closes", g.power)
			if err := agent.Process.Signal(test.signal); err != nil {
				t.Fatal(err)
			}
			t.Logf("open after %v", g.within(test.limit, "the contactor opens", g.open))
			if test.signal == unix.SIGKILL {
				if _, err := rig.Open(int(w.File().Fd()), slow); err != nil {
					t.Errorf("the guard lives on: %v", err)
				}
			}
		})
	}
}

// TestTwoGuards: the second one finds the lines locked, and touches none of them.
func TestTwoGuards(t *testing.T) {
	t.Parallel()
	first := newGuarded(t)
	first.charge()
	opens := first.world.Opens(0)
	second := startGuarded(t, first.world, guardTable())
	select {
	case err := <-second.ended:
		second.closed = true
		if err == nil || !strings.Contains(second.errs.String(), "another guard drives it") {
			t.Errorf("the second guard ended with %v: %s", err, second.errs.String())
		}
	case <-time.After(20 * time.Second):
		t.Fatal("two guards drive one board")
	}
	if first.open() || first.world.Opens(0) != opens {
		t.Error("the second guard moved a contactor")
	}
}

// TestGuardAfterAKilledGuard: what a killed guard leaves closed is the hardware watchdog's, and the next guard's first act.
func TestGuardAfterAKilledGuard(t *testing.T) {
	first := newGuarded(t)
	first.charge()
	if err := unix.Kill(first.child.PID(), unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-first.ended
	first.closed = true
	start := time.Now()
	next := startGuarded(t, first.world, guardTable())
	next.within(slow, "the safe state", next.open)
	t.Logf("safe %v after the start", time.Since(start))
	next.charge()
}

func TestGuardRefusesWhatItCannotDrive(t *testing.T) {
	w, err := rig.NewWorld()
	if err != nil {
		t.Fatal(err)
	}
	for says, edit := range map[string]func(*guard.Table){
		"connector 1.1: pilot: device kind 77: this build has no driver": func(t *guard.Table) { t.Connectors[0].Pilot.Kind = 77 },
		"lock: a device of kind 1 cannot be one":                         func(t *guard.Table) { t.Connectors[0].Lock = t.Watchdog },
		"no pilot or no contactor":                                       func(t *guard.Table) { t.Connectors[0].Contactor = guard.Device{} },
		"rig has no connector 64":                                        func(t *guard.Table) { t.Connectors[0].Pilot.Line = rig.MaxWires },
		"takes none":                                                     func(t *guard.Table) { t.Connectors[0].Pilot.Flags = 1 },
		"open rig on descriptor 99":                                      func(t *guard.Table) { t.Connectors[0].Pilot.Chip = 99 },
	} {
		table := guardTable()
		edit(table)
		g := startGuarded(t, w, table)
		g.end(exitFailed)
		if !strings.Contains(g.errs.String(), says) {
			t.Errorf("it said %q, want %q", g.errs.String(), says)
		}
	}
}

// TestGuardMistakesAreOneLine makes a user's mistakes: one line that names what is wrong, and exit code 2.
func TestGuardMistakesAreOneLine(t *testing.T) {
	no := filepath.Join(t.TempDir(), "table")
	if err := os.WriteFile(no, []byte("evses: here"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--tabel", no}, "want --table FILE"},
		{[]string{"--table", no, "more"}, `unexpected argument "more"`},
		{[]string{"--table", no}, no + ": no line table of this version"},
		{[]string{"--table", no + "x"}, no + "x: no such file"},
	} {
		var out, errs bytes.Buffer
		code := dispatch(append([]string{"guard"}, test.args...), &out, &errs)
		if code != exitUsage || strings.Count(errs.String(), "\n") != 1 || !strings.Contains(errs.String(), test.want) {
			t.Errorf("%q: exit code %d, %q; want %q", test.args, code, errs.String(), test.want)
		}
	}
}

// TestGuardListensWhereASocketCanBe: a file that lies there is not deleted.
func TestGuardListensWhereASocketCanBe(t *testing.T) {
	w, err := rig.NewWorld()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "guard")
	if err := os.WriteFile(path, []byte("keep"), 0o600); err != nil {
		t.Fatal(err)
	}
	g := startGuarded(t, w, guardTable(), "--listen", path)
	g.end(exitFailed)
	if b, err := os.ReadFile(path); string(b) != "keep" || !strings.Contains(g.errs.String(), "no socket lies there") {
		t.Errorf("file %q, %v; it said %q", b, err, g.errs.String())
	}
}

// TestGuardDoesNotAllocate lets a guard do 10^5 cycles in a row, with a car that comes and goes and a station that talks.
func TestGuardDoesNotAllocate(t *testing.T) {
	t.Parallel()
	g := newGuarded(t, "--selftest", "100000")
	for n, end := 0, time.Now().Add(time.Minute); ; n++ {
		select {
		case err := <-g.ended:
			if g.closed = true; err != nil || !strings.Contains(g.errs.String(), " 100000 cycles, 0 allocations, 0 collections") {
				t.Errorf("%v: %s", err, g.errs.String())
			}
			if closes := g.world.Closes(0); closes < 2 {
				t.Errorf("the contactor closed %d times: the cycles were idle ones", closes)
			}
			t.Log(strings.TrimSpace(g.errs.String()))
			return
		default:
		}
		if time.Now().After(end) {
			t.Fatal("it does not end")
		}
		g.world.SetPilot(0, []term.PilotState{term.StateB, term.StateC, term.StateC, term.StateA}[n/60%4])
		g.remote.Permit(term.Permit{Ref: guardRef, Close: n%4000 < 3500, Max: 16 * unit.Ampere})
		g.remote.Meter(1, guard.MeterSummary{Phases: 3, Voltage: [3]unit.Voltage{230000, 230000, 230000}})
		time.Sleep(time.Millisecond)
	}
}

// TestGuardAsAUnit: a guard that listens outlives its stations, holds what one had permitted for Hold, and no longer.
func TestGuardAsAUnit(t *testing.T) {
	t.Parallel()
	const hold = 2 * time.Second
	w, err := rig.NewWorld()
	if err != nil {
		t.Fatal(err)
	}
	table := guardTable()
	table.Hold = hold
	path := filepath.Join(t.TempDir(), "guard")
	g := startGuarded(t, w, table, "--listen", path)
	call := func() (*guard.Remote, context.CancelFunc) {
		t.Helper()
		var conn *os.File
		g.within(20*time.Second, "the guard answers", func() bool { conn, err = realtime.Dial(path); return err == nil })
		return g.serve(conn)
	}
	known := func(r *guard.Remote) func() bool {
		return func() bool { _, ok := r.Status(guardRef); return ok }
	}
	g.remote, g.hangUp = call()
	g.charge()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("socket %v, %v", info, err)
	}
	stranger, err := realtime.Dial(path)
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	if n, _ := stranger.Read(make([]byte, 1)); n != 0 {
		t.Error("a second station was told something")
	}

	opens := w.Opens(0)
	g.hangUp()
	second, hangUp := call()
	second.Permit(term.Permit{Ref: guardRef, Close: true, Max: 16 * unit.Ampere})
	g.within(slow, "the next station knows the state", known(second))
	time.Sleep(hold + 200*time.Millisecond) // a permit of its own outlasts what was held
	if w.Opens(0) != opens {
		t.Error("charging was interrupted")
	}

	hangUp()
	third, hangUp := call() // permits nothing
	g.within(slow, "the third station knows the state", known(third))
	took := g.within(hold+iec61851.OffLimit+slow, "the contactor opens", g.open)
	if took < hold/2 {
		t.Errorf("held for %v only", took)
	}
	time.Sleep(iec61851.RecloseDelay + 200*time.Millisecond)
	if g.power() {
		t.Error("a permit of a station that is gone came to life again")
	}
	hangUp()
	if err := unix.Kill(g.child.PID(), unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	g.end(exitOK)
}
