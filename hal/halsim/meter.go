package halsim

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// The grid, and what a load does to it.
var nominalGrid = [3]unit.Voltage{230 * unit.Volt, 230 * unit.Volt, 230 * unit.Volt}

const (
	nominalFrequency = 50 * unit.Hertz
	gridOhms         = 0.05  // V lost per A
	voltageNoise     = 0.2   // V
	currentNoise     = 0.002 // of the current
	swellVolts       = 285.0 // overVoltage
	sagVolts         = 170.0 // underVoltage
)

// registerStep is the resolution of the meter's registers.
const registerStep = unit.WattHour

// errMeter is what a meter with the fault meterFailure says.
var errMeter = errors.New("meter does not answer")

// meter integrates what flows through an EVSE.
type meter struct {
	imported float64 // mWh
	exported float64 // mWh
	hold     bool
	held     MeterOptions
	kept     unit.Energy // register in what was kept last
}

// MeterOptions fixes readings. A nil field is left to the physics.
type MeterOptions struct {
	Energy    *unit.Energy
	Export    *unit.Energy
	Voltage   *[3]unit.Voltage
	Current   *[3]unit.Current
	Frequency *unit.Frequency
	Release   bool  // back to the physics
	Refuses   *bool // to sign
}

// integrate adds the energy of d: that of the fixed readings of current and voltage where they are fixed, since a
// meter counts what it sees.
func (m *meter) integrate(e *evse, watts float64, d time.Duration) {
	if !e.w.powered {
		return
	}
	if m.hold && (m.held.Current != nil || m.held.Voltage != nil) {
		r := e.instant()
		watts = float64(r.Power) / 1000
	}
	if m.hold && m.held.Energy != nil {
		return
	}
	m.imported += watts * 1000 * d.Hours()
}

// register returns the import register in steps of its resolution.
func (m *meter) register() unit.Energy {
	return unit.Energy(m.imported+1e-3) / registerStep * registerStep
}

// volts returns the voltage of a line that carries amps.
func (e *evse) volts(line int, amps float64) float64 {
	v := float64(e.grid[line]) / 1000
	switch {
	case e.has(term.FaultOverVoltage):
		v = swellVolts
	case e.has(term.FaultUnderVoltage):
		v = sagVolts
	}
	return v - amps*gridOhms
}

// has reports whether a fault is active at the EVSE, one of its connectors, or the station.
func (e *evse) has(f term.Fault) bool {
	for _, c := range e.conns {
		if c.faults.Has(f) {
			return true
		}
	}
	return (e.faults | e.w.faults).Has(f)
}

// instant is a reading without noise and registers.
func (e *evse) instant() hal.MeterReading {
	r := hal.MeterReading{At: e.w.now, Phases: e.cfg.Phases, Frequency: e.hertz, Factor: 1000}
	var amps [3]float64
	for _, c := range e.conns {
		if c.car == nil || c.car.amps == 0 {
			continue
		}
		for line := range c.car.lines(c) {
			amps[line] += c.car.amps
		}
		r.Factor = int32(math.Round(c.car.powerFactor * 1000))
	}
	for line := range int(e.cfg.Phases) {
		r.Voltage[line], r.Current[line] = volts(e.volts(line, amps[line])), unit.Current(math.Round(amps[line]*1000))
	}
	e.meter.fix(&r)
	for line := range int(e.cfg.Phases) {
		r.Power += r.Current[line].Times(r.Voltage[line]) * unit.Power(r.Factor) / 1000
	}
	return r
}

// fix puts fixed values into a reading.
func (m *meter) fix(r *hal.MeterReading) {
	if !m.hold {
		return
	}
	if m.held.Voltage != nil {
		r.Voltage = *m.held.Voltage
	}
	if m.held.Current != nil {
		r.Current = *m.held.Current
	}
	if m.held.Frequency != nil {
		r.Frequency = *m.held.Frequency
	}
	for line := int(r.Phases); line < 3; line++ {
		r.Voltage[line], r.Current[line] = 0, 0
	}
}

