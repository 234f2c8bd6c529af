package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/mcu/mcusim"
	"github.com/evsed/evsed/hal/rig"
	"github.com/evsed/evsed/hal/serial/pty"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/guard"
	"github.com/evsed/evsed/station/term"
)

// controllerBoard is a wallbox whose pilot, contactor and lock belong to a safety controller at a serial port.
const controllerBoard = `
schema: evse.board/1
board:  {vendor: Example, model: TEST, revision: A}
supply: {phases: 3, voltage: 230 V, max_current: 32 A}
safety: {rcd: hw, pe_monitor: mcu, overcurrent: hw, weld_check: mcu, open_on_c_exit: mcu, emergency_stop: hw, watchdog: mcu}
mcus:   {cp: {uart: %s, silence: 1 s, on_silence: open}}
evses:
- id: 1
  phases: 3
  connector: {type: type2-socket, max_current: 32 A}
  mcu: {unit: cp}
  pilot: mcu
  proximity: mcu
  contactors: mcu
  lock: mcu
`

// controlled is a world behind a reference controller behind a pseudo-terminal, and the guard's table of its board.
type controlled struct {
	world *halsim.World
	table *guard.Table
	relay atomic.Bool
	stop  func() // pulls the plug
}

func newControlled(t *testing.T) *controlled {
	t.Helper()
	c := &controlled{}
	var err error
	c.world, err = halsim.New(halsim.Config{Clock: time.Now, EVSEs: []halsim.EVSE{{ID: 1, Phases: 3, MaxCurrent: 32 * unit.Ampere,
		Connectors: []halsim.Connector{{ID: 1, Socket: true, Lock: true}}}}, Observe: func(e halsim.Event) {
		if e.Kind == halsim.EventRelay {
			c.relay.Store(e.On)
		}
	}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	dev, err := c.world.Devices(guardRef)
	if err != nil {
		t.Fatal(err)
	}
	sim, err := mcusim.New(mcusim.Config{Connectors: []mcusim.Connector{{Devices: dev}}})
	if err != nil {
		t.Fatal(err)
	}
	far, near, err := pty.Open()
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	hold, err := os.OpenFile(near, os.O_RDWR, 0) // a port is there whether or not somebody listens
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = mcusim.Serve(ctx, sim, far) }()
	c.stop = func() { cancel(); <-done; hold.Close() }
	t.Cleanup(c.stop)

	file := filepath.Join(t.TempDir(), "board.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, controllerBoard, strings.TrimPrefix(near, "/dev/")), 0o600); err != nil {
		t.Fatal(err)
	}
	board, findings, err := boards.Load(file)
	if err != nil {
		t.Fatalf("%v: %v", err, findings)
	}
	if c.table, err = board.Table(time.Second, 0); err != nil {
		t.Fatal(err)
	}
	return c
}

// newWorld is the rig that startGuarded wants; this guard does not use it.
func newWorld(t *testing.T) *rig.World {
	t.Helper()
	w, err := rig.NewWorld()
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// closed reports whether the contact behind the controller is closed.
func (c *controlled) closed() bool {
	c.world.StationFaults() // moves the world on
	return c.relay.Load()
}

func (c *controlled) dark() bool { return !c.closed() }

// TestGuardBehindController: a guard process, a board file, a serial line and a controller. Whatever becomes of the guard or
// of the line, the controller opens; and charging goes on when both are there.
func TestGuardBehindController(t *testing.T) {
	t.Parallel()
	c := newControlled(t)
	g := startGuarded(t, newWorld(t), c.table)
	if err := c.world.Plug(1, 1, halsim.PlugOptions{}); err != nil {
		t.Fatal(err)
	}
	c.supply(g)
	if s := c.world.State().EVSEs[0].Connectors[0]; !s.Locked {
		t.Errorf("%+v", s)
	}

	if err := unix.Kill(g.child.PID(), unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	g.within(patient, "the controller opens for a guard that hangs", c.dark)
	if err := unix.Kill(g.child.PID(), unix.SIGCONT); err != nil {
		t.Fatal(err)
	}
	c.supply(g)

	if err := unix.Kill(g.child.PID(), unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-g.ended
	g.closed = true
	g.within(patient, "the controller opens for a guard that is gone", c.dark)

	g = startGuarded(t, newWorld(t), c.table)
	c.supply(g)
	g.hangUp()
	g.within(patient, "the guard opens without its station", c.dark)
}

// patient is the end of a wait that goes wrong. The controller of these tests shares a loaded machine with everybody.
const patient = 60 * time.Second

// supply waits until the car is supplied and the guard knows. A controller that is not scheduled in time is a fault of the
// connector; a fitter's word, each second, keeps that from being the end of the test.
func (c *controlled) supply(g *guarded) {
	g.t.Helper()
	g.remote.Permit(term.Permit{Ref: guardRef, Close: true, Lock: true, Max: 16 * unit.Ampere})
	word := time.Now().Add(time.Second)
	g.within(patient, "the car is supplied", func() bool {
		if time.Now().After(word) {
			word = time.Now().Add(time.Second)
			g.remote.Service(guardRef)
		}
		s, ok := g.remote.Status(guardRef)
		return ok && s.Closed && c.closed()
	})
}

// TestGuardTellsASilentController: a line that is cut is a fault of the connector, told once, while the guard goes on.
func TestGuardTellsASilentController(t *testing.T) {
	t.Parallel()
	c := newControlled(t)
	g := startGuarded(t, newWorld(t), c.table)
	g.within(patient, "the connector is well", func() bool {
		s, ok := g.remote.Status(guardRef)
		return ok && s.Pilot == term.StateA && s.Faults == 0
	})
	c.stop()
	g.within(patient, "the fault", func() bool {
		s, _ := g.remote.Status(guardRef)
		return s.Faults.Has(term.FaultPilot)
	})
	if s, _ := g.remote.Status(guardRef); s.Faults.Without(term.FaultPilot) != 0 || !s.Ailment.OfController() {
		t.Errorf("one cause, and faults %v, told as %q", s.Faults, s.Ailment)
	}
	select {
	case err := <-g.ended:
		g.closed = true
		t.Errorf("the guard has ended: %v: %s", err, g.errs.String())
	default:
	}
}
