package mcu_test

import (
	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
)

// benchWires are the levels that a plant shows.
type benchWires struct{ high unit.Voltage }

func (p *plant) devices() hal.Devices {
	p.high, p.duty = 6*unit.Volt, unit.DutyHigh
	return hal.Devices{Pilot: p, Contactor: p}
}

// level puts a car into one of the states A to E.
func (p *plant) level(n byte) { p.high = unit.Voltage(n%5) * 3 * unit.Volt }

func (p *plant) Sample() (hal.PilotSample, error) {
	s := hal.PilotSample{High: p.high, Low: p.high}
	if p.duty != unit.DutyHigh {
		s.Low = -12 * unit.Volt
	}
	return s, nil
}

func (p *plant) SetDuty(d unit.Duty) error {
	p.duty = d
	return nil
}

func (p *plant) Set(closed bool, _ uint8) error {
	p.closed = closed
	return nil
}

func (p *plant) Closed() (bool, error) { return p.closed, nil }
