package stationtest

import (
	"fmt"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// wire is one connector with its guard and the car that may be plugged into it.
type wire struct {
	ref      term.Ref
	evse     station.EVSE
	tethered bool

	car    bool // the cable is in the car
	ready  bool // the car wants energy
	most   unit.Current
	cable  bool // a plug is in the socket
	rating unit.Current

	permit term.Permit
	known  bool // a permit has arrived since the start
	pilot  term.PilotState
	offer  unit.Current
	closed bool
	locked bool
	opened time.Duration
	jammed bool
	armed  [actuators]bool
}

const (
	theLock = iota
	theOffer
	thePilot
	theContactor
	actuators
)

// How long the parts of a connector take.
const (
	lockTime  = 300 * time.Millisecond
	offerTime = 50 * time.Millisecond
	edgeTime  = 25 * time.Millisecond
	carTime   = 500 * time.Millisecond
	closeTime = 100 * time.Millisecond
	openTime  = 20 * time.Millisecond
	reclose   = 1500 * time.Millisecond
)

func (b *Bench) wire(r term.Ref) (*wire, error) {
	for _, w := range b.wires {
		if w.ref == r {
			return w, nil
		}
	}
	return nil, fmt.Errorf("no connector %s", r)
}

// start lets a guard that has just come up tell what it finds.
func (w *wire) start(b *Bench) {
	b.later(edgeTime, func() {
		if !w.tethered && w.cable {
			b.step(station.CableChanged{Ref: w.ref, Present: true, Rating: w.rating})
		}
		if w.locked {
			b.step(station.LockChanged{Ref: w.ref, Locked: true})
		}
		w.pilot = w.wantPilot()
		b.step(station.PilotChanged{Ref: w.ref, State: w.pilot})
		w.settle(b)
	})
}

// powerLost opens everything at once; the lock stays as it is.
func (w *wire) powerLost() {
	w.permit, w.known, w.offer, w.closed, w.pilot = term.Permit{}, false, 0, false, term.StateUnknown
	w.armed = [actuators]bool{}
}

func (b *Bench) permit(p term.Permit) {
	w, err := b.wire(p.Ref)
	if err != nil {
		panic("stationtest: permit for " + err.Error())
	}
	w.permit, w.known = p, true
	w.settle(b)
}

func (w *wire) wantLock() bool {
	if w.tethered || !w.known || w.jammed {
		return w.locked
	}
	if !w.cable {
		return false
	}
	return w.permit.Lock || w.permit.Close || w.closed
}

func (w *wire) wantOffer(b *Bench) unit.Current {
	p := w.permit
	if !p.Close || p.Fail || !w.car || b.faulted(w.ref) || p.Max < station.MinOffer || !w.tethered && !w.locked {
		return 0
	}
	limit := min(p.Max, w.evse.MaxCurrent)
	if !w.tethered && w.rating > 0 {
		limit = min(limit, w.rating)
	}
	return limit
}

func (w *wire) wantPilot() term.PilotState {
	switch {
	case w.known && w.permit.Fail:
		return term.StateF
	case !w.car:
		return term.StateA
	case w.ready && w.offer > 0:
		return term.StateC
	}
	return term.StateB
}

func (w *wire) wantClosed(b *Bench) bool {
	if w.pilot != term.StateC || w.permit.Fail || b.faulted(w.ref) {
		return false
	}
	if w.closed {
		return true // the car is given the time to stop by itself
	}
	for _, o := range b.wires {
		if o != w && o.ref.EVSE == w.ref.EVSE && o.closed {
			return false
		}
	}
	return w.offer > 0
}

// settle moves whatever is not yet where it shall be.
func (w *wire) settle(b *Bench) {
	if b.Station == nil || w.pilot == term.StateUnknown {
		return
	}
	if w.locked != w.wantLock() {
		w.arm(b, theLock, lockTime)
	}
	if w.offer != w.wantOffer(b) {
		w.arm(b, theOffer, offerTime)
	}
	if p := w.wantPilot(); w.pilot != p {
		d := carTime
		if p == term.StateA || p == term.StateF || w.pilot == term.StateA {
			d = edgeTime
		}
		w.arm(b, thePilot, d)
	}
	if c := w.wantClosed(b); w.closed != c {
		d := openTime
		if c {
			d = max(closeTime, w.opened+reclose-b.t)
		}
		w.arm(b, theContactor, d)
	}
}

func (w *wire) arm(b *Bench, what int, d time.Duration) {
	if w.armed[what] && what != thePilot {
		return
	}
	w.armed[what] = true
	b.later(d, func() {
		w.armed[what] = false
		w.move(b, what)
		w.settle(b)
	})
}

func (w *wire) move(b *Bench, what int) {
	b.meter(w.ref.EVSE).integrate(b)
	switch what {
	case theLock:
		if l := w.wantLock(); l != w.locked {
			w.locked = l
			b.step(station.LockChanged{Ref: w.ref, Locked: l})
		}
	case theOffer:
		if o := w.wantOffer(b); o != w.offer {
			w.offer = o
			b.step(station.OfferChanged{Ref: w.ref, Current: o})
		}
	case thePilot:
		if p := w.wantPilot(); p != w.pilot {
			w.pilot = p
			b.step(station.PilotChanged{Ref: w.ref, State: p})
		}
	case theContactor:
		if c := w.wantClosed(b); c != w.closed {
			if w.closed = c; !c {
				w.opened = b.t
			} else {
				b.meter(w.ref.EVSE).powered(b)
			}
			b.step(station.PowerChanged{Ref: w.ref, Closed: c})
		}
	}
}

// power is what flows to the car now.
func (w *wire) power() unit.Power {
	if !w.closed || w.pilot != term.StateC {
		return 0
	}
	i := w.offer
	if w.most > 0 {
		i = min(i, w.most)
	}
	return unit.Power(int64(i.Times(station.NominalVoltage)) * int64(w.evse.Phases))
}

// Plug puts a cable into socket and car; the car wants energy if ready.
func (b *Bench) Plug(r term.Ref, rating, most unit.Current, ready bool) error {
	w, err := b.wire(r)
	if err != nil {
		return err
	}
	if w.car {
		return fmt.Errorf("%s: a car is plugged in already", r)
	}
	b.meter(r.EVSE).integrate(b)
	w.car, w.ready, w.most = true, ready, most
	if !w.tethered && !w.cable {
		w.cable, w.rating = true, rating
		b.step(station.CableChanged{Ref: r, Present: true, Rating: rating})
	}
	w.settle(b)
	return nil
}

// Unplug pulls the cable out of the car, and out of the socket where it is not locked and evOnly is not set.
func (b *Bench) Unplug(r term.Ref, evOnly bool) error {
	w, err := b.wire(r)
	if err != nil {
		return err
	}
	if !w.car && (w.tethered || !w.cable) {
		return fmt.Errorf("%s: nothing is plugged in", r)
	}
	b.meter(r.EVSE).integrate(b)
	if !evOnly && !w.tethered {
		if w.locked {
			return fmt.Errorf("%s: the plug is locked", r)
		}
		w.cable = false
		b.step(station.CableChanged{Ref: r})
	}
	w.car = false
	w.settle(b)
	return nil
}

// Ready says whether the car wants energy.
func (b *Bench) Ready(r term.Ref, ready bool) error {
	w, err := b.wire(r)
	if err != nil {
		return err
	}
	w.ready = ready
	w.settle(b)
	return nil
}

// faulted reports whether a fault stops energy at a connector.
func (b *Bench) faulted(r term.Ref) bool {
	return b.faults[r]|b.faults[term.Ref{EVSE: r.EVSE}]|b.faults[term.Ref{}] != 0
}

// Fault raises or clears a fault, as guard or board report it.
func (b *Bench) Fault(r term.Ref, f term.Fault, on bool) {
	if f.StopsCharging() {
		if b.faults[r] &^= 1 << f; on {
			b.faults[r] |= 1 << f
		}
	}
	b.step(station.FaultChanged{Ref: r, Fault: f, Active: on})
	for _, w := range b.wires {
		w.settle(b)
	}
}
