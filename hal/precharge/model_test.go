package precharge

import (
	"testing"
	"time"

	"github.com/evsed/evsed/hal/unit"
)

const step = 10 * time.Millisecond

// model is a dumb charger: a source with a capacitor, two contactors that need time, a cable, and a vehicle with a
// battery behind a contactor of its own.
type model struct {
	t    *testing.T
	m    *Machine
	now  time.Time
	in   Input
	out  Output
	last Output

	source, outlet unit.Voltage
	battery        unit.Voltage
	joined         bool // the vehicle's contactor
	plus, minus    contact
	resistance     unit.Resistance // of the insulation
	testTime       time.Duration   // of the monitor's self-test
	testing        time.Duration
	story          []State

	stuckAt unit.Voltage // the source does not reach more; 0: it does
	leak    bool         // the capacitor holds its charge
	mute    bool         // no measurement comes
	deaf    bool         // the insulation monitor is silent
	broken  bool         // it fails its self-test
	drags   bool         // the source does not let the current go
}

// contact follows its coil after a while, unless it is stuck.
type contact struct {
	closed, stuck bool
	moving        time.Duration
}

func (c *contact) follow(command bool) {
	if command == c.closed || c.stuck {
		c.moving = 0
		return
	}
	if c.moving += step; c.moving >= 30*time.Millisecond {
		c.closed, c.moving = command, 0
	}
}

func newModel(t *testing.T, edit func(*Config)) *model {
	t.Helper()
	cfg := Config{MaxVoltage: 1000 * unit.Volt, MaxCurrent: 200 * unit.Ampere, Ramp: 100 * unit.Ampere, SelfTest: true}
	if edit != nil {
		edit(&cfg)
	}
	m, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	x := &model{t: t, m: m, now: time.Unix(1000, 0), battery: 400 * unit.Volt, resistance: 1000 * unit.KiloOhm, testTime: 2 * time.Second}
	x.in = Input{Ready: true, Locked: true}
	x.step()
	return x
}

// step lets the physics and then the machine move, and checks what must always hold.
func (x *model) step() {
	x.now = x.now.Add(step)
	x.physics()
	x.sense()
	x.last = x.out
	x.m.Step(x.now, &x.in, &x.out)
	x.check()
	if n := len(x.story); n == 0 || x.story[n-1] != x.out.State {
		x.story = append(x.story, x.out.State)
	}
}

func (x *model) physics() {
	x.plus.follow(x.out.Plus)
	x.minus.follow(x.out.Minus)
	want := unit.Voltage(0)
	if x.out.On {
		want = x.out.Voltage
		if x.stuckAt > 0 {
			want = min(want, x.stuckAt)
		}
	}
	switch {
	case x.source < want:
		x.source = min(x.source+5*unit.Volt, want)
	case x.out.Discharge && !x.leak:
		x.source = max(x.source-8*unit.Volt, want)
	case x.out.On:
		x.source = max(x.source-2*unit.Volt, want)
	}
	closed := x.plus.closed && x.minus.closed
	switch {
	case x.joined:
		x.outlet = x.battery
		if closed {
			x.source = x.battery
		}
	case closed:
		x.outlet = x.source
	default:
		x.outlet = max(x.outlet-10*unit.Volt, 0)
	}
}

// sense fills in what the machine sees.
func (x *model) sense() {
	in := &x.in
	in.Plus, in.Minus = x.plus.closed, x.minus.closed
	if !x.mute {
		m := Measurement{At: x.now, Source: x.source, Outlet: x.outlet}
		if x.joined && x.plus.closed && x.minus.closed && (x.out.On || x.drags) {
			m.Current = x.out.Current
			if x.drags {
				m.Current = max(m.Current, 50*unit.Ampere)
			}
		}
		in.Measurement = m
	}
	if x.deaf {
		return
	}
	if x.out.SelfTest {
		if x.testing += step; x.testing >= x.testTime {
			in.Isolation.Tested, in.Isolation.TestOK, x.testing = x.now, !x.broken, 0
		}
	} else if x.out.Measure {
		in.Isolation.At, in.Isolation.Resistance = x.now, x.resistance
	}
}

// check is what no sequence may break.
func (x *model) check() {
	x.t.Helper()
	o, was, in, cfg := &x.out, &x.last, &x.in, &x.m.cfg
	fail := func(what string) {
		x.t.Helper()
		x.t.Fatalf("%v: %s\nwas %+v\nis  %+v\nin  %+v\nstory %v", x.now.Sub(time.Unix(1000, 0)), what, *was, *o, *in, x.story)
	}
	closes := o.Plus && !was.Plus || o.Minus && !was.Minus
	opens := !o.Plus && was.Plus || !o.Minus && was.Minus
	hazard := o.State == Failed
	switch {
	case closes && (abs(in.Measurement.Source-in.Measurement.Outlet) > cfg.Tolerance || abs(in.Measurement.Current) > cfg.Idle):
		fail("closes with a voltage across the contactors")
	case closes && (!in.Ready || !in.Locked || in.Emergency):
		fail("closes onto a plug that may be pulled")
	case opens && !hazard && abs(in.Measurement.Current) >= cfg.Idle:
		fail("opens under load without need")
	case o.On && !(x.plus.closed && x.minus.closed && o.Plus && o.Minus):
		fail("source is on behind open contactors")
	case o.On && (!in.Ready || !in.Locked || in.Emergency || in.Want == WantNothing):
		fail("source is on")
	case o.Voltage > cfg.MaxVoltage || o.Current > cfg.MaxCurrent || o.State == Delivering && o.Current > max(in.Current, 0):
		fail("more than allowed")
	case o.State == Delivering && was.State == Delivering && o.Current > was.Current+unit.Current(int64(cfg.Ramp)*int64(step)/int64(time.Second)):
		fail("ramp too steep")
	case o.State != Delivering && o.Current > cfg.LowCurrent:
		fail("current outside of delivery")
	case hazard && (o.Plus || o.Minus || o.On):
		fail("live after a failure")
	case o.State == Idle && was.State == Discharging && in.Measurement.Source >= SafeVoltage:
		fail("at rest with a charged output")
	case o.Discharge && o.On:
		fail("discharges a source that is on")
	case o.State != Idle && o.State != Failed && o.Deadline.IsZero():
		fail("waits for nothing")
	}
}

// until steps until the machine is in a state.
func (x *model) until(s State, limit time.Duration) {
	x.t.Helper()
	for end := x.now.Add(limit); x.out.State != s; x.step() {
		if x.now.After(end) {
			x.t.Fatalf("not %v within %v: %+v\nstory %v", s, limit, x.out, x.story)
		}
	}
}

func (x *model) run(d time.Duration) {
	x.t.Helper()
	for range d / step {
		x.step()
	}
}

// deliver goes through everything up to current.
func (x *model) deliver() {
	x.t.Helper()
	x.in.Want, x.in.Target, x.in.Current = WantCheck, x.battery, 100*unit.Ampere
	x.until(Checked, 20*time.Second)
	x.in.Want = WantPreCharge
	x.until(PreCharged, 7*time.Second)
	x.joined = true
	x.in.Want = WantPower
	x.until(Delivering, time.Second)
	x.run(2 * time.Second)
}
