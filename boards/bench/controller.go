package bench

import (
	"fmt"
	"time"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/mcu"
	"github.com/evsed/evsed/hal/mcu/mcusim"
	"github.com/evsed/evsed/hal/unit"
)

// controllerPace is how often a safety controller looks at its wires.
const controllerPace = 5 * time.Millisecond

// controller is a safety controller of the board: the reference one, on the world's own devices, behind a line in memory.
type controller struct {
	b     *Bench
	m     *boards.MCU
	sim   *mcusim.MCU
	wire  mcusim.Wire
	conns []*connector
	moved time.Time
	bound *mcu.MCU // the driver's end; nil: nobody has opened it
}

// fallback is what a controller goes on with alone, if its board says so.
const fallback = 6 * unit.Ampere

// buildController makes the controller of a name with all EVSEs that are at it.
func (b *Bench) buildController(m *boards.MCU) error {
	k := &controller{b: b, m: m, moved: b.at}
	for port := uint8(1); port <= mcu.MaxConnectors; port++ {
		for _, c := range b.conns {
			if c.e.MCU == m.Name && c.e.Port == port {
				k.conns = append(k.conns, c)
				c.controller = k
			}
		}
	}
	cfg := mcusim.Config{Firmware: "bench"}
	if m.Fallback {
		cfg.Fallback = fallback
	}
	for _, c := range k.conns {
		cfg.MaxCurrent = max(cfg.MaxCurrent, c.e.MaxCurrent)
		cfg.Connectors = append(cfg.Connectors, k.wires(c))
	}
	var err error
	if k.sim, err = mcusim.New(cfg); err != nil {
		return fmt.Errorf("mcu %s: %w", m.Name, err)
	}
	k.wire = mcusim.Wire{MCU: k.sim, Clock: func() time.Time { return b.at }}
	b.mcus[m.Port], b.moved = k, append(b.moved, k)
	return nil
}

// wires are what hangs at the controller for a connector.
func (k *controller) wires(c *connector) mcusim.Connector {
	d := hal.Devices{Pilot: c.dev.Pilot, Contactor: c.dev.Contactor, RCD: c.dev.RCD}
	if c.e.Proximity != nil {
		d.Proximity = c.dev.Proximity
	}
	if c.e.Lock != nil {
		d.Lock = c.dev.Lock
	}
	for i := range c.e.Temperatures {
		if t := &c.e.Temperatures[i]; t.MCU && t.ID == "cable" {
			d.Cable = felt{c, t.ID}
		} else if t.MCU {
			d.Socket = felt{c, t.ID}
		}
	}
	w := mcusim.Connector{Devices: d, Ventilation: c.e.Connector.Ventilated, Stop: k.stopped}
	if c.e.Meter == nil {
		return w
	}
	w.Current = func() unit.Current {
		for _, e := range k.b.world.State().EVSEs {
			if e.ID == c.e.ID {
				return max(e.Current[0], e.Current[1], e.Current[2])
			}
		}
		return 0
	}
	return w
}

// stopped reports whether somebody presses an emergency stop that is wired to the controller.
func (k *controller) stopped() bool {
	for _, in := range k.b.ins {
		if in.pressed && in.MCU == k.m.Name && in.Meaning == boards.MeaningEmergencyStop {
			return true
		}
	}
	return false
}

// felt is a thermometer at a place of a connector.
type felt struct {
	c  *connector
	id string
}

func (f felt) Temperature() (unit.Temperature, error) { return f.c.temperature(f.id), nil }

func (k *controller) next() time.Time { return k.moved.Add(controllerPace) }

func (k *controller) act(t time.Time) {
	k.moved = t
	if !k.b.dark {
		k.wire.Step()
	}
}

// uart is the driver's end of the line to a controller.
type uart struct {
	kernel
	k *controller
}

func (u uart) Read(p []byte) (int, error) {
	err := u.enter()
	defer u.leave()
	if err != nil {
		return 0, err
	}
	return u.k.wire.Read(p)
}

func (u uart) Write(p []byte) (int, error) {
	err := u.enter()
	defer u.leave()
	if err != nil {
		return 0, err
	}
	return u.k.wire.Write(p)
}

// MCU opens a safety controller.
func (k kernel) MCU(s mcu.Spec) (*mcu.MCU, error) {
	err := k.enter()
	c := k.b.mcus[device(s.Port)]
	k.leave()
	switch {
	case err != nil:
		return nil, err
	case c == nil:
		return nil, fmt.Errorf("mcu %s: no such port", s.Port)
	}
	if c.bound == nil {
		if c.bound, err = mcu.New(s, uart{k, c}, k.Now); err != nil {
			return nil, err
		}
	}
	return c.bound, nil
}

// Silence stops the controller of a name, as its reset pin does while it is held; on false it begins anew.
func (b *Bench) Silence(name string, on bool) error {
	return b.controls(name, func(k *controller) {
		k.wire.Dead = on
		if !on {
			k.sim.Reset(mcu.ResetPin)
			return
		}
		for _, c := range k.conns { // a controller in reset drives nothing
			_ = c.dev.Contactor.Set(false, 0)
			_ = c.dev.Pilot.SetDuty(unit.DutyHigh)
		}
	})
}

// Pull pulls the line to the controller of a name, or plugs it in again.
func (b *Bench) Pull(name string, on bool) error {
	return b.controls(name, func(k *controller) { k.wire.Pulled = on })
}

// Garble turns one bit of every tenth byte that comes from the controller of a name, or leaves the line alone again.
func (b *Bench) Garble(name string, on bool) error {
	return b.controls(name, func(k *controller) {
		k.wire.Up = nil
		n := 0
		if on {
			k.wire.Up = func(p []byte) []byte {
				for i := range p {
					if n++; n%10 == 0 {
						p[i] ^= 0x10
					}
				}
				return p
			}
		}
	})
}

// Flash gives the controller of a name a firmware that speaks these versions of the protocol alone, lowest and highest.
func (b *Bench) Flash(name string, versions [2]uint16) error {
	return b.controls(name, func(k *controller) { k.sim.Flash(versions) })
}

func (b *Bench) controls(name string, do func(*controller)) error {
	return b.within(func() error {
		for _, k := range b.mcus {
			if k.m.Name == name {
				do(k)
				return nil
			}
		}
		return fmt.Errorf("mcu %s: the board has none", name)
	})
}
