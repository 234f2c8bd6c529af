package station

import (
	"slices"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
	"github.com/evsed/evsed/station/transaction"
)

// pilotChanged follows the vehicle on a connector's pilot line.
func (s *Station) pilotChanged(ev PilotChanged) {
	e, c := s.connector(ev.Ref)
	if c == nil || c.pilot == ev.State {
		return
	}
	c.pilot = ev.State
	switch had := c.car; {
	case !had && ev.State.Connected():
		c.car = true
		s.vehicleArrived(e, c)
	case had && ev.State == term.StateA:
		c.car = false
		s.vehicleLeft(e, c)
	default: // E, F and unknown say nothing about the plug
		s.progress(e, "")
	}
}

// vehicleArrived takes the connector into use. One EVSE serves one connector at a time (E01.FR.14).
func (s *Station) vehicleArrived(e *evse, c *connector) {
	if !e.resume.IsZero() {
		s.tryResume(e)
		return
	}
	if e.active >= 0 && !e.is(c) && (e.facts.Connected || e.keepLocked || e.tx != nil && e.tx.Ref.Connector != 0) {
		return // the other connector is in use; this car waits until it is free
	}
	if e.grant != nil && !e.grant.For(c.ref.Connector) {
		return // somebody is expected at the other one
	}
	e.use(c)
	e.plugged, e.evLeft = s.now, false
	if c.offer == 0 {
		e.offered = time.Time{}
	}
	s.command(PollMeter{EVSE: e.cfg.ID})
	if e.grant == nil {
		s.claimFloating(e)
	}
	s.grantAnybody(e)
	s.progress(e, term.TriggerCablePluggedIn)
}

// grantAnybody authorizes nobody in particular where the station asks for no authorization (C02.FR.01).
func (s *Station) grantAnybody(e *evse) {
	if s.settings.auth.Enabled || e.grant != nil || e.tx != nil && (e.tx.Ending != nil || e.owned()) || s.heldBack(e) {
		return
	}
	e.grant, e.granted = &transaction.Grant{Token: term.IdToken{Type: term.TokenNoAuthorization}}, s.now
	if e.tx != nil {
		e.tx.Grant, e.tx.Owner = e.grant, e.grant.Token
	}
}

// owned reports whether somebody has shown a token for the running transaction.
func (e *evse) owned() bool {
	return !e.tx.Owner.IsZero() && e.tx.Owner.Type != term.TokenNoAuthorization
}

// use makes c the connector in use.
func (e *evse) use(c *connector) {
	for j := range e.conns {
		if &e.conns[j] == c {
			e.active = j
		}
	}
}

// vehicleLeft handles a plug that was pulled out at the car or at the station.
func (s *Station) vehicleLeft(e *evse, c *connector) {
	if !e.is(c) {
		return
	}
	if s.settings.unlockOnEVSide { // E09.FR.02
		e.keepLocked = false
	}
	if e.tx != nil && e.tx.Ending == nil && e.grant != nil && s.settings.stopOnEVSide { // E09.FR.01
		s.deauthorizeUnplugged(e, c)
	} else {
		s.progress(e, term.TriggerEVCommunicationLost)
	}
	if e.grant != nil {
		e.granted, e.evLeft = s.now, true // E10.FR.02, E03: the time to plug in again runs from here
	}
	s.release(e)
}

// deauthorizeUnplugged ends the authorization of a session whose cable was pulled out at the car. The cable stays locked
// for its owner unless the station gives it back by itself (E09.FR.02, E09.FR.03).
func (s *Station) deauthorizeUnplugged(e *evse, c *connector) {
	e.keepLocked = c.detachable() && !s.settings.unlockOnEVSide
	s.withdraw(e, cause{trigger: term.TriggerEVCommunicationLost, reason: term.StopEVDisconnected})
}

// detachable reports whether a cable is in the station's socket.
func (c *connector) detachable() bool { return !c.cfg.Tethered && c.present }

// release gives up the connector in use once nothing holds it, and takes the next one on which a car waits.
func (s *Station) release(e *evse) {
	if e.tx != nil || e.grant != nil || e.keepLocked || e.active >= 0 && e.conns[e.active].car {
		return
	}
	e.active = -1
	for j := range e.conns {
		if e.conns[j].car {
			s.vehicleArrived(e, &e.conns[j])
			return
		}
	}
}

