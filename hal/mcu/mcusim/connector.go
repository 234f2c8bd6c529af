package mcusim

import (
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/mcu"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

// Times and limits of the controller's own.
const (
	exitDelay   = 10 * time.Millisecond // the pilot is out of C and D for so long
	openLimit   = 100 * time.Millisecond
	closeLimit  = 500 * time.Millisecond
	closeAgain  = 5 * time.Second // after a contactor that did not close
	lockLimit   = time.Second     // a motor has to move its bolt
	lockTries   = 3
	tellEvery   = 5 * time.Millisecond // a status that changes is not told more often
	tellFrom    = 500                  // mV: a level of the pilot that moves by more has changed
	overLimit   = 5 * time.Second      // more than permitted may flow for so long
	overPercent = 10
	hot         = 90 * unit.Celsius
	cool        = 80 * unit.Celsius
)

// connector is one connector at work.
type connector struct {
	wires   *Connector
	allowed mcu.Permit
	heard   time.Time // newest permit, or the begin of the session
	taken   uint8     // its sequence

	in       inputs
	raw      term.PilotState
	out      time.Time // the pilot has been out of C and D since; zero: it is not
	coil     bool
	changed  time.Time // of the coil
	phases   uint8
	duty     unit.Duty
	held     bool
	silent   bool
	limited  bool
	opened   mcu.Opened
	again    time.Time // it may not close before
	over     time.Time // more than permitted has flowed since; zero: it does not
	faults   mcu.Faults
	latched  mcu.Faults
	gen      uint16
	hotNow   mcu.Faults
	lockAt   time.Time // the motor was driven last
	lockTry  int
	lockWant int8 // -1 unlock, 1 lock, 0 nobody said
	told     mcu.Status
	toldAt   time.Time
}

// inputs are one look at the wires.
type inputs struct {
	pilot             hal.PilotSample
	proximity         unit.Resistance
	main, extra       bool
	locked            bool
	tripped, stop     bool
	socket, cable     unit.Temperature
	hasSocket, hasCab bool
	broken            mcu.Faults // inputs that cannot be read
}

// safe is what the wires are told at a start, whatever they are.
func (c *connector) safe() {
	_ = c.wires.Contactor.Set(false, 0) // the coil's supply is the controller's own: there is nobody to tell
	_ = c.wires.Pilot.SetDuty(unit.DutyHigh)
	c.duty = unit.DutyHigh
}

// forget is a new session: nothing is permitted, until it is.
func (c *connector) forget(now time.Time) {
	c.allowed, c.heard, c.taken = mcu.Permit{Duty: uint16(unit.DutyHigh)}, now, 0
	c.held = false
	if c.coil {
		c.open(now, mcu.OpenedBySession)
	}
}

// permit takes a level. One that says open ends the hold; one that acknowledges clears what has no cause any more.
func (c *connector) permit(now time.Time, p *mcu.Permit, seq uint8) {
	c.allowed, c.heard, c.taken = *p, now, seq
	if !p.Close {
		c.held = false
	}
	if p.Generation == c.gen {
		c.latched &^= p.Acknowledge &^ c.faults
	}
	want := c.lockWant
	switch {
	case p.Lock:
		want = 1
	case p.Unlock:
		want = -1
	}
	if want != c.lockWant {
		c.lockWant, c.lockTry, c.lockAt = want, 0, time.Time{}
	}
}

func (c *connector) latch(f mcu.Faults) {
	if c.latched&f != f {
		c.latched |= f
		c.gen++
	}
}

// step is one look and what follows of it.
func (c *connector) step(now time.Time, m *MCU) {
	if c.changed.IsZero() {
		c.changed = now
	}
	c.read()
	c.silent = m.session != 0 && now.Sub(c.heard) > m.silence
	c.judge(now)
	c.drivePilot(m)
	c.driveContactor(now, m)
	c.driveLock(now)
}

func (c *connector) read() {
	w, in := c.wires, inputs{}
	var err error
	if in.pilot, err = w.Pilot.Sample(); err != nil {
		in.pilot, in.broken = hal.PilotSample{}, in.broken|mcu.FaultPilot
	}
	closed, err := w.Contactor.Closed()
	if err != nil {
		closed, in.broken = c.coil, in.broken|mcu.FaultNotClosed
	}
	in.main, in.extra = closed, closed && c.phases == 3
	if w.Contacts != nil {
		in.main, in.extra = w.Contacts()
	}
	if w.Proximity != nil {
		if in.proximity, err = w.Proximity.Resistance(); err != nil {
			in.broken |= mcu.FaultProximity
		}
	}
	if w.Lock != nil {
		if in.locked, err = w.Lock.Locked(); err != nil {
			in.broken |= mcu.FaultLock
		}
	}
	if w.RCD != nil {
		in.tripped, err = w.RCD.Tripped()
		in.tripped = in.tripped || err != nil
	}
	if w.Inputs != nil {
		in.stop, err = w.Inputs.EmergencyStop()
		in.stop = in.stop || err != nil
	}
	in.stop = in.stop || w.Stop != nil && w.Stop()
	in.socket, in.hasSocket = thermometer(w.Socket, &in, mcu.FaultSocketHot)
	in.cable, in.hasCab = thermometer(w.Cable, &in, mcu.FaultCableHot)
	c.in, c.raw = in, iec61851.Classify(in.pilot.High, c.raw)
}

func thermometer(t hal.Thermometer, in *inputs, f mcu.Faults) (unit.Temperature, bool) {
	if t == nil {
		return 0, false
	}
	v, err := t.Temperature()
	if err != nil {
		in.broken |= f
	}
	return v, err == nil
}

// judge says what is wrong.
func (c *connector) judge(now time.Time) {
	c.faults = c.in.broken
	if c.in.tripped {
		c.faults |= mcu.FaultResidual
	}
	if c.raw == term.StateE {
		c.faults |= mcu.FaultPilot
	}
	if now.Before(c.again) {
		c.faults |= mcu.FaultNotClosed
	}
	if c.lockTry > lockTries {
		c.faults |= mcu.FaultLock
	}
	c.judgeHeat(c.in.socket, c.in.hasSocket, mcu.FaultSocketHot)
	c.judgeHeat(c.in.cable, c.in.hasCab, mcu.FaultCableHot)
	c.faults |= c.hotNow
	c.judgeCurrent(now)
	if (c.in.main || c.in.extra) && !c.coil && now.Sub(c.changed) >= openLimit {
		c.faults |= mcu.FaultWelded
		c.latch(mcu.FaultWelded)
	}
}

func (c *connector) judgeHeat(t unit.Temperature, fitted bool, f mcu.Faults) {
	switch {
	case !fitted || t < cool:
		c.hotNow &^= f
	case t >= hot:
		c.hotNow |= f
	}
}

// judgeCurrent opens where more flows than the pilot offers, for too long.
func (c *connector) judgeCurrent(now time.Time) {
	limit, _ := iec61851.CurrentForDuty(c.duty)
	if c.wires.Current == nil || !c.coil || limit == 0 || c.wires.Current() <= limit+limit*overPercent/100 {
		c.over = time.Time{}
		return
	}
	if c.over.IsZero() {
		c.over = now
	}
	if now.Sub(c.over) >= overLimit {
		c.latch(mcu.FaultOverCurrent)
	}
}

// drivePilot offers what is permitted, and never more than the board may. Without the agent it offers nothing, or the
// fallback if that was agreed.
func (c *connector) drivePilot(m *MCU) {
	duty := unit.Duty(c.allowed.Duty)
	limit := m.cfg.MaxCurrent
	switch {
	case m.session == 0, c.silent && !m.fall:
		duty = unit.DutyHigh
	case c.silent:
		limit = min(limit, m.cfg.Fallback)
	}
	c.limited = false
	if offered, meaning := iec61851.CurrentForDuty(duty); meaning == iec61851.DutyAnalog && offered > limit {
		duty, c.limited = iec61851.DutyForCurrent(limit), true
	}
	if duty != c.duty && c.wires.Pilot.SetDuty(duty) == nil {
		c.duty = duty
	}
}

// driveContactor opens at once for any reason, and closes if there is none.
func (c *connector) driveContactor(now time.Time, m *MCU) {
	ready := c.raw == term.StateC || c.raw == term.StateD && c.wires.Ventilation
	if ready {
		c.out = time.Time{}
	} else if c.out.IsZero() {
		c.out = now
	}
	if why := c.reason(now, m, ready); why != mcu.OpenedNever {
		if c.coil {
			c.open(now, why)
			c.held = c.held || why != mcu.OpenedByPermit
		}
		return
	}
	if !c.coil && !c.held && ready && !c.in.main && !c.in.extra && !now.Before(c.again) && c.wires.Contactor.Set(true, c.allowed.Phases) == nil {
		c.coil, c.changed, c.phases = true, now, c.allowed.Phases
	}
}

// reason is why the contactor must be open; OpenedNever: it may be closed.
func (c *connector) reason(now time.Time, m *MCU, ready bool) mcu.Opened {
	closed := c.in.main && (c.in.extra || c.phases == 1)
	switch {
	case c.in.stop:
		return mcu.OpenedByStop
	case m.session == 0:
		return mcu.OpenedBySession
	case (c.faults|c.latched)&^mcu.FaultLock != 0:
		return mcu.OpenedByFault
	case c.coil && !closed && now.Sub(c.changed) >= closeLimit:
		c.again = now.Add(closeAgain)
		return mcu.OpenedByFault
	case c.silent && !m.fall:
		return mcu.OpenedBySilence
	case !c.allowed.Close || c.coil && c.allowed.Phases != c.phases:
		return mcu.OpenedByPermit
	case !ready && now.Sub(c.out) >= exitDelay:
		return mcu.OpenedByVehicle
	}
	return mcu.OpenedNever
}

func (c *connector) open(now time.Time, why mcu.Opened) {
	_ = c.wires.Contactor.Set(false, 0) // the coil's supply is the controller's own
	c.coil, c.changed, c.opened = false, now, why
}

// driveLock moves the bolt to where it shall be. It does not release a plug that is live.
func (c *connector) driveLock(now time.Time) {
	if c.wires.Lock == nil || c.lockWant == 0 {
		return
	}
	want := c.lockWant > 0
	if c.in.locked == want {
		c.lockTry, c.lockAt = 0, time.Time{}
		return
	}
	if !want && (c.coil || c.in.main || c.in.extra) || c.lockTry > lockTries || !c.lockAt.IsZero() && now.Sub(c.lockAt) < lockLimit {
		return
	}
	c.lockAt = now
	c.lockTry++
	if c.lockTry <= lockTries {
		_ = c.wires.Lock.SetLocked(want) // its contact tells whether it moved
	}
}

// status is what the agent hears, and whether it has to be told now: with every beat, and when something has changed.
func (c *connector) status(now time.Time, n uint8, session uint32, due bool) (mcu.Status, bool) {
	s := mcu.Status{Session: session, Connector: n, State: mcu.NumberOf(c.raw), Coil: c.coil, Locked: c.in.locked, Tripped: c.in.tripped,
		EmergencyStop: c.in.stop, Held: c.held, Silent: c.silent, Limited: c.limited, Duty: uint16(c.duty), Main: c.in.main, Extra: c.in.extra,
		Faults: c.faults, Latched: c.latched, Generation: c.gen, Permit: c.taken, Opened: c.opened,
		Proximity: mcu.OpenLine, Socket: mcu.NoTemperature, Cable: mcu.NoTemperature}
	if c.coil {
		s.Phases = c.phases
	}
	same := c.told
	same.High, same.Low, same.Proximity, same.Socket, same.Cable, same.Permit = 0, 0, s.Proximity, s.Socket, s.Cable, s.Permit
	different := same != s
	s.High, s.Low = int16(c.in.pilot.High/unit.Millivolt), int16(c.in.pilot.Low/unit.Millivolt)
	changed := different || far(s.High, c.told.High) || far(s.Low, c.told.Low)
	tell := due || changed && now.Sub(c.toldAt) >= tellEvery
	if c.wires.Proximity != nil {
		s.Proximity = uint16(min(c.in.proximity/unit.Ohm, mcu.OpenLine))
	}
	if c.in.hasSocket {
		s.Socket = int16(c.in.socket / (unit.Celsius / 10))
	}
	if c.in.hasCab {
		s.Cable = int16(c.in.cable / (unit.Celsius / 10))
	}
	if tell && session != 0 {
		c.told, c.toldAt = s, now
	}
	return s, tell
}

// far reports whether a level of the pilot is not what was told, mV.
func far(is, told int16) bool { return is > told+tellFrom || is < told-tellFrom }
