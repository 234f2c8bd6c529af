package meter

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/modbus"
	"github.com/evsed/evsed/hal/unit"
)

// sample is a reading that every meter can show without rounding more than its resolution.
func sample(m *Model) hal.MeterReading {
	r := hal.MeterReading{Phases: uint8(m.Phases), Import: 1234500 * unit.WattHour, Export: 2500 * unit.WattHour, Power: 10900 * unit.Watt,
		Frequency: 50 * unit.Hertz, Factor: 998}
	for i := range m.Phases {
		r.Voltage[i] = unit.Voltage(230_000 + 500*i)
		r.Current[i] = unit.Current(15_500 + 250*i)
	}
	return r
}

// shown is what a model can show of a reading.
func shown(m *Model, r hal.MeterReading) hal.MeterReading {
	out := hal.MeterReading{Phases: r.Phases}
	for _, v := range m.values {
		switch v.quantity {
		case voltage:
			out.Voltage[v.line] = r.Voltage[v.line]
		case current:
			out.Current[v.line] = r.Current[v.line]
		case power:
			out.Power = r.Power
		case energyImport:
			out.Import = r.Import
		case energyExport:
			out.Export = r.Export
		case frequency:
			out.Frequency = r.Frequency
		case powerFactor:
			out.Factor = r.Factor
		}
	}
	return out
}

// rig is a virtual meter of a model on a line, in virtual time.
type rig struct {
	t     *testing.T
	model *Model
	slave *Slave
	line  *modbus.Line
	bus   *modbus.Bus
	meter *Meter
	told  []error
}

const rigUnit = 5

func with(t *testing.T, name string, o Options, f func(g *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m, err := Find(name)
		if err != nil {
			t.Fatal(err)
		}
		g := &rig{t: t, model: m, slave: NewSlave(m)}
		g.line = modbus.NewLine(modbus.NewServer(map[uint8]modbus.Unit{rigUnit: g.slave}), time.Millisecond)
		g.bus = modbus.NewRTU("meters", g.line, modbus.Options{})
		defer g.bus.Close()
		o.Notify = func(err error) { g.told = append(g.told, err) }
		if g.meter, err = New(m, g.bus, rigUnit, o); err != nil {
			t.Fatal(err)
		}
		g.slave.Set(sample(m))
		f(g)
	})
}

// read reads as the station does: with two seconds of patience.
func (g *rig) read() (hal.MeterReading, error) {
	ctx, cancel := context.WithTimeout(g.t.Context(), 2*time.Second)
	defer cancel()
	r, err := g.meter.Read(ctx)
	r.At = time.Time{}
	return r, err
}

func (g *rig) reads(want hal.MeterReading) {
	g.t.Helper()
	if got, err := g.read(); err != nil || got != want {
		g.t.Fatalf("%s reads\n%+v, %v; want\n%+v", g.model.Name, got, err, want)
	}
}

func (g *rig) wantTold(n int) {
	g.t.Helper()
	if len(g.told) != n || n > 0 && (g.told[n-1] == nil) != (n%2 == 0) {
		g.t.Fatalf("told %v; want %d, in turn an error and its end", g.told, n)
	}
}

// A virtual meter of each model shows what its driver reads.
func TestModelsAndSlavesAgree(t *testing.T) {
	for _, m := range Models() {
		if m.Driver != DriverModbus {
			continue
		}
		with(t, m.Name, Options{}, func(g *rig) {
			g.reads(shown(m, sample(m)))
			r := sample(m)
			r.Power, r.Import = -3700*unit.Watt, r.Import+400*unit.WattHour
			g.slave.Set(r)
			g.reads(shown(m, r))
			g.wantTold(0)
		})
	}
}

// What does not fit a register is shown as the most that does, and never read as something small.
func TestSlaveShowsTheMostThatFits(t *testing.T) {
	for _, m := range Models() {
		if m.Driver != DriverModbus {
			continue
		}
		with(t, m.Name, Options{}, func(g *rig) {
			r := sample(m)
			r.Import = 9_000_000_000 * unit.WattHour
			g.slave.Set(r)
			if got, err := g.read(); err != nil || got.Import < 1_000_000*unit.WattHour {
				t.Errorf("%s: 9 GWh reads as %v, %v", m.Name, got.Import, err)
			}
		})
	}
}

