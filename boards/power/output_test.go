package power

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/hal/can"
	"github.com/evsed/evsed/hal/isolation"
	"github.com/evsed/evsed/hal/modbus"
	"github.com/evsed/evsed/hal/precharge"
	"github.com/evsed/evsed/hal/rectifier"
	"github.com/evsed/evsed/hal/unit"
)

const cabinet = "../dc-cabinet-60kw.yaml"

// bench is the shipped DC cabinet on virtual buses, with a pair of contactors and a vehicle that the test moves.
type bench struct {
	t       *testing.T
	board   *boards.Board
	mem     can.Memory
	sims    []*rectifier.Sim
	slave   *isolation.Slave
	line    *modbus.Line
	bus     *modbus.Bus
	canBus  *can.Bus
	o       *Output
	asked   []string
	battery unit.Voltage
	joined  bool

	m       *precharge.Machine
	in      precharge.Input
	out     precharge.Output
	on      bool
	story   []precharge.State
	reading chan isolation.Reading
	tested  chan error
	testing bool
	busy    bool
}

func (b *bench) CAN(name string) (rectifier.Bus, error) {
	b.asked = append(b.asked, name)
	var err error
	b.canBus, err = can.Start(name, can.Options{Open: b.mem.Open})
	return b.canBus, err
}

func (b *bench) Modbus(bus boards.Bus) (modbus.Client, error) {
	b.asked = append(b.asked, bus.Port)
	b.bus = modbus.NewRTU(bus.Name, b.line, modbus.Options{})
	return b.bus, nil
}

func onCabinet(t *testing.T, do func(b *bench)) {
	t.Helper()
	board, findings, err := boards.Load(cabinet)
	if err != nil {
		t.Fatalf("%v %v", err, findings)
	}
	synctest.Test(t, func(t *testing.T) {
		b := &bench{t: t, board: board, battery: 400 * unit.Volt, reading: make(chan isolation.Reading, 1), tested: make(chan error, 1)}
		for _, a := range []uint8{1, 2} {
			sim := rectifier.NewSim(&b.mem, a, time.Now)
			sim.Load(func(unit.Voltage) unit.Current { return 200 * unit.Ampere })
			b.sims = append(b.sims, sim)
		}
		b.slave, _ = isolation.NewSlave("bender/isocha425hv", time.Now)
		b.line = modbus.NewLine(modbus.NewServer(map[uint8]modbus.Unit{3: b.slave}), 500*time.Microsecond)
		if b.o, err = Open(board, 1, b, nil); err != nil {
			t.Fatal(err)
		}
		if b.m, err = precharge.New(b.o.Sequence); err != nil {
			t.Fatal(err)
		}
		b.in = precharge.Input{Ready: true, Locked: true, Target: b.battery, Current: 100 * unit.Ampere}
		b.run(2 * time.Second)
		do(b)
		_ = b.o.Close()
		_ = b.canBus.Close()
		_ = b.bus.Close()
	})
}

// run steps the sequence each 20 ms with what the real drivers have measured.
func (b *bench) run(d time.Duration) {
	b.t.Helper()
	for range d / (20 * time.Millisecond) {
		time.Sleep(20 * time.Millisecond)
		b.sense()
		b.m.Step(time.Now(), &b.in, &b.out)
		b.drive()
		if n := len(b.story); n == 0 || b.story[n-1] != b.out.State {
			b.story = append(b.story, b.out.State)
		}
	}
}

func (b *bench) sense() {
	if o, err := b.o.Supply.Output(); err == nil {
		m := precharge.Measurement{At: o.At, Source: o.Voltage, Current: o.Current}
		if b.in.Plus && b.in.Minus {
			m.Outlet = o.Voltage
		}
		if b.joined {
			m.Outlet = b.battery
		}
		if !b.joined {
			m.Current = 0
		}
		b.in.Measurement = m
	}
	select {
	case r := <-b.reading:
		b.busy = false
		if r.Resistance > 0 {
			b.in.Isolation.At, b.in.Isolation.Resistance = r.At, r.Resistance
		}
		b.in.Isolation.Broken = r.Alarm == isolation.DeviceError
	case err := <-b.tested:
		b.testing = false
		b.in.Isolation.Tested, b.in.Isolation.TestOK = time.Now(), err == nil
	default:
	}
}

