package main

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"syscall"
	"time"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
	"github.com/evsed/evsed/storage/faultfs"
)

// troubles lets one kind of trouble after the other come.
func (s *sim) troubles() {
	var mine []func()
	for _, t := range []struct {
		k  kind
		do func()
	}{
		{kindCut, s.cutNetwork}, {kindHole, s.digHole}, {kindMute, s.muteCSMS}, {kindErrors, s.sour}, {kindPending, s.unregister}, {kindClock, s.moveClock},
		{kindPower, s.breakPower}, {kindFlash, s.breakFlash}, {kindKill, s.breakProcess}, {kindBoard, s.breakBoard}, {kindBoard, s.breakBoard},
		{kindAdmin, s.administer}, {kindAdmin, s.administer}, {kindAdmin, s.administer}, {kindSlow, s.slowDown}, {kindCars, s.changeMind}, {kindLie, s.lie},
	} {
		if s.plan.kinds&t.k != 0 {
			mine = append(mine, t.do)
		}
	}
	if len(mine) == 0 {
		return
	}
	var next func()
	next = func() {
		after := time.Duration(math.Min(s.rng.ExpFloat64()*float64(s.plan.trouble), float64(30*day)))
		s.later(after, func() {
			if !s.calm {
				s.count.faults++
				mine[s.rng.IntN(len(mine))]()
			}
			next()
		})
	}
	next()
}

// awhile is how long a trouble lasts: mostly short, sometimes long.
func (s *sim) awhile() time.Duration {
	return pick(s, s.between(time.Second, time.Minute), s.between(time.Second, 10*time.Minute), s.between(time.Minute, 2*time.Hour), s.between(time.Hour, 20*time.Hour))
}

func (s *sim) cutNetwork() {
	s.trace.say(s.since(), "network down")
	s.wire.down = true
	if s.alive {
		s.wire.hangUp("network down")
	}
	s.later(s.awhile(), func() { s.trace.say(s.since(), "network up"); s.wire.down = false })
}

func (s *sim) digHole() {
	s.trace.say(s.since(), "black hole")
	s.wire.hole, s.wire.down = true, true
	if s.alive && s.wire.open != 0 {
		s.wire.vanished()
	}
	s.later(s.awhile(), func() {
		s.trace.say(s.since(), "hole filled")
		s.wire.hole, s.wire.down, s.wire.since = false, false, s.now
	})
}

func (s *sim) muteCSMS() {
	s.trace.say(s.since(), "CSMS mute")
	s.csms.mute = true
	s.later(s.awhile(), func() { s.trace.say(s.since(), "CSMS speaks"); s.csms.mute, s.wire.since = false, s.now })
}

func (s *sim) sour() {
	s.trace.say(s.since(), "CSMS moody")
	s.csms.moody = true
	s.later(s.awhile(), func() {
		s.trace.say(s.since(), "CSMS friendly")
		s.csms.moody, s.wire.since = false, s.now.Add(2*time.Hour)
	})
}

// unregister lets the CSMS forget the station, and accept it again only later.
func (s *sim) unregister() {
	s.trace.say(s.since(), "CSMS forgets")
	s.csms.registered = ""
	s.csms.unwilling = s.chance(2)
	s.later(s.between(time.Second, time.Hour), func() { s.trace.say(s.since(), "CSMS willing"); s.csms.unwilling = false })
}

// moveClock sets the station's clock wrong, or that of the CSMS.
func (s *sim) moveClock() {
	off := pick(s, s.between(-time.Hour, time.Hour), s.between(-time.Minute, time.Minute), -3650*day, 3650*day, time.Hour, -time.Hour)
	s.trace.say(s.since(), "clock %v", off)
	if s.chance(2) {
		s.csms.offset = off
		s.later(s.awhile(), func() { s.csms.offset = 0 })
		return
	}
	s.post(station.ClockSet{Wall: s.wall().Add(off), Source: "Manual"})
	s.later(s.awhile(), func() { s.post(station.ClockSet{Wall: s.wall(), Source: "Manual"}) })
}

