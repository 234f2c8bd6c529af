package guard

import (
	"fmt"

	"github.com/evsed/evsed/hal"
)

// Open makes the device that a table names, of parts of the table where it is made of parts, and locks it: nobody else drives it
// from then on. The result has the methods of every role of hal that the device can play.
type Open func(Device, Parts) (any, error)

// Parts are the parts of one device.
type Parts = []hal.Part

// Config returns what the table describes, with its devices opened. A device that cannot be opened, or not play its role, is an
// error. Contactors come before anything else and are told to open at once, all of them that can be, whatever is wrong with one:
// those that could not be opened are tried once more behind the others.
func (t *Table) Config(open Open) (Config, error) {
	cfg := Config{Silence: t.Silence, Hold: t.Hold, PollIdle: t.PollIdle, PollPlugged: t.PollPlugged}
	cfg.Connectors = make([]Connector, len(t.Connectors))
	var all error
	each := func(do func(*TableConnector, *Connector) error) {
		all = nil
		for i := range t.Connectors {
			if err := do(&t.Connectors[i], &cfg.Connectors[i]); err != nil && all == nil { // one of them is enough to go by
				all = fmt.Errorf("connector %v: %w", t.Connectors[i].Ref, err)
			}
		}
	}
	contactors := func(c *TableConnector, out *Connector) error {
		out.Config = c.Config
		if out.Contactor != nil {
			return nil
		}
		err := fit(t, open, "contactor", c.Contactor, &out.Contactor)
		if err == nil && out.Contactor != nil {
			_ = out.Contactor.Set(false, 0) // New tells it again, and sees what it says
		}
		return err
	}
	if each(contactors); all != nil {
		each(contactors)
	}
	if all == nil {
		each(func(c *TableConnector, out *Connector) error { return c.open(t, open, &out.Devices) })
	}
	if all == nil {
		all = fit(t, open, "watchdog", t.Watchdog, &cfg.Watchdog)
	}
	return cfg, all
}

// open opens what a connector has beside its contactor.
func (c *TableConnector) open(t *Table, open Open, d *hal.Devices) error {
	for _, e := range []func() error{
		func() error { return fit(t, open, "pilot", c.Pilot, &d.Pilot) },
		func() error { return fit(t, open, "proximity input", c.Proximity, &d.Proximity) },
		func() error { return fit(t, open, "lock", c.Lock, &d.Lock) },
		func() error { return fit(t, open, "residual-current device", c.RCD, &d.RCD) },
		func() error { return fit(t, open, "safety inputs", c.Inputs, &d.Inputs) },
		func() error { return fit(t, open, "socket thermometer", c.Socket, &d.Socket) },
		func() error { return fit(t, open, "cable thermometer", c.Cable, &d.Cable) },
		func() error { return fit(t, open, "diagnosis lines", c.Diagnosis, &d.Diagnosis) },
	} {
		if err := e(); err != nil {
			return err
		}
	}
	return nil
}

// fit opens a device for a role; one that is not fitted leaves nil.
func fit[T any](t *Table, open Open, role string, d Device, into *T) error {
	if d == (Device{}) {
		return nil
	}
	parts, err := t.partsOf(d)
	if err != nil {
		return fmt.Errorf("%s: %w", role, err)
	}
	opened, err := open(d, parts)
	if err != nil {
		return fmt.Errorf("%s: %w", role, err)
	}
	fitting, ok := opened.(T)
	if !ok {
		return fmt.Errorf("%s: a device of kind %d cannot be one", role, d.Kind)
	}
	*into = fitting
	return nil
}
