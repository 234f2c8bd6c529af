package station

import (
	"strconv"
	"strings"

	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/term"
)

// lockFaults are those of the component ConnectorPlugRetentionLock (G05.FR.02); untold ones leave no time to be told.
const (
	lockFaults   faultSet = 1 << term.FaultConnectorLock
	untoldFaults faultSet = 1 << term.FaultPowerLoss
)

// tellProblems tells the CSMS what is wrong with which component, and when it is right again: a status says that a
// connector is Faulted, this says why. Only the newest word about a component matters, and it is told while online.
func (s *Station) tellProblems() {
	if !s.online() {
		return
	}
	s.tellProblem(model.Component{Name: "ChargingStation"}, s.faults&^untoldFaults, &s.toldFaults, s.storage)
	for i := range s.evses {
		e := &s.evses[i]
		s.tellProblem(model.Component{Name: "EVSE", EVSE: e.cfg.ID}, e.faults, &e.toldFaults, "")
		for j := range e.conns {
			c := &e.conns[j]
			if !c.cfg.Tethered { // a fixed cable has no lock
				s.tellProblem(model.Component{Name: "ConnectorPlugRetentionLock", EVSE: c.ref.EVSE, Connector: c.ref.Connector}, c.faults&lockFaults, &c.toldLock, "")
			}
			s.tellProblem(model.Component{Name: "Connector", EVSE: c.ref.EVSE, Connector: c.ref.Connector}, c.faults, &c.toldFaults, "")
		}
	}
}

// tellProblem tells the faults of a component, if they are others than were told.
func (s *Station) tellProblem(c model.Component, now faultSet, told *faultSet, info string) {
	if now == *told {
		return
	}
	*told = now
	var words []string
	for _, f := range now.list() {
		words = append(words, f.String())
	}
	s.report(Latest, "problem/"+c.String(), NotifyEvent{EventID: s.nextEvent(), At: s.wall(), Component: c, Problem: now != 0,
		Code: strings.Join(words, ","), Info: info})
}

// eventsAhead is how many event ids one record reserves, at the start and when they are used up: telling a problem then waits
// for no flash, which may be the problem. A restart skips the rest. A CSMS may refuse an id that it has seen.
const eventsAhead = 256

// maxEvents is the greatest count that is believed; it leaves room below the greatest integer of OCPP.
const maxEvents = 1 << 30

func (s *Station) reserveEvents() {
	s.eventsKept = s.events + eventsAhead
	s.record(BucketMeta, metaEvents, strconv.AppendInt(nil, int64(s.eventsKept), 10))
}

// nextEvent returns an id that is greater than all before it.
func (s *Station) nextEvent() int {
	if s.events == s.eventsKept {
		s.reserveEvents()
		s.out.MustSync = true
	}
	s.events++
	return s.events
}

// forgetProblems has every problem told again that is there; what has gone meanwhile is told anyway.
func (s *Station) forgetProblems() {
	s.toldFaults &^= s.faults
	for i := range s.evses {
		e := &s.evses[i]
		e.toldFaults &^= e.faults
		for j := range e.conns {
			c := &e.conns[j]
			c.toldFaults &^= c.faults
			c.toldLock &^= c.faults
		}
	}
}
