package mcu_test

import (
	"errors"
	"testing"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/mcu"
	"github.com/evsed/evsed/hal/mcu/mcusim"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

// bend changes every eighth byte of what passes: one at least of every frame.
func bend(b []byte) []byte {
	for i := 6; i < len(b); i += 8 {
		b[i] ^= 0x10
	}
	return b
}

// TestDisturbedLine: what a line can do to frames, to either side, while a car is charging. While everything is lost the
// contactor opens and one fault is told; a disturbance that frames survive is none.
func TestDisturbedLine(t *testing.T) {
	count := 0
	every := func(n int, do func([]byte) []byte) func([]byte) []byte {
		return func(b []byte) []byte {
			if count++; len(b) == 0 || count%n != 0 {
				return b
			}
			return do(b)
		}
	}
	noise := func(b []byte) []byte {
		return append([]byte{0x55, 0xFF, 3, 0x82, 1, 1, 9}, b...)
	}
	half := func(b []byte) []byte { return b[:len(b)/2] }
	for _, row := range []struct {
		name    string
		change  func([]byte) []byte
		harmful bool
		ailment hal.Ailment // that is told where nothing comes through
	}{
		{"wrong checksum, all", bend, true, mcu.ErrGarbled},
		{"half frames, all", half, true, mcu.ErrGarbled},
		{"nothing but noise", func(b []byte) []byte { return append([]byte{1, 2, 3, 0, 4, 0, 0xFF}, make([]byte, 3)...) }, true, mcu.ErrGarbled},
		{"endless noise", func(b []byte) []byte {
			for i := range b {
				b[i] = 0xAA
			}
			return b
		}, true, mcu.ErrSilent},
		{"wrong checksum, some", every(50, bend), false, 0},
		{"half frames, some", every(50, half), false, 0},
		{"noise before each frame", noise, false, 0},
	} {
		for _, up := range []bool{true, false} {
			b := newBench(t, options{})
			b.charge(cable)
			if up {
				b.wire.Up = row.change
			} else {
				b.wire.Down = row.change
			}
			b.run(5 * time.Second)
			if live := b.live(cable); live == row.harmful {
				t.Errorf("%s, up %v: contact closed %v", row.name, up, live)
			}
			want := hal.AilNone
			switch {
			case row.harmful && !up:
				want = mcu.ErrDeaf
			case row.harmful:
				want = row.ailment
			}
			if s, _ := b.pipe.Status(cable); s.Ailment != want {
				t.Errorf("%s, up %v: told is %q, want %q", row.name, up, s.Ailment, want)
			}
			b.wire.Up, b.wire.Down = nil, nil
			b.wantLive(cable, true, 5*time.Second)
			b.run(2 * time.Second)
			if row.harmful {
				b.wantFaults(cable, "pilotFault true", "pilotFault false")
			} else {
				b.wantFaults(cable)
			}
		}
	}
}

// TestRefusedController: what the board expects and the controller is not. Nothing is offered, and the error says why.
func TestRefusedController(t *testing.T) {
	for _, row := range []struct {
		name string
		o    options
		want hal.Ailment
	}{
		{"version", options{sim: func(c *mcusim.Config) { c.Versions = [2]uint16{2, 3} }}, mcu.ErrVersion},
		{"functions", options{spec: func(s *mcu.Spec) { s.Owns |= mcu.OwnOverVoltage }}, mcu.ErrFunctions},
		{"connectors", options{spec: func(s *mcu.Spec) { s.Connectors = 3 }}, mcu.ErrConnectors},
	} {
		b := newBench(t, row.o)
		b.ok(b.world.Plug(1, 1, halsim.PlugOptions{}))
		b.permit(cable, 16)
		b.run(3 * time.Second)
		if err := b.drv.Err(); !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", row.name, err, row.want)
		}
		if s, _ := b.pipe.Status(cable); b.live(cable) || !s.Faults.Has(term.FaultPilot) || s.Offered != 0 || s.Ailment != row.want {
			t.Errorf("%s: %+v", row.name, s)
		}
	}
}

