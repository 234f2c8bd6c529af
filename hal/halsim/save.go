package halsim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

// savedVersion is the schema of Saved.
const savedVersion = 1

// Saved is what of the world outlives the station's process: what is plugged where, the cars with their state of
// charge, registers, what a meter counts for its signature, locks, faults and welds. Delays are saved as what is left of them.
type Saved struct {
	Version int               `json:"version"`
	Faults  iec61851.FaultSet `json:"faults,omitempty"`
	EVSEs   []SavedEVSE       `json:"evses"`
}

// SavedEVSE is one EVSE of Saved.
type SavedEVSE struct {
	ID         term.EVSEID       `json:"id"`
	Import     unit.Energy       `json:"importmWh"`
	Export     unit.Energy       `json:"exportmWh,omitempty"`
	Bay        bool              `json:"bay,omitempty"`
	Faults     iec61851.FaultSet `json:"faults,omitempty"`
	Signer     *SavedSigner      `json:"signer,omitempty"`
	Refuses    bool              `json:"refuses,omitempty"` // to sign
	Connectors []SavedConnector  `json:"connectors"`
}

// SavedConnector is one connector of Saved.
type SavedConnector struct {
	ID       term.ConnectorID  `json:"id"`
	AtEVSE   bool              `json:"atEvse,omitempty"`
	AtEV     bool              `json:"atEv,omitempty"`
	CableMax unit.Current      `json:"cableMaxmA,omitempty"`
	Locked   bool              `json:"locked,omitempty"`
	Lock     LockBehaviour     `json:"lock,omitempty"`
	Welded   bool              `json:"welded,omitempty"`
	Stuck    bool              `json:"stuck,omitempty"`
	Faults   iec61851.FaultSet `json:"faults,omitempty"`
	Car      *SavedCar         `json:"car,omitempty"`
}

// SavedCar is one car of Saved.
type SavedCar struct {
	Ready       bool           `json:"ready"`
	ReadyIn     time.Duration  `json:"readyInNs,omitempty"`
	MaxAmps     float64        `json:"maxA"`
	MinAmps     float64        `json:"minA"`
	Phases      uint8          `json:"phases"`
	Capacity    float64        `json:"capacityWh"`
	SoC         float64        `json:"soc"`
	Target      float64        `json:"targetWh"`
	Taken       float64        `json:"takenWh"`
	DepartsIn   *time.Duration `json:"departsInNs,omitempty"`
	PowerFactor float64        `json:"powerFactor"`
	Ventilation bool           `json:"ventilation,omitempty"`
	IgnoresOff  bool           `json:"ignoresOff,omitempty"`
	Reaction    time.Duration  `json:"reactionNs"`
}

// keep hands the world to Config.Keep. It is called after every change from outside, and before a meter reading with
// a higher register leaves: so a register that was ever reported is kept. A kill of the process loses nothing that was
// written, synced or not; that is why a plain write of this one small file is enough, and no register ceiling, which
// would show as energy that never flowed, is needed.
func (w *World) keep() error {
	if w.cfg.Keep == nil {
		return nil
	}
	if err := w.cfg.Keep(w.saved()); err != nil {
		return fmt.Errorf("keep the simulated world: %w", err)
	}
	w.dirty = false
	for _, e := range w.evses {
		e.meter.kept = e.meter.register()
	}
	return nil
}

// Saved returns what outlives the process.
func (w *World) Saved() *Saved {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	return w.saved()
}

func (w *World) saved() *Saved {
	s := &Saved{Version: savedVersion, Faults: w.faults}
	for _, e := range w.evses {
		se := SavedEVSE{
			ID: e.cfg.ID, Import: max(unit.Energy(e.meter.imported), e.meter.register()), Export: unit.Energy(e.meter.exported), Bay: e.bay, Faults: e.faults,
		}
		if e.signer != nil {
			kept := e.signer.kept
			se.Signer, se.Refuses = &kept, e.signer.refuses
		}
		for _, c := range e.conns {
			sc := SavedConnector{
				ID: c.cfg.ID, AtEVSE: c.atEVSE, AtEV: c.atEV, CableMax: c.cableMax, Locked: c.lock.locked, Lock: c.lock.behaviour,
				Welded: c.contactor.welded, Stuck: c.contactor.stuck, Faults: c.faults,
			}
			if c.car != nil {
				sc.Car = c.car.saved(w.now)
			}
			se.Connectors = append(se.Connectors, sc)
		}
		s.EVSEs = append(s.EVSEs, se)
	}
	return s
}