// breakPower cuts the mains: at once, after a warning, or in the middle of one of the next writes.
func (s *sim) breakPower() {
	switch s.rng.IntN(4) {
	case 0:
		if s.powered {
			s.cutPower()
		}
	case 1:
		s.check.causeAt(0)
		s.post(station.PowerFailing{})
		if s.chance(3) { // the mains come back before the buffer is empty
			s.in(s.between(100*time.Millisecond, 2*time.Second), func() { s.post(station.FaultChanged{Fault: term.FaultPowerLoss}) })
			return
		}
		s.in(s.between(100*time.Millisecond, 2*time.Second), s.cutPower)
	default:
		s.planWriteCut()
	}
}

// planCut lets the power go again soon after a boot now and then.
func (s *sim) planCut() {
	if s.plan.kinds&kindPower != 0 && !s.calm && s.chance(6) {
		s.planWriteCut()
	}
}

func (s *sim) planWriteCut() {
	if s.alive {
		s.files.Plan(s.files.Calls()+1+s.rng.IntN(80), faultfs.Cut, nil)
	}
}

// breakFlash lets the device fail: for a while, or in one call.
func (s *sim) breakFlash() {
	err := pick[error](s, syscall.EIO, syscall.ENOSPC, syscall.EROFS)
	s.trace.say(s.since(), "flash %v", err)
	if s.chance(2) {
		kind := pick(s, faultfs.Fail, faultfs.Short, faultfs.Torn)
		s.files.Plan(s.files.Calls()+1+s.rng.IntN(30), kind, err)
		return
	}
	s.flash(err)
	s.later(s.awhile()/4+time.Second, func() { s.flash(nil) })
}

// lie lets the device acknowledge a write that it loses, tears or does too late; a power cut brings that to light.
func (s *sim) lie() {
	if !s.alive {
		return
	}
	s.trace.say(s.since(), "flash lies")
	s.check.lie = true
	s.files.Plan(s.files.Calls()+1+s.rng.IntN(20), pick(s, faultfs.Lost, faultfs.Torn, faultfs.Late), nil)
	s.in(s.between(time.Second, time.Hour), s.cutPower)
}

func (s *sim) flash(err error) {
	s.trace.say(s.since(), "flash always %v", err)
	s.flashErr = err
	s.files.Always(err)
}

func (s *sim) breakProcess() {
	if s.chance(3) {
		s.restartGuard()
		return
	}
	s.kill(s.between(300*time.Millisecond, 4*time.Second))
}

// slowDown lets the device take its time.
func (s *sim) slowDown() {
	if !s.alive {
		return
	}
	s.slow = pick(s, 50*time.Millisecond, time.Second, 5*time.Second)
	s.trace.say(s.since(), "slow %v", s.slow)
	s.in(s.awhile(), func() { s.trace.say(s.since(), "fast"); s.slow = 0 })
}

// evseFaults are the troubles of a board; those that are latched want a fitter.
var evseFaults = []term.Fault{term.FaultGround, term.FaultOverCurrent, term.FaultOverVoltage, term.FaultUnderVoltage, term.FaultHighTemperature,
	term.FaultConnectorLock, term.FaultContactor, term.FaultPilot, term.FaultDiode, term.FaultProximity, term.FaultMeter, term.FaultEmergencyStop,
	term.FaultCableTemperature, term.FaultEVCommunication, term.FaultPowerSwitch, term.FaultOther}

var stationFaults = []term.Fault{term.FaultReader, term.FaultInternal, term.FaultWeakSignal, term.FaultTamper, term.FaultEmergencyStop}