// reading is what the meter shows.
func (e *evse) reading() hal.MeterReading {
	r := e.instant()
	r.Import, r.Export = e.meter.register(), unit.Energy(e.meter.exported)
	place := uint64(e.cfg.ID)<<16 | 1<<15
	for line := range int(r.Phases) {
		if !e.meter.hold || e.meter.held.Voltage == nil {
			r.Voltage[line] += volts(voltageNoise * e.w.noise(place|uint64(line)))
		}
		if !e.meter.hold || e.meter.held.Current == nil {
			r.Current[line] += unit.Current(float64(r.Current[line]) * currentNoise * e.w.noise(place|4|uint64(line)))
		}
	}
	return r
}

// meterDevice is the meter of one EVSE behind hal.Meter.
type meterDevice struct{ e *evse }

// Read returns the reading of now. A register that is higher than the one last kept is kept first: what was
// reported once is never reported lower, also by the next process.
func (d meterDevice) Read(ctx context.Context) (hal.MeterReading, error) {
	if err := ctx.Err(); err != nil {
		return hal.MeterReading{}, err
	}
	w := d.e.w
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	if !w.powered || d.e.has(term.FaultMeter) {
		return hal.MeterReading{}, fmt.Errorf("read meter of EVSE %d: %w", d.e.cfg.ID, errMeter)
	}
	r := d.e.reading()
	if w.dirty || r.Import > d.e.meter.kept {
		if err := w.keep(); err != nil {
			return hal.MeterReading{}, fmt.Errorf("keep register of EVSE %d: %w", d.e.cfg.ID, err)
		}
	}
	return r, nil
}

// SetMeter fixes readings of an EVSE's meter, or releases them, and says whether it refuses to sign. A register that is set stays where it is put until it
// is released, and goes on from there. It cannot be set below what it has shown: registers never fall.
func (w *World) SetMeter(id term.EVSEID, o MeterOptions) error {
	return w.change(func() error {
		e, err := w.evse(id)
		if err != nil {
			return err
		}
		m := &e.meter
		if err := m.checkOptions(o); err != nil {
			return fmt.Errorf("meter of EVSE %d: %w", id, err)
		}
		if o.Refuses != nil {
			if e.signer == nil {
				return fmt.Errorf("meter of EVSE %d: %w: it does not sign", id, ErrImpossible)
			}
			e.signer.refuses, o.Refuses = *o.Refuses, nil
		}
		if o.Release {
			m.hold, m.held = false, MeterOptions{}
		}
		if o.Release || o == (MeterOptions{}) {
			return nil
		}
		m.hold = true
		merge(&m.held, o)
		if o.Energy != nil {
			m.imported = float64(*o.Energy)
		}
		if o.Export != nil {
			m.exported = float64(*o.Export)
		}
		return nil
	})
}

func (m *meter) checkOptions(o MeterOptions) error {
	switch {
	case o.Energy != nil && *o.Energy < m.register(), o.Export != nil && float64(*o.Export) < m.exported:
		return fmt.Errorf("%w: a register never falls (it shows %v and %v)", ErrImpossible, m.register(), unit.Energy(m.exported))
	case o.Energy != nil && *o.Energy > maxRegister, o.Export != nil && *o.Export > maxRegister:
		return fmt.Errorf("%w: register above %v", ErrBadValue, maxRegister)
	case o.Frequency != nil && (*o.Frequency < 0 || *o.Frequency > 1000*unit.Hertz):
		return fmt.Errorf("%w: frequency", ErrBadValue)
	}
	for line := range 3 {
		if o.Voltage != nil && (o.Voltage[line] < 0 || o.Voltage[line] > unit.Voltage(1000*unit.Volt)) {
			return fmt.Errorf("%w: voltage of line %d", ErrBadValue, line+1)
		}
		if o.Current != nil && (o.Current[line] < 0 || o.Current[line] > 1000*unit.Ampere) {
			return fmt.Errorf("%w: current of line %d", ErrBadValue, line+1)
		}
	}
	return nil
}

// maxRegister is where a register ends: 10 GWh, more than a public meter has digits for.
const maxRegister = 10_000_000 * unit.KiloWattHour

// merge puts the given fields of o over those of held.
func merge(held *MeterOptions, o MeterOptions) {
	if o.Energy != nil {
		held.Energy = o.Energy
	}
	if o.Export != nil {
		held.Export = o.Export
	}
	if o.Voltage != nil {
		held.Voltage = o.Voltage
	}
	if o.Current != nil {
		held.Current = o.Current
	}
	if o.Frequency != nil {
		held.Frequency = o.Frequency
	}
}
