package precharge

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/evsed/evsed/hal/unit"
)

func TestSession(t *testing.T) {
	x := newModel(t, nil)
	x.deliver()
	if x.out.Current != 100*unit.Ampere {
		t.Errorf("%v after 2 s of a ramp of 100 A/s", x.out.Current)
	}
	x.in.Current = 30 * unit.Ampere
	x.step()
	if x.out.Current != 30*unit.Ampere {
		t.Errorf("%v: less is at once", x.out.Current)
	}
	x.in.Want = WantNothing
	x.until(Opening, time.Second)
	x.joined = false
	x.until(Idle, 5*time.Second)
	want := []State{Idle, Closing, Testing, Lowering, Checked, PreCharging, PreCharged, Delivering, Stopping, Opening, Discharging, Idle}
	if !slices.Equal(x.story, want) {
		t.Errorf("%v", x.story)
	}
	x.in.Want = WantCheck // and once more
	x.until(Checked, 20*time.Second)
}

// TestFailures: each fault at its step, its reason, everything off, and the way back.
func TestFailures(t *testing.T) {
	for _, row := range []struct {
		name   string
		want   Reason
		before func(x *model) // brings it to the step
		harm   func(x *model)
		mend   func(x *model)
		stays  bool // it fails for as long as the cause is there, though nobody wants anything
	}{
		{"emergency stop under load", Emergency, (*model).deliver, func(x *model) { x.in.Emergency = true }, func(x *model) { x.in.Emergency = false }, true},
		{"pilot lost under load", VehicleGone, (*model).deliver, func(x *model) { x.in.Ready = false }, nil, false},
		{"plug unlocked", VehicleGone, (*model).deliver, func(x *model) { x.in.Locked = false }, nil, false},
		{"plus falls open", PlusOpen, (*model).deliver, func(x *model) { x.plus = contact{stuck: true} }, func(x *model) { x.plus.stuck = false }, false},
		{"insulation falls", Insulation, (*model).deliver, func(x *model) { x.resistance = 90 * unit.KiloOhm }, nil, false},
		{"insulation monitor silent", Silence, (*model).deliver, func(x *model) { x.deaf = true }, nil, false},
		{"source silent", Silence, (*model).deliver, func(x *model) { x.mute = true }, func(x *model) { x.mute = false }, true},
		{"over-voltage", OverVoltage, (*model).deliver, func(x *model) { x.battery = 1100 * unit.Volt }, func(x *model) { x.battery = 400 * unit.Volt }, false},
		{"current does not end", StopLimit, (*model).deliver, func(x *model) { x.drags, x.in.Want = true, WantNothing }, func(x *model) { x.drags = false }, false},
		{"insulation low at the test", Insulation, check, func(x *model) { x.resistance = 99 * unit.KiloOhm }, nil, false},
		{"monitor fails its test", SelfTest, check, func(x *model) { x.broken = true }, nil, false},
		{"monitor never answers", CheckLimit, check, func(x *model) { x.deaf = true }, nil, false},
		{"no test voltage", CheckLimit, check, func(x *model) { x.stuckAt = 300 * unit.Volt }, nil, false},
		{"output stays charged", NotDead, check, func(x *model) { x.leak = true }, func(x *model) { x.leak = false }, true},
		{"contactor does not close", MinusOpen, check, func(x *model) { x.minus.stuck = true }, func(x *model) { x.minus.stuck = false }, false},
		{"voltage before closing", NotDead, func(*model) {}, func(x *model) { x.joined, x.in.Want = true, WantCheck }, func(x *model) { x.joined = false }, false},
		{"no pre-charge", ChargeLimit, func(x *model) {
			check(x)
			x.until(Checked, 20*time.Second)
		}, func(x *model) { x.stuckAt, x.in.Want = 200*unit.Volt, WantPreCharge }, nil, false},
		{"plus welded", PlusWelded, (*model).deliver, func(x *model) { x.plus.stuck, x.in.Want = true, WantNothing }, func(x *model) { x.plus.stuck = false }, true},
		{"minus welded", MinusWelded, (*model).deliver, func(x *model) { x.minus.stuck, x.in.Want = true, WantNothing }, func(x *model) { x.minus.stuck = false }, true},
		{"welded at rest", MinusWelded, func(*model) {}, func(x *model) { x.minus = contact{closed: true, stuck: true} }, func(x *model) { x.minus.stuck = false }, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			x := newModel(t, nil)
			row.before(x)
			row.harm(x)
			x.until(Failed, 30*time.Second)
			if x.out.Reason != row.want {
				t.Fatalf("%v, want %v; story %v", x.out.Reason, row.want, x.story)
			}
			x.run(time.Second)
			x.in.Want, x.joined = WantNothing, false
			x.run(10 * time.Second)
			if row.stays && x.out.State != Failed {
				t.Errorf("%v while its cause is there", x.out.State)
			}
			if row.mend != nil {
				row.mend(x)
			}
			x.run(time.Second)
			if row.want.Latched() {
				if x.out.State != Failed {
					t.Error("a weld clears by itself")
				}
				x.in.Acknowledge = true
				x.step()
				x.in.Acknowledge = false
			}
			x.until(Idle, 10*time.Second)
			x.resistance, x.deaf, x.broken, x.stuckAt = 1000*unit.KiloOhm, false, false, 0
			x.in.Ready, x.in.Locked = true, true
			x.run(time.Second)
			x.deliver()
		})
	}
}

