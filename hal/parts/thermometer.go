package parts

import (
	"fmt"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
)

// thermometer is the hottest of its sensors.
type thermometer struct{ sensors []hal.Thermometer }

func (b *builder) thermometer() (any, error) {
	t := &thermometer{}
	err := b.each(hal.RoleTemperature, func(p *hal.Part) error {
		s, err := b.sensor(p)
		t.sensors = append(t.sensors, s)
		return err
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

func (b *builder) sensor(p *hal.Part) (hal.Thermometer, error) {
	c := p.Flags.Curve()
	if p.Kind == hal.PartThermometer {
		if c != hal.CurveNone || p.A != 0 || p.B != 0 || p.C != 0 || p.D != 0 {
			return nil, fmt.Errorf("%s: a thermometer of the kernel has neither curve nor divider", name(p))
		}
		s, err := b.k.Thermometer(p.Name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name(p), err)
		}
		return s, nil
	}
	if int(c) >= len(curveTables) || curveTables[c].ohms == nil {
		return nil, fmt.Errorf("%s: curve %d: there is none", name(p), c)
	}
	d, err := b.divider(p)
	if err != nil {
		return nil, err
	}
	return &resistor{d, &curveTables[c]}, nil
}

// Temperature is the hottest. One sensor that cannot be read is an error of all: the place that it watches may be the hottest.
func (t *thermometer) Temperature() (unit.Temperature, error) {
	hottest := unit.Temperature(-1 << 31)
	for _, s := range t.sensors {
		v, err := s.Temperature()
		if err != nil {
			return 0, err
		}
		hottest = max(hottest, v)
	}
	return hottest, nil
}

// resistor is a sensor whose resistance tells the temperature.
type resistor struct {
	divider
	curve *curve
}

// Temperature measures.
func (r *resistor) Temperature() (unit.Temperature, error) {
	ohms, err := r.resistance()
	if err != nil {
		return 0, err
	}
	return r.curve.at(ohms)
}

// curve gives resistances at equal steps of temperature.
type curve struct {
	first unit.Temperature
	ohms  []unit.Resistance
}

// curveStep is how far apart the temperatures of a curve are.
const curveStep = 5 * unit.Celsius

// at returns the temperature at which the sensor has resistance r, straight between two points of the curve. What lies outside of
// it is a wire that is broken or short, not a temperature.
func (c *curve) at(r unit.Resistance) (unit.Temperature, error) {
	rising := c.ohms[0] < c.ohms[len(c.ohms)-1]
	for i := 1; i < len(c.ohms); i++ {
		a, b := c.ohms[i-1], c.ohms[i]
		if r >= min(a, b) && r <= max(a, b) {
			return c.first + unit.Temperature(i-1)*curveStep + unit.Temperature(int64(curveStep)*int64(r-a)/int64(b-a)), nil
		}
	}
	if (r < c.ohms[0]) == rising {
		return 0, errTooCold
	}
	return 0, errTooHot
}
