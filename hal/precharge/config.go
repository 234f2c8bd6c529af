package precharge

import (
	"errors"
	"fmt"
	"time"

	"github.com/evsed/evsed/hal/unit"
)

// Config describes an output. It never changes while the machine lives.
type Config struct {
	MaxVoltage  unit.Voltage    // of source, contactors and cable, the least of them
	MaxCurrent  unit.Current    //
	TestVoltage unit.Voltage    // of the insulation test; 0: 500 V, but not above MaxVoltage
	Trip        unit.Resistance // least insulation resistance; 0: 100 kOhm
	Tolerance   unit.Voltage    // what counts as the same voltage; 0: 20 V
	Ramp        unit.Current    // the most that the current rises by in a second; 0: 20 A
	LowCurrent  unit.Current    // of the source while it tests and pre-charges; 0: 2 A
	Idle        unit.Current    // below it an opening is not under load; 0: 1 A
	SelfTest    bool            // the insulation monitor tests itself before each session
	Settle      time.Duration   // how long the test voltage stands before a measurement counts; 0: 1 s
	Limits      Limits
}

// Limits are how long each step may take.
type Limits struct {
	CableCheck, PreCharge, Stop, Discharge time.Duration // 0: 25 s, 7 s, 1 s, 5 s
	Close, Open                            time.Duration // of a contactor until its mirror contact; 0: 500 ms, 100 ms
	Age                                    time.Duration // how old a measurement may be; 0: 500 ms
	IsolationAge                           time.Duration // that of the insulation; 0: 5 s
}

// SafeVoltage is below what an output is dead (IEC 61851-23: 60 V DC).
const SafeVoltage = 60 * unit.Volt

// ErrConfig is an output that cannot be.
var ErrConfig = errors.New("no such DC output")

func (c Config) complete() (Config, error) {
	if c.MaxVoltage <= SafeVoltage || c.MaxCurrent <= 0 {
		return c, fmt.Errorf("%w: at most %v and %v", ErrConfig, c.MaxVoltage, c.MaxCurrent)
	}
	fill(&c.TestVoltage, min(500*unit.Volt, c.MaxVoltage))
	fill(&c.Trip, 100*unit.KiloOhm)
	fill(&c.Tolerance, 20*unit.Volt)
	fill(&c.Ramp, 20*unit.Ampere)
	fill(&c.LowCurrent, 2*unit.Ampere)
	fill(&c.Idle, 1*unit.Ampere)
	fill(&c.Settle, time.Second)
	l := &c.Limits
	for _, d := range []struct {
		at *time.Duration
		is time.Duration
	}{
		{&l.CableCheck, 25 * time.Second}, {&l.PreCharge, 7 * time.Second}, {&l.Stop, time.Second}, {&l.Discharge, 5 * time.Second},
		{&l.Close, 500 * time.Millisecond}, {&l.Open, 100 * time.Millisecond}, {&l.Age, 500 * time.Millisecond}, {&l.IsolationAge, 5 * time.Second},
	} {
		fill(d.at, d.is)
	}
	switch {
	case c.TestVoltage > c.MaxVoltage, c.TestVoltage <= SafeVoltage:
		return c, fmt.Errorf("%w: an insulation test at %v", ErrConfig, c.TestVoltage)
	case c.Tolerance <= 0 || c.Tolerance >= SafeVoltage, c.Trip <= 0, c.Ramp <= 0, c.LowCurrent <= 0, c.Idle <= 0, c.LowCurrent > c.MaxCurrent:
		return c, fmt.Errorf("%w: tolerance %v, trip %v, ramp %v, low current %v, idle %v", ErrConfig, c.Tolerance, c.Trip, c.Ramp, c.LowCurrent, c.Idle)
	case l.Close < 0 || l.Open < 0 || l.Age < 0 || l.CableCheck <= c.Settle:
		return c, fmt.Errorf("%w: a cable check of %v with %v to settle", ErrConfig, l.CableCheck, c.Settle)
	}
	return c, nil
}

func fill[T ~int64](v *T, is T) {
	if *v == 0 {
		*v = is
	}
}
