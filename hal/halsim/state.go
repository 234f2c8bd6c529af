package halsim

import (
	"math"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

// State is the world as it is now, not as the station believes it to be.
type State struct {
	Powered bool
	Faults  iec61851.FaultSet // station-wide
	EVSEs   []EVSEState
}

// EVSEState is one EVSE.
type EVSEState struct {
	ID         term.EVSEID
	Energy     unit.Energy // import register
	Export     unit.Energy
	Power      unit.Power
	Current    [3]unit.Current
	Voltage    [3]unit.Voltage
	Frequency  unit.Frequency
	Faults     iec61851.FaultSet
	Bay        bool
	Relay      bool            // mirror contact of any connector
	Pilot      term.PilotState // of the connector that is supplied, or else the first with a car, or else the first
	Duty       unit.Duty
	Connectors []ConnectorState
	EV         *EVState // the car that SetEV means; nil: none
}

// ConnectorState is one connector.
type ConnectorState struct {
	ID      term.ConnectorID
	AtEVSE  bool // a cable is in the socket, or fixed
	AtEV    bool // a car is at the cable
	Plugged bool // a car is connected to the station, or a cable is in the socket
	HasLock bool
	Locked  bool
	Relay   bool // mirror contact
	Pilot   term.PilotState
	Duty    unit.Duty
	Faults  iec61851.FaultSet
	Light   *LightState // nil: it has none
}

// EVState is one car.
type EVState struct {
	Connector term.ConnectorID
	Ready     bool
	SoC       unit.Percent
	Taken     unit.Energy // since it was plugged
	Current   unit.Current
}

// State returns the world as it is now.
func (w *World) State() State {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	w.keepRegisters()
	s := State{Powered: w.powered, Faults: w.faults, EVSEs: make([]EVSEState, 0, len(w.evses))}
	for _, e := range w.evses {
		s.EVSEs = append(s.EVSEs, e.state())
	}
	return s
}

// shown is the import register as far as it is kept, where the world is kept at all.
func (e *evse) shown() unit.Energy {
	if e.w.cfg.Keep == nil {
		return e.meter.register()
	}
	return min(e.meter.register(), e.meter.kept)
}

// keepRegisters keeps the world if a register is higher than the one kept: who looks at the state has seen it, and after
// a kill it may not be lower. What cannot be kept is not shown.
func (w *World) keepRegisters() {
	for _, e := range w.evses {
		if e.meter.register() > e.meter.kept {
			_ = w.keep()
			return
		}
	}
}

func (e *evse) state() EVSEState {
	r := e.instant()
	s := EVSEState{
		ID: e.cfg.ID, Energy: e.shown(), Export: unit.Energy(e.meter.exported), Power: r.Power,
		Current: r.Current, Voltage: r.Voltage, Frequency: r.Frequency, Faults: e.faults, Bay: e.bay,
	}
	if !e.w.powered {
		s.Voltage, s.Power = [3]unit.Voltage{}, 0
	}
	for _, c := range e.conns {
		cs := c.state()
		s.Connectors = append(s.Connectors, cs)
		s.Relay = s.Relay || cs.Relay
	}
	shown := e.conns[0]
	if c := e.active(); c != nil {
		shown = c
		s.EV = &EVState{
			Connector: c.cfg.ID, Ready: c.car.ready, SoC: unit.Percent(math.Round(c.car.soc * float64(unit.HundredPercent))),
			Taken: unit.Energy(c.car.taken * 1000), Current: unit.Current(math.Round(c.car.amps * 1000)),
		}
	}
	s.Pilot, s.Duty = shown.pilotState(), shown.duty
	return s
}

func (c *connector) state() ConnectorState {
	s := ConnectorState{
		ID: c.cfg.ID, AtEVSE: c.atEVSE, AtEV: c.atEV, Plugged: c.atEVSE && (c.cfg.Socket || c.atEV),
		HasLock: c.cfg.Lock, Locked: c.lock.locked, Relay: c.contactor.mirror(c.e.w.now),
		Pilot: c.pilotState(), Duty: c.duty, Faults: c.faults,
	}
	if c.cfg.Light {
		l := c.light.at(c.e.w.now)
		s.Light = &l
	}
	return s
}
