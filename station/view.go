package station

import (
	"github.com/evsed/evsed/station/term"
)

// ConnectorView is everything that the word of any generation of OCPP for the state of a connector is a function of: 2.x
// has five words, 1.6 nine, 1.5 five others. The zero view is of nothing that anybody knows. Views compare with ==.
//
// The station as a whole has one too, at Ref {0,0}: 1.x tells it as connector 0. It is Available, Unavailable or Faulted
// whatever its connectors are.
type ConnectorView struct {
	Status ConnectorStatus // the word of 2.x

	// Wanted: somebody has begun to use the connector and no transaction runs yet. A token or a remote start waits here
	// for its car, or a car stands in the bay that is reserved for nobody. A plug is told by Status, which is Occupied then.
	Wanted bool

	// Transaction: a transaction runs here that somebody was authorized for. Before the authorization there may be one
	// too, in which the driver has no part yet (TxStartPoint).
	Transaction bool
	State       term.ChargingState // of the Transaction; "" without one
	Offered     bool               // it is allowed energy: of at least 6 A

	// Begun: the first offer of the Transaction is over. The car has taken it, or has let it pass, or it was withdrawn.
	Begun bool

	// Over: the transaction has stopped, and car, cable or bay are not free yet.
	Over bool

	// Unplugged: the cable was pulled out at the car, while the Transaction goes on or after it was Over by that.
	Unplugged bool

	Faults       FaultSet // that concern the connector: its own, those of its EVSE, and what stops the whole station
	ListConflict bool     // of the station: the CSMS contradicts its local list
	ResetFailed  bool     // of the station: the last reset did not happen
}

// FaultSet is a set of faults.
type FaultSet uint32

// Faults returns the set of fs.
func Faults(fs ...term.Fault) FaultSet {
	var s faultSet
	for _, f := range fs {
		s.set(f, true)
	}
	return FaultSet(s)
}

// Has reports whether f is in the set.
func (s FaultSet) Has(f term.Fault) bool { return faultSet(s).has(f) }

// List returns the faults in the order of their declaration.
func (s FaultSet) List() []term.Fault { return faultSet(s).list() }

// connectorView gathers what is true of a connector now. Pure: the same state gives the same view.
func (s *Station) connectorView(e *evse, c *connector) ConnectorView {
	v := ConnectorView{Status: s.statusOf(e, c), Faults: FaultSet(c.faults | e.faults | s.faults.stoppers()),
		Over: c.over != "", Unplugged: c.over == term.StopEVDisconnected}
	switch {
	case s.carries(e, c):
		s.viewTransaction(e, c, &v)
	case e.active < 0 || e.is(c): // else the session is at another connector of the EVSE
		v.Wanted = e.grant != nil && e.grant.For(c.ref.Connector) || e.bay && v.Status != StatusReserved
	}
	return v
}

// carries reports whether the running transaction of e is at c: by its car, or as it was recorded before a restart.
func (s *Station) carries(e *evse, c *connector) bool {
	return e.tx != nil && (e.is(c) || e.active < 0 && e.tx.Ref.Connector == c.ref.Connector)
}

func (s *Station) viewTransaction(e *evse, c *connector, v *ConnectorView) {
	tx := e.tx
	switch {
	case tx.Owner.IsZero(): // nobody's yet
		v.Wanted = e.bay && v.Status != StatusReserved
	case tx.Ending != nil:
		v.Over, v.Unplugged = true, tx.Ending.Reason == term.StopEVDisconnected
	default:
		want := s.wantPermit(e, c)
		v.Transaction, v.State, v.Begun = true, e.state, e.begun || tx.Charged
		v.Offered = want.Close && want.Max >= MinOffer
		v.Unplugged = tx.PlugTold && e.state == term.ChargingIdle
		if !e.resume.IsZero() { // behind a power cut nothing is offered until plug and meter are known
			v.State, v.Offered = term.ChargingSuspendedEVSE, false
		}
	}
}

// stationView is the view of the station as a whole.
func (s *Station) stationView() ConnectorView {
	v := ConnectorView{Status: StatusAvailable, Faults: FaultSet(s.faults), ListConflict: s.listConflict, ResetFailed: s.resetFailed}
	switch {
	case s.faults.stopping():
		v.Status = StatusFaulted
	case s.inoperative || s.storage != "" || s.closing():
		v.Status = StatusUnavailable
	}
	return v
}

// settleView keeps what a view remembers: that a session is over, until its traces are gone or somebody begins a new one; and
// that the first offer of the running one is.
func (s *Station) settleView(e *evse, c *connector) {
	if e.tx == nil {
		e.begun = false
	} else if s.carries(e, c) && !e.begun {
		var v ConnectorView
		s.viewTransaction(e, c, &v)
		e.begun = v.Transaction && (v.Unplugged || v.State != term.ChargingIdle && (v.State != term.ChargingEVConnected || !v.Offered))
	}
	if c.over != "" && (e.grant != nil && (e.active < 0 || e.is(c)) || !s.inUse(e, c) && !e.bay) {
		c.over = ""
	}
}

// stoppers returns the faults of s that let no energy flow.
func (s faultSet) stoppers() faultSet {
	var l faultSet
	for f := term.FaultNone; f <= term.FaultStorage; f++ {
		if s.has(f) && f.StopsCharging() {
			l.set(f, true)
		}
	}
	return l
}