func (k *car) saved(now time.Time) *SavedCar {
	s := &SavedCar{
		Ready: k.ready, MaxAmps: k.maxAmps, MinAmps: k.minAmps, Phases: k.phases, Capacity: k.capacity, SoC: k.soc,
		Target: k.target, Taken: k.taken, PowerFactor: k.powerFactor, Ventilation: k.ventilation, IgnoresOff: k.ignoresOff,
		Reaction: k.reaction,
	}
	if !k.readyAt.IsZero() {
		s.ReadyIn = max(0, k.readyAt.Sub(now))
	}
	if !k.departure.IsZero() {
		left := k.departure.Sub(now)
		s.DepartsIn = &left
	}
	return s
}

// restore puts a saved world in place. What the configuration no longer has is left out.
func (w *World) restore(s *Saved) error {
	if s.Version != savedVersion {
		return fmt.Errorf("restore world: %w: version %d, this build knows %d", ErrBadValue, s.Version, savedVersion)
	}
	w.faults = s.Faults & stationFaults
	for i := range s.EVSEs {
		se := &s.EVSEs[i]
		e, err := w.evse(se.ID)
		if err != nil {
			continue
		}
		if se.Import < 0 || se.Export < 0 {
			return fmt.Errorf("restore EVSE %d: %w: register below zero", se.ID, ErrBadValue)
		}
		e.meter.imported, e.meter.exported, e.bay, e.faults = float64(se.Import), float64(se.Export), se.Bay, se.Faults&evseFaults
		e.meter.kept = e.meter.register()
		if e.signer != nil && se.Signer != nil {
			e.signer.kept, e.signer.refuses = *se.Signer, se.Refuses
		}
		for j := range se.Connectors {
			if c, err := w.connector(term.Ref{EVSE: se.ID, Connector: se.Connectors[j].ID}); err == nil {
				if err := c.restore(w.now, &se.Connectors[j]); err != nil {
					return fmt.Errorf("restore connector %v: %w", c.ref, err)
				}
			}
		}
	}
	return nil
}

func (c *connector) restore(now time.Time, s *SavedConnector) error {
	c.atEVSE = !c.cfg.Socket || s.AtEVSE
	c.cableMax, c.faults = s.CableMax, s.Faults&evseFaults
	c.lock.locked, c.lock.command, c.lock.behaviour = s.Locked && c.cfg.Lock, s.Locked && c.cfg.Lock, s.Lock
	c.lock.jammed = c.has(term.FaultConnectorLock)
	c.contactor.welded, c.contactor.contact, c.contactor.stuck = s.Welded, s.Welded, s.Stuck
	if s.Welded {
		c.contactor.phases = c.e.cfg.Phases
	}
	if !s.AtEV || s.Car == nil {
		return nil
	}
	k := s.Car
	if !(k.Capacity > 0) || !(k.SoC >= 0 && k.SoC <= 1) || !(k.MaxAmps >= k.MinAmps) || !(k.PowerFactor > 0) || k.Phases < 1 || k.Phases > 3 {
		return fmt.Errorf("%w: car", ErrBadValue)
	}
	c.atEV = true
	c.car = newCar()
	c.car.ready, c.car.readyAt = k.Ready, now.Add(k.ReadyIn)
	c.car.maxAmps, c.car.minAmps, c.car.phases, c.car.capacity = k.MaxAmps, k.MinAmps, k.Phases, k.Capacity
	c.car.soc, c.car.target, c.car.taken, c.car.powerFactor = k.SoC, k.Target, k.Taken, k.PowerFactor
	c.car.ventilation, c.car.ignoresOff, c.car.reaction = k.Ventilation, k.IgnoresOff, k.Reaction
	if k.DepartsIn != nil {
		c.car.departure = now.Add(*k.DepartsIn)
	}
	return nil
}

// WriteFile replaces the file at path with the saved world: a kill at any instant leaves the old file or the new one.
func (s *Saved) WriteFile(path string) error {
	data, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("write world: %w", err)
	}
	next := path + ".new"
	if err := os.WriteFile(next, data, 0o600); err != nil {
		return fmt.Errorf("write world: %w", err)
	}
	if err := os.Rename(next, path); err != nil {
		return fmt.Errorf("write world: %w", err)
	}
	return nil
}

// ReadFile reads a saved world; nil without error where there is none yet.
func ReadFile(path string) (*Saved, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read world: %w", err)
	}
	var s Saved
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("read world %s: %w", path, err)
	}
	return &s, nil
}
