package guard

import (
	"fmt"
)

// Open makes the device that a table names, and locks it: nobody else drives it from then on. The result has the
// methods of every role of hal that the device can play.
type Open func(Device) (any, error)

// Config returns what the table describes, with its devices opened. A device that cannot be opened, or not play its
// role, is an error.
func (t *Table) Config(open Open) (Config, error) {
	cfg := Config{Silence: t.Silence, Hold: t.Hold, PollIdle: t.PollIdle, PollPlugged: t.PollPlugged}
	if err := fit(open, "watchdog", t.Watchdog, &cfg.Watchdog); err != nil {
		return cfg, err
	}
	for i := range t.Connectors {
		c, err := t.Connectors[i].open(open)
		if err != nil {
			return cfg, fmt.Errorf("connector %v: %w", t.Connectors[i].Ref, err)
		}
		cfg.Connectors = append(cfg.Connectors, c)
	}
	return cfg, nil
}

func (c *TableConnector) open(open Open) (out Connector, err error) {
	out.Config = c.Config
	d := &out.Devices
	for _, e := range []func() error{
		func() error { return fit(open, "pilot", c.Pilot, &d.Pilot) },
		func() error { return fit(open, "proximity input", c.Proximity, &d.Proximity) },
		func() error { return fit(open, "contactor", c.Contactor, &d.Contactor) },
		func() error { return fit(open, "lock", c.Lock, &d.Lock) },
		func() error { return fit(open, "residual-current device", c.RCD, &d.RCD) },
		func() error { return fit(open, "safety inputs", c.Inputs, &d.Inputs) },
		func() error { return fit(open, "socket thermometer", c.Socket, &d.Socket) },
		func() error { return fit(open, "cable thermometer", c.Cable, &d.Cable) },
		func() error { return fit(open, "diagnosis lines", c.Diagnosis, &d.Diagnosis) },
	} {
		if err := e(); err != nil {
			return out, err
		}
	}
	return out, nil
}

// fit opens a device for a role; one that is not fitted leaves nil.
func fit[T any](open Open, role string, d Device, into *T) error {
	if d == (Device{}) {
		return nil
	}
	opened, err := open(d)
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
