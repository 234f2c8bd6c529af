package storage_test

import (
	"errors"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/guard"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/term"
	"github.com/evsed/evsed/storage"
)

// slowSync is how long the sync of a slow device takes.
const slowSync = 5 * time.Second

func refused(err error) bool {
	return errors.Is(err, storage.ErrBacklog) || errors.Is(err, storage.ErrOutboxFull) || errors.Is(err, storage.ErrTooLarge) || errors.Is(err, storage.ErrClosed)
}

// post is one EVSE: a captive cable, its guard, its meter and perhaps a car.
type post struct {
	w      *world
	evse   term.EVSEID
	car    bool
	permit term.Permit
	alive  bool // the guard runs
	offer  unit.Current
	pilot  term.PilotState
	closed bool

	energy unit.Energy // of the meter's register
	rest   int64       // mW ms that make no mWh yet
	at     time.Duration
	every  time.Duration
	told   map[unit.Energy]bool // what the meter ever told
}

func (p *post) ref() term.Ref { return term.Ref{EVSE: p.evse, Connector: 1} }

// integrate brings the register up to now; it comes before every change of what flows.
func (p *post) integrate() {
	const perMilliwattHour = 3_600_000
	ms := int64((p.w.now - p.at) / time.Millisecond)
	p.at += time.Duration(ms) * time.Millisecond
	p.rest += int64(p.power()) * ms
	p.energy += unit.Energy(p.rest / perMilliwattHour)
	p.rest %= perMilliwattHour
}

func (p *post) power() unit.Power {
	if !p.closed || p.pilot != term.StateC {
		return 0
	}
	return unit.Power(3 * int64(p.offer.Times(station.NominalVoltage)))
}

// powered lets the guard tell what it finds.
func (p *post) powered() {
	p.w.later(25*time.Millisecond, func() {
		p.alive = true
		p.move()
	})
}

func (p *post) dark() {
	p.integrate()
	p.alive, p.permit, p.offer, p.closed, p.pilot, p.every = false, term.Permit{}, 0, false, term.StateUnknown, 0
}

// plug puts the cable into the car or out of it.
func (p *post) plug(in bool) {
	p.integrate()
	p.car = in
	if p.alive {
		p.w.later(25*time.Millisecond, p.move)
	}
}

// move brings pilot, offer and contactor to where permit and car want them, and tells each change.
func (p *post) move() {
	p.integrate()
	offer, pilot := unit.Current(0), term.StateA
	if p.car {
		pilot = term.StateB
		if p.permit.Close && !p.permit.Fail {
			offer, pilot = min(p.permit.Max, 32*unit.Ampere), term.StateC
		}
	}
	closed := pilot == term.StateC
	if p.offer != offer {
		p.offer = offer
		p.w.handle(station.OfferChanged{Ref: p.ref(), Current: offer})
	}
	if p.pilot != pilot && p.alive {
		p.integrate()
		p.pilot = pilot
		p.w.handle(station.PilotChanged{Ref: p.ref(), State: pilot})
	}
	if p.closed != closed && p.alive {
		p.integrate()
		p.closed = closed
		p.w.handle(station.PowerChanged{Ref: p.ref(), Closed: closed})
	}
}

// read takes a reading to the station.
func (p *post) read() {
	if p.w.runner == nil || p.w.disk.off() {
		return
	}
	p.integrate()
	r := hal.MeterReading{At: p.w.mono(), Phases: 3, Import: p.energy, Power: p.power()}
	for i := range r.Voltage {
		r.Voltage[i], r.Current[i] = station.NominalVoltage, p.offer
	}
	if p.told == nil {
		p.told = map[unit.Energy]bool{}
	}
	p.told[p.energy] = true
	p.w.runner.Meter(p.w.mono(), p.evse, r)
	p.w.turn()
}

func (p *post) again() {
	if p.every > 0 {
		p.read()
		p.w.later(p.every, p.again)
	}
}

func (w *world) post(e term.EVSEID) *post { return w.posts[e-1] }

// Permit and the next methods are the runner's neighbours.
func (w *world) Permit(c term.Permit) bool {
	p := w.post(c.Ref.EVSE)
	if w.disk.off() {
		return true
	}
	if c.Close && w.unrecorded() {
		w.fail("energy allowed at EVSE %d without a transaction on record", c.Ref.EVSE)
	}
	p.permit = c
	d := 50 * time.Millisecond
	if !c.Close {
		d = 20 * time.Millisecond
	}
	w.later(d, p.move)
	return true
}

// unrecorded reports whether no transaction is on record, though one must be before energy flows.
func (w *world) unrecorded() bool {
	if w.runner.Station.Model().Has(model.TxStartPoint, "EnergyTransfer") {
		return false // only the flow itself begins one
	}
	found := false
	err := w.store.Load(func(r station.Record) error {
		found = found || r.Bucket == station.BucketTransaction
		return nil
	})
	return !found && err == nil
}

func (w *world) Meter(term.EVSEID, guard.MeterSummary) bool { return true }
func (w *world) Heartbeat()                                 {}

func (w *world) PollMeter(e term.EVSEID) {
	w.later(20*time.Millisecond, w.post(e).read)
}

func (w *world) MeterRate(e term.EVSEID, every time.Duration) {
	p := w.post(e)
	was := p.every
	if p.every = every; was == 0 && every > 0 {
		w.later(every, p.again)
	}
}

func (w *world) Indicate(r term.Ref, in hal.Indication) { w.lights[r.EVSE-1] = in.String() }

// Reboot ends the life in good order a moment later.
func (w *world) Reboot(time.Duration) {
	w.later(time.Second, func() {
		w.stop()
		w.plan(time.Second, 0, w.boot)
	})
}

// Storage hears that something waits for the device.
func (w *world) Storage(code string) { w.slow = code }

func (w *world) Reconfigure()              {}
func (w *world) Answer(r station.Response) { w.said[r.ID] = r }

// ask makes a request, of the CSMS or of a local interface.
func (w *world) ask(r station.Request, csms bool) station.RequestID {
	w.asked++
	id := station.RequestID(w.asked)
	if csms {
		id |= station.CSMSRequest
	}
	w.handle(station.RequestReceived{ID: id, Request: r, Size: 100})
	w.fall()
	return id
}