func TestReadingAsWired(t *testing.T) {
	with(t, "eastron/sdm630-v2", Options{Lines: []int{2, 3, 1}, Reversed: true}, func(g *rig) {
		r, err := g.read()
		if err != nil {
			t.Fatal(err)
		}
		s := sample(g.model)
		if r.Voltage != [3]unit.Voltage{s.Voltage[2], s.Voltage[0], s.Voltage[1]} || r.Current[1] != -s.Current[0] ||
			r.Power != -s.Power || r.Import != s.Export || r.Export != s.Import {
			t.Errorf("got %+v", r)
		}
	})
	with(t, "eastron/sdm630-v2", Options{Lines: []int{1}}, func(g *rig) {
		r, err := g.read()
		if err != nil || r.Phases != 1 || r.Voltage[1] != 0 || r.Current[2] != 0 {
			t.Errorf("one line: %+v, %v", r, err)
		}
	})
	m, _ := Find("eastron/sdm120")
	for _, lines := range [][]int{{0}, {4}, {1, 2}} {
		if _, err := New(m, nil, 1, Options{Lines: lines}); err == nil {
			t.Errorf("lines %v are taken", lines)
		}
	}
}

// A meter that a product has built in the wrong way round shows the other direction, and its file says so.
func TestReversedInItsFile(t *testing.T) {
	m, err := Parse("own", []byte(strings.Replace(good, "phases: 3", "phases: 3\nreversed: true", 1)+"  energy.export: {input: 10, type: f32, unit: kWh}\n"))
	if err != nil {
		t.Fatal(err)
	}
	with(t, "eastron/sdm630-v2", Options{}, func(g *rig) {
		g.slave.model, g.meter.model = m, m
		want := shown(m, sample(m))
		g.slave.Set(want)
		if w := g.slave.memory[modbus.Input][6]; w&0x8000 == 0 {
			t.Errorf("the meter shows a power of %04x: it is not reversed", w)
		}
		g.reads(want)
	})
}

// Each fault of a meter is an error, told once, and is over by itself.
func TestFaultsOfAMeterAreToldOnce(t *testing.T) {
	for f, want := range map[modbus.Fault]error{
		modbus.Silent: modbus.ErrNoAnswer, modbus.WrongCRC: modbus.ErrCRC, modbus.HalfFrame: modbus.ErrShort,
		modbus.ForeignUnit: modbus.ErrForeign, modbus.Refusing: modbus.DeviceFailure, modbus.AnswersOther: modbus.ErrAnswer,
	} {
		with(t, "abb/b23", Options{}, func(g *rig) {
			good := shown(g.model, sample(g.model))
			g.reads(good)
			g.line.Fail(rigUnit, f)
			for range 20 {
				if _, err := g.read(); !errors.Is(err, want) && !errors.Is(err, modbus.ErrWithheld) {
					t.Fatalf("fault %d: %v", f, err)
				}
				time.Sleep(time.Second)
			}
			g.wantTold(1)
			if !errors.Is(g.told[0], want) || !strings.Contains(g.told[0].Error(), "read meter abb/b23") {
				t.Errorf("told %v", g.told[0])
			}
			g.line.Fail(rigUnit, modbus.NoFault)
			time.Sleep(5 * time.Second)
			g.reads(good)
			g.wantTold(2)
		})
	}
}

func TestFaultsOfTheLineAreToldOnce(t *testing.T) {
	for f, want := range map[modbus.Fault]error{modbus.Noise: modbus.ErrNoise, modbus.Unplugged: modbus.ErrPulled} {
		with(t, "eastron/sdm120", Options{}, func(g *rig) {
			g.reads(shown(g.model, sample(g.model)))
			g.line.Fail(0, f)
			for range 10 {
				if _, err := g.read(); !errors.Is(err, want) && !errors.Is(err, modbus.ErrWithheld) {
					t.Fatalf("fault %d: %v", f, err)
				}
				time.Sleep(time.Second)
			}
			g.wantTold(1)
			g.line.Fail(0, modbus.NoFault)
			time.Sleep(5 * time.Second)
			g.reads(shown(g.model, sample(g.model)))
			g.wantTold(2)
		})
	}
}

