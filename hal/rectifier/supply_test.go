package rectifier

import (
	"encoding/hex"
	"errors"
	"math"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evsed/evsed/hal/can"
	"github.com/evsed/evsed/hal/unit"
)

// bench is a supply of two modules in virtual time.
type bench struct {
	t    *testing.T
	mem  *can.Memory
	bus  *can.Bus
	sims []*Sim
	s    *Supply

	mu   sync.Mutex // guards told
	told []Module
}

func onBench(t *testing.T, do func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{t: t, mem: &can.Memory{}}
		var err error
		if b.bus, err = can.Start("mem0", can.Options{Open: b.mem.Open}); err != nil {
			t.Fatal(err)
		}
		defer b.bus.Close()
		for _, a := range []uint8{1, 2} {
			b.sims = append(b.sims, NewSim(b.mem, a, time.Now))
		}
		b.s, err = Open(b.bus, Spec{Model: "infypower/reg1k0100", Addresses: []uint8{1, 2}, MinVoltage: 50 * unit.Volt, MaxVoltage: 1000 * unit.Volt,
			MaxCurrent: 150 * unit.Ampere, Observe: func(m Module) {
				b.mu.Lock()
				b.told = append(b.told, m)
				b.mu.Unlock()
			}})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		do(b)
		if err := b.s.Close(); err != nil {
			t.Error(err)
		}
		for _, sim := range b.sims {
			if on, _, _ := sim.Now(); on && !sim.mute {
				t.Error("a module is on after the end")
			}
		}
	})
}

func (b *bench) load(amps unit.Current) {
	for _, s := range b.sims {
		s.Load(func(unit.Voltage) unit.Current { return amps * unit.Ampere })
	}
}

func (b *bench) run(v unit.Voltage, c unit.Current) {
	b.t.Helper()
	if err := b.s.Set(v*unit.Volt, c*unit.Ampere); err != nil {
		b.t.Fatal(err)
	}
	if err := b.s.On(); err != nil {
		b.t.Fatal(err)
	}
	time.Sleep(3 * time.Second)
}

func (b *bench) want(v unit.Voltage, c unit.Current, working int) {
	b.t.Helper()
	o, err := b.s.Output()
	if err != nil || o.Voltage != v*unit.Volt || o.Current != c*unit.Ampere || o.Working != working || time.Since(o.At) > 500*time.Millisecond {
		b.t.Errorf("%+v, %v, want %v V, %v A of %d modules", o, err, v, c, working)
	}
}

func TestSupplyFollows(t *testing.T) {
	onBench(t, func(b *bench) {
		b.want(0, 0, 2)
		b.load(100)
		b.run(400, 120)
		b.want(400, 120, 2)
		for _, s := range b.sims {
			if _, _, c := s.Now(); c != 60*unit.Ampere {
				t.Errorf("one module gives %v: want half", c)
			}
		}
		if err := b.s.Set(400*unit.Volt, 10*unit.Ampere); err != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
		if _, _, c := b.sims[0].Now(); c != 5*unit.Ampere {
			t.Errorf("%v: less is said at once, not in the next round", c)
		}
		b.s.Off()
		time.Sleep(3 * time.Second)
		b.want(0, 0, 2)
		if len(b.told) != 0 {
			t.Errorf("told %+v", b.told)
		}
	})
}

// TestModuleLimits: more than a module can is not asked of it.
func TestModuleLimits(t *testing.T) {
	onBench(t, func(b *bench) {
		b.load(200)
		b.run(1000, 150)
		b.want(1000, 60, 2) // 30 kW each
	})
}

// TestSilentModule: told once; its share stays where it is until it has stopped by itself, then the other takes over.
func TestSilentModule(t *testing.T) {
	onBench(t, func(b *bench) {
		b.load(100)
		b.run(400, 60)
		b.sims[1].Mute(true)
		time.Sleep(5 * time.Second)
		b.want(400, 30, 1)
		if _, _, c := b.sims[0].Now(); c != 30*unit.Ampere {
			t.Errorf("the other gives %v while the silent one may still deliver", c)
		}
		time.Sleep(10 * time.Second)
		b.want(400, 60, 1)
		b.sims[1].Mute(false)
		time.Sleep(2 * time.Second)
		b.want(400, 60, 2)
		var silent []bool
		for _, m := range b.told {
			if m.Address != 2 {
				t.Errorf("told %+v", m)
			}
			silent = append(silent, m.Silent)
		}
		if !slices.Equal(silent, []bool{true, false}) {
			t.Errorf("told %v, want silent once and back once", silent)
		}
	})
}

// TestBusGone: nothing answers, the output is an error, and modules that hear nothing stop by themselves.
func TestBusGone(t *testing.T) {
	onBench(t, func(b *bench) {
		b.load(100)
		b.run(400, 60)
		b.mem.Down(true)
		time.Sleep(3 * time.Second)
		if o, err := b.s.Output(); !errors.Is(err, ErrSilent) {
			t.Errorf("%+v, %v", o, err)
		}
		time.Sleep(10 * time.Second)
		for _, s := range b.sims {
			if on, _, _ := s.Now(); on {
				t.Error("delivers although it hears nothing")
			}
		}
		b.s.Off()
		b.mem.Down(false)
		time.Sleep(3 * time.Second)
		b.want(0, 0, 2)
		if len(b.told) != 4 {
			t.Errorf("told %d changes, want each module's silence and return", len(b.told))
		}
	})
}

