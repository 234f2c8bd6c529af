package parts

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
)

const period = int32(time.Millisecond)

// wallbox is a pilot of PWM and two converters of 10 mV a count.
func wallbox(more ...hal.Part) []hal.Part {
	return append([]hal.Part{part(hal.PartPWM, hal.RolePilotPWM, "pwm/0", period),
		part(hal.PartADC, hal.RolePilotHigh, "adc/high", 10_000_000, 0, 5, 400), part(hal.PartADC, hal.RolePilotLow, "adc/low", 10_000_000, 0, 5, 400)}, more...)
}

// probe is a measured pilot under test.
type probe struct {
	t *testing.T
	m *memory
	p hal.ControlPilot
}

func newProbe(t *testing.T, more ...hal.Part) *probe {
	t.Helper()
	m := newMemory()
	x := &probe{t: t, m: m, p: open[hal.ControlPilot](t, m, wallbox(more...)...)}
	x.level(1200, -20)
	return x
}

func (x *probe) level(high, low int32) { x.m.adc("adc/high").raw, x.m.adc("adc/low").raw = high, low }

// run samples for d, every 5 ms, and returns the last.
func (x *probe) run(d time.Duration) (s hal.PilotSample, err error) {
	x.t.Helper()
	for end := x.m.now.Add(d); x.m.now.Before(end) && err == nil; {
		x.m.pass(5 * time.Millisecond)
		s, err = x.p.Sample()
	}
	return s, err
}

func (x *probe) duty(d unit.Duty) {
	x.t.Helper()
	if err := x.p.SetDuty(d); err != nil {
		x.t.Fatal(err)
	}
}

func (x *probe) want(high, low unit.Voltage) {
	x.t.Helper()
	if s, err := x.run(50 * time.Millisecond); err != nil || s.High != high || s.Low != low {
		x.t.Errorf("%v, %v; want %v and %v", s, err, high, low)
	}
}

func TestDuty(t *testing.T) {
	for _, test := range []struct {
		duty  unit.Duty
		flags hal.PartFlags
		on    time.Duration
	}{
		{unit.DutyHigh, 0, time.Millisecond}, {unit.DutyLow, 0, 0}, {10 * unit.DutyPercent, 0, 100 * time.Microsecond}, {2667, 0, 266700},
		{unit.DutyHigh, hal.PartInverted, 0}, {unit.DutyLow, hal.PartInverted, time.Millisecond}, {10 * unit.DutyPercent, hal.PartInverted, 900 * time.Microsecond},
	} {
		m := newMemory()
		ps := wallbox()
		ps[0].Flags = test.flags
		p := open[hal.ControlPilot](t, m, ps...)
		if err := p.SetDuty(test.duty); err != nil || m.pwms["pwm/0"].on != test.on || m.pwms["pwm/0"].period != time.Millisecond {
			t.Errorf("%v, flags %#x: %v, want %v, %v", test.duty, test.flags, m.pwms["pwm/0"], test.on, err)
		}
		m.pwms["pwm/0"].err = errPulled
		if err := p.SetDuty(test.duty); !errors.Is(err, errPulled) {
			t.Errorf("%v", err)
		}
	}
}

// TestMeasuredPilot: both halves in each mode of the generator.
func TestMeasuredPilot(t *testing.T) {
	x := newProbe(t)
	x.duty(unit.DutyHigh)
	x.want(12000, 12000)
	x.level(900, -15)
	x.want(9000, 9000)
	x.duty(2000)
	x.level(600, -1200)
	x.want(6000, -12000)
	x.level(300, -290) // a diode that is short
	x.want(3000, -2900)
	x.duty(unit.DutyLow)
	x.level(-5, -1200)
	x.want(-12000, -12000)
}

// TestGainAndZero: the board says what a count is, in whatever direction.
func TestGainAndZero(t *testing.T) {
	m := newMemory()
	ps := wallbox()
	ps[1].A, ps[1].B = 11_310_000, -420_000
	ps[2].A, ps[2].B = -11_270_000, 100_000
	ps[1].C, ps[2].C = 0, 1
	p := open[hal.ControlPilot](t, m, ps...)
	_ = p.SetDuty(1000)
	m.adc("adc/high").raw, m.adc("adc/low").raw = 1000, 1000
	if s, err := p.Sample(); err != nil || s.High != 10890 || s.Low != -11170 {
		t.Errorf("%v, %v", s, err)
	}
}

