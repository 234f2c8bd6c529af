package halsim

import (
	"fmt"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// Side says which end of a cable is meant.
type Side uint8

// Ends of a cable. The zero Side means both.
const (
	SideBoth Side = iota
	SideEVSE
	SideEV
)

// PlugOptions say what is plugged.
type PlugOptions struct {
	Side     Side
	CableMax unit.Current // of a detachable cable, from 13 A: coded as the next lower standard rating; 0: 32 A
	EV       EVOptions    // the car, where its side is plugged
}

// UnplugOptions say what is pulled.
type UnplugOptions struct {
	Side    Side
	Orderly bool // the driver ends charging in the car first, and waits for the lock
}

// EVOptions describe a car or change it. A nil field leaves what is there; a new car starts with the defaults.
type EVOptions struct {
	Ready         *bool          // default true
	ReadyAfter    *time.Duration // from now; default 0
	MaxCurrent    *unit.Current  // per phase; default 32 A
	MinCurrent    *unit.Current  // per phase; default 6 A
	Phases        *uint8         // 1 to 3; default 3
	Capacity      *unit.Energy   // default 60 kWh
	SoC           *unit.Percent  // default 50 %
	TargetEnergy  *unit.Energy   // the car stops when it has taken this much; default none, negative: none again
	Departure     *time.Duration // from now: the car wants nothing more after it; default never, negative: never again
	PowerFactor   *int32         // in 0.001; default 1000
	Ventilation   *bool          // asks for state D
	IgnoresPWMOff *bool          // goes on drawing when the offer ends
	Reaction      *time.Duration // to a change of the pilot; default 200 ms
	Wake          bool           // toggle B-C-B twice to wake a sleeping station
}

// change acts on the world at the clock's now, lets it react, and keeps it.
func (w *World) change(do func() error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	if err := do(); err != nil {
		return err
	}
	w.settle()
	return w.keep()
}

// Plug plugs a cable. A fixed cable has only the car's side; SideBoth means just that there.
func (w *World) Plug(id term.EVSEID, conn term.ConnectorID, o PlugOptions) error {
	return w.change(func() error {
		c, err := w.connector(term.Ref{EVSE: id, Connector: conn})
		if err != nil {
			return err
		}
		if err := c.plug(w.now, o); err != nil {
			return fmt.Errorf("plug connector %v: %w", c.ref, err)
		}
		return nil
	})
}

func (c *connector) plug(now time.Time, o PlugOptions) error {
	atEVSE, atEV := o.Side != SideEV && c.cfg.Socket, o.Side != SideEVSE
	switch {
	case o.Side > SideEV:
		return fmt.Errorf("%w: side", ErrBadValue)
	case o.Side == SideEVSE && !c.cfg.Socket:
		return fmt.Errorf("%w: the cable is fixed to the station", ErrImpossible)
	case o.CableMax != 0 && o.CableMax < 13*unit.Ampere:
		return fmt.Errorf("%w: no cable is coded for less than 13 A", ErrBadValue)
	case atEVSE && c.atEVSE, atEV && c.atEV:
		return fmt.Errorf("%w: it is plugged", ErrImpossible)
	case atEVSE && c.lock.locked:
		return fmt.Errorf("%w: the socket is locked", ErrImpossible)
	}
	if atEV {
		car := newCar()
		if err := car.set(now, o.EV); err != nil {
			return err
		}
		c.car, c.atEV = car, true
	}
	if o.CableMax != 0 || c.cableMax == 0 {
		c.cableMax = max(o.CableMax, 0)
		if c.cableMax == 0 {
			c.cableMax = 32 * unit.Ampere
		}
	}
	c.atEVSE = c.atEVSE || atEVSE
	c.e.w.observe(Event{At: now, Kind: EventPlugged, Ref: c.ref})
	return nil
}

// Unplug pulls a cable. An orderly driver first ends charging and waits for the lock: done is false while that is
// still to happen. A locked plug cannot be pulled otherwise; the car's side always can.
func (w *World) Unplug(id term.EVSEID, conn term.ConnectorID, o UnplugOptions) (done bool, err error) {
	err = w.change(func() error {
		c, err := w.connector(term.Ref{EVSE: id, Connector: conn})
		if err != nil {
			return err
		}
		if err := c.mayPull(o); err != nil {
			return fmt.Errorf("unplug connector %v: %w", c.ref, err)
		}
		if o.Orderly && c.car != nil {
			c.car.leaving, c.car.left = orderlySide(o.Side), time.Time{}
			return nil
		}
		c.pull(w.now, o.Side)
		done = true
		return nil
	})
	return done, err
}

// orderlySide keeps "both" apart from "not leaving", which is the zero value of car.leaving.
func orderlySide(s Side) Side {
	if s == SideBoth {
		return leaveBoth
	}
	return s
}

// leaveBoth is SideBoth where the zero Side means none.
const leaveBoth Side = SideEV + 1

func (c *connector) mayPull(o UnplugOptions) error {
	inSocket := c.cfg.Socket && c.atEVSE
	switch {
	case o.Side > SideEV:
		return fmt.Errorf("%w: side", ErrBadValue)
	case o.Side == SideEVSE && !c.cfg.Socket:
		return fmt.Errorf("%w: the cable is fixed to the station", ErrImpossible)
	case !inSocket && !c.atEV, o.Side == SideEVSE && !inSocket, o.Side == SideEV && !c.atEV:
		return fmt.Errorf("%w: nothing is plugged", ErrImpossible)
	case o.Side != SideEV && inSocket && c.lock.locked && (!o.Orderly || c.car == nil):
		return fmt.Errorf("%w: the plug is locked", ErrImpossible)
	}
	return nil
}

// pull takes a side of the cable out.
func (c *connector) pull(now time.Time, side Side) {
	if side != SideEVSE {
		c.car, c.atEV = nil, false
	}
	if side != SideEV && c.cfg.Socket {
		c.atEVSE = false
	}
	if c.car != nil {
		c.car.leaving = 0
	}
	if !c.atEV && (!c.atEVSE || !c.cfg.Socket) {
		c.cableMax = 0
	}
	c.e.w.dirty = true
	c.e.w.observe(Event{At: now, Kind: EventUnplugged, Ref: c.ref})
}

// SetEV changes the car at an EVSE: the one that is supplied, or else the first that is plugged.
func (w *World) SetEV(id term.EVSEID, o EVOptions) error {
	return w.change(func() error {
		e, err := w.evse(id)
		if err != nil {
			return err
		}
		c := e.active()
		if c == nil {
			return fmt.Errorf("change car at EVSE %d: %w: no car is plugged", id, ErrImpossible)
		}
		changed := *c.car
		if err := changed.set(w.now, o); err != nil {
			return fmt.Errorf("change car at EVSE %d: %w", id, err)
		}
		*c.car = changed
		return nil
	})
}

// active returns the connector whose car is meant when only the EVSE is named; nil: no car.
func (e *evse) active() *connector {
	var first *connector
	for _, c := range e.conns {
		if c.car == nil {
			continue
		}
		if c.contactor.contact {
			return c
		}
		if first == nil {
			first = c
		}
	}
	return first
}

func newCar() *car {
	return &car{
		ready: true, maxAmps: 32, minAmps: 6, phases: 3, capacity: 60_000, soc: 0.5, target: -1, powerFactor: 1,
		reaction: defaultReaction, seen: unit.DutyHigh,
	}
}

// Bounds of what a car can be; they keep the physics finite.
const (
	maxCarCurrent  = 100 * unit.Ampere
	maxCarCapacity = 10_000 * unit.KiloWattHour
	maxCarDelay    = 7 * 24 * time.Hour
)

// set applies options; what it refuses leaves the car undefined, so that callers work on a copy.
func (k *car) set(now time.Time, o EVOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	if o.Ready != nil {
		k.ready, k.readyAt = *o.Ready, time.Time{}
	}
	if o.ReadyAfter != nil {
		k.readyAt = now.Add(*o.ReadyAfter)
	}
	setFloat(&k.maxAmps, o.MaxCurrent, 1000)
	setFloat(&k.minAmps, o.MinCurrent, 1000)
	setFloat(&k.capacity, o.Capacity, 1000)
	setFloat(&k.soc, o.SoC, float64(unit.HundredPercent))
	setFloat(&k.target, o.TargetEnergy, 1000)
	setFloat(&k.powerFactor, o.PowerFactor, 1000)
	if o.Phases != nil {
		k.phases = *o.Phases
	}
	if o.Departure != nil {
		k.departure = time.Time{}
		if *o.Departure >= 0 {
			k.departure = now.Add(*o.Departure)
		}
	}
	if o.Ventilation != nil {
		k.ventilation = *o.Ventilation
	}
	if o.IgnoresPWMOff != nil {
		k.ignoresOff = *o.IgnoresPWMOff
	}
	if o.Reaction != nil {
		k.reaction = *o.Reaction
	}
	if o.Wake {
		k.wake = now
	}
	if k.minAmps > k.maxAmps {
		return fmt.Errorf("%w: minimum current above maximum", ErrBadValue)
	}
	return nil
}

func setFloat[T ~int64 | ~int32](f *float64, v *T, scale float64) {
	if v != nil {
		*f = float64(*v) / scale
	}
}

// check refuses values that no car has.
func (o *EVOptions) check() error {
	for _, v := range [...]struct {
		name string
		bad  bool
	}{
		{"maximum current", o.MaxCurrent != nil && (*o.MaxCurrent < 0 || *o.MaxCurrent > maxCarCurrent)},
		{"minimum current", o.MinCurrent != nil && (*o.MinCurrent < 0 || *o.MinCurrent > maxCarCurrent)},
		{"phases", o.Phases != nil && (*o.Phases < 1 || *o.Phases > 3)},
		{"capacity", o.Capacity != nil && (*o.Capacity <= 0 || *o.Capacity > maxCarCapacity)},
		{"state of charge", o.SoC != nil && (*o.SoC < 0 || *o.SoC > unit.HundredPercent)},
		{"target energy", o.TargetEnergy != nil && *o.TargetEnergy > maxCarCapacity},
		{"power factor", o.PowerFactor != nil && (*o.PowerFactor < 1 || *o.PowerFactor > 1000)},
		{"ready delay", o.ReadyAfter != nil && (*o.ReadyAfter < 0 || *o.ReadyAfter > maxCarDelay)},
		{"departure", o.Departure != nil && *o.Departure > maxCarDelay},
		{"reaction", o.Reaction != nil && (*o.Reaction < 0 || *o.Reaction > time.Minute)},
	} {
		if v.bad {
			return fmt.Errorf("%w: %s of a car", ErrBadValue, v.name)
		}
	}
	return nil
}
