package bench

import (
	"errors"
	"fmt"
	"math/bits"
	"time"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// connector is what one EVSE of the board is made of.
type connector struct {
	b          *Bench
	e          *boards.EVSE
	ref        term.Ref
	main       *relay
	extra      *relay
	pwm        *generator
	motor      *motor
	bolt       [2]bool // levels of the motor's lines
	rcd        *rcd
	dev        hal.Devices // the world's sensors
	lines      uint8       // that the world has closed
	heat       map[string]unit.Temperature
	controller *controller // nil: none
}

func (c *connector) build() (err error) {
	if c.dev, err = c.b.world.Devices(c.ref); err != nil {
		return err
	}
	c.heat = map[string]unit.Temperature{}
	var all error
	for _, wire := range []func() error{c.wirePilot, c.wireProximity, c.wireContactors, c.wireLock, c.wireRCD, c.wireTemperatures} {
		all = errors.Join(all, wire())
	}
	if all != nil {
		return fmt.Errorf("evse %d: %w", c.e.ID, all)
	}
	return nil
}

// wirePilot wires the generator and the two detectors.
func (c *connector) wirePilot() error {
	p := &c.e.Pilot
	if p.MCU {
		return nil
	}
	c.pwm = &generator{invert: p.PWM.Invert}
	c.b.pwms[p.PWM.Name] = c.pwm
	c.generate()
	high := func(time.Time) unit.Voltage { return c.pilot().High }
	low := func(time.Time) unit.Voltage { return c.pilot().Low }
	return errors.Join(c.wireDetector(p.High, high, false), c.wireDetector(p.Low, low, true), c.wireComparators(high, low))
}

// wireComparators wires lines that show whether the pilot is above, or below, a level. They sit behind detectors that
// follow by themselves.
func (c *connector) wireComparators(high, low func(time.Time) unit.Voltage) error {
	var all error
	for i := range c.e.Pilot.Comparators {
		k := &c.e.Pilot.Comparators[i]
		all = errors.Join(all, c.b.input(&k.Line, func(now time.Time) bool {
			if k.Below {
				return low(now) < k.Level
			}
			return high(now) > k.Level
		}))
	}
	return all
}

func (c *connector) pilot() hal.PilotSample {
	s, _ := c.b.world.Pilot(c.ref) // the connector is there
	return s
}

func (c *connector) wireDetector(a *boards.ADC, volts func(time.Time) unit.Voltage, low bool) error {
	if a == nil {
		return nil
	}
	k, err := c.b.newADC(a, volts)
	if err != nil || a.Reset == nil {
		return err
	}
	k.peak = &peak{volts: volts, low: low, released: c.b.at}
	c.b.moved = append(c.b.moved, k.peak)
	return c.b.output(a.Reset, k.peak.clear)
}

func (b *Bench) newADC(a *boards.ADC, volts func(time.Time) unit.Voltage) (*converter, error) {
	if b.adcs[a.Name] != nil {
		return nil, fmt.Errorf("converter %s: two circuits at it", a.Name)
	}
	k := &converter{gain: a.Gain, zero: a.Zero, volts: volts}
	b.adcs[a.Name] = k
	return k, nil
}

// generate lets the world have what stands behind the amplifier.
func (c *connector) generate() {
	_ = c.b.world.Generate(c.ref, c.pwm.duty(), c.pwm.period) // the connector is there
}

// wireProximity wires the divider of pull-up and plug.
func (c *connector) wireProximity() error {
	p := c.e.Proximity
	if p == nil || p.MCU {
		return nil
	}
	_, err := c.b.newADC(&p.ADC, func(time.Time) unit.Voltage {
		r, _ := c.b.world.Resistor(c.ref) // the connector is there
		return divide(p.Rail, p.Pullup, r)
	})
	return err
}

// divide is the voltage over r of a divider.
func divide(rail unit.Voltage, pullup, r unit.Resistance) unit.Voltage {
	if r+pullup <= 0 {
		return 0
	}
	return unit.Voltage((int64(rail)*int64(r) + int64(r+pullup)/2) / int64(r+pullup))
}

// wireContactors wires coils and mirror contacts.
func (c *connector) wireContactors() error {
	k := &c.e.Contactors
	if k.MCU {
		return nil
	}
	first, second := k.Main, k.Extra
	if first == nil {
		first, second = k.Plus, k.Minus
	}
	c.main = &relay{}
	err := c.b.wireRelay(c.main, first)
	if second == nil {
		return err
	}
	c.extra = &relay{}
	return errors.Join(err, c.b.wireRelay(c.extra, second))
}

func (b *Bench) wireRelay(r *relay, s *boards.Switch) error {
	if s == nil || s.Drive.Name == "" {
		return nil
	}
	b.moved = append(b.moved, r)
	return errors.Join(b.output(&s.Drive, r.energise), b.input(s.Sense, func(now time.Time) bool {
		return r.mirror(now) != s.NormallyClosed // such a one conducts while the main contacts are open
	}))
}

// settle lets the world have the contacts, the bolt and the generator as they are now.
func (c *connector) settle() {
	if n := c.closed(); n != c.lines {
		c.lines = n
		_ = c.b.world.Contact(c.ref, n) // the connector is there
	}
	if c.motor != nil {
		_ = c.b.world.Bolt(c.ref, c.motor.locked(c.b.at))
	}
}

// closed is how many lines stand at the car's side.
func (c *connector) closed() uint8 {
	if c.main == nil {
		return 0
	}
	k := &c.e.Contactors
	var live hal.Lines
	if k.Main == nil { // DC: both poles
		if c.main.contact && (c.extra == nil || c.extra.contact) {
			live = hal.LineL1
		}
	} else if c.main.contact {
		live = k.Main.Lines
	}
	if c.extra != nil && k.Extra != nil && c.extra.contact && (k.Wiring != hal.WiringSerial || c.main.contact) {
		live |= k.Extra.Lines
	}
	return uint8(bits.OnesCount8(uint8(live &^ hal.LineN)))
}

// wireLock wires the motor, or the bolt that one line holds, and its end switch.
func (c *connector) wireLock() error {
	l := c.e.Lock
	if l == nil || l.MCU {
		return nil
	}
	c.motor = &motor{since: c.b.at}
	c.b.moved = append(c.b.moved, c.motor)
	all := c.b.input(l.Sense, c.motor.locked)
	for i := range l.Motor {
		all = errors.Join(all, c.b.output(&l.Motor[i], func(now time.Time, on bool) {
			c.bolt[i] = on
			if len(l.Motor) == 1 {
				c.bolt[1] = !on // a spring
			}
			c.motor.drive(now, c.bolt[0], c.bolt[1])
		}))
	}
	return all
}

// wireRCD wires the fault contact and the test circuit.
func (c *connector) wireRCD() error {
	r := c.e.RCD
	if r == nil || r.MCU {
		return nil
	}
	c.rcd = &rcd{}
	return errors.Join(c.b.output(r.Test, c.rcd.test), c.b.input(&r.Fault, func(now time.Time) bool {
		tripped, _ := c.dev.RCD.Tripped()
		return tripped || c.rcd.tripped(now)
	}))
}

// reset stops the generator.
func (c *connector) reset() {
	if c.pwm != nil {
		c.pwm.started = false
		c.generate()
	}
}