// TestMedian: a spike is not seen, and a change after half of the filter.
func TestMedian(t *testing.T) {
	x := newProbe(t)
	x.duty(2000)
	x.level(600, -1200)
	x.want(6000, -12000)
	for range 2 {
		x.level(0, 0)
		if s, _ := x.run(5 * time.Millisecond); s.High != 6000 {
			t.Errorf("one of two spikes went through: %v", s)
		}
	}
	x.level(900, -1200)
	if s, _ := x.run(5 * time.Millisecond); s.High != 6000 {
		t.Errorf("%v", s)
	}
	x.level(600, -1200)
	x.want(6000, -12000)
	x.level(900, -1200)
	if s, _ := x.run(15 * time.Millisecond); s.High != 9000 {
		t.Errorf("%v after three of five samples", s)
	}
}

// TestPeakResets: each half is cleared once it has been read, for its time, and is left in peace until it has seen a peak again.
func TestPeakResets(t *testing.T) {
	x := newProbe(t, out(hal.RolePilotHighReset, "RH", 0, 20), out(hal.RolePilotLowReset, "RL", 0, 20))
	x.duty(2000)
	x.m.told = []string{}
	x.m.pass(5 * time.Millisecond)
	for range 10 {
		if _, err := x.p.Sample(); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(x.m.told, " "); got != "+RH -RH +RL -RL" {
		t.Errorf("told %q", got)
	}
	if n := x.m.adc("adc/high").reads; n != 1 {
		t.Errorf("%d conversions within two periods", n)
	}
	x.m.pass(2 * time.Millisecond)
	if _, err := x.p.Sample(); err != nil || x.m.adc("adc/high").reads != 2 {
		t.Errorf("%d conversions, %v", x.m.adc("adc/high").reads, err)
	}
	x.m.line("RL").err = errPulled
	x.m.pass(5 * time.Millisecond)
	if _, err := x.p.Sample(); !errors.Is(err, errPulled) {
		t.Errorf("a reset that fails: %v", err)
	}
}

// TestFrozenConverter: a count that never changes while PWM runs is an error, in time; a line that is steady is none.
func TestFrozenConverter(t *testing.T) {
	for _, half := range []string{"adc/high", "adc/low"} {
		x := newProbe(t)
		x.duty(unit.DutyHigh)
		if _, err := x.run(10 * time.Second); err != nil {
			t.Fatalf("%s: quiet and steady: %v", half, err)
		}
		x.duty(2000)
		for n := range 2000 { // the other half ripples, this one does at first
			x.level(600+int32(n%3), -1200+int32(n%2))
			if n > 500 {
				x.m.adc(half).raw = 555
			}
			_, err := x.run(5 * time.Millisecond)
			if err == nil && n > 910 {
				t.Fatalf("%s: not noticed after %d counts", half, n-500)
			}
			if err != nil {
				if !errors.Is(err, errFrozen) || n < 890 {
					t.Errorf("%s: %v after %d counts", half, err, n-500)
				}
				break
			}
		}
		x.m.adc(half).raw = 556
		if _, err := x.run(5 * time.Millisecond); err != nil {
			t.Errorf("%s: it moves again: %v", half, err)
		}
	}
}

// TestQuietConverterWithAReset: where a reset can make a quiet converter see something else, it is asked to before it counts as
// frozen.
func TestQuietConverterWithAReset(t *testing.T) {
	x := newProbe(t, out(hal.RolePilotHighReset, "RH"), out(hal.RolePilotLowReset, "RL"))
	x.duty(2000)
	x.level(600, -1200)
	high, low := x.m.adc("adc/high"), x.m.adc("adc/low")
	high.reset, low.reset = x.m.line("RH"), x.m.line("RL")
	high.discharged, low.discharged = 200, -400
	if _, err := x.run(time.Minute); err != nil {
		t.Fatalf("alive and quiet: %v", err)
	}
	high.discharged = 601
	if _, err := x.run(3 * time.Second); !errors.Is(err, errFrozen) {
		t.Errorf("%v", err)
	}
}

// TestHalfThatNobodyDrives: a half that shows what the generator has long ceased to drive.
func TestHalfThatNobodyDrives(t *testing.T) {
	x := newProbe(t)
	x.duty(2000)
	x.level(900, -1200)
	x.want(9000, -12000)
	x.duty(unit.DutyHigh)
	if _, err := x.run(400 * time.Millisecond); err != nil {
		t.Errorf("a detector may decay: %v", err)
	}
	if _, err := x.run(200 * time.Millisecond); !errors.Is(err, errLowStands) {
		t.Errorf("%v", err)
	}
	x.level(900, 0)
	x.duty(unit.DutyLow)
	if _, err := x.run(600 * time.Millisecond); !errors.Is(err, errHighStands) {
		t.Errorf("%v", err)
	}
}

// TestConverterFails: one that is busy is asked once more, and no more than that.
func TestConverterFails(t *testing.T) {
	x := newProbe(t)
	x.m.adc("adc/high").once = errPulled
	if _, err := x.run(5 * time.Millisecond); err != nil {
		t.Errorf("%v", err)
	}
	x.m.adc("adc/low").err = errPulled
	if _, err := x.run(5 * time.Millisecond); !errors.Is(err, errPulled) {
		t.Errorf("%v", err)
	}
}

func TestMeasuredPilotDoesNotAllocate(t *testing.T) {
	x := newProbe(t, out(hal.RolePilotHighReset, "RH", 0, 20))
	n := int32(0)
	noAllocations(t, func() {
		n++
		x.level(600+n%3, -1200+n%3)
		x.m.pass(5 * time.Millisecond)
		_ = x.p.SetDuty(unit.Duty(1000 + n%2))
		_, _ = x.p.Sample()
	})
}

// ladder is a pilot of PWM and comparators.
func ladder() []hal.Part {
	return []hal.Part{part(hal.PartPWM, hal.RolePilotPWM, "pwm/0", period),
		in(hal.RolePilotAbove, "C", 0, 4400), in(hal.RolePilotAbove, "A", 0, 10500), in(hal.RolePilotAbove, "B", 0, 7600), in(hal.RolePilotAbove, "D", 0, 1500),
		in(hal.RolePilotBelow, "N", 0, -10000)}
}

// TestComparedPilot: levels, contradictions and modes of the generator.
func TestComparedPilot(t *testing.T) {
	for _, test := range []struct {
		duty   unit.Duty
		active string
		sample hal.PilotSample
		err    error
	}{
		{unit.DutyHigh, "ABCD", hal.PilotSample{High: 12000, Low: 12000}, nil},
		{unit.DutyHigh, "BCD", hal.PilotSample{High: 9000, Low: 9000}, nil},
		{unit.DutyHigh, "CD", hal.PilotSample{High: 6000, Low: 6000}, nil},
		{unit.DutyHigh, "D", hal.PilotSample{High: 3000, Low: 3000}, nil},
		{unit.DutyHigh, "", hal.PilotSample{}, nil},
		{2000, "BCDN", hal.PilotSample{High: 9000, Low: -12000}, nil},
		{2000, "BCD", hal.PilotSample{High: 9000}, nil}, // no diode
		{2000, "ACDN", hal.PilotSample{Low: -12000}, nil},
		{2000, "AN", hal.PilotSample{Low: -12000}, nil},
		{unit.DutyLow, "N", hal.PilotSample{High: -12000, Low: -12000}, nil},
		{unit.DutyLow, "", hal.PilotSample{}, nil},
		{unit.DutyLow, "ABCD", hal.PilotSample{}, errHighStands},
		{unit.DutyHigh, "BCDN", hal.PilotSample{}, errLowStands},
	} {
		m := newMemory()
		p := open[hal.ControlPilot](t, m, ladder()...)
		if err := p.SetDuty(test.duty); err != nil {
			t.Fatal(err)
		}
		for _, n := range "ABCDN" {
			m.line(string(n)).on = strings.ContainsRune(test.active, n)
			if !m.specs[string(n)].Edges {
				t.Fatalf("edges of %c do not wake", n)
			}
		}
		m.pass(time.Second)
		if s, err := p.Sample(); s != test.sample || !errors.Is(err, test.err) {
			t.Errorf("duty %v, %q: %v, %v; want %v, %v", test.duty, test.active, s, err, test.sample, test.err)
		}
		noAllocations(t, func() { _ = p.SetDuty(test.duty); _, _ = p.Sample() })
		for _, n := range "BN" {
			m.line(string(n)).err = errPulled
			if _, err := p.Sample(); !errors.Is(err, errPulled) && (n == 'N' || test.duty != unit.DutyLow) {
				t.Errorf("%c: %v", n, err)
			}
			m.line(string(n)).err = nil
		}
	}
}