func (s *sim) breakBoard() {
	ref := pick(s, s.connectors()...)
	f := pick(s, evseFaults...)
	if s.chance(6) {
		ref, f = term.Ref{}, pick(s, stationFaults...)
	} else if s.chance(4) {
		ref.Connector = 0
	}
	s.fault(ref, f, true)
	s.later(pick(s, s.between(time.Second, time.Minute), s.between(time.Minute, 3*time.Hour)), func() {
		s.fault(ref, f, false)
		s.later(s.between(time.Minute, time.Hour), s.service)
	})
}

func (s *sim) fault(ref term.Ref, f term.Fault, on bool) {
	err := s.world.SetFault(halsim.FaultOptions{Ref: ref, Code: f, Active: on})
	if err != nil && !errors.Is(err, halsim.ErrImpossible) {
		s.broken("I0", "fault %v at %v: %v", f, ref, err)
	}
	if ref.EVSE == 0 {
		s.post(station.FaultChanged{Fault: f, Active: on})
	}
	s.watch()
}

// service is a fitter's visit.
func (s *sim) service() {
	if s.alive {
		s.pipe.Service(term.Ref{})
		s.watch()
	}
}

// changeMind lets the CSMS think otherwise of a card.
func (s *sim) changeMind() {
	v := pick(s, "Accepted", "Blocked", "Invalid", "Expired")
	s.trace.say(s.since(), "FICKLE is %s", v)
	s.csms.verdicts["FICKLE"] = v
}

// administer lets the CSMS ask for something.
func (s *sim) administer() {
	c := s.csms
	ref := pick(s, s.connectors()...)
	switch s.rng.IntN(9) {
	case 0, 1:
		c.remoteStart(ref.EVSE)
	case 2:
		c.remoteStop()
	case 3:
		s.check.causeAt(0)
		kind := pick(s, "Immediate", "OnIdle")
		evse := ""
		if s.chance(3) {
			evse = fmt.Sprintf(`,"evseId":%d`, ref.EVSE)
		}
		c.ask("Reset", fmt.Sprintf(`{"type":%q%s}`, kind, evse), func(string, *rpc.Frame) { s.check.causeAt(0) })
	case 4:
		c.outOfService(ref)
	case 5:
		c.unlock(ref)
	case 6:
		c.ask("TriggerMessage", fmt.Sprintf(`{"requestedMessage":%q}`, pick(s, "StatusNotification", "MeterValues", "TransactionEvent", "Heartbeat", "BootNotification")),
			func(string, *rpc.Frame) {})
	case 7:
		c.ask("GetBaseReport", fmt.Sprintf(`{"requestId":%d,"reportBase":"FullInventory"}`, s.rng.IntN(1000)), func(string, *rpc.Frame) {})
	case 8:
		c.ask("SetNetworkProfile", `{"configurationSlot":1,"connectionData":{"ocppVersion":"OCPP20","ocppTransport":"JSON","ocppCsmsUrl":"ws://elsewhere.example","messageTimeout":30,"securityProfile":0,"ocppInterface":"Any"}}`,
			func(status string, _ *rpc.Frame) {
				if status == "Accepted" {
					s.broken("I9", "a network profile with a lower security profile was accepted")
				}
			})
	}
}

func (c *csms) remoteStart(e term.EVSEID) {
	id := c.calls + 1000
	who := pick(c.s, "ALICE", "BOB", "FICKLE", "BLOCKED")
	payload := fmt.Sprintf(`{"evseId":%d,"remoteStartId":%d,"idToken":{"idToken":%q,"type":"ISO14443"}}`, e, id, who)
	if c.ask("RequestStartTransaction", payload, func(status string, _ *rpc.Frame) {
		if status == "Rejected" {
			c.s.check.rejects[id] = true
		}
	}) {
		c.s.present(who, []term.EVSEID{e}, true)
	}
}

