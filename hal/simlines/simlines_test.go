package simlines_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/simlines"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/guard"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

var (
	fixed  = term.Ref{EVSE: 1, Connector: 1} // fixed cable
	socket = term.Ref{EVSE: 2, Connector: 1} // socket with lock
	refs   = []term.Ref{fixed, socket}
)

// bench is a guard whose devices are the lines, and a world behind them.
type bench struct {
	t      *testing.T
	lines  *simlines.Lines
	world  *halsim.World
	pipe   *guard.Pipe
	stand  chan struct{}      // full, the world stands still in the midst of a turn
	served context.CancelFunc // ends the world's side
}

// play runs a test in virtual time: guard, world and a station that is alive.
func play(t *testing.T, test func(*bench)) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		b := &bench{t: t, pipe: guard.NewPipe(refs), stand: make(chan struct{}, 1)}
		var err error
		if b.lines, err = simlines.New(); err != nil {
			t.Fatal(err)
		}
		defer b.lines.Close()
		b.world = newWorld(t)
		b.serve()
		g, err := guard.New(b.config(), b.pipe)
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() { defer close(ended); _ = g.Run(ctx) }()
		go func() {
			for tick := time.NewTicker(time.Second); ctx.Err() == nil; <-tick.C {
				b.pipe.Heartbeat()
			}
		}()
		test(b)
		cancel()
		b.served()
		<-ended
		time.Sleep(2 * time.Second) // the heart stops
	})
}