// check begins a cable check.
func check(x *model) { x.in.Want, x.in.Target = WantCheck, x.battery }

// TestEmergencyOpensInOneStep: both poles and the source in the step that hears of it, whatever the state.
func TestEmergencyOpensInOneStep(t *testing.T) {
	for _, at := range []State{Closing, Testing, Lowering, Checked, PreCharging, PreCharged, Delivering, Stopping, Opening} {
		x := newModel(t, nil)
		x.in.Target, x.in.Current = x.battery, 100*unit.Ampere
		x.in.Want = WantPower
		if at == PreCharged || at == PreCharging || at < PreCharging {
			x.in.Want = WantPreCharge
			if at <= Checked {
				x.in.Want = WantCheck
			}
		}
		if at >= Stopping {
			x.deliver()
			x.in.Want = WantNothing
		}
		x.until(at, 30*time.Second)
		x.in.Emergency = true
		x.step()
		if o := x.out; o.State != Failed || o.Reason != Emergency || o.Plus || o.Minus || o.On {
			t.Errorf("at %v: %+v", at, o)
		}
	}
}

// TestRandomLife: a vehicle and a charger that do anything at any time. The model checks every step; without faults a
// session still comes through afterwards.
func TestRandomLife(t *testing.T) {
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 7))
		x := newModel(t, nil)
		x.in.Target, x.in.Current = x.battery, 150*unit.Ampere
		for range 60 {
			switch r.IntN(16) {
			case 0, 1, 2, 3, 4, 5:
				x.in.Want = Want(r.IntN(4))
			case 6:
				x.in.Ready = !x.in.Ready
			case 7:
				x.in.Locked = !x.in.Locked
			case 8:
				x.in.Emergency = r.IntN(4) == 0
			case 9:
				x.joined = !x.joined
			case 10:
				x.plus.stuck = r.IntN(3) == 0
			case 11:
				x.minus.stuck = r.IntN(3) == 0
			case 12:
				x.mute, x.deaf = r.IntN(4) == 0, r.IntN(4) == 0
			case 13:
				x.in.Current = unit.Current(r.IntN(400)-100) * unit.Ampere
			case 14:
				x.resistance, x.broken = unit.Resistance(r.IntN(300))*unit.KiloOhm, r.IntN(4) == 0
			case 15:
				x.in.Target = unit.Voltage(r.IntN(1300)-100) * unit.Volt
			}
			x.run(time.Duration(r.IntN(3000)) * time.Millisecond)
		}
		x.in.Ready, x.in.Locked, x.in.Emergency, x.in.Want = true, true, false, WantNothing
		x.joined, x.mute, x.deaf, x.broken, x.plus.stuck, x.minus.stuck, x.resistance = false, false, false, false, false, false, 1000*unit.KiloOhm
		x.in.Acknowledge = true
		x.run(2 * time.Second) // the cable is without its vehicle
		x.until(Idle, 30*time.Second)
		x.in.Acknowledge = false
		x.story = x.story[:0]
		x.deliver()
	}
}

func TestConfigRefused(t *testing.T) {
	ok := Config{MaxVoltage: 500 * unit.Volt, MaxCurrent: 100 * unit.Ampere}
	if _, err := New(ok); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Config){
		"no voltage": func(c *Config) { c.MaxVoltage = 60 * unit.Volt }, "no current": func(c *Config) { c.MaxCurrent = 0 },
		"test above": func(c *Config) { c.TestVoltage = 501 * unit.Volt }, "tolerance": func(c *Config) { c.Tolerance = 60 * unit.Volt },
		"ramp": func(c *Config) { c.Ramp = -1 }, "settle": func(c *Config) { c.Settle = 25 * time.Second },
		"low current": func(c *Config) { c.LowCurrent = 101 * unit.Ampere },
	} {
		c := ok
		change(&c)
		if _, err := New(c); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// TestStepAllocatesNothing: it runs where the guard runs.
func TestStepAllocatesNothing(t *testing.T) {
	x := newModel(t, nil)
	x.deliver()
	now := x.now
	if n := testing.AllocsPerRun(1000, func() {
		now = now.Add(step)
		x.in.Measurement.At, x.in.Isolation.At = now, now
		x.m.Step(now, &x.in, &x.out)
	}); n != 0 || x.out.State != Delivering {
		t.Errorf("%v allocations in %v", n, x.out.State)
	}
}
