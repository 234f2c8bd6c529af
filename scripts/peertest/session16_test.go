package peertest

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"
)

// TestSessions16 is TestSessions for 1.6: what the Central System bills must be what the cars were given.
func TestSessions16(t *testing.T) {
	eachPeer(t, makers16, func(t *testing.T, p Peer) {
		s := startStation(t, p)
		s.booted16()
		s.ask("ChangeConfiguration", `{"key":"AllowOfflineTxForUnknownId","value":"true"}`)
		first, second := s.twoAtOnce16()
		s.unwelcome()
		s.offline16(first, second)
		s.killed16(first)
		s.remote16(first)
		s.books16()
		s.clean()
	})
}

// booted16: the station has told who it is and how it and its connectors are.
func (s *station) booted16() {
	s.t.Helper()
	s.sent("boot", "BootNotification", func(string) bool { return true })
	for connector := range 3 {
		s.status16(connector, "Available")
	}
}

// status16 waits for a status of a connector.
func (s *station) status16(connector int, status string) {
	s.t.Helper()
	s.sent(fmt.Sprintf("connector %d is %s", connector, status), "StatusNotification", func(p string) bool {
		var n struct {
			ConnectorID int
			Status      string
		}
		_ = json.Unmarshal([]byte(p), &n)
		return n.ConnectorID == connector && n.Status == status
	})
}

// begun16 waits for the begin of a transaction and returns the id that the Central System gives it.
func (s *station) begun16(connector int, tag string) (id int) {
	s.t.Helper()
	e, next, ok := s.peer.Journal().Await(s.place, patience, func(e Entry) bool {
		action, payload, call := e.Call()
		m := parse16(payload)
		return call && action == "StartTransaction" && m.ConnectorID == connector && m.IdTag == tag
	})
	if !ok {
		s.t.Fatalf("no StartTransaction of %s at connector %d\n%s", tag, connector, s.peer.Journal())
	}
	asked := parseFrame(e.Frame).id
	e, _, ok = s.peer.Journal().Await(next, patience, func(e Entry) bool {
		f := parseFrame(e.Frame)
		return e.Kind == Out && f.typ == 3 && f.id == asked
	})
	if !ok {
		s.t.Fatalf("the peer does not answer %s", asked)
	}
	s.place = next
	return *parse16(parseFrame(e.Frame).payload).TransactionID
}

// measured16 waits for a value with the id of a transaction.
func (s *station) measured16(what string, id int) {
	s.t.Helper()
	s.sent(fmt.Sprintf("values of transaction %d %s", id, what), "MeterValues", func(p string) bool {
		m := parse16(p)
		return m.TransactionID != nil && *m.TransactionID == id && len(m.registers()) > 0
	})
}

// ended16 waits for the end of a transaction.
func (s *station) ended16(id int, reason string) entry16 {
	s.t.Helper()
	m := parse16(s.sent(fmt.Sprintf("the end of transaction %d", id), "StopTransaction", func(p string) bool { return *parse16(p).TransactionID == id }))
	if m.Reason != reason {
		s.t.Errorf("transaction %d ended for %q, want %q", id, m.Reason, reason)
	}
	return m
}

// twoAtOnce16: on EVSE 1 the cable comes first, on EVSE 2 the card; both charge, and tell what they draw.
func (s *station) twoAtOnce16() (first, second int) {
	s.t.Helper()
	s.plug(1)
	s.status16(1, "Preparing")
	s.swipe(1, "CARD-1")
	first = s.begun16(1, "CARD-1")
	s.status16(1, "Charging")
	s.swipe(2, "CARD-2")
	s.plug(2)
	second = s.begun16(2, "CARD-2")
	s.until("both charge", func(st state) bool { return st.charges(1) && st.charges(2) })
	s.given(2, 5)
	place := s.place
	s.measured16("while both charge", first)
	s.place = place
	s.measured16("while both charge", second)
	return first, second
}

// offline16: the network is cut. EVSE 2 ends its transaction meanwhile and has another one from its begin to its end, EVSE 1
// goes on. All of it is told later, in order, and under the right ids.
func (s *station) offline16(first, second int) {
	s.t.Helper()
	s.do("/network", map[string]any{"up": false})
	s.until("offline", func(st state) bool { return !st.Station.Connected })
	s.place = s.peer.Journal().Len()
	s.stopByCard("CARD-2")
	s.plug(2)
	s.swipe(2, "CARD-3")
	s.until("EVSE 2 charges offline", func(st state) bool { return st.charges(2) })
	s.given(2, 10)
	s.stopByCard("CARD-3")
	s.until("EVSE 1 charges on", func(st state) bool { return st.charges(1) && st.Station.PendingMessages > 0 })
	s.do("/network", map[string]any{"up": true})
	s.ended16(second, "Local")
	third := s.begun16(2, "CARD-3")
	s.measured16("from offline", third)
	s.ended16(third, "Local")
	s.until("all is told", func(st state) bool { return st.Station.Connected && st.Station.PendingMessages <= 1 })
	s.place = s.peer.Journal().Len()
	s.measured16("after the cut", first)
}

