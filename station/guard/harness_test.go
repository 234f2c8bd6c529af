package guard_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/guard"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// bench is a guard on a simulated board, stepped by hand in virtual time.
type bench struct {
	t         *testing.T
	now       time.Time
	w         *halsim.World
	g         *guard.Guard
	pipe      *guard.Pipe
	refs      []term.Ref
	meters    map[term.EVSEID]hal.Meter
	mute      bool // the station's loop hangs: no heartbeat, no meter, nothing taken
	nextMeter time.Time
	notices   []iec61851.Notice
	live      map[term.Ref]bool // contacts
	opened    time.Time         // last opening of a contact
	check     func()
}

// newBench builds EVSE 1 with a fixed cable and EVSE 2 with a locked socket and a fixed cable.
func newBench(t *testing.T, edit func(*guard.Config)) *bench {
	t.Helper()
	b := &bench{t: t, now: epoch, meters: map[term.EVSEID]hal.Meter{}, live: map[term.Ref]bool{}}
	w, err := halsim.New(halsim.Config{
		Clock: func() time.Time { return b.now },
		EVSEs: []halsim.EVSE{
			{ID: 1, Phases: 3, MaxCurrent: 32 * unit.Ampere, Connectors: []halsim.Connector{{ID: 1}}},
			{ID: 2, Phases: 3, MaxCurrent: 32 * unit.Ampere, Connectors: []halsim.Connector{{ID: 1, Socket: true, Lock: true}, {ID: 2}}},
		},
		Observe: b.observe,
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	b.w = w
	cfg := guard.Config{Watchdog: w.Watchdog(), Clock: func() time.Time { return b.now }}
	b.refs = []term.Ref{{EVSE: 1, Connector: 1}, {EVSE: 2, Connector: 1}, {EVSE: 2, Connector: 2}}
	for _, ref := range b.refs {
		dev, err := w.Devices(ref)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Connectors = append(cfg.Connectors, guard.Connector{Devices: dev, Config: iec61851.Config{
			Ref: ref, MaxCurrent: 32 * unit.Ampere, Phases: 3, Tethered: dev.Proximity == nil, HasLock: dev.Lock != nil,
			HasFeedback: true, Ventilation: true, Meter: iec61851.MeterStop,
			MaxTemperature: 90 * unit.Celsius, MaxCableTemperature: 90 * unit.Celsius,
		}})
		if b.meters[ref.EVSE] == nil {
			if b.meters[ref.EVSE], err = w.Meter(ref.EVSE); err != nil {
				t.Fatal(err)
			}
		}
	}
	if edit != nil {
		edit(&cfg)
	}
	b.pipe = guard.NewPipe(b.refs)
	if b.g, err = guard.New(cfg, b.pipe); err != nil {
		t.Fatal(err)
	}
	b.run(200 * time.Millisecond)
	return b
}

// run lets d pass, cycle by cycle, as the guard asks for them.
func (b *bench) run(d time.Duration) {
	b.t.Helper()
	for end := b.now.Add(d); b.now.Before(end); {
		if !b.mute {
			b.station()
		}
		next := b.g.Cycle(b.now)
		if !b.mute {
			b.notices = b.pipe.Take(b.notices)
		}
		if b.check != nil {
			b.check()
		}
		b.now = b.now.Add(min(next, end.Sub(b.now)))
	}
}

// station is what a living station does beside its permits.
func (b *bench) station() {
	b.pipe.Heartbeat()
	if b.now.Before(b.nextMeter) {
		return
	}
	b.nextMeter = b.now.Add(500 * time.Millisecond)
	for _, evse := range []term.EVSEID{1, 2} {
		if r, err := b.meters[evse].Read(context.Background()); err == nil {
			b.pipe.Meter(evse, guard.Summarise(b.now, r))
		}
	}
}

// observe checks, at every move of a contact, that of one EVSE at most one is closed.
func (b *bench) observe(e halsim.Event) {
	if e.Kind != halsim.EventRelay {
		return
	}
	b.live[e.Ref] = e.On
	if !e.On {
		b.opened = e.At
	}
	for _, ref := range b.refs {
		if e.On && ref != e.Ref && ref.EVSE == e.Ref.EVSE && b.live[ref] {
			b.t.Errorf("%v: %v and %v are both closed", e.At.Sub(epoch), ref, e.Ref)
		}
	}
}

func (b *bench) ok(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) permit(ref term.Ref, amps unit.Current) {
	b.t.Helper()
	if !b.pipe.Permit(term.Permit{Ref: ref, Close: amps > 0, Lock: amps > 0, Max: amps * unit.Ampere}) {
		b.t.Fatalf("no connector %v", ref)
	}
}

func (b *bench) status(ref term.Ref) iec61851.Status {
	b.t.Helper()
	s, ok := b.pipe.Status(ref)
	if !ok {
		b.t.Fatalf("no status of %v", ref)
	}
	return s
}

// relay reports whether a contact is closed at the bench's now.
func (b *bench) relay(ref term.Ref) bool {
	b.w.StationFaults() // moves the world on
	return b.live[ref]
}

// wantRelay runs until the contact is as wanted, at most limit.
func (b *bench) wantRelay(ref term.Ref, closed bool, limit time.Duration) time.Duration {
	b.t.Helper()
	start := b.now
	for end := b.now.Add(limit); b.relay(ref) != closed; b.run(time.Millisecond) {
		if !b.now.Before(end) {
			b.t.Fatalf("after %v: contact of %v still %v; status %+v", limit, ref, !closed, b.status(ref))
		}
	}
	return b.now.Sub(start)
}

// story writes the notices since the last story, one a line.
func (b *bench) story() string {
	s := ""
	for _, n := range b.notices {
		s += fmt.Sprintf("%v %s\n", n.Ref, describe(n))
	}
	b.notices = b.notices[:0]
	return s
}

func describe(n iec61851.Notice) string {
	switch n.Kind {
	case iec61851.PilotChanged:
		return "pilot " + n.Pilot.String()
	case iec61851.CableChanged:
		return fmt.Sprintf("cable %v %v", n.Present, n.Rating)
	case iec61851.PowerChanged:
		if n.Closed {
			return fmt.Sprintf("power on %d", n.Phases)
		}
		return fmt.Sprintf("power off by %v", n.Reason)
	case iec61851.LockChanged:
		return fmt.Sprintf("locked %v failed %v", n.Locked, n.Failed)
	case iec61851.FaultChanged:
		return fmt.Sprintf("fault %v %v", n.Fault, n.Active)
	case iec61851.OfferChanged:
		return fmt.Sprintf("offer %v %v", n.Offered, n.Duty)
	}
	return "?"
}