// TestAlarm: a module that breaks is told with its alarm, gives its share away at once, and takes it back.
func TestAlarm(t *testing.T) {
	onBench(t, func(b *bench) {
		b.load(100)
		b.run(400, 60)
		b.sims[0].Raise(OverTemperature | FanFault)
		time.Sleep(2 * time.Second)
		b.want(400, 60, 1)
		if m := b.s.Modules()[0]; m.Alarms&^quiet != OverTemperature|FanFault || m.Temperature != 27*unit.Celsius {
			t.Errorf("%+v", m)
		}
		if len(b.told) != 1 || b.told[0].Alarms.String() != "off,fan,over-temperature" && b.told[0].Alarms.String() != "fan,over-temperature" {
			t.Errorf("told %v", b.told)
		}
		b.sims[0].Raise(0)
		time.Sleep(2 * time.Second)
		b.want(400, 60, 2)
		b.sims[1].Refuse(refusedData)
		time.Sleep(time.Second)
		if m := b.s.Modules()[1]; m.Refusal != refusedData {
			t.Errorf("%+v", m)
		}
		b.sims[1].Refuse(0)
		time.Sleep(time.Second)
		if m := b.s.Modules()[1]; m.Refusal != 0 {
			t.Errorf("%+v", m)
		}
	})
}

func TestBattery(t *testing.T) {
	onBench(t, func(b *bench) {
		b.sims[0].Outside(380 * unit.Volt)
		time.Sleep(time.Second)
		b.want(380, 0, 2)
	})
}

func TestRefusals(t *testing.T) {
	onBench(t, func(b *bench) {
		if err := b.s.On(); !errors.Is(err, ErrRange) {
			t.Errorf("on before set: %v", err)
		}
		for _, row := range []struct {
			v unit.Voltage
			c unit.Current
		}{{49, 10}, {1001, 10}, {400, 151}, {400, -1}} {
			if err := b.s.Set(row.v*unit.Volt, row.c*unit.Ampere); !errors.Is(err, ErrRange) {
				t.Errorf("%+v: %v", row, err)
			}
		}
	})
	for name, change := range map[string]func(*Spec){
		"model": func(s *Spec) { s.Model = "none/such" }, "no module": func(s *Spec) { s.Addresses = nil }, "twice": func(s *Spec) { s.Addresses = []uint8{1, 1} },
		"address": func(s *Spec) { s.Addresses = []uint8{60} }, "range": func(s *Spec) { s.MaxVoltage = 0 }, "round": func(s *Spec) { s.StopOnSilence = time.Second },
	} {
		s := Spec{Model: Models()[0], Addresses: []uint8{1}, MaxVoltage: 500 * unit.Volt, MaxCurrent: 10 * unit.Ampere}
		change(&s)
		if _, err := Open(nil, s); !errors.Is(err, ErrSpec) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestFrames are the examples that open drivers give for the protocol.
func TestFrames(t *testing.T) {
	for _, row := range []struct {
		f    can.Frame
		want string
	}{
		{setFrame(0, 200*unit.Volt, 5*unit.Ampere), "029C00F0#00030D4000001388"},
		{switchFrame(1, true), "029A01F0#0000000000000000"}, {switchFrame(everybody, false), "029A3FF0#0100000000000000"},
		{request(cmdOutput, 1), "028301F0#0000000000000000"},
	} {
		if got := row.f.String(); got != row.want {
			t.Errorf("%s, want %s", got, row.want)
		}
	}
	var m Module
	for _, row := range []struct {
		id   uint32
		data string
	}{{0x0283F000, "43FA000040600000"}, {0x0284F001, "000002001B004000"}, {0x028CF000, "1358016600000000"}} {
		var d [8]byte
		if _, err := hex.Decode(d[:], []byte(row.data)); err != nil {
			t.Fatal(err)
		}
		h := parseHeader(row.id)
		m.apply(&h, &d)
	}
	if m.Voltage != 500*unit.Volt || m.Current != 3500*unit.Milliampere || m.Temperature != 27*unit.Celsius || m.Alarms != WalkIn ||
		m.Behind != 495200*unit.Millivolt || m.Available != 35800*unit.Milliampere {
		t.Errorf("%+v", m)
	}
}

// FuzzAnswer: whatever comes over the bus, a module stays within what a module can be.
func FuzzAnswer(f *testing.F) {
	f.Add(uint32(0x0283F001), []byte{0x43, 0xFA, 0, 0, 0x40, 0x60, 0, 0})
	f.Add(uint32(0x0284F001), []byte{0, 0, 2, 0, 0x1B, 0xFF, 0xFF, 0xFF})
	f.Add(uint32(0x0283F001), []byte{0x7F, 0xC0, 0, 0, 0xFF, 0x80, 0, 0})
	f.Fuzz(func(t *testing.T, id uint32, data []byte) {
		s := &Supply{spec: Spec{Round: time.Second}, modules: []Module{{Address: 1}}}
		fr := can.New(id&can.MaxExtended, data[:min(len(data), 8)]...)
		s.take(&fr)
		m := s.Modules()[0]
		if math.Abs(float64(m.Voltage)) > 1e9 || math.Abs(float64(m.Current)) > 1e9 || m.MaxVoltage < 0 || m.Alarms >= PFCOff<<1 {
			t.Errorf("%+v", m)
		}
		if h := parseHeader(fr.ID); h.id() != fr.ID {
			t.Errorf("%+v of %#x", h, fr.ID)
		}
	})
}