func (s *Station) cableChanged(ev CableChanged) {
	e, c := s.connector(ev.Ref)
	if c == nil || c.cfg.Tethered {
		return
	}
	c.present, c.rating = ev.Present, ev.Rating
	s.progress(e, "")
	if !ev.Present && e.is(c) {
		e.keepLocked = false
		s.release(e)
	}
}

func (s *Station) lockChanged(ev LockChanged) {
	e, c := s.connector(ev.Ref)
	if c == nil {
		return
	}
	c.locked = ev.Locked
	s.unlockResult(e, c, ev)
}

func (s *Station) offerChanged(ev OfferChanged) {
	e, c := s.connector(ev.Ref)
	if c == nil {
		return
	}
	c.offer = ev.Current
	if e.is(c) {
		if c.offer == 0 {
			e.offered = time.Time{}
		} else if e.offered.IsZero() {
			e.offered = s.now
		}
		s.progress(e, "")
	}
}

// powerChanged follows the contactor's feedback. The meter is read whenever it opens: until it closes again the register stands still.
func (s *Station) powerChanged(ev PowerChanged) {
	e, c := s.connector(ev.Ref)
	if c == nil || c.closed == ev.Closed {
		return
	}
	c.closed = ev.Closed
	if !ev.Closed {
		e.opened = s.now
		s.command(MeterRate{EVSE: e.cfg.ID})
		s.command(PollMeter{EVSE: e.cfg.ID})
	} else {
		s.command(MeterRate{EVSE: e.cfg.ID, Every: meterEvery})
	}
	s.progress(e, "")
}

// meterEvery is how often the meter is read while energy flows: the guard wants fresh currents for its over-current check.
const meterEvery = 500 * time.Millisecond

func (e *evse) closed() bool {
	for i := range e.conns {
		if e.conns[i].closed {
			return true
		}
	}
	return false
}

func (s *Station) bayChanged(ev BayChanged) {
	e := s.evse(ev.EVSE)
	if e == nil || e.bay == ev.Occupied {
		return
	}
	e.bay = ev.Occupied
	if ev.Occupied {
		s.progress(e, term.TriggerEVDetected)
		return
	}
	s.progress(e, term.TriggerEVDeparted)
}

// view gathers what the charging state depends on.
func (s *Station) view(e *evse) transaction.View {
	v := transaction.View{Authorized: e.grant != nil, Was: e.state}
	if e.active < 0 {
		return v
	}
	c := &e.conns[e.active]
	v.Connected, v.Pilot, v.Closed = c.car, c.pilot, c.closed
	want := s.wantPermit(e, c)
	v.Allowed = want.Close && want.Max >= MinOffer
	v.Limited = !want.Close && s.mayCharge(e, c)
	v.Charged = e.tx != nil && e.tx.Charged
	v.Refused = e.grant != nil && e.grant.Suspended
	if !e.offered.IsZero() {
		v.Offered = s.now.Sub(e.offered)
	}
	return v
}

// factsOf gathers what the start and stop points depend on.
func (s *Station) factsOf(e *evse) transaction.Facts {
	f := transaction.Facts{Bay: e.bay, Authorized: e.grant != nil && e.grant.ValidAt(e.cfg.ID)}
	if e.active >= 0 {
		f.Connected = e.conns[e.active].car
	}
	f.Energy = e.state == term.ChargingCharging
	return f
}

// progress brings an EVSE's transaction up to what is true now: it begins, goes on with an update, or ends.
// trigger is what happened; "" if it only matters should the charging state have changed.
func (s *Station) progress(e *evse, trigger term.TriggerReason) {
	if !e.resume.IsZero() {
		s.tryResume(e)
		return
	}
	before := e.facts
	oldState := e.state
	e.state = s.view(e).ChargingState()
	s.countEnergy(e)
	e.facts = s.factsOf(e)
	e.spent &= e.facts.Points()
	s.markReady(e)
	if e.tx == nil {
		s.tryStart(e, trigger)
		return
	}
	if e.tx.Ending != nil {
		return
	}
	if trigger == "" && e.state != oldState {
		trigger = term.TriggerChargingStateChanged
	}
	if s.settings.stop.Stops(before, e.facts) || before.Alive() && !e.facts.Alive() {
		s.endBy(e, trigger)
		return
	}
	if trigger != "" {
		s.update(e, trigger)
	}
}

