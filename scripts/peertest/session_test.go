package peertest

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
)

// event is what the tests read of a TransactionEvent.
type event struct {
	EventType, TriggerReason string
	SeqNo                    int
	Offline                  bool
	Timestamp                string
	TransactionInfo          struct {
		TransactionID, ChargingState, StoppedReason string
		RemoteStartID                               int
	}
	EVSE    struct{ ID int }
	IdToken struct{ IdToken string }
}

func parseEvent(payload string) (e event) {
	_ = json.Unmarshal([]byte(payload), &e) // the peer has checked it
	return e
}

// transaction waits for an event of a kind.
func (s *station) transaction(what string, wanted func(event) bool) event {
	s.t.Helper()
	return parseEvent(s.sent(what, "TransactionEvent", func(p string) bool { return wanted(parseEvent(p)) }))
}

// TestSessions plays two EVSEs at once through everything that a session can meet, and bills them.
func TestSessions(t *testing.T) {
	eachPeer(t, makers2, func(t *testing.T, p Peer) {
		s := startStation(t, p, setting{"TxCtrlr", "TxStartPoint", "", "EVConnected"}, setting{"TxCtrlr", "TxStopPoint", "", "EVConnected"})
		s.booted()
		s.twoAtOnce()
		s.unwelcome()
		s.offline()
		s.powerCut()
		s.remote()
		s.books()
		s.clean()
	})
}

// booted: the station has told who it is and how its connectors are.
func (s *station) booted() {
	s.t.Helper()
	s.sent("boot", "BootNotification", func(string) bool { return true })
	for evse := 1; evse <= 2; evse++ {
		s.sent(fmt.Sprintf("status of EVSE %d", evse), "StatusNotification", func(p string) bool {
			var n struct {
				EVSEID, ConnectorID int
				ConnectorStatus     string
			}
			_ = json.Unmarshal([]byte(p), &n)
			return n.EVSEID == evse && n.ConnectorID == 1 && n.ConnectorStatus == "Available"
		})
	}
}

// twoAtOnce: on EVSE 1 the cable comes first, on EVSE 2 the card; both charge, and tell what they draw.
func (s *station) twoAtOnce() {
	s.t.Helper()
	s.plug(1)
	s.transaction("started by cable", func(e event) bool { return e.EventType == "Started" && e.EVSE.ID == 1 })
	s.swipe(1, "CARD-1")
	s.swipe(2, "CARD-2")
	s.plug(2)
	s.until("both charge", func(st state) bool { return st.charges(1) && st.charges(2) })
	for evse := 1; evse <= 2; evse++ {
		s.place = 0
		s.transaction(fmt.Sprintf("sampled value of EVSE %d", evse), func(e event) bool {
			return e.TriggerReason == "MeterValuePeriodic" && e.EVSE.ID == evse
		})
	}
}

// unwelcome: the CSMS does not know a card, and nothing stops for it.
func (s *station) unwelcome() {
	s.t.Helper()
	s.swipe(1, Unwelcome+"1")
	s.sent("authorize", "Authorize", func(p string) bool { return true })
	s.until("EVSE 1 still charges", func(st state) bool { return st.charges(1) && st.Station.PendingMessages == 0 })
}

// offline: the network is cut; EVSE 2 ends its transaction meanwhile, EVSE 1 goes on. All of it is told later, in order.
func (s *station) offline() {
	s.t.Helper()
	s.do("/network", map[string]any{"up": false})
	s.until("offline", func(st state) bool { return !st.Station.Connected })
	s.place = s.peer.Journal().Len()
	s.swipe(2, "CARD-2")
	s.until("EVSE 2 has stopped", func(st state) bool { return !st.EVSEs[1].Relay && !st.EVSEs[1].Connectors[0].Locked })
	s.unplug(2)
	s.until("EVSE 2 is free, EVSE 1 charges", func(st state) bool {
		return st.EVSEs[1].Transaction == "" && st.charges(1) && st.Station.PendingMessages > 0
	})
	s.do("/network", map[string]any{"up": true})
	ended := s.transaction("the end of EVSE 2", func(e event) bool { return e.EventType == "Ended" })
	if !ended.Offline {
		s.t.Errorf("the end happened offline and does not say so: %+v", ended)
	}
	s.until("all is told", func(st state) bool { return st.Station.Connected && st.Station.PendingMessages <= 1 })
}

