package halsim

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// errDead is what every device says while the mains are off.
var errDead = errors.New("no power")

// device is one connector behind the interfaces of hal.
type device struct{ c *connector }

// Devices returns the devices of one connector, as the board wires them.
func (w *World) Devices(ref term.Ref) (hal.Devices, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c, err := w.connector(ref)
	if err != nil {
		return hal.Devices{}, fmt.Errorf("wire: %w", err)
	}
	d := device{c}
	all := hal.Devices{Pilot: d, Contactor: contactorDevice{c}, RCD: d, Inputs: d, Diagnosis: d, Socket: d, Cable: cableDevice{c}}
	if c.cfg.Socket {
		all.Proximity = d
	}
	if c.cfg.Lock {
		all.Lock = lockDevice{c}
	}
	return all, nil
}

// Meter returns the meter of an EVSE; one that signs is a hal.SigningMeter and a hal.Signer.
func (w *World) Meter(id term.EVSEID) (hal.Meter, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	e, err := w.evse(id)
	if err != nil {
		return nil, fmt.Errorf("wire meter: %w", err)
	}
	if e.signer != nil {
		return signingDevice{meterDevice{e}}, nil
	}
	return meterDevice{e}, nil
}

// watchdogTime is how long the watchdog of the board waits.
const watchdogTime = 30 * time.Second

// Watchdog returns the board's watchdog. The first pet arms it; when it then is not petted for watchdogTime, it does
// what a reset of the board does to the wires: every coil releases and every generator goes back to a steady +12 V.
func (w *World) Watchdog() hal.Watchdog { return watchdog{w} }

type watchdog struct{ w *World }

func (d watchdog) Pet() error {
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	d.w.advance()
	d.w.petted = d.w.now
	return nil
}

// release lets go of every wire.
func (w *World) release() {
	for _, e := range w.evses {
		for _, c := range e.conns {
			c.contactor.set(w.now, false, 0)
			c.duty, c.foreign = unit.DutyHigh, false
		}
	}
	w.settle()
}

// enter locks the world at the clock's now; the caller unlocks it.
func (c *connector) enter() error {
	w := c.e.w
	w.mu.Lock()
	w.advance()
	if !w.powered {
		return errDead
	}
	return nil
}

func (c *connector) exit() { c.e.w.mu.Unlock() }

func (d device) Sample() (hal.PilotSample, error) {
	err := d.c.enter()
	defer d.c.exit()
	return d.c.sample(), err
}

func (d device) SetDuty(duty unit.Duty) error {
	err := d.c.enter()
	defer d.c.exit()
	if err != nil {
		return err
	}
	d.c.duty, d.c.foreign = duty, false
	d.c.e.act(d.c.e.w.now)
	return nil
}

func (d device) Resistance() (unit.Resistance, error) {
	err := d.c.enter()
	defer d.c.exit()
	return d.c.resistance(), err
}

func (d device) Tripped() (bool, error) {
	err := d.c.enter()
	defer d.c.exit()
	return d.c.has(term.FaultGround), err
}

func (d device) EmergencyStop() (bool, error) {
	err := d.c.enter()
	defer d.c.exit()
	return d.c.has(term.FaultEmergencyStop), err
}

func (d device) Active(f term.Fault) (bool, error) {
	err := d.c.enter()
	defer d.c.exit()
	return d.c.diagnosis(f), err
}

func (d device) Temperature() (unit.Temperature, error) {
	err := d.c.enter()
	defer d.c.exit()
	return d.c.temperature(term.FaultHighTemperature), err
}

type cableDevice struct{ c *connector }

func (d cableDevice) Temperature() (unit.Temperature, error) {
	err := d.c.enter()
	defer d.c.exit()
	return d.c.temperature(term.FaultCableTemperature), err
}

func (c *connector) temperature(f term.Fault) unit.Temperature {
	if c.has(f) {
		return unit.Temperature(burning * 1000)
	}
	return unit.Temperature(math.Round(c.celsius * 1000))
}

type contactorDevice struct{ c *connector }

func (d contactorDevice) Set(closed bool, phases uint8) error {
	err := d.c.enter()
	defer d.c.exit()
	if err != nil {
		if !closed {
			return nil // no power, no coil: it is open as far as a command can do
		}
		return err
	}
	d.c.contactor.set(d.c.e.w.now, closed, phases)
	d.c.e.act(d.c.e.w.now)
	return nil
}

func (d contactorDevice) Closed() (bool, error) {
	err := d.c.enter()
	defer d.c.exit()
	return d.c.contactor.mirror(d.c.e.w.now), err
}

type lockDevice struct{ c *connector }

func (d lockDevice) SetLocked(locked bool) error {
	err := d.c.enter()
	defer d.c.exit()
	if err != nil {
		return err
	}
	d.c.lock.drive(d.c.e.w.now, locked)
	return nil
}

func (d lockDevice) Locked() (bool, error) {
	err := d.c.enter()
	defer d.c.exit()
	return d.c.lock.locked, err
}
