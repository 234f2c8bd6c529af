package main

import (
	"errors"
	"math"
	"time"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// tokens are the cards that drivers have, and what the CSMS thinks of them at first.
var tokens = []struct{ value, verdict string }{
	{"ALICE", "Accepted"}, {"BOB", "Accepted"}, {"CAROL", "Accepted"}, {"DAVE", "Accepted"}, {"ERIN", "Accepted"},
	{"FICKLE", "Accepted"}, {"BLOCKED", "Blocked"}, {"NOBODY", "Unknown"},
}

func token(v string) term.IdToken { return term.IdToken{Value: v, Type: term.TokenISO14443} }

// driver is a connector as the drivers see it: one comes, charges, and leaves again.
type driver struct {
	s     *sim
	ref   term.Ref
	token string
	busy  bool
	tries int
	guest bool // nobody comes because of who leaves
}

// arrivals lets drivers come for ever.
func (s *sim) arrivals() {
	for _, ref := range s.connectors() {
		d := &driver{s: s, ref: ref}
		s.drivers = append(s.drivers, d)
		d.wait()
	}
}

// wait lets the next driver come after a while.
func (d *driver) wait() {
	s := d.s
	mean := float64(day) / s.plan.sessions * float64(len(s.connectors()))
	after := time.Duration(math.Min(s.rng.ExpFloat64()*mean, float64(14*day)))
	s.later(after, d.arrive)
}

// arrive plugs a car in, before or after the card is shown.
func (d *driver) arrive() {
	s := d.s
	if d.busy || s.calm {
		d.wait()
		return
	}
	token := tokens[s.rng.IntN(5)].value
	if s.chance(8) {
		token = tokens[s.rng.IntN(len(tokens))].value
	}
	d.visit(token)
}

// visit is what a driver does.
func (d *driver) visit(token string) {
	s := d.s
	d.busy, d.tries, d.token = true, 0, token
	s.count.sessions++
	s.trace.say(s.since(), "driver %s at %v", d.token, d.ref)
	stay := s.between(20*time.Minute, 3*time.Hour)
	if s.chance(5) {
		stay = s.between(time.Minute, 8*time.Hour)
	}
	switch n := s.rng.IntN(20); {
	case n < 12:
		d.plug()
		s.later(s.between(2*time.Second, 40*time.Second), d.swipe)
	case n < 18:
		d.swipe()
		s.later(s.between(2*time.Second, 50*time.Second), d.plug)
	case n < 19: // forgets to show a card
		d.plug()
	default: // goes away again
		d.swipe()
		stay = time.Minute
	}
	s.later(stay, d.leave)
	if s.plan.kinds&kindCars != 0 && s.chance(3) {
		s.later(s.between(time.Minute, stay), d.whim)
	}
}

// plug plugs the car in.
func (d *driver) plug() {
	s := d.s
	if !d.busy || d.plugged() {
		return
	}
	o := halsim.PlugOptions{EV: d.car()}
	p := s.check.byRef[d.ref]
	if p.socket {
		o.CableMax = pick[unit.Current](s, 13, 20, 32, 32, 63) * unit.Ampere
	}
	was := p.rating
	p.rating = o.CableMax
	if !d.try(s.world.Plug(d.ref.EVSE, d.ref.Connector, o)) {
		p.rating = was
	}
}

// car is the car that comes.
func (d *driver) car() halsim.EVOptions {
	s := d.s
	soc := unit.Percent(10+s.rng.IntN(80)) * unit.OnePercent
	capacity := unit.Energy(30+s.rng.IntN(60)) * unit.KiloWattHour
	most := pick[unit.Current](s, 16, 16, 32) * unit.Ampere
	phases := pick(s, uint8(1), 3, 3)
	after := s.between(0, 20*time.Second)
	target := unit.Energy(1+s.rng.IntN(15)) * unit.KiloWattHour
	o := halsim.EVOptions{SoC: &soc, Capacity: &capacity, MaxCurrent: &most, Phases: &phases, ReadyAfter: &after, TargetEnergy: &target}
	if s.plan.kinds&kindCars == 0 {
		return o
	}
	if s.chance(10) {
		yes := true
		o.IgnoresPWMOff = &yes
	}
	if s.chance(10) {
		yes := true
		o.Ventilation = &yes
	}
	if s.chance(5) {
		slow := s.between(time.Second, 5*time.Second)
		o.Reaction = &slow
	}
	if s.chance(20) {
		least := unit.Current(12 * unit.Ampere)
		o.MinCurrent = &least
	}
	return o
}

// try takes the outcome of something that may be impossible now.
func (d *driver) try(err error) bool {
	s := d.s
	s.worldAt = time.Time{}
	s.watch()
	if err != nil && !errors.Is(err, halsim.ErrImpossible) {
		s.broken("I0", "%v: %v", d.ref, err)
	}
	return err == nil
}

// swipe shows the card at the reader.
func (d *driver) swipe() {
	if d.busy {
		d.s.swipe(d.token, d.s.reader(d.ref.EVSE))
	}
}

// reader is a reader near an EVSE: its own, or that of the station.
func (s *sim) reader(e term.EVSEID) []term.EVSEID {
	if len(s.plan.evses) == 1 || s.chance(5) {
		return nil
	}
	return []term.EVSEID{e}
}

func (s *sim) swipe(card string, evses []term.EVSEID) {
	if !s.alive {
		return
	}
	s.present(card, evses, false)
	s.post(station.TokenRead{Token: token(card), EVSEs: evses})
	s.watch()
}

func (s *sim) present(token string, evses []term.EVSEID, remote bool) {
	s.check.presented(card{token: token, evses: evses, remote: remote})
}

// whim is what a driver or a car does that nobody expects.
func (d *driver) whim() {
	s := d.s
	if !d.busy || !d.plugged() {
		return
	}
	switch s.rng.IntN(6) {
	case 0:
		d.try(s.world.SetEV(d.ref.EVSE, halsim.EVOptions{Wake: true}))
	case 1, 2:
		ready := s.chance(2)
		d.try(s.world.SetEV(d.ref.EVSE, halsim.EVOptions{Ready: &ready}))
	case 3:
		_, err := s.world.Unplug(d.ref.EVSE, d.ref.Connector, halsim.UnplugOptions{Side: halsim.SideEV})
		d.try(err)
	case 4:
		d.swipe()
	case 5:
		bay := s.chance(2)
		d.try(s.world.SetBay(d.ref.EVSE, bay))
	}
}

// leave ends the visit: by card, by button, in the car, or by force.
func (d *driver) leave() {
	s := d.s
	if !d.busy {
		return
	}
	if d.free() {
		d.busy = false
		s.trace.say(s.since(), "driver left %v", d.ref)
		if !d.guest {
			d.wait()
		}
		d.guest = false
		return
	}
	switch n := s.rng.IntN(10); {
	case n < 5:
		d.swipe()
	case n < 6:
		s.stop(d.ref.EVSE)
	}
	d.pull()
	d.tries++
	s.later(s.between(20*time.Second, 90*time.Second), d.leave)
}

// pull takes the cable out; one who has waited for long enough takes what he can get, and calls the operator.
func (d *driver) pull() {
	s := d.s
	o := halsim.UnplugOptions{Orderly: true}
	if s.plan.kinds&kindCars != 0 && s.chance(6) || d.tries > 3 {
		o.Orderly = false
	}
	if d.tries > 5 {
		o.Side = pick(s, halsim.SideBoth, halsim.SideEV, halsim.SideEVSE)
		if !s.check.byRef[d.ref].socket {
			o.Side = halsim.SideEV
		}
	}
	if d.tries > 6 {
		s.csms.unlock(d.ref)
	}
	_, err := s.world.Unplug(d.ref.EVSE, d.ref.Connector, o)
	d.try(err)
}

// stop presses the stop button of an EVSE; 0 is that of the station.
func (s *sim) stop(e term.EVSEID) {
	if !s.alive {
		return
	}
	s.check.withdrawn(e, "the stop button was pressed")
	s.post(station.StopPressed{EVSE: e})
	s.watch()
}

func (d *driver) connector() halsim.ConnectorState {
	return d.s.world.State().EVSEs[d.ref.EVSE-1].Connectors[d.ref.Connector-1]
}

func (d *driver) plugged() bool { c := d.connector(); return c.AtEV || d.socket() && c.AtEVSE }
func (d *driver) free() bool    { return !d.plugged() }
func (d *driver) socket() bool  { return d.s.check.byRef[d.ref].socket }