func (c *csms) remoteStop() {
	if len(c.books.order) == 0 {
		return
	}
	a := c.books.open[pick(c.s, c.books.order...)]
	c.s.check.causeAt(term.EVSEID(a.evse))
	c.ask("RequestStopTransaction", `{"transactionId":`+strconv.Quote(a.id)+`}`, func(status string, _ *rpc.Frame) {
		if status == "Accepted" && a.evse != 0 && c.books.open[a.id] == a {
			c.s.check.withdrawn(term.EVSEID(a.evse), "the CSMS has stopped "+a.id)
		}
	})
}

func (c *csms) unlock(ref term.Ref) {
	c.s.check.causeAt(ref.EVSE)
	c.ask("UnlockConnector", fmt.Sprintf(`{"evseId":%d,"connectorId":%d}`, ref.EVSE, ref.Connector), func(string, *rpc.Frame) {})
}

// outOfService takes a connector, an EVSE or the station out of service, and gives it back later.
func (c *csms) outOfService(ref term.Ref) {
	level := c.s.rng.IntN(3)
	switch level {
	case 0:
		ref = term.Ref{}
	case 1:
		ref.Connector = 0
	}
	c.s.check.causeAt(0)
	c.availability(ref, false)
	c.s.later(c.s.awhile(), func() { c.inService(ref) })
}

// inService asks until it is granted.
func (c *csms) inService(ref term.Ref) {
	if !c.availability(ref, true) {
		c.s.later(time.Minute, func() { c.inService(ref) })
	}
}

// availability sends a ChangeAvailability. What is given back counts from the question on, what is taken from the answer on.
func (c *csms) availability(ref term.Ref, operative bool) bool {
	evse := ""
	if ref.EVSE != 0 {
		evse = fmt.Sprintf(`,"evse":{"id":%d}`, ref.EVSE)
	}
	if ref.Connector != 0 {
		evse = fmt.Sprintf(`,"evse":{"id":%d,"connectorId":%d}`, ref.EVSE, ref.Connector)
	}
	word := "Inoperative"
	if operative {
		word = "Operative"
	}
	granted := false
	c.s.csms.reservations.spoil(ref.EVSE)
	asked := c.ask("ChangeAvailability", fmt.Sprintf(`{"operationalStatus":%q%s}`, word, evse), func(status string, _ *rpc.Frame) {
		granted = status == "Accepted"
		if granted && !operative {
			c.s.check.outOfService(ref, true)
		}
	})
	if asked && operative {
		c.s.check.outOfService(ref, false)
		c.s.later(4*time.Minute, func() { // the question or its answer may have been lost
			if !granted {
				c.inService(ref)
			}
		})
	}
	return asked
}

// outOfService notes what may not be used (I8). One flag a level: a connector's stands for its EVSE only where that has but one.
func (c *checker) outOfService(ref term.Ref, off bool) {
	c.s.csms.reservations.spoil(ref.EVSE)
	c.unsettled()
	switch {
	case ref.EVSE == 0:
		for i := range c.evses {
			c.evses[i].off[0] = off
		}
	case ref.Connector == 0:
		c.evses[ref.EVSE].off[1] = off
	case len(c.s.plan.evses[ref.EVSE-1].Connectors) == 1:
		c.evses[ref.EVSE].off[2] = off
	}
}

// allInService gives everything back.
func (c *csms) allInService() {
	c.inService(term.Ref{})
	for i, e := range c.s.plan.evses {
		wait := time.Duration(i+1) * 3 * time.Second
		c.s.later(wait, func() { c.inService(term.Ref{EVSE: e.ID}) })
		for j, k := range e.Connectors {
			c.s.later(wait+time.Duration(j+1)*20*time.Second, func() { c.inService(term.Ref{EVSE: e.ID, Connector: k.ID}) })
		}
	}
}

// stationHealed tells the core that nothing is wrong with the station any more.
func (s *sim) stationHealed() {
	for _, f := range append([]term.Fault{term.FaultPowerLoss}, stationFaults...) {
		s.post(station.FaultChanged{Fault: f})
	}
	s.post(station.ClockSet{Wall: s.wall(), Source: "Manual"})
	s.settle()
}
