package station

import (
	"slices"
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

// meterFaults are those of the meter: it belongs to the EVSE, whoever of guard and station misses it first.
const meterFaults faultSet = 1 << term.FaultMeter

// meterSeen are the faults of an EVSE, with what the guards of its connectors miss of its meter.
func (e *evse) meterSeen() faultSet {
	now := e.faults
	for i := range e.conns {
		now |= e.conns[i].faults & meterFaults
	}
	return now
}

// toldBefore stands in a set of told faults for those that were told before a restart, whatever they were.
const toldBefore faultSet = 1 << 31

const _ = uint(30 - term.FaultStorage) // no fault is it

// problems goes through the components that may have a problem.
func (s *Station) problems(each func(c model.Component, now faultSet, told *faultSet, t *trouble, info string)) {
	each(model.Component{Name: "ChargingStation"}, s.faults&^untoldFaults, &s.toldFaults, &s.trouble, s.trouble.text(s.faults&^untoldFaults, s.storage))
	for i := range s.evses {
		e := &s.evses[i]
		now := e.meterSeen()
		each(model.Component{Name: "EVSE", EVSE: e.cfg.ID}, now, &e.toldFaults, &e.trouble, e.trouble.text(now, ""))
		for j := range e.conns {
			c := &e.conns[j]
			at := model.Component{EVSE: c.ref.EVSE, Connector: c.ref.Connector}
			if !c.cfg.Tethered { // a fixed cable has no lock
				at.Name = "ConnectorPlugRetentionLock"
				each(at, c.faults&lockFaults, &c.toldLock, &c.lock, c.trouble.text(c.faults&lockFaults, ""))
			}
			at.Name = "Connector"
			each(at, c.faults&^meterFaults, &c.toldFaults, &c.trouble, c.trouble.text(c.faults&^meterFaults, ""))
		}
	}
}

// tellProblems tells the CSMS what is wrong with which component, and when it is right again: a status says that a
// connector is Faulted, this says why. Only the newest word about a component matters, and it is told while online. Which
// components have a problem as far as the CSMS knows is kept over restarts.
func (s *Station) tellProblems() {
	if !s.online() || s.now.Sub(s.started) < pilotPatience {
		return
	}
	changed := false
	s.problems(func(c model.Component, now faultSet, told *faultSet, t *trouble, info string) {
		if now != *told || now != 0 && info != "" && info != t.told {
			*told, t.told, changed = now, info, true
			s.tellProblem(c, now, info)
		}
	})
	if changed {
		s.keepProblems()
	}
}

func (s *Station) tellProblem(c model.Component, now faultSet, info string) {
	var words []string
	for _, f := range now.list() {
		words = append(words, f.String())
	}
	s.report(Latest, "problem/"+c.String(), NotifyEvent{EventID: s.nextEvent(), At: s.wall(), Component: c, Problem: now != 0,
		Code: strings.Join(words, ","), Info: info})
}

// keepProblems records the components that have a problem as far as the CSMS was told. It owes no sync.
func (s *Station) keepProblems() {
	var names []string
	s.problems(func(c model.Component, _ faultSet, told *faultSet, _ *trouble, _ string) {
		if *told != 0 {
			names = append(names, c.String())
		}
	})
	if kept := strings.Join(names, ","); kept != s.problemsKept {
		s.problemsKept = kept
		var value []byte
		if kept != "" {
			value = []byte(kept)
		}
		s.record(BucketMeta, metaProblems, value)
	}
}

// restoreProblems notes what the CSMS was told before the restart.
func (s *Station) restoreProblems(kept string) {
	s.problemsKept = kept
	names := strings.Split(kept, ",")
	s.problems(func(c model.Component, _ faultSet, told *faultSet, _ *trouble, _ string) {
		if slices.Contains(names, c.String()) {
			*told = toldBefore
		}
	})
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
	s.problems(func(_ model.Component, now faultSet, told *faultSet, _ *trouble, _ string) { *told &^= now })
}
