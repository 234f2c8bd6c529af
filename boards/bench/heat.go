package bench

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// place is where a thermometer sits.
type place struct {
	celsius func() unit.Temperature
	dead    bool
}

// wireTemperatures wires the thermometers of an EVSE: those that the kernel reads itself, and resistors in a divider.
func (c *connector) wireTemperatures() error {
	for i := range c.e.Temperatures {
		t := &c.e.Temperatures[i]
		at := func() unit.Temperature { return c.temperature(t.ID) }
		switch {
		case t.MCU:
		case t.ADC == nil:
			c.b.hot[t.Kernel] = &place{celsius: at}
		default:
			ohms, err := curve(t.Curve.String())
			if err != nil {
				return fmt.Errorf("temperature %s: %w", t.ID, err)
			}
			if _, err := c.b.newADC(t.ADC, func(time.Time) unit.Voltage { return divide(t.Rail, t.Pullup, ohms(at())) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// temperature is that of a place: as somebody heats it, or as the world has it.
func (c *connector) temperature(id string) unit.Temperature {
	if t, ok := c.heat[id]; ok {
		return t
	}
	from := c.dev.Socket
	if id == "cable" {
		from = c.dev.Cable
	}
	t, _ := from.Temperature()
	return t
}

// Heat holds a place of an EVSE at a temperature; Cool gives it back to the world.
func (b *Bench) Heat(id term.EVSEID, name string, t unit.Temperature) error {
	return b.heats(id, name, func(c *connector) { c.heat[name] = t })
}

// Cool ends Heat.
func (b *Bench) Cool(id term.EVSEID, name string) error {
	return b.heats(id, name, func(c *connector) { delete(c.heat, name) })
}

func (b *Bench) heats(id term.EVSEID, name string, do func(*connector)) error {
	return b.at1(id, func(c *connector) error {
		for i := range c.e.Temperatures {
			if c.e.Temperatures[i].ID == name {
				do(c)
				return nil
			}
		}
		return fmt.Errorf("temperature %s of EVSE %d: the board has none", name, id)
	})
}

// kelvin is 0 degrees Celsius.
const kelvin = 273.15

// curve returns the resistance of a sensor by its temperature, from the sensor's own law: ntc-10k-b3950 is 10 kOhm at 25
// degrees and falls with B 3950 K; pt1000 follows IEC 60751 above 0 degrees, as a straight line with its bend below too.
func curve(name string) (func(unit.Temperature) unit.Resistance, error) {
	if rest, ok := strings.CutPrefix(name, "ntc-"); ok {
		size, beta, _ := strings.Cut(rest, "-b")
		r, err1 := parseOhms(size)
		b, err2 := strconv.ParseFloat(beta, 64)
		if err1 == nil && err2 == nil && b > 0 {
			return func(t unit.Temperature) unit.Resistance {
				k := float64(t)/1000 + kelvin
				return unit.Resistance(math.Round(r * 1000 * math.Exp(b*(1/k-1/(25+kelvin)))))
			}, nil
		}
	}
	if size, ok := strings.CutPrefix(name, "pt"); ok {
		if r, err := parseOhms(size); err == nil {
			return func(t unit.Temperature) unit.Resistance {
				c := float64(t) / 1000
				return unit.Resistance(math.Round(r * 1000 * (1 + 3.9083e-3*c - 5.775e-7*c*c)))
			}, nil
		}
	}
	return nil, fmt.Errorf("curve %q: the bench has no such sensor", name)
}

// parseOhms reads 10k, 4k7 or 1000.
func parseOhms(s string) (float64, error) {
	if whole, part, ok := strings.Cut(s, "k"); ok {
		v, err := strconv.ParseFloat(whole+"."+part+"0", 64)
		return v * 1000, err
	}
	return strconv.ParseFloat(s, 64)
}
