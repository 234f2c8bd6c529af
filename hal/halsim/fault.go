package halsim

import (
	"fmt"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

// FaultOptions raise or clear a fault. Where there is one, a fault is a cause in the world: a tripped RCD, a shorted
// diode, a hot socket, a jammed motor, a contact that does not move. The others are diagnosis lines of the board.
type FaultOptions struct {
	Ref    term.Ref // EVSE 0: the station; Connector 0: the EVSE
	Code   term.Fault
	Active bool
	After  time.Duration
	Info   string
}

// Bounds of planned faults.
const (
	maxScheduled  = 64
	maxFaultDelay = 24 * time.Hour
	maxFaultInfo  = 500 // bytes
)

// stationFaults are those that the station as a whole can have; the others belong to an EVSE.
var stationFaults = iec61851.FaultsOf(term.FaultReader, term.FaultInternal, term.FaultWeakSignal, term.FaultTamper,
	term.FaultEmergencyStop, term.FaultPowerLoss, term.FaultStorage)

// evseFaults are those that an EVSE or a connector can have.
var evseFaults = iec61851.FaultsOf(term.FaultGround, term.FaultOverCurrent, term.FaultOverVoltage, term.FaultUnderVoltage,
	term.FaultHighTemperature, term.FaultConnectorLock, term.FaultContactor, term.FaultPilot, term.FaultDiode,
	term.FaultProximity, term.FaultMeter, term.FaultEmergencyStop, term.FaultCableTemperature, term.FaultEVCommunication,
	term.FaultPowerSwitch, term.FaultOther)

// SetFault raises or clears a fault, now or later.
func (w *World) SetFault(o FaultOptions) error {
	return w.change(func() error {
		if err := w.checkFault(o); err != nil {
			return err
		}
		if o.After == 0 {
			w.applyFault(o)
			return nil
		}
		if len(w.scheduled) == maxScheduled {
			return fmt.Errorf("plan fault %v: %w: %d are planned", o.Code, ErrImpossible, maxScheduled)
		}
		w.scheduled, w.due = append(w.scheduled, o), append(w.due, w.now.Add(o.After))
		return nil
	})
}

func (w *World) checkFault(o FaultOptions) error {
	allowed := evseFaults
	if o.Ref.EVSE == 0 {
		allowed = stationFaults
	} else if o.Ref.Connector == 0 {
		if _, err := w.evse(o.Ref.EVSE); err != nil {
			return err
		}
	} else if _, err := w.connector(o.Ref); err != nil {
		return err
	}
	switch {
	case !allowed.Has(o.Code):
		return fmt.Errorf("%w: fault %v does not belong to %v", ErrBadValue, o.Code, o.Ref)
	case o.After < 0 || o.After > maxFaultDelay:
		return fmt.Errorf("%w: delay of a fault", ErrBadValue)
	case len(o.Info) > maxFaultInfo:
		return fmt.Errorf("%w: info longer than %d bytes", ErrBadValue, maxFaultInfo)
	}
	return nil
}

// raiseScheduled applies the planned faults whose time has come.
func (w *World) raiseScheduled() {
	kept := 0
	for i, o := range w.scheduled {
		if !w.now.Before(w.due[i]) {
			w.applyFault(o)
			continue
		}
		w.scheduled[kept], w.due[kept] = o, w.due[i]
		kept++
	}
	if kept != len(w.scheduled) {
		w.scheduled, w.due = w.scheduled[:kept], w.due[:kept]
		w.settle()
	}
}

// applyFault changes the set that o names, and moves what a fault moves.
func (w *World) applyFault(o FaultOptions) {
	set := &w.faults
	var at []*connector
	if o.Ref.EVSE != 0 {
		e, _ := w.evse(o.Ref.EVSE) // checked before
		set, at = &e.faults, e.conns
		if o.Ref.Connector != 0 {
			c, _ := w.connector(o.Ref)
			set, at = &c.faults, []*connector{c}
		}
	}
	if set.Has(o.Code) == o.Active {
		return
	}
	*set = set.Without(o.Code)
	if o.Active {
		*set = set.With(o.Code)
		w.info[o.Code] = o.Info
	}
	for _, c := range at {
		c.followFault(w.now, o.Code)
	}
	w.dirty = true
	w.observe(Event{At: w.now, Kind: EventFault, Ref: o.Ref, Fault: o.Code, On: o.Active, Info: o.Info})
}

// followFault sets the mechanics to what the faults say: a contactor that fails welds where it is closed and jams
// where it is open; a lock jams; a heated place cools again.
func (c *connector) followFault(now time.Time, code term.Fault) {
	on := c.has(code)
	switch code {
	case term.FaultContactor:
		k := &c.contactor
		k.welded, k.stuck = on && k.contact, on && !k.contact
		k.plan(now)
	case term.FaultConnectorLock:
		c.lock.jammed = on
	}
}

// ClearFaults clears every fault, planned ones too, and sets the locks and the meters that refuse to sign to normal.
func (w *World) ClearFaults() error {
	return w.change(func() error {
		w.scheduled, w.due = nil, nil
		w.clear(term.Ref{}, w.faults)
		for _, e := range w.evses {
			w.clear(term.Ref{EVSE: e.cfg.ID}, e.faults)
			if e.signer != nil {
				e.signer.refuses = false
			}
			for _, c := range e.conns {
				w.clear(c.ref, c.faults)
				c.lock.behaviour = LockNormal
			}
		}
		return nil
	})
}

func (w *World) clear(ref term.Ref, set iec61851.FaultSet) {
	for f := term.FaultNone + 1; f <= term.FaultStorage; f++ {
		if set.Has(f) {
			w.applyFault(FaultOptions{Ref: ref, Code: f})
		}
	}
}

// diagnosis reports whether a fault is one that the board itself reports, and active: those without a cause that
// the guard can measure, and those whose cause shows only once something moves.
func (c *connector) diagnosis(f term.Fault) bool {
	switch f {
	case term.FaultEVCommunication, term.FaultPowerSwitch, term.FaultOther, term.FaultInternal, term.FaultPowerLoss:
		return c.has(f)
	case term.FaultConnectorLock:
		return c.has(f) // the driver of the motor reports the jam, moving or not
	case term.FaultContactor:
		return c.contactor.stuck && c.has(f)
	case term.FaultProximity:
		return !c.cfg.Socket && c.has(f)
	}
	return false
}

// StationFaults returns the faults of the station as a whole, with the info they were raised with.
func (w *World) StationFaults() (iec61851.FaultSet, func(term.Fault) string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	info := w.info
	return w.faults, func(f term.Fault) string { return info[f] }
}

// SetLock says how the lock of a connector follows its motor.
func (w *World) SetLock(id term.EVSEID, conn term.ConnectorID, b LockBehaviour) error {
	return w.change(func() error {
		c, err := w.connector(term.Ref{EVSE: id, Connector: conn})
		switch {
		case err != nil:
			return err
		case !c.cfg.Lock:
			return fmt.Errorf("lock of connector %v: %w: it has none", c.ref, ErrImpossible)
		case b > LockFailsToUnlock:
			return fmt.Errorf("lock of connector %v: %w: behaviour", c.ref, ErrBadValue)
		}
		c.lock.behaviour = b
		return nil
	})
}

// SetBay says whether a car stands in the parking bay.
func (w *World) SetBay(id term.EVSEID, occupied bool) error {
	return w.change(func() error {
		e, err := w.evse(id)
		if err == nil {
			e.bay = occupied
		}
		return err
	})
}

// SetGrid changes the supply of every EVSE. Zero values stay as they are.
func (w *World) SetGrid(v unit.Voltage, f unit.Frequency) error {
	return w.change(func() error {
		if v < 0 || v > 1000*unit.Volt || f < 0 || f > 1000*unit.Hertz {
			return fmt.Errorf("grid: %w: voltage or frequency", ErrBadValue)
		}
		for _, e := range w.evses {
			if v != 0 {
				e.grid = [3]unit.Voltage{v, v, v}
			}
			if f != 0 {
				e.hertz = f
			}
		}
		return nil
	})
}

// SetPower switches the mains. Without them coils release, generators and meters are dead; locks stay where they are.
func (w *World) SetPower(on bool) error {
	w.mu.Lock()
	same := on == w.powered
	w.mu.Unlock()
	if same { // nothing to keep: a start does not wait for a file that would say the same
		return nil
	}
	return w.change(func() error {
		w.powered, w.petted = on, time.Time{}
		w.release()
		for _, e := range w.evses {
			for _, c := range e.conns {
				c.lock.moves, c.light = time.Time{}, dark
			}
		}
		w.observe(Event{At: w.now, Kind: EventPower, On: on})
		return nil
	})
}
