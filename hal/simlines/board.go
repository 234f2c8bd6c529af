package simlines

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// errNoWorld is what the pilot says while there is no world with power behind the lines. That keeps every contactor open;
// the other devices show nothing out of the ordinary.
var errNoWorld = errors.New("no power: there is no simulated world behind these lines")

// proximityOpen is what an open input reads.
const proximityOpen = 1000 * unit.KiloOhm

// Board is the guard's side. Its devices neither block nor allocate.
type Board struct{ l *Lines }

// lockRetry is how often a taken lock is tried again.
const lockRetry = 5 * time.Millisecond

// Guard locks lines for a guard: there is one. wait is how long it waits for a guard that is about to end.
func (l *Lines) Guard(wait time.Duration) (*Board, error) {
	for end := time.Now().Add(wait); ; time.Sleep(lockRetry) {
		err := unix.Flock(int(l.file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return &Board{l}, nil
		case err != unix.EWOULDBLOCK:
			return nil, fmt.Errorf("lock simulated lines: %w", err)
		case time.Now().After(end):
			return nil, fmt.Errorf("lock simulated lines: %w: another guard drives them", err)
		}
	}
}

// Connector is connector n as the guard has it: every device but the cable's thermometer and the watchdog.
func (b *Board) Connector(n int) (*Connector, error) {
	if n < 0 || n >= MaxConnectors {
		return nil, fmt.Errorf("simulated lines have no connector %d: at most %d", n, MaxConnectors)
	}
	return &Connector{m: b.l.m, c: &b.l.m.conns[n]}, nil
}

// Watchdog is the board's watchdog.
func (b *Board) Watchdog() *Watchdog { return &Watchdog{b.l.m} }

// Watchdog counts its food; the world has the clock.
type Watchdog struct{ m *memory }

// Pet feeds it.
func (w *Watchdog) Pet() error {
	w.m.pets.Add(1)
	return nil
}

// Connector has the methods of the devices of hal.
type Connector struct {
	m     *memory
	c     *connector
	level unit.Voltage // high half of the pilot, as last seen while the generator drove it
}

// dead reports that there is no world. What is written stands, and counts once there is one.
func (c *Connector) dead() bool { return c.m.world.Load() == 0 }

// Sample reads the pilot. A sample that was taken before the newest duty is what that duty makes of it behind a sound diode:
// a world that is late must not look like a vehicle that is faulty.
func (c *Connector) Sample() (hal.PilotSample, error) {
	if c.dead() {
		return hal.PilotSample{}, errNoWorld
	}
	s, under := unpackSample(c.c.pilot.Load())
	if under != unit.DutyLow {
		c.level = s.High
	}
	now := unit.Duty(c.c.duty.Load())
	if now != under {
		s = hal.PilotSample{High: c.level, Low: c.level}
		switch now {
		case unit.DutyLow:
			s = hal.PilotSample{High: -12 * unit.Volt, Low: -12 * unit.Volt}
		case unit.DutyHigh:
		default:
			s.Low = -12 * unit.Volt
		}
	}
	return s, nil
}

// SetDuty drives the pilot.
func (c *Connector) SetDuty(d unit.Duty) error {
	c.c.duty.Store(int64(d))
	return nil
}

// Resistance is the proximity input's.
func (c *Connector) Resistance() (unit.Resistance, error) {
	if c.dead() {
		return proximityOpen, nil
	}
	return unit.Resistance(c.c.proximity.Load()), nil
}

// Set tells the coil.
func (c *Connector) Set(closed bool, phases uint8) error {
	count := c.c.coil.Load()>>8 + 1
	c.c.coil.Store(count<<8 | uint64(phases&3)<<1 | bit(closed, 1))
	return nil
}

// Closed is the mirror contact. Until the world has answered the newest command it is taken to follow the coil: an agent
// that is stopped or starved is no welded contactor.
func (c *Connector) Closed() (bool, error) {
	coil, contact := c.c.coil.Load(), c.c.contact.Load()
	if contact>>1 != coil>>8 {
		return coil&1 != 0, nil
	}
	return contact&1 != 0, nil
}

// SetLocked drives the lock's motor.
func (c *Connector) SetLocked(locked bool) error {
	count := c.c.lock.Load()>>1 + 1
	c.c.lock.Store(count<<1 | bit(locked, 1))
	return nil
}

// Locked is the lock's feedback.
func (c *Connector) Locked() (bool, error) { return c.input(inputLocked) }

// Tripped is the residual-current device's contact.
func (c *Connector) Tripped() (bool, error) { return c.input(inputTripped) }

// EmergencyStop is the button.
func (c *Connector) EmergencyStop() (bool, error) { return c.input(inputEmergencyStop) }

func (c *Connector) input(mask uint64) (bool, error) { return c.c.inputs.Load()&mask != 0, nil }

// Active is a diagnosis line.
func (c *Connector) Active(f term.Fault) (bool, error) {
	return c.c.diagnosis.Load()>>f&1 != 0, nil
}

// Temperature is the socket's.
func (c *Connector) Temperature() (unit.Temperature, error) {
	return unit.Temperature(c.c.socket.Load()), nil
}

// Cable is the cable's thermometer.
func (c *Connector) Cable() hal.Thermometer { return cable{c} }

type cable struct{ c *Connector }

func (t cable) Temperature() (unit.Temperature, error) {
	return unit.Temperature(t.c.c.cable.Load()), nil
}