func newWorld(t *testing.T) *halsim.World {
	t.Helper()
	w, err := halsim.New(halsim.Config{Clock: time.Now, EVSEs: []halsim.EVSE{
		{ID: 1, Phases: 3, MaxCurrent: 32 * unit.Ampere, Connectors: []halsim.Connector{{ID: 1}}},
		{ID: 2, Phases: 1, MaxCurrent: 32 * unit.Ampere, Connectors: []halsim.Connector{{ID: 1, Socket: true, Lock: true}}},
	}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// serve begins the world's side.
func (b *bench) serve() {
	b.t.Helper()
	var devs []hal.Devices
	for _, ref := range refs {
		d, err := b.world.Devices(ref)
		b.ok(err)
		devs = append(devs, d)
	}
	s, err := b.lines.World(devs, standing{b, b.world.Watchdog()})
	b.ok(err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	b.served = func() { cancel(); <-done }
}

// standing is a watchdog at which the world's side can be held up: it is fed once in each second.
type standing struct {
	*bench
	hal.Watchdog
}

func (s standing) Pet() error {
	s.stand <- struct{}{}
	<-s.stand
	return s.Watchdog.Pet()
}

// config is the guard's on the lines.
func (b *bench) config() guard.Config {
	b.t.Helper()
	board, err := b.lines.Guard(0)
	b.ok(err)
	cfg := guard.Config{Clock: time.Now, Watchdog: board.Watchdog()}
	for i, ref := range refs {
		c, err := board.Connector(i)
		b.ok(err)
		d := hal.Devices{Pilot: c, Contactor: c, RCD: c, Inputs: c, Diagnosis: c, Socket: c, Cable: c.Cable()}
		if ref == socket {
			d.Proximity, d.Lock = c, c
		}
		cfg.Connectors = append(cfg.Connectors, guard.Connector{Devices: d, Config: iec61851.Config{Ref: ref, MaxCurrent: 32 * unit.Ampere,
			Phases: uint8(5 - 2*ref.EVSE), Tethered: ref == fixed, HasLock: ref == socket, HasFeedback: true, MaxTemperature: 90 * unit.Celsius, MaxCableTemperature: 90 * unit.Celsius}})
	}
	return cfg
}

func (b *bench) ok(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) status(ref term.Ref) iec61851.Status {
	s, _ := b.pipe.Status(ref)
	return s
}

// charge plugs cars in everywhere and lets them charge.
func (b *bench) charge() {
	b.t.Helper()
	for i, ref := range refs {
		b.ok(b.world.Plug(ref.EVSE, ref.Connector, halsim.PlugOptions{CableMax: 20 * unit.Ampere}))
		b.pipe.Permit(term.Permit{Ref: ref, Close: true, Lock: true, Max: 16 * unit.Ampere})
		time.Sleep(10 * time.Second)
		if s := b.status(ref); !s.Closed || s.Faults != 0 || !b.lines.Energised(i) || !b.relay(ref) {
			b.t.Fatalf("connector %v does not charge: %+v, relay %v", ref, s, b.relay(ref))
		}
	}
	if s := b.status(socket); !s.Locked || s.Rating != 20*unit.Ampere {
		b.t.Errorf("socket %+v", s)
	}
}

// relay is the contact in the world.
func (b *bench) relay(ref term.Ref) bool { return b.world.State().EVSEs[ref.EVSE-1].Relay }

func TestGuardOverLines(t *testing.T) {
	play(t, func(b *bench) {
		b.charge()
		b.pipe.Permit(term.Permit{Ref: socket})
		time.Sleep(5 * time.Second)
		if s := b.status(socket); s.Closed || s.Locked || s.Faults != 0 || b.relay(socket) || !b.relay(fixed) {
			t.Errorf("after the permit: %+v", s)
		}
		if done, err := b.world.Unplug(1, 1, halsim.UnplugOptions{}); err != nil || !done {
			t.Fatal(done, err)
		}
		time.Sleep(time.Second)
		if s := b.status(fixed); s.Closed || s.Pilot != term.StateA || b.relay(fixed) {
			t.Errorf("after the unplugging: %+v", s)
		}
	})
}

// TestFaultsOverLines raises each fault that the guard measures or is told, and heals it.
func TestFaultsOverLines(t *testing.T) {
	for _, f := range []term.Fault{term.FaultGround, term.FaultEmergencyStop, term.FaultPilot, term.FaultDiode, term.FaultProximity, term.FaultConnectorLock,
		term.FaultHighTemperature, term.FaultCableTemperature, term.FaultPowerSwitch, term.FaultContactor} {
		t.Run(f.String(), func(t *testing.T) {
			play(t, func(b *bench) {
				b.charge()
				b.ok(b.world.SetFault(halsim.FaultOptions{Ref: socket, Code: f, Active: true}))
				if f == term.FaultContactor { // welded: it shows when it should open
					b.pipe.Permit(term.Permit{Ref: socket})
				}
				time.Sleep(5 * time.Second)
				if s := b.status(socket); !s.Faults.Has(f) || b.lines.Energised(1) != (f == term.FaultConnectorLock && s.Closed) {
					t.Errorf("with the fault: %+v", s)
				}
				if s := b.status(fixed); s.Faults != 0 || !s.Closed {
					t.Errorf("the other connector: %+v", s)
				}
				b.ok(b.world.ClearFaults())
				b.pipe.Service(term.Ref{})
				time.Sleep(time.Minute)
				if s := b.status(socket); s.Faults.Has(f) {
					t.Errorf("healed: %+v", s)
				}
			})
		})
	}
}

// TestWorldStandsStill: an agent that is stopped or starved is neither a weld nor a fault of the car, and the coil obeys
// meanwhile.
func TestWorldStandsStill(t *testing.T) {
	play(t, func(b *bench) {
		b.charge()
		b.stand <- struct{}{}
		time.Sleep(2 * time.Second)
		for _, ref := range refs {
			b.pipe.Permit(term.Permit{Ref: ref})
		}
		time.Sleep(iec61851.OffLimit + time.Second) // the car cannot see that PWM is off
		for i, ref := range refs {
			if s := b.status(ref); s.Closed || s.Faults != 0 || s.Opened != iec61851.OpenedUnderLoad || b.lines.Energised(i) {
				t.Errorf("coil %v, %+v", b.lines.Energised(i), s)
			}
		}
		<-b.stand
		time.Sleep(time.Second)
		for _, ref := range refs {
			if b.relay(ref) {
				t.Errorf("%v: the world goes on without the coil", ref)
			}
			b.pipe.Permit(term.Permit{Ref: ref, Close: true, Max: 16 * unit.Ampere})
		}
		time.Sleep(10 * time.Second)
		for _, ref := range refs {
			if s := b.status(ref); s.Faults != 0 || !s.Closed || !b.relay(ref) {
				t.Errorf("with a world again: %+v", s)
			}
		}
	})
}

// TestWorldWithoutPower: the coils are off, and all is well again after it.
func TestWorldWithoutPower(t *testing.T) {
	play(t, func(b *bench) {
		b.charge()
		b.ok(b.world.SetPower(false))
		time.Sleep(time.Second)
		for i, ref := range refs {
			if s := b.status(ref); b.lines.Energised(i) || !s.Faults.Has(term.FaultPilot) {
				t.Errorf("coil %v, %+v", b.lines.Energised(i), s)
			}
		}
		b.ok(b.world.SetPower(true))
		time.Sleep(10 * time.Second)
		for _, ref := range refs {
			if s := b.status(ref); s.Faults != 0 || !s.Closed || !b.relay(ref) {
				t.Errorf("with power again: %+v", s)
			}
		}
	})
}

// TestNextWorld: the world that comes after one that was killed does what the coils say.
func TestNextWorld(t *testing.T) {
	play(t, func(b *bench) {
		b.charge()
		b.served()
		time.Sleep(5 * time.Second)
		for i := range refs {
			if !b.lines.Energised(i) {
				t.Errorf("coil %d is off without reason", i)
			}
		}
		b.world = newWorld(t)
		b.ok(b.world.Plug(1, 1, halsim.PlugOptions{}))
		b.serve() // with a car at the first connector alone
		time.Sleep(5 * time.Second)
		if s := b.status(fixed); !s.Closed || !b.relay(fixed) {
			t.Errorf("a car that charges on: %+v", s)
		}
		if s := b.status(socket); s.Closed || b.relay(socket) || s.Pilot != term.StateA {
			t.Errorf("a car that is gone: %+v", s)
		}
	})
}

// TestWatchdogOverLines: the world's watchdog is fed through the lines.
func TestWatchdogOverLines(t *testing.T) {
	play(t, func(b *bench) {
		b.charge()
		time.Sleep(2 * time.Minute)
		if !b.relay(fixed) {
			t.Fatal("the watchdog has bitten")
		}
		if b.lines.Pets() == 0 {
			t.Error("nobody feeds it")
		}
	})
}

func TestOneGuardOneWorld(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lines")
	open := func() *simlines.Lines {
		t.Helper()
		l, err := simlines.OpenFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	first, second := open(), open()
	defer second.Close()
	if _, err := first.Guard(0); err != nil {
		t.Fatal(err)
	}
	if _, err := second.Guard(0); err == nil || !strings.Contains(err.Error(), "another guard") {
		t.Error(err)
	}
	if _, err := first.World(nil, nil); err != nil {
		t.Error("a guard keeps the world away:", err)
	}
	if _, err := second.World(nil, nil); err == nil || !strings.Contains(err.Error(), "another world") {
		t.Error(err)
	}
	first.Close()
	if _, err := second.Guard(0); err != nil {
		t.Error(err)
	}
	if _, err := second.World(nil, nil); err != nil {
		t.Error(err)
	}
}

// TestLinesWithoutWorld: the guard may come first; it drives, and has no pilot.
func TestLinesWithoutWorld(t *testing.T) {
	l, err := simlines.New()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	b, err := l.Guard(0)
	if err != nil {
		t.Fatal(err)
	}
	c, err := b.Connector(0)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Set(false, 0); err != nil || l.Energised(0) || l.Commands(0) != 1 {
		t.Error(err, l.Commands(0))
	}
	if _, err := c.Sample(); err == nil {
		t.Error("a pilot without a world")
	}
	if on, err := c.Tripped(); on || err != nil {
		t.Error("a fault current without a world")
	}
	if r, err := c.Resistance(); r < 100*unit.KiloOhm || err != nil {
		t.Errorf("a cable of %v without a world", r)
	}
	if _, err := b.Connector(simlines.MaxConnectors); err == nil {
		t.Error("a connector too many")
	}
}

func TestForeignFile(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"short": "evses: here", "foreign": strings.Repeat("x", 8256)} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := simlines.OpenFile(path); err == nil {
			t.Errorf("%s: taken for lines", name)
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != content {
			t.Errorf("%s: changed", name)
		}
	}
	if _, err := simlines.OpenFile(filepath.Join(dir, "no", "lines")); err == nil {
		t.Error("lines in a directory that is not there")
	}
	if _, err := simlines.OpenFD(999); err == nil {
		t.Error("lines on a descriptor that is not open")
	}
}
