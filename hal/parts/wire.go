package parts

import (
	"fmt"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/adc"
	"github.com/evsed/evsed/hal/gpio"
	"github.com/evsed/evsed/hal/unit"
)

// output requests a line in the state in which it drives nothing.
func (b *builder) output(p *hal.Part) (gpio.Output, error) {
	o, err := b.k.Output(gpio.Spec{Name: p.Name, ActiveLow: p.Flags&hal.PartActiveLow != 0})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name(p), err)
	}
	return o, nil
}

// input requests a line; edges says whether its edges wake the guard.
func (b *builder) input(p *hal.Part, edges bool) (gpio.Input, error) {
	s := gpio.Spec{Name: p.Name, ActiveLow: p.Flags&hal.PartActiveLow != 0, Debounce: time.Duration(p.A) * time.Microsecond, Edges: edges}
	switch p.Flags & biases {
	case hal.PartPullUp:
		s.Bias = gpio.BiasUp
	case hal.PartPullDown:
		s.Bias = gpio.BiasDown
	case hal.PartNoBias:
		s.Bias = gpio.BiasNone
	}
	in, err := b.k.Input(s)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name(p), err)
	}
	return in, nil
}

// converter is one channel of a converter, in volts at the wire.
type converter struct {
	ch   adc.Channel
	gain int64 // nV a count
	zero int64 // uV
}

func (b *builder) converter(p *hal.Part) (converter, error) {
	ch, err := b.k.ADC(p.Name)
	if err != nil {
		return converter{}, fmt.Errorf("%s: %w", name(p), err)
	}
	return converter{ch: ch, gain: int64(p.A), zero: int64(p.B)}, nil
}

// raw reads a count. One that fails is read once more: a converter that somebody else is reading says that it is busy.
func (c *converter) raw() (int32, error) {
	raw, err := c.ch.Raw()
	if err != nil {
		raw, err = c.ch.Raw()
	}
	return raw, err
}

// volts is what a count is at the wire.
func (c *converter) volts(raw int32) unit.Voltage {
	return unit.Voltage((int64(raw)*c.gain/1000 + c.zero) / 1000)
}

// divider is a resistor to earth below a known one to a known voltage.
type divider struct {
	converter
	pullup unit.Resistance
	rail   unit.Voltage
}

func (b *builder) divider(p *hal.Part) (divider, error) {
	if p.C <= 0 || p.D <= 0 {
		return divider{}, fmt.Errorf("%s: pull-up of %d mOhm to a rail of %d mV: want both", name(p), p.C, p.D)
	}
	c, err := b.converter(p)
	return divider{c, unit.Resistance(p.C), unit.Voltage(p.D)}, err
}

const (
	openLine = 1000 * unit.KiloOhm // what a divider reads without a resistor
	railSlip = 20                  // the rail and the converter's own reference may differ by one part in so many
)

// resistance measures the lower resistor. A voltage that no resistor gives is an error.
func (d *divider) resistance() (unit.Resistance, error) {
	raw, err := d.raw()
	if err != nil {
		return 0, err
	}
	u := d.volts(raw)
	slip := d.rail / railSlip
	switch {
	case u < -slip || u > d.rail+slip:
		return 0, errBeyondRail
	case u <= 0:
		return 0, nil
	case u >= d.rail:
		return openLine, nil
	}
	r := unit.Resistance(int64(d.pullup) * int64(u) / int64(d.rail-u))
	return min(r, openLine), nil
}