// TestVersionsMeet: a controller that speaks more than this end is spoken to in what both speak.
func TestVersionsMeet(t *testing.T) {
	b := newBench(t, options{sim: func(c *mcusim.Config) { c.Versions = [2]uint16{mcu.Version, mcu.Version + 4} }})
	b.charge(cable)
	if h, _ := b.drv.Hello(); h.Version != mcu.Version || h.Highest != mcu.Version+4 {
		t.Errorf("%+v", h)
	}
}

// TestContradictoryFeedback: mirror contacts that disagree with the coil or with each other.
func TestContradictoryFeedback(t *testing.T) {
	type contacts struct{ main, extra bool }
	var stuck *contacts
	edit := func(c *mcusim.Config) {
		w := c.Connectors[0].Contactor
		c.Connectors[0].Contacts = func() (bool, bool) {
			if stuck != nil {
				return stuck.main, stuck.extra
			}
			closed, err := w.Closed()
			return closed && err == nil, closed && err == nil
		}
	}
	for _, row := range []struct {
		name string
		is   contacts
		live bool // charging when it begins
		want term.Fault
	}{
		{"one pole drops", contacts{true, false}, true, term.FaultContactor},
		{"both drop", contacts{false, false}, true, term.FaultContactor},
		{"one pole welds", contacts{false, true}, false, term.FaultContactor},
	} {
		stuck = nil
		b := newBench(t, options{sim: edit})
		b.charge(cable)
		if !row.live {
			b.permit(cable, 0)
			b.wantLive(cable, false, 5*time.Second)
			b.run(2 * time.Second)
		}
		stuck = &row.is
		b.run(3 * time.Second)
		if s, _ := b.pipe.Status(cable); b.live(cable) || !s.Faults.Has(row.want) {
			t.Errorf("%s: live %v, faults %v", row.name, b.live(cable), s.Faults)
		}
		b.wantFaults(cable, row.want.String()+" true")
	}
}

// TestLatchedWeldWaitsForAcknowledgement: a weld that is gone stays a fault until a fitter says so, and an
// acknowledgement of one weld is none of the next.
func TestLatchedWeldWaitsForAcknowledgement(t *testing.T) {
	b := newBench(t, options{})
	b.charge(cable)
	weld := func(on bool) {
		b.ok(b.world.SetFault(halsim.FaultOptions{Ref: cable, Code: term.FaultContactor, Active: on}))
	}
	weld(true)
	b.permit(cable, 0)
	b.run(5 * time.Second)
	c := b.connector(1)
	if s, _ := c.Status(); s.Latched != mcu.FaultWelded || !s.Main {
		t.Fatalf("%+v", s)
	}
	c.Acknowledge() // the cause is still there
	b.run(time.Second)
	if s, _ := c.Status(); s.Latched != mcu.FaultWelded {
		t.Errorf("acknowledged while it was welded: %+v", s)
	}
	weld(false)
	b.run(time.Second)
	if s, _ := c.Status(); s.Latched != 0 {
		t.Errorf("the acknowledgement is a level: it counts when the cause is gone: %+v", s)
	}
	b.sim.Latch(1, mcu.FaultOverCurrent)
	b.run(time.Second)
	s, _ := c.Status()
	if s.Latched != mcu.FaultOverCurrent || s.Coil {
		t.Errorf("%+v", s)
	}
	c.Acknowledge()
	b.sim.Latch(1, mcu.FaultWelded) // while the acknowledgement is on its way
	b.run(time.Second)
	if s, _ = c.Status(); s.Latched != mcu.FaultOverCurrent|mcu.FaultWelded {
		t.Errorf("an old acknowledgement cleared a new fault: %+v", s)
	}
}

// TestOpenedByItself: a controller that opens for a reason of its own is not a contactor that fails.
func TestOpenedByItself(t *testing.T) {
	b := newBench(t, options{})
	b.charge(cable)
	b.sim.Latch(1, mcu.FaultOverCurrent)
	b.wantLive(cable, false, 50*time.Millisecond)
	b.run(10 * time.Second)
	b.wantFaults(cable, "overCurrent true")
	b.pipe.Service(cable) // a fitter at the station: the guard passes it on
	b.run(2 * time.Second)
	if s, _ := b.connector(1).Status(); s.Latched != 0 {
		t.Errorf("%+v", s)
	}
	b.wantLive(cable, true, 40*time.Second)
}

