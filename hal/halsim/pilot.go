package halsim

import (
	"math"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// The pilot circuit (IEC 61851-1 Annex A): a source of 12 V behind 1 kOhm in the station; a diode, 2740 Ohm, and
// behind S2 another 1300 Ohm, or 270 Ohm where ventilation is asked for, in the vehicle.
const (
	sourceVolts   = 12.0
	sourceOhms    = 1000.0
	carOhms       = 2740.0
	carReadyOhms  = 1300.0
	carVentedOhms = 270.0
	diodeVolts    = 0.7
	pilotNoise    = 0.03 // V
)

// Resistors of the proximity circuit (IEC 61851-1 Annex B), and what an open input reads.
var proximityCodes = [...]struct {
	rating unit.Current
	ohms   unit.Resistance
}{
	{63 * unit.Ampere, 100 * unit.Ohm}, {32 * unit.Ampere, 220 * unit.Ohm},
	{20 * unit.Ampere, 680 * unit.Ohm}, {13 * unit.Ampere, 1500 * unit.Ohm},
}

const proximityOpen = 1000 * unit.KiloOhm

// connected reports whether a car is on the pilot line.
func (c *connector) connected() bool { return c.atEVSE && c.atEV && c.car != nil && !c.broken }

// levels returns what stands on the pilot line, in volts, without noise.
func (c *connector) levels() (high, low float64) {
	if !c.e.w.powered || c.has(term.FaultPilot) {
		return 0, 0
	}
	high, low = sourceVolts, -sourceVolts
	if c.connected() {
		high, low = c.car.load(c.has(term.FaultDiode))
	}
	switch c.duty {
	case unit.DutyHigh:
		return high, high
	case unit.DutyLow:
		return low, low
	}
	return high, low
}

// load returns the two levels with the car's resistors on the line.
func (k *car) load(shorted bool) (high, low float64) {
	r := carOhms
	if k.s2 {
		r = 1 / (1/carOhms + 1/carReadyOhms)
		if k.ventilation {
			r = 1 / (1/carOhms + 1/carVentedOhms)
		}
	}
	if shorted {
		v := sourceVolts * r / (sourceOhms + r)
		return v, -v
	}
	return sourceVolts - sourceOhms*(sourceVolts-diodeVolts)/(sourceOhms+r), -sourceVolts
}

// sample is the measurement of the levels.
func (c *connector) sample() hal.PilotSample {
	high, low := c.levels()
	n := pilotNoise * c.e.w.noise(uint64(c.ref.EVSE)<<8|uint64(c.ref.Connector))
	return hal.PilotSample{High: volts(high + n), Low: volts(low - n)}
}

// pilotState names what is on the line, as the world knows it.
func (c *connector) pilotState() term.PilotState {
	switch {
	case !c.e.w.powered, c.has(term.FaultPilot):
		return term.StateE
	case c.duty == unit.DutyLow:
		return term.StateF
	case !c.connected():
		return term.StateA
	case !c.car.s2:
		return term.StateB
	case c.car.ventilation:
		return term.StateD
	}
	return term.StateC
}

// resistance is what the proximity input reads.
func (c *connector) resistance() unit.Resistance {
	switch {
	case c.has(term.FaultProximity):
		return 0
	case !c.atEVSE:
		return proximityOpen
	}
	for _, code := range proximityCodes {
		if c.cableMax >= code.rating {
			return code.ohms
		}
	}
	return proximityOpen
}

// Temperatures of a connector, in degrees: around it, what full current adds, and what a fault shows.
const (
	ambient     = 25.0
	warmth      = 30.0
	burning     = 110.0
	thermalTime = 600.0 // s
)

// heat moves the temperature toward that of the current.
func (c *connector) heat(amps float64, d time.Duration) {
	if amps == 0 && math.Abs(c.celsius-ambient) < 0.01 {
		return
	}
	load := amps * 1000 / float64(c.e.cfg.MaxCurrent)
	end := ambient + warmth*load*load
	c.celsius = end + (c.celsius-end)*math.Exp(-d.Seconds()/thermalTime)
}

func volts(v float64) unit.Voltage { return unit.Voltage(math.Round(v * 1000)) }
