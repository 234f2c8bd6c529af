package sim

import (
	"time"

	"github.com/evsed/evsed/station/local/strict"
)

// Bounds of what the runner is asked to do.
const (
	maxOffMs     = 3_600_000
	defaultOffMs = 1000
	maxUPS       = 3600 // s
	maxLatencyMs = 60_000
	maxOffsetS   = 100 * 365 * 24 * 3600
	maxRateMilli = 3_600_000 // an hour in a second
	maxLoss      = 99_999    // thousandths of a percent: a link that loses all is down
)

// power switches the mains.
func (c *call) power(v *strict.Value) (any, error) {
	o := c.Object(v, "on", "cycle", "offMs", "upsS")
	on, cycle := strict.Flag(o, "on"), strict.Or(strict.Flag(o, "cycle"), false)
	off := time.Duration(strict.Or(strict.Int(o, "offMs", 0, maxOffMs), defaultOffMs)) * time.Millisecond
	ups := time.Duration(strict.Or(strict.Milli[int64](o, "upsS", 0, maxUPS*1000), 0)) * time.Millisecond
	switch {
	case cycle == (on != nil):
		c.Fail(v, `want "on" or "cycle": true`)
	case !cycle && o.Value("offMs") != nil:
		o.Fail("offMs", `want "cycle": true with it`)
	case (cycle || *on) && o.Value("upsS") != nil:
		o.Fail("upsS", `want "on": false with it`)
	}
	if err := c.bad(); err != nil {
		return nil, err
	}
	p := c.o.Power
	switch {
	case p == nil:
		return nil, notSimulated("the mains")
	case cycle:
		return accepted{}, p.PowerCycle(off)
	case *on:
		return done{}, p.PowerOn()
	case ups > 0:
		return accepted{}, p.PowerOff(ups)
	}
	return done{}, p.PowerOff(0)
}

// network changes the link to the CSMS.
func (c *call) network(v *strict.Value) (any, error) {
	o := c.Object(v, "up", "latencyMs", "lossPercent", "interface")
	o.Need("up", "true or false")
	n := Network{
		Up:      strict.Or(strict.Flag(o, "up"), false),
		Latency: time.Duration(strict.Or(strict.Int(o, "latencyMs", 0, maxLatencyMs), 0)) * time.Millisecond,
		Loss:    float64(strict.Or(strict.Milli[int64](o, "lossPercent", 0, maxLoss), 0)) / 1000,
	}
	strict.Text(o, "interface", maxWord)
	if err := c.bad(); err != nil {
		return nil, err
	}
	switch {
	case c.o.Network == nil:
		return nil, notSimulated("the network")
	case o.Value("interface") != nil:
		return nil, notSimulated("more than one network interface")
	}
	return done{}, c.o.Network(n)
}

// clock sets the station's clock.
func (c *call) clock(v *strict.Value) (any, error) {
	o := c.Object(v, "offsetS", "rate")
	offset := strict.Milli[int64](o, "offsetS", -maxOffsetS*1000, maxOffsetS*1000)
	rate := strict.Milli[int64](o, "rate", 1, maxRateMilli)
	if len(v.Names) == 0 {
		c.Fail(v, "nothing to set: want offsetS or rate")
	}
	if err := c.bad(); err != nil {
		return nil, err
	}
	if c.o.Clock == nil {
		return nil, notSimulated("the clock")
	}
	if offset != nil {
		if err := c.o.Clock.SetOffset(time.Duration(*offset) * time.Millisecond); err != nil {
			return nil, err
		}
	}
	if rate != nil {
		return done{}, c.o.Clock.SetRate(float64(*rate) / 1000)
	}
	return done{}, nil
}

// resetState is the factory reset.
func (c *call) resetState(v *strict.Value) (any, error) {
	c.Object(v)
	if err := c.bad(); err != nil {
		return nil, err
	}
	if c.o.FactoryReset == nil {
		return nil, notSimulated("the factory reset")
	}
	return accepted{}, c.o.FactoryReset()
}
