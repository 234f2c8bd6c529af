package parts

import (
	"fmt"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/gpio"
	"github.com/evsed/evsed/hal/unit"
)

// The thresholds that tell the levels of a pilot apart, in falling order, and what a level above each reads as.
var (
	thresholds = [...]unit.Voltage{10500, 7500, 4500, 1500}
	levels     = [...]unit.Voltage{12000, 9000, 6000, 3000}
)

// thresholdSlip is how far a comparator's threshold may be from the one that it stands for.
const thresholdSlip = 1 * unit.Volt

// compared is a pilot with comparators: four behind a positive peak detector, one behind a negative one.
type compared struct {
	generator
	above [len(thresholds)]gpio.Input // of falling thresholds
	below gpio.Input
}

func (b *builder) comparators(g generator) (any, error) {
	c := &compared{generator: g}
	err := b.each(hal.RolePilotAbove, func(p *hal.Part) error {
		for i, t := range thresholds {
			if d := unit.Voltage(p.B) - t; d < -thresholdSlip || d > thresholdSlip {
				continue
			}
			if c.above[i] != nil {
				return fmt.Errorf("%s: a second comparator near %v", name(p), t)
			}
			var err error
			c.above[i], err = b.input(p, true)
			return err
		}
		return fmt.Errorf("%s: a threshold of %v: want one within %v of %v", name(p), unit.Voltage(p.B), thresholdSlip, thresholds)
	})
	if err != nil {
		return nil, err
	}
	for i, in := range c.above {
		if in == nil {
			return nil, fmt.Errorf("a control pilot without a comparator near %v: the states beside it cannot be told apart", thresholds[i])
		}
	}
	p, err := b.need(hal.RolePilotBelow)
	if err != nil {
		return nil, err
	}
	if d := unit.Voltage(p.B) - heldLow; d < -thresholdSlip || d > thresholdSlip {
		return nil, fmt.Errorf("%s: a threshold of %v: want one within %v of %v", name(p), unit.Voltage(p.B), thresholdSlip, heldLow)
	}
	c.below, err = b.input(p, true)
	return c, err
}

// negative is what a low half behind a vehicle's diode reads as.
const negative = -12 * unit.Volt

// Sample reads the comparators. Lines that contradict each other read as 0 V, which is no level of a vehicle: one moment of it may
// be a level that changes between two readings, more of it is a broken comparator, and the machine's debounce tells them apart.
func (c *compared) Sample() (hal.PilotSample, error) {
	low, err := c.low()
	if err != nil {
		return hal.PilotSample{}, err
	}
	if c.duty == unit.DutyLow && low == negative {
		return hal.PilotSample{High: negative, Low: negative}, nil
	}
	high, err := c.high()
	if err != nil {
		return hal.PilotSample{}, err
	}
	switch {
	case c.duty != unit.DutyHigh:
	case low == negative && c.steady() >= judged:
		return hal.PilotSample{}, errLowStands
	default:
		low = high
	}
	if c.duty == unit.DutyLow && high > highStands && c.steady() >= judged {
		return hal.PilotSample{}, errHighStands
	}
	return hal.PilotSample{High: high, Low: low}, nil
}

// high is the level of the high half.
func (c *compared) high() (unit.Voltage, error) {
	v, found := unit.Voltage(0), false
	for i, in := range c.above {
		above, err := in.Get()
		if err != nil {
			return 0, err
		}
		switch {
		case above && !found:
			v, found = levels[i], true
		case !above && found:
			return 0, nil
		}
	}
	return v, nil
}

func (c *compared) low() (unit.Voltage, error) {
	on, err := c.below.Get()
	if err != nil || !on {
		return 0, err
	}
	return negative, nil
}
