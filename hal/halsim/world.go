package halsim

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

// Errors of the calls that act on the world, to be told apart by errors.Is.
var (
	ErrNotFound   = errors.New("no such EVSE or connector")
	ErrImpossible = errors.New("impossible now")
	ErrBadValue   = errors.New("bad value")
)

// Config describes the station that stands in the world.
type Config struct {
	Clock   func() time.Time // monotonic
	Wall    func() time.Time // what the meters that sign show; nil: Clock
	Station string           // whose meters these are, where they sign
	Seed    uint64           // of the measurement noise
	EVSEs   []EVSE
	Keep    func(*Saved) error // see World.Saved; nil: nothing survives the process
	Observe func(Event)        // called with the world locked, in order; must not call back
	Tick    time.Duration      // how often a flowing current is computed anew: only the taper of a battery changes in between; 0: 100 ms
}

// EVSE is one supply point with its meter.
type EVSE struct {
	ID         term.EVSEID
	Phases     uint8 // 1 or 3
	MaxCurrent unit.Current
	Signs      bool // its meter signs what it counts, as OCMF
	Connectors []Connector
}

// Connector is one way to plug in.
type Connector struct {
	ID     term.ConnectorID
	Socket bool // a socket for detachable cables; false: the cable is fixed
	Lock   bool // the socket has a lock
	Light  bool // it has a light
}

// EventKind says what happened in the world.
type EventKind uint8

// Kinds of events.
const (
	EventPlugged EventKind = iota + 1
	EventUnplugged
	EventPilot  // Pilot
	EventRelay  // On: the contact is closed
	EventLock   // On: locked
	EventFault  // Fault, On
	EventPower  // On: mains
	EventLight  // Light: it shows something else, or is brighter or darker
	EventSignal // Light: it blinks
)

// Event is a fact of the world, with the instant at which it became one.
type Event struct {
	At    time.Time
	Kind  EventKind
	Ref   term.Ref
	Pilot term.PilotState
	Fault term.Fault
	On    bool
	Info  string // of a fault that is raised
	Light LightState
}

// defaultTick is the Tick of a Config that has none.
const defaultTick = 100 * time.Millisecond

// World is the simulated world. Its methods may be called from any goroutine.
type World struct {
	cfg    Config
	swipes chan Swipe

	mu        sync.Mutex // everything below
	now       time.Time
	evses     []*evse
	powered   bool
	faults    iec61851.FaultSet // station-wide
	info      [term.FaultStorage + 1]string
	scheduled []FaultOptions
	due       []time.Time // of scheduled, index by index
	petted    time.Time   // the last pet of the watchdog; zero: it is not armed
	dirty     bool        // something to keep
}

// evse is one supply point at work.
type evse struct {
	w      *World
	cfg    EVSE
	conns  []*connector
	faults iec61851.FaultSet
	meter  meter
	signer *signer // nil: its meter signs nothing
	bay    bool
	grid   [3]unit.Voltage // volts of the supply without load
	hertz  unit.Frequency
}

// connector is one connector at work.
type connector struct {
	e         *evse
	cfg       Connector
	ref       term.Ref
	faults    iec61851.FaultSet
	duty      unit.Duty
	foreign   bool // the generator has a period that no vehicle takes for a pilot's
	broken    bool // the pilot's wire, or the earth that it returns by, is broken in the cable
	atEVSE    bool // the cable is in the socket; always true for a fixed cable
	atEV      bool // the cable is in a car
	cableMax  unit.Current
	contactor contactor
	lock      lock
	car       *car
	celsius   float64
	shown     term.PilotState // last EventPilot
	light     light
}

// New builds a world, fresh or as it was saved.
func New(cfg Config, saved *Saved) (*World, error) {
	if cfg.Clock == nil || len(cfg.EVSEs) == 0 {
		return nil, fmt.Errorf("build world: %w: needs a clock and an EVSE", ErrBadValue)
	}
	if cfg.Tick <= 0 {
		cfg.Tick = defaultTick
	}
	w := &World{cfg: cfg, powered: true, now: cfg.Clock(), swipes: make(chan Swipe, maxSwipes)}
	for _, ec := range cfg.EVSEs {
		if ec.Phases != 1 && ec.Phases != 3 || ec.MaxCurrent <= 0 || len(ec.Connectors) == 0 {
			return nil, fmt.Errorf("build EVSE %d: %w: phases, current or connectors", ec.ID, ErrBadValue)
		}
		e := &evse{w: w, cfg: ec, grid: nominalGrid, hertz: nominalFrequency}
		if ec.Signs {
			e.signer = newSigner(cfg.Station, ec.ID)
		}
		for _, cc := range ec.Connectors {
			e.conns = append(e.conns, &connector{
				e: e, cfg: cc, ref: term.Ref{EVSE: ec.ID, Connector: cc.ID}, duty: unit.DutyHigh,
				atEVSE: !cc.Socket, celsius: ambient, shown: term.StateA, light: dark,
			})
		}
		w.evses = append(w.evses, e)
	}
	if saved != nil {
		if err := w.restore(saved); err != nil {
			return nil, err
		}
	}
	w.settle()
	return w, nil
}