// given waits until a car was given so much from now on.
func (s *station) given(evse int, wh float64) {
	s.t.Helper()
	from := s.until("it answers", func(state) bool { return true }).EVSEs[evse-1].EnergyWh
	s.until(fmt.Sprintf("EVSE %d gives %g Wh", evse, wh), func(st state) bool { return st.EVSEs[evse-1].EnergyWh >= from+wh })
}

// stopByCard ends what EVSE 2 does, and the car leaves.
func (s *station) stopByCard(card string) {
	s.t.Helper()
	s.swipe(2, card)
	s.until("EVSE 2 has stopped", func(st state) bool { return !st.EVSEs[1].Relay && !st.EVSEs[1].Connectors[0].Locked })
	s.unplug(2)
	s.until("EVSE 2 is free", func(st state) bool { return st.EVSEs[1].Transaction == "" && !st.EVSEs[1].Connectors[0].Plugged })
}

// killed16: the process is killed while EVSE 1 charges. Its transaction goes on under its id.
func (s *station) killed16(id int) {
	s.t.Helper()
	s.until("EVSE 1 charges", func(st state) bool { return st.charges(1) })
	s.place = s.peer.Journal().Len()
	s.kill()
	s.sent("boot after the kill", "BootNotification", func(string) bool { return true })
	s.until("EVSE 1 charges again", func(st state) bool {
		return st.Station.Boots == 2 && st.charges(1) && st.Station.PendingMessages <= 1
	})
	s.place = s.peer.Journal().Len()
	s.measured16("after the kill", id)
}

// remote16: the Central System stops EVSE 1 and starts EVSE 2.
func (s *station) remote16(id int) {
	s.t.Helper()
	if a := s.ask("RemoteStopTransaction", fmt.Sprintf(`{"transactionId":%d}`, id)); a.Status() != "Accepted" {
		s.t.Errorf("remote stop: %v", a)
	}
	s.ended16(id, "Remote")
	s.until("EVSE 1 is off", func(st state) bool { return !st.EVSEs[0].Relay && !st.EVSEs[0].Connectors[0].Locked })
	s.unplug(1)
	s.status16(1, "Available")

	if a := s.ask("RemoteStartTransaction", `{"connectorId":2,"idTag":"APP-1"}`); a.Status() != "Accepted" {
		s.t.Errorf("remote start: %v", a)
	}
	s.plug(2)
	id = s.begun16(2, "APP-1")
	s.until("EVSE 2 charges", func(st state) bool { return st.charges(2) })
	s.given(2, 5)
	s.measured16("started from afar", id)
	s.do("/stop", map[string]any{"evse": 2})
	s.ended16(id, "Local")
	s.until("EVSE 2 is off", func(st state) bool { return !st.EVSEs[1].Relay && !st.EVSEs[1].Connectors[0].Locked })
	s.unplug(2)
	s.status16(2, "Available")
	s.until("nothing is left to say", func(st state) bool { return st.Station.PendingMessages == 0 })
}

// books16: every transaction is whole, and what is billed is what the meters show.
func (s *station) books16() {
	s.t.Helper()
	accounts, wrong := books16(s.peer.Journal().From(0))
	for _, w := range wrong {
		s.t.Error(w)
	}
	if len(accounts) != 4 {
		s.t.Errorf("the Central System keeps %d transactions, want 4", len(accounts))
	}
	billed := map[int]float64{}
	last := map[int]int{} // register at the last end, by connector
	for _, a := range accounts {
		s.t.Logf("transaction %d of %s at connector %d: %d to %d Wh, %d values, %s", a.id, a.tag, a.connector, a.start, a.stop, a.values, a.reason)
		if a.stop < 0 || a.values == 0 || a.stop <= a.start {
			s.t.Errorf("transaction %d: %+v", a.id, *a)
		}
		if a.start < last[a.connector] {
			s.t.Errorf("transaction %d begins at %d Wh, the last one ended at %d", a.id, a.start, last[a.connector])
		}
		billed[a.connector] += float64(a.stop - a.start)
		last[a.connector] = a.stop
	}
	const roundedDown = 2.0 // Wh: the begin and the end of what a connector gave
	final := s.until("it answers", func(state) bool { return true })
	for connector, wh := range billed {
		if given := final.EVSEs[connector-1].EnergyWh; math.Abs(given-wh) > roundedDown {
			s.t.Errorf("connector %d: %g Wh billed, the meter shows %g", connector, wh, given)
		}
	}
}
