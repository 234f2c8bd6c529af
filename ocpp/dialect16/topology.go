package dialect16

import (
	"math"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// ConnectorNumber is a connectorId of 1.6: the connectors of the whole station are counted through from 1, EVSE by EVSE
// and connector by connector; 0 is the station (1.6, 3.8). With one connector to an EVSE it is the id of the EVSE.
type ConnectorNumber int

// topology is which connector has which number.
type topology []term.Ref

func newTopology(evses []station.EVSE) topology {
	var t topology
	for _, e := range evses {
		for _, c := range e.Connectors {
			t = append(t, term.Ref{EVSE: e.ID, Connector: c.ID})
		}
	}
	return t
}

// nowhere names no part of any station: the core refuses what is asked of it in the words of the request.
var nowhere = term.Ref{EVSE: math.MaxInt32, Connector: 1}

// ref returns the place of a number; nowhere if no connector has it.
func (t topology) ref(n int) term.Ref {
	switch {
	case n == 0:
		return term.Ref{}
	case n < 0 || n > len(t):
		return nowhere
	}
	return t[n-1]
}

// connector returns the place of the number of a connector; 0 is nowhere too.
func (t topology) connector(n int) term.Ref {
	if n == 0 {
		return nowhere
	}
	return t.ref(n)
}

// number returns the number of a place. An EVSE as a whole has the number of its first connector.
func (t topology) number(r term.Ref) ConnectorNumber {
	for i, c := range t {
		if c.EVSE == r.EVSE && (c.Connector == r.Connector || r.Connector == 0) {
			return ConnectorNumber(i + 1)
		}
	}
	return 0
}

// alone reports whether an EVSE has but one connector, so that it names one.
func (t topology) alone(evse term.EVSEID) bool {
	n := 0
	for _, c := range t {
		if c.EVSE == evse {
			n++
		}
	}
	return n == 1
}