// countEnergy keeps the time in which energy flowed.
func (s *Station) countEnergy(e *evse) {
	flows := e.state == term.ChargingCharging
	switch {
	case flows && e.energy.IsZero():
		e.energy = s.now
		if e.tx != nil {
			e.tx.Charged = true
		}
	case !flows && !e.energy.IsZero():
		if e.tx != nil {
			e.tx.Charging += s.now.Sub(e.energy)
		}
		e.energy = time.Time{}
	}
}

// chargingTime is the time in which energy flowed in the running transaction.
func (s *Station) chargingTime(e *evse) time.Duration {
	d := e.tx.Charging
	if !e.energy.IsZero() {
		d += s.now.Sub(e.energy)
	}
	return d
}

// operative reports whether a new session may begin on an EVSE.
func (s *Station) operative(e *evse) bool {
	return !s.inoperative && !e.inoperative && e.reset.IsZero() && s.storage == "" && !s.closing() &&
		e.cfg.Refused == "" && !e.stopping() && !s.faults.stopping() && slices.ContainsFunc(e.conns, func(c connector) bool { return !c.inoperative })
}

// operativeAt reports the same for one connector.
func (s *Station) operativeAt(e *evse, c *connector) bool {
	return s.operative(e) && !c.inoperative && !c.faults.stopping()
}

// evseTimers runs what is due at an EVSE.
func (s *Station) evseTimers(e *evse) {
	if s.due(e.reset) {
		e.reset = time.Time{}
		s.progress(e, "")
	}
	if s.due(e.resume) {
		s.endResumed(e)
	}
	if s.due(e.ending) && s.signedOff(e) {
		s.tellEnd(e)
	}
	s.tryEnd(e) // whatever this step has changed
	if s.due(s.connectionDeadline(e)) {
		s.connectionTimeout(e)
	}
	if s.due(s.graceDeadline(e)) {
		s.progress(e, "")
	}
	s.sampleTimer(e)
}

// graceDeadline is when a car that was offered energy and does not ask is called SuspendedEV.
func (s *Station) graceDeadline(e *evse) time.Time {
	if e.tx == nil || e.state != term.ChargingEVConnected && e.state != term.ChargingSuspendedEVSE || e.offered.IsZero() || e.grant == nil || e.tx.Ending != nil || !e.resume.IsZero() {
		return time.Time{}
	}
	v := s.view(e)
	if v.Pilot.Ready() || !v.Allowed || v.Closed {
		return time.Time{}
	}
	return e.offered.Add(transaction.SuspendGrace)
}

// connectionDeadline is when an authorization ends for which no car was plugged in (EVConnectionTimeOut, E03.FR.05).
func (s *Station) connectionDeadline(e *evse) time.Time {
	if e.grant == nil || e.facts.Connected || !e.resume.IsZero() || e.tx != nil && e.tx.Ending != nil {
		return time.Time{}
	}
	if e.evLeft && e.active >= 0 && e.conns[e.active].detachable() {
		return time.Time{} // E10.FR.01: the cable stays locked until its driver comes; only a fixed one times out
	}
	return e.granted.Add(s.settings.connectionTimeout)
}

func (s *Station) evseDeadline(e *evse) time.Time {
	d := earliest(e.reset, e.resume)
	d = earliest(d, e.ending)
	d = earliest(d, e.signing.again)
	d = earliest(d, s.closingDeadline(e))
	d = earliest(d, s.connectionDeadline(e))
	d = earliest(d, s.graceDeadline(e))
	for i := range e.conns {
		d = earliest(d, s.statusDeadline(&e.conns[i].status))
	}
	return earliest(d, s.sampleDeadline(e))
}

// closingDeadline is when a contactor that was being closed while the transaction ended must have said so.
func (s *Station) closingDeadline(e *evse) time.Time {
	if e.tx == nil || e.tx.Ending == nil || e.closed() || !s.mayStillClose(e) {
		return time.Time{}
	}
	return e.cut.Add(closingTime)
}

// power is the power that flows to the car, as last measured; 0 while the contactor is open.
func (e *evse) power() unit.Power {
	if !e.closed() || !e.read {
		return 0
	}
	return e.reading.Power
}
