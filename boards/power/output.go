package power

import (
	"errors"
	"fmt"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/hal/isolation"
	"github.com/evsed/evsed/hal/modbus"
	"github.com/evsed/evsed/hal/precharge"
	"github.com/evsed/evsed/hal/rectifier"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// Kernel is where buses come from. Each is asked for once.
type Kernel interface {
	CAN(name string) (rectifier.Bus, error)
	Modbus(bus boards.Bus) (modbus.Client, error)
}

// Output is the DC output of one EVSE.
type Output struct {
	Supply   *rectifier.Supply
	Monitor  *isolation.Monitor // nil: the board reads none
	Sequence precharge.Config
}

// ErrBoard is an EVSE that is no DC output, or whose board file does not say enough of it.
var ErrBoard = errors.New("no DC output")

// Open opens the output of an EVSE. observe hears of modules that fall silent, come back or change their alarms; nil: nobody.
func Open(b *boards.Board, id term.EVSEID, k Kernel, observe func(rectifier.Module)) (*Output, error) {
	e := b.EVSE(id)
	if e == nil || !e.DC || e.Source == nil || len(e.Source.Modules) == 0 {
		return nil, fmt.Errorf("EVSE %d: %w", id, ErrBoard)
	}
	spec, bus, err := supply(b, e)
	if err != nil {
		return nil, fmt.Errorf("EVSE %d: %w", id, err)
	}
	spec.Observe = observe
	o := &Output{Sequence: sequence(e, spec)}
	if _, err := precharge.New(o.Sequence); err != nil {
		return nil, fmt.Errorf("EVSE %d: %w", id, err)
	}
	if e.Isolation != nil {
		if o.Monitor, err = monitor(b, e.Isolation, k); err != nil {
			return nil, fmt.Errorf("EVSE %d: %w", id, err)
		}
	}
	can, err := k.CAN(bus)
	if err != nil {
		return nil, fmt.Errorf("EVSE %d: power modules on %s: %w", id, bus, err)
	}
	if o.Supply, err = rectifier.Open(can, spec); err != nil {
		return nil, fmt.Errorf("EVSE %d: %w", id, err)
	}
	return o, nil
}

// Close switches the modules off and lets go of them.
func (o *Output) Close() error { return o.Supply.Close() }

// supply is what the modules of an EVSE can do together, and the interface that they are at.
func supply(b *boards.Board, e *boards.EVSE) (rectifier.Spec, string, error) {
	var s rectifier.Spec
	var bus *boards.Bus
	s.MaxVoltage, s.MaxCurrent = e.Connector.Voltage.Most, e.MaxCurrent
	for _, id := range e.Source.Modules {
		m := b.Module(id)
		if m == nil {
			return s, "", fmt.Errorf("%w: no power module %q", ErrBoard, id)
		}
		at := b.Bus(m.Bus)
		switch {
		case at == nil || at.Kind != boards.BusCAN:
			return s, "", fmt.Errorf("%w: power module %s: %q is no CAN bus", ErrBoard, id, m.Bus)
		case bus != nil && bus.Name != at.Name, s.Model != "" && s.Model != m.Model:
			return s, "", fmt.Errorf("%w: power module %s: the modules of one output are of one model at one bus", ErrBoard, id)
		}
		bus, s.Model = at, m.Model
		s.Addresses = append(s.Addresses, m.Address)
		s.MaxVoltage, s.MinVoltage = min(s.MaxVoltage, m.Voltage.Most), max(s.MinVoltage, m.Voltage.Least)
		each := m.Power.PerPhase(max(m.Voltage.Least, unit.Volt), 1)
		if s.ModuleCurrent == 0 || each < s.ModuleCurrent {
			s.ModuleCurrent = each
		}
	}
	return s, bus.Port, nil
}

// sequence is the output as the board file limits it.
func sequence(e *boards.EVSE, s rectifier.Spec) precharge.Config {
	c := precharge.Config{MaxVoltage: s.MaxVoltage, MaxCurrent: s.MaxCurrent, Tolerance: e.Source.PrechargeTolerance}
	c.Limits.PreCharge = e.Source.PrechargeTimeout
	c.Limits.Close, c.Limits.Open = e.Contactors.Close, e.Contactors.Open
	if e.Isolation != nil {
		c.Trip, c.SelfTest = e.Isolation.Trip, true
	}
	return c
}

func monitor(b *boards.Board, i *boards.Isolation, k Kernel) (*isolation.Monitor, error) {
	bus := b.Bus(i.Bus)
	if bus == nil || bus.Kind != boards.BusSerial && bus.Kind != boards.BusTCP {
		return nil, fmt.Errorf("%w: insulation monitor: %q is no Modbus", ErrBoard, i.Bus)
	}
	client, err := k.Modbus(*bus)
	if err != nil {
		return nil, fmt.Errorf("insulation monitor at %s: %w", bus.Name, err)
	}
	return isolation.New(i.Model, client, i.Address)
}
