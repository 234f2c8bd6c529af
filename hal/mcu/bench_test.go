package mcu_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/mcu"
	"github.com/evsed/evsed/hal/mcu/mcusim"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/guard"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// Connectors of a bench: a fixed cable, and a socket with a lock.
var (
	cable  = term.Ref{EVSE: 1, Connector: 1}
	socket = term.Ref{EVSE: 2, Connector: 1}
	places = []term.Ref{cable, socket}
)

// bench is a guard whose connectors lie behind a controller, which drives a simulated world.
type bench struct {
	t       *testing.T
	now     time.Time
	world   *halsim.World
	sim     *mcusim.MCU
	wire    *mcusim.Wire
	drv     *mcu.MCU
	g       *guard.Guard
	pipe    *guard.Pipe
	next    time.Time // the guard's next cycle
	hung    bool      // the guard does not move
	notices []iec61851.Notice
	closed  map[term.Ref]bool
	opened  map[term.Ref]time.Time
}

// options change a bench before it starts.
type options struct {
	spec func(*mcu.Spec)
	sim  func(*mcusim.Config)
}

func newBench(t *testing.T, o options) *bench {
	t.Helper()
	b := &bench{t: t, now: epoch, closed: map[term.Ref]bool{}, opened: map[term.Ref]time.Time{}}
	var err error
	b.world, err = halsim.New(halsim.Config{
		Clock: b.clock,
		EVSEs: []halsim.EVSE{
			{ID: 1, Phases: 3, MaxCurrent: 32 * unit.Ampere, Connectors: []halsim.Connector{{ID: 1}}},
			{ID: 2, Phases: 3, MaxCurrent: 32 * unit.Ampere, Connectors: []halsim.Connector{{ID: 1, Socket: true, Lock: true}}},
		},
		Observe: b.observe,
	}, nil)
	b.ok(err)
	cfg := mcusim.Config{Firmware: "reference 1"}
	for _, ref := range places {
		dev, err := b.world.Devices(ref)
		b.ok(err)
		cfg.Connectors = append(cfg.Connectors, mcusim.Connector{Devices: dev, Ventilation: true})
	}
	if o.sim != nil {
		o.sim(&cfg)
	}
	b.sim, err = mcusim.New(cfg)
	b.ok(err)
	b.wire = &mcusim.Wire{MCU: b.sim, Clock: b.clock}
	b.drive(o)
	b.run(200 * time.Millisecond)
	return b
}

func (b *bench) clock() time.Time { return b.now }

// drive starts an agent: driver and guard.
func (b *bench) drive(o options) {
	b.t.Helper()
	spec := mcu.Spec{Port: "ttyTEST", Connectors: 2, Owns: mcu.OwnPilot | mcu.OwnContactor | mcu.OwnExit | mcu.OwnLock}
	if o.spec != nil {
		o.spec(&spec)
	}
	var err error
	b.drv, err = mcu.New(spec, b.wire, b.clock)
	b.ok(err)
	for range 10 { // what Settle does with a real clock
		b.now = b.now.Add(time.Millisecond)
		b.wire.Step()
		_ = b.drv.Err()
	}
	cfg := guard.Config{Clock: b.clock}
	for i, ref := range places {
		c, err := b.drv.Connector(i + 1)
		b.ok(err)
		dev := hal.Devices{Pilot: c, Contactor: c, RCD: c, Inputs: c, Diagnosis: c, Socket: c, Cable: c.Cable()}
		if ref == socket {
			dev.Proximity, dev.Lock = c, c
		}
		cfg.Connectors = append(cfg.Connectors, guard.Connector{Devices: dev, Config: iec61851.Config{
			Ref: ref, MaxCurrent: 32 * unit.Ampere, Phases: 3, Tethered: ref == cable, HasLock: ref == socket, HasFeedback: true, Ventilation: true,
			MaxTemperature: 90 * unit.Celsius, MaxCableTemperature: 90 * unit.Celsius,
		}})
	}
	b.pipe = guard.NewPipe(places)
	b.g, err = guard.New(cfg, b.pipe)
	b.ok(err)
	b.next = b.now
}

func (b *bench) ok(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// run lets d pass, a millisecond at a time; the guard cycles when it wants to.
func (b *bench) run(d time.Duration) {
	b.t.Helper()
	for end := b.now.Add(d); b.now.Before(end); b.now = b.now.Add(time.Millisecond) {
		b.wire.Step()
		if b.hung || b.now.Before(b.next) {
			continue
		}
		b.pipe.Heartbeat()
		b.next = b.now.Add(b.g.Cycle(b.now))
		b.notices = b.pipe.Take(b.notices)
	}
}

func (b *bench) observe(e halsim.Event) {
	if e.Kind == halsim.EventRelay {
		b.closed[e.Ref] = e.On
		if !e.On {
			b.opened[e.Ref] = e.At
		}
	}
}

// live reports whether the contact of a connector is closed at the bench's now.
func (b *bench) live(ref term.Ref) bool {
	b.world.StationFaults() // moves the world on
	return b.closed[ref]
}

func (b *bench) permit(ref term.Ref, amps unit.Current) {
	b.pipe.Permit(term.Permit{Ref: ref, Close: amps > 0, Lock: amps > 0, Max: amps * unit.Ampere})
}

// charge plugs a car and waits until it is supplied.
func (b *bench) charge(ref term.Ref) {
	b.t.Helper()
	b.ok(b.world.Plug(ref.EVSE, ref.Connector, halsim.PlugOptions{}))
	b.permit(ref, 16)
	b.wantLive(ref, true, 5*time.Second)
	b.run(time.Second)
	b.notices = b.notices[:0]
}

// wantLive runs until the contact is as wanted and returns how long that took.
func (b *bench) wantLive(ref term.Ref, live bool, limit time.Duration) time.Duration {
	b.t.Helper()
	start := b.now
	for b.live(ref) != live {
		if b.now.Sub(start) >= limit {
			s, _ := b.pipe.Status(ref)
			b.t.Fatalf("after %v: contact of %v is still %v; guard %+v; driver %v", limit, ref, !live, s, b.drv.Err())
		}
		b.run(time.Millisecond)
	}
	return b.now.Sub(start)
}

// faults are what the guard has told of a connector, in order, since the last call.
func (b *bench) faults(ref term.Ref) []string {
	var all []string
	for _, n := range b.notices {
		if n.Kind == iec61851.FaultChanged && n.Ref == ref {
			all = append(all, fmt.Sprintf("%v %v", n.Fault, n.Active))
		}
	}
	b.notices = b.notices[:0]
	return all
}

func (b *bench) wantFaults(ref term.Ref, want ...string) {
	b.t.Helper()
	if got := b.faults(ref); !slices.Equal(got, want) {
		b.t.Errorf("faults of %v: %q, want %q", ref, got, want)
	}
}

func (b *bench) connector(n int) *mcu.Connector {
	b.t.Helper()
	c, err := b.drv.Connector(n)
	b.ok(err)
	return c
}
