package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/adc"
	"github.com/evsed/evsed/hal/gpio"
	"github.com/evsed/evsed/hal/parts"
	"github.com/evsed/evsed/hal/pwm"
	"github.com/evsed/evsed/hal/thermo"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// Kernel is the bench as the drivers of the guard see it.
func (b *Bench) Kernel() parts.Kernel { return kernel{b} }

type kernel struct{ b *Bench }

// enter locks the bench at the clock's now; the caller leaves it.
func (k kernel) enter() error {
	k.b.mu.Lock()
	k.b.advance()
	if k.b.dark {
		return errDark
	}
	return nil
}

func (k kernel) leave() { k.b.mu.Unlock() }

// Now is the bench's clock.
func (k kernel) Now() time.Time { return k.b.clock() }

// pin is a line that somebody has requested, with the polarity that he believes in.
type pin struct {
	kernel
	l   *line
	low bool
}

func (k kernel) request(s gpio.Spec, shared bool) (pin, error) {
	l := k.b.lines[s.Name]
	switch {
	case l == nil:
		return pin{}, fmt.Errorf("gpio %s: no chip has a line of this name", s.Name)
	case l.owned && shared && l.spec == s:
	case l.owned:
		return pin{}, fmt.Errorf("gpio %s: the line is in use", s.Name)
	}
	l.owned, l.spec = true, s
	return pin{k, l, s.ActiveLow}, nil
}

// Output requests a line as an output.
func (k kernel) Output(s gpio.Spec) (gpio.Output, error) {
	err := k.enter()
	defer k.leave()
	if err != nil {
		return nil, err
	}
	p, err := k.request(s, false)
	if err != nil {
		return nil, err
	}
	p.set(s.Initial)
	return p, nil
}

// Input requests a line as an input; a pull that the caller asks for counts. Several may ask for the same in the same way.
func (k kernel) Input(s gpio.Spec) (gpio.Input, error) {
	err := k.enter()
	defer k.leave()
	if err != nil {
		return nil, err
	}
	p, err := k.request(s, true)
	if err != nil {
		return nil, err
	}
	p.l.pull(s.Bias)
	return p, nil
}

func (p pin) set(active bool) {
	p.l.out, p.l.wire = true, active != p.low
	p.l.follow(p.b.at)
	p.b.settle()
}

// Set drives the line.
func (p pin) Set(active bool) error {
	err := p.enter()
	defer p.leave()
	if err == nil {
		p.set(active)
	}
	return err
}

// Get reads the line.
func (p pin) Get() (bool, error) {
	err := p.enter()
	defer p.leave()
	if err != nil {
		return false, err
	}
	return p.l.level(p.b.at) != p.low, nil
}

// PWM opens a channel.
func (k kernel) PWM(name string) (pwm.Channel, error) {
	err := k.enter()
	defer k.leave()
	g := k.b.pwms[name]
	switch {
	case err != nil:
		return nil, err
	case g == nil:
		return nil, fmt.Errorf("pwm %s: no chip has this channel", name)
	}
	return channel{k, g}, nil
}

type channel struct {
	kernel
	g *generator
}

// Set changes the pulses.
func (c channel) Set(period, on time.Duration) error {
	err := c.enter()
	defer c.leave()
	switch {
	case err != nil:
		return err
	case period <= 0 || on < 0 || on > period:
		return fmt.Errorf("pwm: pulse of %v every %v", on, period)
	}
	c.g.period, c.g.on, c.g.started = period, on, true
	c.g.changed(c.b)
	return nil
}

// ADC opens a channel.
func (k kernel) ADC(name string) (adc.Channel, error) {
	err := k.enter()
	defer k.leave()
	c := k.b.adcs[name]
	switch {
	case err != nil:
		return nil, err
	case c == nil:
		return nil, fmt.Errorf("adc %s: no device has this channel", name)
	}
	return count{k, name, c}, nil
}

type count struct {
	kernel
	name string
	c    *converter
}

// Raw converts once.
func (c count) Raw() (int32, error) {
	err := c.enter()
	defer c.leave()
	if err == nil && c.c.dead {
		err = fmt.Errorf("adc %s: no such device", c.name)
	}
	if err != nil {
		return 0, err
	}
	return c.c.count(c.b.at), nil
}

// Thermometer opens a thermometer.
func (k kernel) Thermometer(name string) (thermo.Source, error) {
	err := k.enter()
	defer k.leave()
	p := k.b.hot[name]
	switch {
	case err != nil:
		return nil, err
	case p == nil:
		return nil, fmt.Errorf("thermometer %s: there is none of this name", name)
	}
	return thermometer{k, name, p}, nil
}

type thermometer struct {
	kernel
	name string
	p    *place
}

// Temperature is that of the place.
func (t thermometer) Temperature() (unit.Temperature, error) {
	err := t.enter()
	defer t.leave()
	if err == nil && t.p.dead {
		err = fmt.Errorf("thermometer %s: no such device", t.name)
	}
	if err != nil {
		return 0, err
	}
	return t.p.celsius(), nil
}

// Watchdog opens a watchdog.
func (k kernel) Watchdog(path string, timeout time.Duration) (hal.Watchdog, error) {
	err := k.enter()
	defer k.leave()
	d := k.b.dogs[path]
	switch {
	case err != nil:
		return nil, err
	case d == nil:
		return nil, fmt.Errorf("watchdog %s: there is none", path)
	case timeout > 0:
		d.timeout = timeout
	}
	return food{k, d}, nil
}

type food struct {
	kernel
	d *dog
}

// Pet feeds the watchdog.
func (f food) Pet() error {
	err := f.enter()
	defer f.leave()
	if err == nil {
		f.d.petted = f.b.at
		f.d.pets++
	}
	return err
}

// Read is a reading of an EVSE's meter, as the world has it.
func (b *Bench) Read(id term.EVSEID) (r hal.MeterReading, err error) {
	err = b.within(func() error {
		m, err := b.world.Meter(id)
		if err != nil {
			return err
		}
		r, err = m.Read(context.Background()) // waits for nobody
		return err
	})
	return r, err
}