func (b *bench) drive() {
	b.in.Plus, b.in.Minus = b.out.Plus, b.out.Minus
	switch {
	case b.out.On && b.out.Voltage >= 150*unit.Volt:
		if err := b.o.Supply.Set(b.out.Voltage, b.out.Current); err != nil {
			b.t.Fatal(err)
		}
		if !b.on {
			if err := b.o.Supply.On(); err != nil {
				b.t.Fatal(err)
			}
		}
		b.on = true
	case b.on:
		b.o.Supply.Off()
		b.on = false
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	switch {
	case b.out.SelfTest && !b.testing && !b.busy:
		b.testing = true
		go func() {
			defer cancel()
			b.tested <- b.o.Monitor.SelfTest(ctx)
		}()
	case b.out.Measure && !b.testing && !b.busy:
		b.busy = true
		go func() {
			defer cancel()
			r, _ := b.o.Monitor.Read(ctx)
			b.reading <- r
		}()
	default:
		cancel()
	}
}

func (b *bench) until(s precharge.State, limit time.Duration) {
	b.t.Helper()
	for end := time.Now().Add(limit); b.out.State != s; b.run(20 * time.Millisecond) {
		if time.Now().After(end) {
			b.t.Fatalf("not %v within %v: %+v\n%+v\nstory %v", s, limit, b.out, b.in, b.story)
		}
	}
}

func (b *bench) deliver() {
	b.t.Helper()
	b.in.Want = precharge.WantCheck
	b.until(precharge.Checked, 25*time.Second)
	b.in.Want = precharge.WantPreCharge
	b.until(precharge.PreCharged, 7*time.Second)
	b.joined, b.in.Want = true, precharge.WantPower
	b.until(precharge.Delivering, time.Second)
	b.run(8 * time.Second)
}

// TestCabinetCharges: the drivers that the shipped board file describes, from the insulation test to current and back.
func TestCabinetCharges(t *testing.T) {
	onCabinet(t, func(b *bench) {
		if !slices.Equal(b.asked, []string{"ttyLP3", "can0"}) {
			t.Errorf("asked for %v", b.asked)
		}
		if s := b.o.Sequence; s.MaxVoltage != 1000*unit.Volt || s.MaxCurrent != 200*unit.Ampere || s.Tolerance != 20*unit.Volt ||
			s.Limits.PreCharge != 7*time.Second || s.Trip != 100*unit.KiloOhm || !s.SelfTest {
			t.Errorf("%+v", s)
		}
		b.deliver()
		if o, err := b.o.Supply.Output(); err != nil || o.Current != 100*unit.Ampere || o.Voltage != 400*unit.Volt || o.Working != 2 {
			t.Errorf("%+v, %v", o, err)
		}
		b.in.Want = precharge.WantNothing
		b.until(precharge.Opening, 2*time.Second)
		b.joined = false
		b.until(precharge.Idle, 10*time.Second)
		if on, _, _ := b.sims[0].Now(); on {
			t.Error("a module is on")
		}
	})
}

// TestCabinetFaults: what breaks on a bus is a failure of the sequence, with its reason and everything off.
func TestCabinetFaults(t *testing.T) {
	for _, row := range []struct {
		name string
		harm func(b *bench)
		want precharge.Reason
	}{
		{"CAN gone", func(b *bench) { b.mem.Down(true) }, precharge.Silence},
		{"bus off", func(b *bench) { b.mem.BusOff(true) }, precharge.Silence},
		{"all modules silent", func(b *bench) { b.sims[0].Mute(true); b.sims[1].Mute(true) }, precharge.Silence},
		{"insulation monitor unplugged", func(b *bench) { b.line.Fail(0, modbus.Unplugged) }, precharge.Silence},
		{"insulation monitor with wrong checksums", func(b *bench) { b.line.Fail(3, modbus.WrongCRC) }, precharge.Silence},
		{"insulation low", func(b *bench) { b.slave.Show(isolation.Reading{Resistance: 20 * unit.KiloOhm}) }, precharge.Insulation},
		{"insulation monitor broken", func(b *bench) { b.slave.Break(true) }, precharge.Silence},
	} {
		t.Run(row.name, func(t *testing.T) {
			onCabinet(t, func(b *bench) {
				b.deliver()
				row.harm(b)
				b.until(precharge.Failed, 10*time.Second)
				if b.out.Reason != row.want || b.out.Plus || b.out.Minus || b.out.On {
					t.Errorf("%+v", b.out)
				}
			})
		})
	}
}

// TestOpenRefuses what a board file does not say.
func TestOpenRefuses(t *testing.T) {
	board, _, err := boards.Load(cabinet)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(b *boards.Board){
		"no such EVSE": func(b *boards.Board) { b.EVSEs[0].ID = 2 },
		"no modules":   func(b *boards.Board) { b.EVSEs[0].Source.Modules = nil },
		"module":       func(b *boards.Board) { b.EVSEs[0].Source.Modules = []string{"pm9"} },
		"bus":          func(b *boards.Board) { b.Bus("power").Kind = boards.BusNet },
		"modbus":       func(b *boards.Board) { b.Bus("imd").Kind = boards.BusCAN },
	} {
		again, _, err := boards.Load(cabinet)
		if err != nil {
			t.Fatal(err)
		}
		change(again)
		if _, err := Open(again, 1, &bench{t: t}, nil); !errors.Is(err, ErrBoard) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if board.EVSE(1) == nil {
		t.Error("the cabinet has no EVSE 1")
	}
}
