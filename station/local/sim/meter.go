package sim

import (
	"fmt"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/local/strict"
)

// meter fixes readings of an EVSE's meter, or gives it back to the physics; or lets it refuse to sign.
func (c *call) meter(v *strict.Value) (any, error) {
	o := c.Object(v, "energyWh", "energyExportWh", "voltageV", "currentA", "frequencyHz", "hold", "signing")
	m := halsim.MeterOptions{
		Energy:    strict.Milli(o, "energyWh", 0, maxEnergyWh*unit.WattHour),
		Export:    strict.Milli(o, "energyExportWh", 0, maxEnergyWh*unit.WattHour),
		Frequency: strict.Milli(o, "frequencyHz", 0, 1000*unit.Hertz),
		Voltage:   lines(c, o, "voltageV", 1000*unit.Volt),
		Current:   lines(c, o, "currentA", maxCurrent),
		Release:   !strict.Or(strict.Flag(o, "hold"), true),
	}
	readings := len(v.Names)
	if signing := strict.Word(o, "signing", "normal", "refuses"); signing != nil {
		refuses := *signing == "refuses"
		m.Refuses = &refuses
		readings--
	}
	switch {
	case o.Value("hold") != nil && m.Release && readings > 1:
		o.Fail("hold", "false: want no readings beside it")
	case len(v.Names) == 0, o.Value("hold") != nil && !m.Release && readings == 1:
		c.Fail(v, "nothing to fix: want energyWh, ..., \"hold\": false or signing")
	}
	if err := c.bad(); err != nil {
		return nil, err
	}
	return done{}, c.o.World().SetMeter(c.evse, m)
}

// lines reads one to three values, line 1 first; lines that are not named read 0.
func lines[T ~int64](c *call, o *strict.Members, name string, most T) *[3]T {
	if o.Value(name) == nil {
		return nil
	}
	var all [3]T
	n := 0
	o.Each(name, len(all), func(i int, v *strict.Value) {
		all[i], n = strict.Or(strict.MilliOf(&c.Reader, v, 0, most), 0), n+1
	})
	if n == 0 {
		o.Fail(name, "empty: want one to three values")
	}
	return &all
}

var behaviours = map[string]halsim.LockBehaviour{
	"normal": halsim.LockNormal, "failsToLock": halsim.LockFailsToLock, "failsToUnlock": halsim.LockFailsToUnlock,
}

// lock sets how the plug locks of an EVSE behave: of one connector, or of all that have one.
func (c *call) lock(v *strict.Value) (any, error) {
	o := c.Object(v, "behaviour", "connector")
	o.Need("behaviour", "normal, failsToLock or failsToUnlock")
	b := behaviours[strict.Or(strict.Word(o, "behaviour", "normal", "failsToLock", "failsToUnlock"), "normal")]
	conn := connector(o)
	if err := c.bad(); err != nil {
		return nil, err
	}
	w := c.o.World()
	if conn != 0 {
		return done{}, w.SetLock(c.evse, conn, b)
	}
	if err := c.exists(c.evse); err != nil {
		return nil, err
	}
	n := 0
	for _, e := range w.State().EVSEs {
		for _, k := range e.Connectors {
			if e.ID != c.evse || !k.HasLock {
				continue
			}
			if err := w.SetLock(e.ID, k.ID, b); err != nil {
				return nil, err
			}
			n++
		}
	}
	if n == 0 {
		return nil, fmt.Errorf("EVSE %d has no lock: %w", c.evse, halsim.ErrImpossible)
	}
	return done{}, nil
}
