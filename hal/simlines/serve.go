package simlines

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

const (
	// turn is how often world and lines are brought together: well within what the guard looks at them.
	turn = 2 * time.Millisecond
	// slowTurn is how often what changes slowly is, as the guard reads it four times a second.
	slowTurn = 100 * time.Millisecond
	// landing is when the contact has answered a command: its travel and its bounce are over.
	landing = 50 * time.Millisecond
)

// Server is the world's side.
type Server struct {
	l        *Lines
	conns    []served
	watchdog hal.Watchdog
	pets     uint64
	slow     time.Time
}

// served is a connector with what was carried out of its commands.
type served struct {
	c     *connector
	dev   hal.Devices
	coil  uint64
	lock  uint64
	duty  int64
	since time.Time // the coil was told
}

// dutyNone is before the first command.
const dutyNone = -1

// World makes a world the one behind the lines: there is one. conns are its connectors in the order of the line table.
// What a guard has commanded by then is carried out, and what it will read lies ready.
func (l *Lines) World(conns []hal.Devices, watchdog hal.Watchdog) (*Server, error) {
	if len(conns) > MaxConnectors {
		return nil, fmt.Errorf("simulated lines of %d connectors: at most %d", len(conns), MaxConnectors)
	}
	only := unix.Flock_t{Type: unix.F_WRLCK, Len: 1}
	if err := unix.FcntlFlock(l.file.Fd(), unix.F_OFD_SETLK, &only); err != nil {
		return nil, fmt.Errorf("serve simulated lines: %w: another world does", err)
	}
	s := &Server{l: l, watchdog: watchdog, pets: l.Pets(), conns: make([]served, len(conns))}
	for i := range conns {
		c := &l.m.conns[i]
		if c.coil.Load() == 0 { // nobody has driven this connector yet
			c.duty.Store(int64(unit.DutyHigh))
		}
		s.conns[i] = served{c: c, dev: conns[i], coil: ^c.coil.Load(), lock: c.lock.Load(), duty: dutyNone}
	}
	s.step()
	return s, nil
}

// Run serves until ctx ends. The lines stand still then, as those of a world that is killed do.
func (s *Server) Run(ctx context.Context) {
	tick := time.NewTicker(turn)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			s.step() // the guard's last word
			return
		case <-tick.C: // its time may be that before this process was stopped
			s.step()
		}
	}
}

// step carries commands to the world and what it shows to the lines.
func (s *Server) step() {
	now, powered := time.Now(), true
	slow := !now.Before(s.slow)
	if slow {
		s.slow = now.Add(slowTurn)
	}
	for i := range s.conns {
		c := &s.conns[i]
		c.command()
		powered = c.show() == nil && powered
		if slow {
			c.showSlow()
		}
	}
	if n := s.l.Pets(); n != s.pets && s.watchdog.Pet() == nil {
		s.pets = n
	}
	s.l.m.world.Store(bit(powered, 1))
}

// command carries out what the guard has said anew. What its board's watchdog has released since stays released.
func (c *served) command() {
	if w := c.c.coil.Load(); w != c.coil && c.dev.Contactor.Set(w&1 != 0, uint8(w>>1&3)) == nil {
		c.coil, c.since = w, time.Now() // not a moment before
	}
	if d := c.c.duty.Load(); d != c.duty && c.dev.Pilot.SetDuty(unit.Duty(d)) == nil {
		c.duty = d
	}
	if w := c.c.lock.Load(); w != c.lock && c.dev.Lock != nil && c.dev.Lock.SetLocked(w&1 != 0) == nil {
		c.lock = w
	}
}

// show writes what the wires show; a world without power shows nothing new. The error is that of a world without power.
func (c *served) show() error {
	sample, err := c.dev.Pilot.Sample()
	if err != nil {
		return err
	}
	c.c.pilot.Store(packSample(sample, unit.Duty(c.duty)))
	if time.Since(c.since) >= landing { // first the time, then the contact: it is no older
		if closed, err := c.dev.Contactor.Closed(); err == nil {
			c.c.contact.Store(c.coil>>8<<1 | bit(closed, 1))
		}
	}
	if c.dev.Proximity != nil {
		r, err := c.dev.Proximity.Resistance()
		if err != nil {
			return err
		}
		c.c.proximity.Store(int64(r))
	}
	return c.showInputs()
}

func (c *served) showInputs() error {
	var in uint64
	for _, line := range [...]struct {
		mask   uint64
		fitted bool
		read   func() (bool, error)
	}{
		{inputLocked, c.dev.Lock != nil, func() (bool, error) { return c.dev.Lock.Locked() }},
		{inputTripped, c.dev.RCD != nil, func() (bool, error) { return c.dev.RCD.Tripped() }},
		{inputEmergencyStop, c.dev.Inputs != nil, func() (bool, error) { return c.dev.Inputs.EmergencyStop() }},
	} {
		if !line.fitted {
			continue
		}
		on, err := line.read()
		if err != nil {
			return err
		}
		in |= bit(on, line.mask)
	}
	c.c.inputs.Store(in)
	return nil
}

// showSlow writes temperatures and diagnosis lines. A world without power shows the last ones, which nobody may read.
func (c *served) showSlow() {
	for _, t := range [...]struct {
		meter hal.Thermometer
		store func(int64)
	}{{c.dev.Socket, c.c.socket.Store}, {c.dev.Cable, c.c.cable.Store}} {
		if t.meter == nil {
			continue
		}
		if v, err := t.meter.Temperature(); err == nil {
			t.store(int64(v))
		}
	}
	if c.dev.Diagnosis == nil {
		return
	}
	var set uint64
	for f := term.FaultNone + 1; f <= term.FaultStorage; f++ {
		if on, err := c.dev.Diagnosis.Active(f); err == nil {
			set |= bit(on, 1<<f)
		}
	}
	c.c.diagnosis.Store(set)
}