func TestReadKeepsTheDeadline(t *testing.T) {
	with(t, "carlo-gavazzi/em540", Options{}, func(g *rig) {
		g.line.Fail(0, modbus.Silent)
		start := time.Now()
		ctx, cancel := context.WithTimeout(g.t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := g.meter.Read(ctx); err == nil {
			t.Fatal("a silent meter reads")
		}
		if d := time.Since(start); d > 150*time.Millisecond {
			t.Errorf("waited %v", d)
		}
	})
}

func TestFallenRegisterIsNoticed(t *testing.T) {
	with(t, "eastron/sdm630-v2", Options{}, func(g *rig) {
		if _, err := g.read(); err != nil {
			t.Fatal(err)
		}
		low := sample(g.model)
		low.Import = 5 * unit.WattHour
		g.slave.Set(low)
		if _, err := g.read(); !errors.Is(err, ErrFell) {
			t.Fatal(err)
		}
		g.slave.Set(sample(g.model)) // a disturbance: it is back
		g.reads(shown(g.model, sample(g.model)))
		g.wantTold(2)
		g.slave.Set(low) // another meter: it stays
		for range fallsRefused {
			if _, err := g.read(); !errors.Is(err, ErrFell) {
				t.Fatal(err)
			}
		}
		g.reads(shown(g.model, low))
		g.wantTold(4)
	})
}

func TestAnotherMeterIsRefused(t *testing.T) {
	b21, _ := Find("abb/b21")
	with(t, "abb/b23", Options{}, func(g *rig) {
		g.slave.model = b21
		g.slave.Set(sample(b21))
		if _, err := g.read(); !errors.Is(err, ErrOther) || !strings.Contains(err.Error(), "check model and address") {
			t.Fatal(err)
		}
		g.slave.model = g.model
		g.slave.Set(sample(g.model))
		g.reads(shown(g.model, sample(g.model)))
	})
}

func TestSunSpecIsFound(t *testing.T) {
	with(t, "sunspec/203", Options{}, func(g *rig) {
		g.slave.memory.Set(modbus.Holding, g.slave.base, 103) // an inverter alone
		if _, err := g.read(); !errors.Is(err, ErrNoModel) {
			t.Fatal(err)
		}
		g.slave.memory.Set(modbus.Holding, sunsBases[0], 0)
		if _, err := g.read(); !errors.Is(err, ErrNoModel) {
			t.Fatal(err)
		}
		g.slave.layOut()
		g.slave.Set(sample(g.model))
		g.reads(shown(g.model, sample(g.model)))
		g.wantTold(2)
	})
}

func TestNoNumberIsNoReading(t *testing.T) {
	for _, v := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), 1e30} {
		with(t, "eastron/sdm120", Options{}, func(g *rig) {
			g.slave.memory.Set(modbus.Input, 0x48, split(uint64(math.Float32bits(v)), 2, false)...)
			if _, err := g.read(); !errors.Is(err, errNumber) {
				t.Errorf("%v kWh: %v", v, err)
			}
		})
	}
}

func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		scale    string
		v        int64
		exponent int
		want     int64
		ok       bool
	}{
		{"0.1", 2305, 0, 230_500, true},
		{"1", -1, 0, -1000, true},
		{"0.01", 155, -1, 155, true},
		{"0.0001", 15, 0, 2, true}, // half away from zero
		{"0.0001", -15, 0, -2, true},
		{"0.0001", 14, 0, 1, true},
		{"10", math.MaxInt64, 0, 0, false},
		{"1", math.MaxInt64, 0, 0, false},
		{"1", 1, -12, 0, true},
		{"1", 1, -40, 0, true},
		{"-0.5", 3, 0, -1500, true},
	} {
		d, err := parseFixed(c.scale)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := d.thousandths(c.v, c.exponent)
		if got != c.want || ok != c.ok {
			t.Errorf("%d * %s * 10^%d: %d, %v; want %d, %v", c.v, c.scale, c.exponent, got, ok, c.want, c.ok)
		}
		if back, ok := d.invert(got, c.exponent); c.ok && c.exponent == 0 && len(c.scale) < 5 && (!ok || back != c.v) {
			t.Errorf("%d thousandths at %s are %d, %v; want %d", got, c.scale, back, ok, c.v)
		}
	}
	for _, s := range []string{"", ".", "1.", ".1", "1e3", "0x10", "--1", "+1", "1 ", "NaN", "1234567890123456789"} {
		if d, err := parseFixed(s); err == nil {
			t.Errorf("%q is taken for %v", s, d)
		}
	}
}

func TestScanFindsWhatAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		units := map[uint8]modbus.Unit{4: modbus.Memory{}}
		for at, name := range map[uint8]string{1: "abb/b23", 2: "eastron/sdm630-v2", 3: "sunspec/203"} {
			m, err := Find(name)
			if err != nil {
				t.Fatal(err)
			}
			s := NewSlave(m)
			s.Set(sample(m))
			units[at] = s
		}
		bus := modbus.NewRTU("meters", modbus.NewLine(modbus.NewServer(units), time.Millisecond), modbus.Options{Timeout: 100 * time.Millisecond, Attempts: 1})
		defer bus.Close()
		var got []string
		for u := uint8(1); u <= 6; u++ {
			f, err := Scan(t.Context(), bus, u, Models())
			if err != nil {
				t.Fatal(err)
			}
			line := fmt.Sprint(u, f.Answers)
			for _, m := range f.Models {
				line += " " + m.Name
			}
			got = append(got, line)
		}
		want := "1 true abb/b23\n2 true eastron/sdm630-v2 eastron/sdm72d-m-v2 eastron/sdm72d-m\n3 true sunspec/203\n4 true\n5 false\n6 false"
		if s := strings.Join(got, "\n"); s != want {
			t.Errorf("got\n%s\nwant\n%s", s, want)
		}
	})
}
