package parts

import (
	"math"
	"testing"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/mcu"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

func TestInputs(t *testing.T) {
	m := newMemory()
	i := open[hal.Inputs](t, m, in(hal.RoleEmergencyStop, "STOP"), in(hal.RoleEmergencyStop, "DOOR"))
	want := func(pressed, fails bool) {
		t.Helper()
		if on, err := i.EmergencyStop(); on != pressed || (err != nil) != fails {
			t.Errorf("%v, %v", on, err)
		}
	}
	want(false, false)
	m.line("DOOR").on = true
	want(true, false)
	m.line("DOOR").on, m.line("DOOR").err = false, errPulled
	want(true, true)
	if !m.specs["STOP"].Edges {
		t.Error("its edges do not wake")
	}
	noAllocations(t, func() { _, _ = i.EmergencyStop() })
}

func TestDiagnosis(t *testing.T) {
	m := newMemory()
	door, _ := Report(term.FaultTamper)
	coil, _ := Report(term.FaultPowerSwitch)
	d := open[hal.Diagnosis](t, m, in(hal.RoleDiagnosis, "DOOR", 0, door), in(hal.RoleDiagnosis, "COIL1", 0, coil), in(hal.RoleDiagnosis, "COIL2", 0, coil))
	m.line("COIL2").on = true
	for f := term.FaultNone; f <= term.FaultStorage; f++ {
		if on, err := d.Active(f); on != (f == term.FaultPowerSwitch) || err != nil {
			t.Errorf("%v: %v, %v", f, on, err)
		}
	}
	m.line("DOOR").err = errPulled
	if on, err := d.Active(term.FaultTamper); !on || err == nil {
		t.Errorf("%v, %v", on, err)
	}
}

// TestReportsKeepTheirNumbers: a line table outlives the program that compiled it.
func TestReportsKeepTheirNumbers(t *testing.T) {
	want := []string{"", "groundFailure", "overCurrent", "overVoltage", "underVoltage", "highTemperature", "connectorLockFailure", "contactorFault",
		"pilotFault", "emergencyStop", "cableOverTemperature", "powerSwitchFailure", "tamper", "powerLoss", "other"}
	for i, f := range reports {
		if i > 0 && f.String() != want[i] {
			t.Errorf("%d is %v, want %s", i, f, want[i])
		}
		if n, ok := Report(f); i > 0 && (!ok || int(n) != i) {
			t.Errorf("%v is %d, %v", f, n, ok)
		}
	}
	if n, ok := Report(term.FaultDiode); ok {
		t.Errorf("no line reports a diode, but %d does", n)
	}
}

// divided is a converter of 1 mV a count at a divider of 330 Ohm to 3.3 V.
func divided(role hal.PartRole) hal.Part {
	return part(hal.PartADC, role, "adc/voltage5", 1_000_000, 0, 330_000, 3300)
}

func TestProximity(t *testing.T) {
	m := newMemory()
	p := open[hal.Proximity](t, m, divided(hal.RoleProximity))
	for _, ohms := range []float64{0, 100, 220, 680, 1500, 4700} {
		m.adc("adc/voltage5").raw = int32(math.Round(3300 * ohms / (330 + ohms)))
		r, err := p.Resistance()
		if err != nil || math.Abs(float64(r)/1000-ohms) > 0.01*ohms+0.5 {
			t.Errorf("%v Ohm reads as %v, %v", ohms, r, err)
		}
	}
	for raw, want := range map[int32]unit.Resistance{3299: openLine, 3300: openLine, 3400: openLine, 0: 0, -100: 0} {
		m.adc("adc/voltage5").raw = raw
		if r, err := p.Resistance(); r < want || err != nil {
			t.Errorf("%d counts read as %v, %v", raw, r, err)
		}
	}
	for _, raw := range []int32{-200, 3500, math.MaxInt32, math.MinInt32} {
		m.adc("adc/voltage5").raw = raw
		if _, err := p.Resistance(); err == nil {
			t.Errorf("%d counts were taken for a resistor", raw)
		}
	}
	m.adc("adc/voltage5").err = errPulled
	if _, err := p.Resistance(); err == nil {
		t.Error("no error")
	}
	noAllocations(t, func() { _, _ = p.Resistance() })
}

// TestCurves computes every point of every curve again.
func TestCurves(t *testing.T) {
	ntc := func(r25, b float64) func(float64) float64 {
		return func(c float64) float64 { return r25 * math.Exp(b*(1/(c+273.15)-1/298.15)) }
	}
	pt := func(r0 float64) func(float64) float64 {
		return func(c float64) float64 {
			r := 1 + 3.9083e-3*c - 5.775e-7*c*c
			if c < 0 {
				r -= 4.183e-12 * (c - 100) * c * c * c
			}
			return r0 * r
		}
	}
	for c, f := range map[hal.Curve]func(float64) float64{
		hal.CurveNTC10kB3435: ntc(10e3, 3435), hal.CurveNTC10kB3950: ntc(10e3, 3950), hal.CurveNTC47kB4050: ntc(47e3, 4050),
		hal.CurveNTC100kB3950: ntc(100e3, 3950), hal.CurvePT100: pt(100), hal.CurvePT1000: pt(1000),
	} {
		table := &curveTables[c]
		for i, r := range table.ohms {
			at := float64(table.first+unit.Temperature(i)*curveStep) / 1000
			if want := 1000 * f(at); math.Abs(float64(r)-want) > 1 {
				t.Errorf("%v at %v: %d, want %v mOhm", c, at, r, want)
			}
		}
		for tenth := -390; tenth <= 1490; tenth += 7 { // between the points too
			want := float64(tenth) / 10
			got, err := table.at(unit.Resistance(math.Round(1000 * f(want))))
			if err != nil || math.Abs(float64(got)/1000-want) > 0.3 {
				t.Errorf("%v: %v degrees read as %v, %v", c, want, got, err)
			}
		}
		if _, err := table.at(openLine * 100); err == nil {
			t.Errorf("%v: a broken wire has a temperature", c)
		}
		if _, err := table.at(0); err == nil {
			t.Errorf("%v: a short has a temperature", c)
		}
	}
	for _, n := range hal.Curves() {
		if c, ok := hal.ParseCurve(n); !ok || curveTables[c].ohms == nil {
			t.Errorf("curve %s has no table", n)
		}
	}
}

// TestThermometer is the hottest of its sensors, and unreadable where one of them is.
func TestThermometer(t *testing.T) {
	m := newMemory()
	th := open[hal.Thermometer](t, m, flagged(divided(hal.RoleTemperature), hal.CurvePT1000.Flags()),
		part(hal.PartThermometer, hal.RoleTemperature, "hwmon:x/temp1"))
	m.adc("adc/voltage5").raw = 2538 // of 1100 Ohm: 25.7 degrees
	m.therm["hwmon:x/temp1"].t = 20 * unit.Celsius
	if v, err := th.Temperature(); err != nil || v < 25*unit.Celsius || v > 27*unit.Celsius {
		t.Errorf("%v, %v", v, err)
	}
	m.therm["hwmon:x/temp1"].t = 30 * unit.Celsius
	if v, err := th.Temperature(); err != nil || v != 30*unit.Celsius {
		t.Errorf("%v, %v", v, err)
	}
	m.adc("adc/voltage5").raw = 3300
	if _, err := th.Temperature(); err == nil {
		t.Error("a broken wire has a temperature")
	}
	m.adc("adc/voltage5").raw, m.therm["hwmon:x/temp1"].err = 2538, errPulled
	if _, err := th.Temperature(); err == nil {
		t.Error("a sensor that is gone has a temperature")
	}
	noAllocations(t, func() { _, _ = th.Temperature() })
}

// TestMCUParts: what a part says of a controller is what it was made of.
func TestMCUParts(t *testing.T) {
	spec := mcu.Spec{Port: "/dev/ttymxc3", Baud: 57600, Owns: mcu.OwnPilot | mcu.OwnContactor, Beat: 50 * time.Millisecond, Silence: 300 * time.Millisecond,
		Connectors: 2, Fallback: true}
	for role := hal.RoleMCUPilot; role <= hal.RoleMCUDiagnosis; role++ {
		p := MCUPart(role, spec, 2)
		if got := mcuSpec(&p); got != spec {
			t.Fatalf("%+v, want %+v", got, spec)
		}
		d, err := Open(newMemory(), []hal.Part{p})
		if err != nil {
			t.Fatal(role, err)
		}
		if _, ok := d.(hal.Thermometer); !ok && role == hal.RoleMCUCable {
			t.Errorf("%T measures no cable", d)
		}
	}
	p := MCUPart(hal.RoleMCUPilot, spec, 3)
	if _, err := Open(newMemory(), []hal.Part{p}); err == nil {
		t.Error("connector 3 of 2")
	}
}
