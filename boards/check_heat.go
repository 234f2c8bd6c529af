package boards

import (
	"fmt"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/iec61851"
)

// Bounds of temperatures: contacts (IEC 61851-1: what a driver may touch stays far below, and the contacts below 90 C), sensors.
const (
	hottestContact = 90 * unit.Celsius
	hottestSensor  = 150 * unit.Celsius
	coldestSensor  = -40 * unit.Celsius
)

func (c *checker) temperatures(e *EVSE, at string) {
	watched := false
	for i := range e.Temperatures {
		t := &e.Temperatures[i]
		path := fmt.Sprintf("%s.temperature[%s]", at, t.ID)
		contact := t.ID == "socket" || t.ID == "cable" || t.ID == "pins"
		watched = watched || contact
		c.sensor(t, path)
		if len(t.Derate) == 0 {
			c.findf(path, "BRD-260", "thermometer %s has no derate", t.ID)
			continue
		}
		last := t.Derate[len(t.Derate)-1]
		if last.Max != 0 {
			c.findf(join(path, "derate"), "BRD-261", "above %s still %s", last.At, last.Max)
		}
		if t.MCU && t.ID != "socket" && t.ID != "cable" {
			c.findf(join(path, "derate"), "BRD-265", "thermometer %s at the controller", t.ID)
		}
		if contact && last.At > hottestContact || last.At > hottestSensor || t.Derate[0].At < coldestSensor {
			c.findf(join(path, "derate"), "BRD-264", "steps from %s to %s", t.Derate[0].At, last.At)
		}
		for j, s := range t.Derate {
			if j > 0 && s.Max >= t.Derate[j-1].Max {
				c.findf(join(path, "derate"), "BRD-262", "%s at %s behind %s at %s", s.Max, s.At, t.Derate[j-1].Max, t.Derate[j-1].At)
			}
			if s.Max != 0 && s.Max < iec61851.MinimumOffer {
				c.findf(join(path, "derate"), "BRD-313", "%s at %s", s.Max, s.At)
			}
		}
	}
	if !watched && !e.Connector.Tethered {
		c.findf(at, "BRD-263", "EVSE %d has no thermometer at its contacts", e.ID)
	}
}

// sensor has one source, and what a divider needs if it is one.
func (c *checker) sensor(t *Temperature, path string) {
	sources := b2i(t.ADC != nil) + b2i(t.Kernel != "") + b2i(t.MCU)
	if c.given(join(path, "hwmon")) && c.given(join(path, "w1")) {
		sources++
	}
	if sources != 1 {
		c.find(path, "BRD-210", fmt.Sprintf("thermometer %s has %d sources", t.ID, sources), "give one of adc, hwmon, w1 and mcu")
		return
	}
	for _, k := range []string{"gain", "pullup", "rail", "curve"} {
		switch is := c.given(join(path, k)); {
		case t.ADC != nil && !is:
			c.find(path, "BRD-210", fmt.Sprintf("thermometer %s has no %s", t.ID, k), "adc needs gain, pullup, rail and curve")
		case t.ADC == nil && is:
			c.find(join(path, k), "BRD-210", k+" without adc", "leave it out")
		}
	}
	if t.ADC != nil && (t.ADC.Gain == 0 || t.Curve == hal.CurveNone) && c.given(join(path, "gain")) && c.given(join(path, "curve")) {
		c.find(join(path, "gain"), "BRD-108", "a gain of zero", "measure it")
	}
}