// advance moves the world to the clock's now. The mutex is held.
func (w *World) advance() {
	to := w.cfg.Clock()
	for w.now.Before(to) {
		next := to
		for i := range w.due {
			next = sooner(next, w.due[i], w.now)
		}
		if !w.petted.IsZero() {
			next = sooner(next, w.petted.Add(watchdogTime), w.now)
		}
		for _, e := range w.evses {
			e.advance(w.now, next)
		}
		w.now = next
		w.raiseScheduled()
		if !w.petted.IsZero() && !w.now.Before(w.petted.Add(watchdogTime)) {
			w.petted = time.Time{}
			w.release()
		}
	}
}

// settle lets everything react to what was just done to the world.
func (w *World) settle() {
	for _, e := range w.evses {
		e.act(w.now)
	}
}

func (e *evse) advance(from, to time.Time) {
	for t := from; t.Before(to); {
		next := e.next(t, to)
		e.integrate(t, next)
		t = next
		e.act(t)
	}
}

// act applies every change that is due at t.
func (e *evse) act(t time.Time) {
	for _, c := range e.conns {
		if c.contactor.act(t) {
			e.w.observe(Event{At: t, Kind: EventRelay, Ref: c.ref, On: c.contactor.contact})
		}
		if c.lock.act(t) {
			e.w.dirty = true
			e.w.observe(Event{At: t, Kind: EventLock, Ref: c.ref, On: c.lock.locked})
		}
		if c.car != nil {
			c.car.act(t, c)
			c.leave(t)
		}
		if s := c.pilotState(); s != c.shown {
			c.shown = s
			e.w.observe(Event{At: t, Kind: EventPilot, Ref: c.ref, Pilot: s})
		}
	}
}

// next returns the instant, after t and not after to, up to which everything is constant.
func (e *evse) next(t, to time.Time) time.Time {
	for _, c := range e.conns {
		to = sooner(to, c.contactor.moves, t)
		to = sooner(to, c.lock.moves, t)
		if c.car != nil {
			to = c.car.next(t, to, c)
		}
	}
	return to
}

// sooner returns the earlier of a and b, if b is still to come.
func sooner(a, b, now time.Time) time.Time {
	if b.After(now) && b.Before(a) {
		return b
	}
	return a
}

// integrate moves charge and heat from t to next.
func (e *evse) integrate(t, next time.Time) {
	d := next.Sub(t)
	var power, current float64
	for _, c := range e.conns {
		i := 0.0
		if c.car != nil && c.car.amps > 0 {
			p := c.car.watts(c)
			power += p
			i = c.car.amps
			c.car.charge(p, d)
		}
		current += i
		c.heat(i, d)
	}
	e.meter.integrate(e, power, d)
}

func (w *World) observe(ev Event) {
	if w.cfg.Observe != nil {
		w.cfg.Observe(ev)
	}
}

// evse returns the EVSE of an id.
func (w *World) evse(id term.EVSEID) (*evse, error) {
	for _, e := range w.evses {
		if e.cfg.ID == id {
			return e, nil
		}
	}
	return nil, fmt.Errorf("EVSE %d: %w", id, ErrNotFound)
}

// connector returns one connector.
func (w *World) connector(ref term.Ref) (*connector, error) {
	e, err := w.evse(ref.EVSE)
	if err != nil {
		return nil, err
	}
	for _, c := range e.conns {
		if c.ref == ref {
			return c, nil
		}
	}
	return nil, fmt.Errorf("connector %v: %w", ref, ErrNotFound)
}

// has reports whether a fault is active here, at the EVSE, or at the station.
func (c *connector) has(f term.Fault) bool {
	return (c.faults | c.e.faults | c.e.w.faults).Has(f)
}

// noise returns a value in [-1, 1) that depends only on the seed, the place and the time.
func (w *World) noise(place uint64) float64 {
	x := w.cfg.Seed ^ place*0x9E3779B97F4A7C15 ^ uint64(w.now.UnixNano()/int64(time.Millisecond))*0xD1B54A32D192ED03
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9 // splitmix64
	x = (x ^ x>>27) * 0x94D049BB133111EB
	x ^= x >> 31
	return float64(x>>11)/(1<<52) - 1
}
