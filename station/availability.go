package station

import (
	"encoding/json"
	"fmt"

	"github.com/evsed/evsed/station/term"
)

// availability is what ChangeAvailability made of the station, an EVSE or a connector. Each level keeps its own, so
// that an upper one gives back what was below it (G03.FR.07, G04.FR.08).
type availability struct {
	inoperative bool
	scheduled   change // waits for a transaction to end
}

// change is a scheduled change of availability.
type change uint8

const (
	changeNone change = iota
	changeOperative
	changeInoperative
)

// availabilityRecord is the record of one level; operative levels without a plan have none.
type availabilityRecord struct {
	Inoperative bool   `json:"inoperative,omitempty"`
	Scheduled   change `json:"scheduled,omitempty"`
}

// changeAvailability (G03, G04).
func (s *Station) changeAvailability(r ChangeAvailability) Status {
	a, busy := s.levelOf(r.Ref)
	if a == nil {
		if s.evse(r.Ref.EVSE) == nil {
			return rejected("UnknownEvse", "")
		}
		return rejected("UnknownConnectorId", "")
	}
	if r.Deep && r.Operative {
		s.openBelow(r.Ref)
	}
	if a.inoperative == !r.Operative { // G03.FR.03, G04.FR.04; a change that waited is off
		if a.scheduled != changeNone {
			a.scheduled = changeNone
			s.saveAvailability(r.Ref, a)
		}
		return accepted()
	}
	if busy && !r.Operative { // G03.FR.05, G04.FR.06
		a.scheduled = changeInoperative
		s.saveAvailability(r.Ref, a)
		return Status{Status: "Scheduled", Reason: "TxInProgress"}
	}
	a.inoperative, a.scheduled = !r.Operative, changeNone
	s.saveAvailability(r.Ref, a)
	s.dropUnstarted()
	s.unblock()
	return accepted()
}

// openBelow makes everything below a level operative.
func (s *Station) openBelow(r term.Ref) {
	for i := range s.evses {
		e := &s.evses[i]
		if r.EVSE != 0 && r.EVSE != e.cfg.ID || r.Connector != 0 {
			continue
		}
		s.openLevel(term.Ref{EVSE: e.cfg.ID})
		for j := range e.conns {
			s.openLevel(e.conns[j].ref)
		}
	}
	s.unblock()
}

func (s *Station) openLevel(r term.Ref) {
	if a, _ := s.levelOf(r); *a != (availability{}) {
		*a = availability{}
		s.saveAvailability(r, a)
	}
}

// levelOf returns the level that a Ref names, and whether a transaction runs below it.
func (s *Station) levelOf(r term.Ref) (a *availability, busy bool) {
	if r.EVSE == 0 {
		for i := range s.evses {
			busy = busy || s.evses[i].tx != nil
		}
		return &s.availability, busy || len(s.queue) > 0
	}
	e := s.evse(r.EVSE)
	if e == nil {
		return nil, false
	}
	if r.Connector == 0 {
		return &e.availability, e.tx != nil
	}
	if _, c := s.connector(r); c != nil {
		return &c.availability, e.tx != nil && (e.is(c) || e.tx.Ref.Connector == r.Connector)
	}
	return nil, false
}

func (s *Station) saveAvailability(r term.Ref, a *availability) {
	var v []byte
	if a.inoperative || a.scheduled != changeNone {
		v = appendJSON(nil, availabilityRecord{a.inoperative, a.scheduled})
	}
	s.record(BucketEVSE, r.String(), v)
	s.out.MustSync = true
}

func (s *Station) restoreAvailability(key string, value []byte) error {
	var r term.Ref
	if n, err := fmt.Sscanf(key, "%d.%d", &r.EVSE, &r.Connector); n == 0 {
		return fmt.Errorf("availability key %q: %w", key, err)
	}
	var rec availabilityRecord
	if err := json.Unmarshal(value, &rec); err != nil {
		return fmt.Errorf("availability of %s: %w", key, err)
	}
	a, _ := s.levelOf(r)
	if a == nil {
		return nil // the topology lost this connector
	}
	a.inoperative, a.scheduled = rec.Inoperative, rec.Scheduled
	return nil
}

// applyScheduled carries out changes that waited for a transaction.
func (s *Station) applyScheduled() {
	s.applyAt(term.Ref{})
	for i := range s.evses {
		e := &s.evses[i]
		s.applyAt(term.Ref{EVSE: e.cfg.ID})
		for j := range e.conns {
			s.applyAt(e.conns[j].ref)
		}
	}
	s.dropUnstarted()
}

func (s *Station) applyAt(r term.Ref) {
	a, busy := s.levelOf(r)
	if a.scheduled == changeNone || busy {
		return
	}
	a.inoperative, a.scheduled = a.scheduled == changeInoperative, changeNone
	s.saveAvailability(r, a)
}

// unblock lets cars that were plugged in while the EVSE was out of service begin now.
func (s *Station) unblock() {
	for i := range s.evses {
		if e := &s.evses[i]; e.tx == nil && e.facts.Connected {
			s.progress(e, term.TriggerCablePluggedIn)
		}
	}
}

// dropUnstarted forgets authorizations that no transaction has used where none can begin any more: a driver who comes
// back to a repaired station shows the card again.
func (s *Station) dropUnstarted() {
	for i := range s.evses {
		e := &s.evses[i]
		if e.tx != nil || e.grant == nil || e.grant.Token.Type == term.TokenNoAuthorization {
			continue
		}
		if !s.operative(e) || e.active >= 0 && !s.operativeAt(e, &e.conns[e.active]) {
			s.withdraw(e, cause{trigger: term.TriggerStopAuthorized, reason: term.StopOther})
		}
	}
}
