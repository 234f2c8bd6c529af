// Package unit holds the physical quantities of a charging station as integers, one type per quantity.
//
// Base units are small enough that no measurement is rounded away and large enough that a public meter's
// register never overflows: mA, mV, mW, mWh, mOhm, 0.01 % duty, 0.001 degrees C, mHz, VAr and VA in milli.
// There is no floating point here: a limit compared twice must be equal twice.
package unit

import "strconv"

// Current is an electric current in mA, RMS for AC; positive flows to the EV.
type Current int64

// Voltage is a voltage in mV, RMS for AC line voltages, instantaneous for pilot samples.
type Voltage int64

// Power is an active power in mW; positive flows to the EV, negative from it.
type Power int64

// ReactivePower is a reactive power in mvar.
type ReactivePower int64

// Energy is an energy in mWh. A register of 9.2e12 Wh still fits.
type Energy int64

// Resistance is a resistance in mOhm.
type Resistance int64

// Duty is the duty cycle of the control pilot in 0.01 %; 10000 is a steady high line.
type Duty int32

// Temperature is a temperature in 0.001 degrees Celsius.
type Temperature int32

// Frequency is a frequency in mHz.
type Frequency int64

// Percent is a ratio in 0.001 %, for states of charge and the like; 100000 is all.
type Percent int32

// Constants to build quantities: 16*unit.Ampere.
const (
	Milliampere Current = 1
	Ampere      Current = 1000

	Millivolt Voltage = 1
	Volt      Voltage = 1000

	Milliwatt Power = 1
	Watt      Power = 1000
	KiloWatt  Power = 1000 * Watt

	Var ReactivePower = 1000

	MilliwattHour Energy = 1
	WattHour      Energy = 1000
	KiloWattHour  Energy = 1000 * WattHour

	Ohm     Resistance = 1000
	KiloOhm Resistance = 1000 * Ohm

	DutyPercent Duty = 100
	DutyHigh    Duty = 10000 // no PWM, line steady at the high level (state X1)
	DutyLow     Duty = 0     // line steady at the low level (state F)

	Celsius Temperature = 1000

	Hertz     Frequency = 1000
	KiloHertz Frequency = 1000 * Hertz

	OnePercent     Percent = 1000
	HundredPercent Percent = 100 * OnePercent
)

// PerPhase returns the current on each of phases lines of voltage v that together carry p.
// It rounds toward zero, so that a limit never grows by conversion. phases: 1..3, v > 0; otherwise 0.
func (p Power) PerPhase(v Voltage, phases int) Current {
	if v <= 0 || phases <= 0 {
		return 0
	}
	return Current(mulDiv(int64(p), 1000, int64(v)*int64(phases)))
}

// Times returns the active power of current c at voltage v and unity power factor, rounded toward zero.
func (c Current) Times(v Voltage) Power { return Power(mulDiv(int64(c), int64(v), 1000)) }

// Over returns the energy that p delivers in ms milliseconds, rounded toward zero.
func (p Power) Over(ms int64) Energy { return Energy(mulDiv(int64(p), ms, 3_600_000)) }

// mulDiv returns a*b/c toward zero for products that may pass 64 bits only in absurd inputs; it saturates there.
func mulDiv(a, b, c int64) int64 {
	if a == 0 || b == 0 {
		return 0
	}
	p := a * b
	if p/b != a {
		if (a < 0) != (b < 0) {
			return -1 << 62 / c
		}
		return 1 << 62 / c
	}
	return p / c
}

// AppendMilli appends v/1000 as the shortest exact decimal ("16", "16.5", "-0.25").
func AppendMilli(dst []byte, v int64) []byte {
	u := uint64(v)
	if v < 0 {
		dst = append(dst, '-')
		u = -u
	}
	dst = strconv.AppendUint(dst, u/1000, 10)
	frac := u % 1000
	if frac == 0 {
		return dst
	}
	dst = append(dst, '.', byte('0'+frac/100))
	if frac%100 != 0 {
		dst = append(dst, byte('0'+frac/10%10))
	}
	if frac%10 != 0 {
		dst = append(dst, byte('0'+frac%10))
	}
	return dst
}

func milli(v int64, unit string) string { return string(append(AppendMilli(nil, v), unit...)) }

func (c Current) String() string       { return milli(int64(c), " A") }
func (v Voltage) String() string       { return milli(int64(v), " V") }
func (p Power) String() string         { return milli(int64(p), " W") }
func (p ReactivePower) String() string { return milli(int64(p), " var") }
func (e Energy) String() string        { return milli(int64(e), " Wh") }
func (r Resistance) String() string    { return milli(int64(r), " Ohm") }
func (d Duty) String() string          { return milli(int64(d)*10, " %") }
func (t Temperature) String() string   { return milli(int64(t), " C") }
func (f Frequency) String() string     { return milli(int64(f), " Hz") }
func (p Percent) String() string       { return milli(int64(p), " %") }