// powerCut: the mains fail while EVSE 1 charges. The car is still there afterwards, and its transaction goes on.
func (s *station) powerCut() {
	s.t.Helper()
	before := s.until("EVSE 1 charges", func(st state) bool { return st.charges(1) })
	s.place = s.peer.Journal().Len()
	s.do("/power", map[string]any{"cycle": true, "offMs": 300})
	s.sent("boot after the power cut", "BootNotification", func(string) bool { return true })
	after := s.until("EVSE 1 charges again", func(st state) bool {
		return st.Station.Boots == 2 && st.charges(1) && st.Station.PendingMessages <= 1
	})
	if got, want := after.EVSEs[0].Transaction, before.EVSEs[0].Transaction; got != want || want == "" {
		s.t.Errorf("transaction %q goes on as %q", want, got)
	}
	s.transaction("a sampled value after the power cut", func(e event) bool {
		return e.TriggerReason == "MeterValuePeriodic" && e.TransactionInfo.TransactionID == before.EVSEs[0].Transaction
	})
}

// remote: the CSMS stops EVSE 1 and starts EVSE 2.
func (s *station) remote() {
	s.t.Helper()
	var tx string
	s.until("EVSE 1 has a transaction", func(st state) bool { tx = st.EVSEs[0].Transaction; return tx != "" })
	if a := s.ask("RequestStopTransaction", `{"transactionId":"`+tx+`"}`); a.Status() != "Accepted" {
		s.t.Errorf("remote stop: %v", a)
	}
	s.transaction("remote stop", func(e event) bool { return e.TriggerReason == "RemoteStop" && e.TransactionInfo.TransactionID == tx })
	s.until("EVSE 1 is off", func(st state) bool { return !st.EVSEs[0].Relay && !st.EVSEs[0].Connectors[0].Locked })
	s.unplug(1)
	s.transaction("the end of EVSE 1", func(e event) bool { return e.EventType == "Ended" && e.TransactionInfo.TransactionID == tx })

	a := s.ask("RequestStartTransaction", `{"evseId":2,"remoteStartId":77,"idToken":{"idToken":"APP-1","type":"Central"}}`)
	if a.Status() != "Accepted" {
		s.t.Errorf("remote start: %v", a)
	}
	s.plug(2)
	e := s.transaction("remote start", func(e event) bool { return e.TransactionInfo.RemoteStartID == 77 })
	s.until("EVSE 2 charges", func(st state) bool { return st.charges(2) })
	s.do("/stop", map[string]any{"evse": 2})
	s.until("EVSE 2 is off", func(st state) bool { return !st.EVSEs[1].Relay && !st.EVSEs[1].Connectors[0].Locked })
	s.unplug(2)
	s.transaction("the end of the remote session", func(x event) bool {
		return x.EventType == "Ended" && x.TransactionInfo.TransactionID == e.TransactionInfo.TransactionID
	})
	s.until("nothing is left to say", func(st state) bool { return st.Station.PendingMessages == 0 })
}

// books: every transaction that the CSMS heard of is whole.
func (s *station) books() {
	s.t.Helper()
	seqs := map[string][]int{}
	first, last := map[string]event{}, map[string]event{}
	for _, e := range s.peer.Journal().From(0) {
		action, payload, ok := e.Call()
		if !ok || action != "TransactionEvent" {
			continue
		}
		ev := parseEvent(payload)
		id := ev.TransactionInfo.TransactionID
		if slices.Contains(seqs[id], ev.SeqNo) {
			continue // told again: its answer was lost
		}
		if len(seqs[id]) == 0 {
			first[id] = ev
		}
		if last[id].Timestamp > ev.Timestamp {
			s.t.Errorf("transaction %s: %s is told after %s", id, ev.Timestamp, last[id].Timestamp)
		}
		seqs[id], last[id] = append(seqs[id], ev.SeqNo), ev
	}
	if len(seqs) != 3 {
		s.t.Errorf("the CSMS heard of %d transactions, want 3", len(seqs))
	}
	for id, seq := range seqs {
		for i := range seq {
			if seq[i] != i {
				s.t.Errorf("transaction %s: sequence numbers %v", id, seq)
				break
			}
		}
		if first[id].EventType != "Started" || last[id].EventType != "Ended" {
			s.t.Errorf("transaction %s begins with %s and ends with %s", id, first[id].EventType, last[id].EventType)
		}
	}
}

func (s *station) plug(evse int) {
	s.t.Helper()
	s.do(fmt.Sprintf("/evses/%d/plug", evse), map[string]any{"connector": 1, "ev": map[string]any{"socPercent": 40, "capacityWh": 60000}})
}

func (s *station) unplug(evse int) {
	s.t.Helper()
	s.do(fmt.Sprintf("/evses/%d/unplug", evse), map[string]any{"connector": 1})
}

func (s *station) swipe(evse int, card string) {
	s.t.Helper()
	s.do("/swipe", map[string]any{"idToken": card, "type": "ISO14443", "evses": []int{evse}})
}