// TestEmergencyStop stops every connector of the controller.
func TestEmergencyStop(t *testing.T) {
	pressed := false
	b := newBench(t, options{sim: func(c *mcusim.Config) {
		for i := range c.Connectors {
			c.Connectors[i].Stop = func() bool { return pressed }
		}
	}})
	b.charge(cable)
	b.charge(socket)
	pressed = true
	b.wantLive(cable, false, 40*time.Millisecond)
	b.wantLive(socket, false, 40*time.Millisecond)
	b.run(time.Second)
	b.wantFaults(cable, "emergencyStop true")
	pressed = false
	b.wantLive(socket, true, 10*time.Second)
}

// TestOverCurrent: a controller that measures opens where a car takes more than it is offered, whatever the guard does.
func TestOverCurrent(t *testing.T) {
	drawn := 16 * unit.Ampere
	b := newBench(t, options{sim: func(c *mcusim.Config) { c.Connectors[0].Current = func() unit.Current { return drawn } }})
	b.charge(cable)
	b.run(20 * time.Second)
	if !b.live(cable) {
		t.Fatal("opened at the current that it offers")
	}
	drawn = 18 * unit.Ampere
	b.wantLive(cable, false, 6*time.Second)
	if s, _ := b.connector(1).Status(); s.Latched != mcu.FaultOverCurrent || s.Opened != mcu.OpenedByFault {
		t.Errorf("%+v", s)
	}
}

// TestLimitOfController: more than the controller's own limit is never offered, and it says that it offers less.
func TestLimitOfController(t *testing.T) {
	b := newBench(t, options{sim: func(c *mcusim.Config) { c.MaxCurrent = 10 * unit.Ampere }})
	b.charge(cable)
	s, _ := b.connector(1).Status()
	offered, _ := iec61851.CurrentForDuty(unit.Duty(s.Duty))
	if !s.Limited || offered > 10*unit.Ampere || offered < 9900*unit.Milliampere {
		t.Errorf("offers %v: %+v", offered, s)
	}
}

// lies changes the statuses of connector 1 on their way.
func lies(change func(status []byte)) func([]byte) []byte {
	var dec mcu.Decoder
	return func(in []byte) []byte {
		var out []byte
		var f mcu.Frame
		for _, c := range in {
			if !dec.Feed(c, &f) {
				continue
			}
			payload := append([]byte(nil), f.Payload...)
			if f.Type == mcu.KindStatus && payload[4] == 1 {
				change(payload)
			}
			out = mcu.AppendFrame(out, f.Type, f.Seq, payload)
		}
		return out
	}
}

// TestDeafAndUnaware: a controller that hears nothing and does not say so is found by the permits that it names.
func TestDeafAndUnaware(t *testing.T) {
	b := newBench(t, options{})
	b.charge(cable)
	b.wire.Down = func([]byte) []byte { return nil }
	b.wire.Up = lies(func(status []byte) { status[6] &^= 1 << 5 })
	b.run(time.Second)
	if err := func() error { _, err := b.connector(1).Sample(); return err }(); !errors.Is(err, mcu.ErrDeaf) {
		t.Errorf("%v", err)
	}
	if s, _ := b.pipe.Status(cable); !s.Faults.Has(term.FaultPilot) {
		t.Errorf("%+v", s)
	}
	b.wire.Up, b.wire.Down = nil, nil
	b.wantLive(cable, true, 60*time.Second)
}

// TestContradictoryState: a state that the measured level does not show is no state.
func TestContradictoryState(t *testing.T) {
	b := newBench(t, options{})
	b.charge(cable)
	b.wire.Up = lies(func(status []byte) { status[5] = 1 }) // says A, with the level of C
	b.wantLive(cable, false, time.Second)
	if err := func() error { _, err := b.connector(1).Sample(); return err }(); !errors.Is(err, mcu.ErrContradict) {
		t.Errorf("%v", err)
	}
	b.wire.Up = nil
	b.wantLive(cable, true, 20*time.Second)
	b.run(2 * time.Second)
	b.wantFaults(cable, "pilotFault true", "pilotFault false")
}
