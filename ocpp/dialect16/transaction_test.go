package dialect16

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// event makes a step of a transaction at connector 1 of EVSE 2, with the register at wh watt-hours.
func event(phase station.Phase, tx term.TransactionID, wh int64) *station.TransactionEvent {
	return &station.TransactionEvent{Phase: phase, At: at, Transaction: tx, Trigger: term.TriggerAuthorized, Ref: term.Ref{EVSE: 2, Connector: 1},
		ChargingTime: -1, PhasesUsed: -1, Begin: unit.Energy(wh) * unit.WattHour, Register: unit.Energy(wh)*unit.WattHour + 999*unit.WattHour/1000}
}

func started(tx term.TransactionID, wh int64) *station.TransactionEvent {
	e := event(station.PhaseStarted, tx, wh)
	e.Token = rfid
	return e
}

func updated(tx term.TransactionID, wh int64) *station.TransactionEvent {
	e := event(station.PhaseUpdated, tx, wh)
	e.Values = []term.MeterValue{{At: at, Sampled: []term.SampledValue{{Value: int64(e.Register)}}}}
	return e
}

func ended(tx term.TransactionID, wh int64) *station.TransactionEvent {
	e := event(station.PhaseEnded, tx, wh)
	e.Trigger, e.StoppedReason = term.TriggerEVCommunicationLost, term.StopEVDisconnected
	return e
}

const (
	startLine = `StartTransaction {"connectorId":3,"idTag":"04E1A2B3","meterStart":100,"timestamp":"2026-11-22T07:01:35.120Z"}`
	valueLine = `MeterValues {"connectorId":3,"transactionId":%d,"meterValue":[{"timestamp":"2026-11-22T07:01:35.120Z","sampledValue":[{"value":"150.999",` +
		`"context":"Sample.Periodic","measurand":"Energy.Active.Import.Register","unit":"Wh"}]}]}`
	stopLine = `StopTransaction {"meterStop":200,"timestamp":"2026-11-22T07:01:35.120Z","transactionId":%d,"reason":"EVDisconnected"}`
)

func accept(id int) string {
	return fmt.Sprintf(`{"idTagInfo":{"status":"Accepted"},"transactionId":%d}`, id)
}

// begin tells a begin and answers it with an id.
func (w *wire) begin(tx term.TransactionID, id int) {
	w.t.Helper()
	c, ok := w.say(started(tx, 100))
	if !ok {
		w.t.Fatal("no StartTransaction")
	}
	w.hear(c, accept(id))
}

func TestTransaction(t *testing.T) {
	for _, id := range []int{7, 0, -1, -2147483648} { // errata 3.54: any number is one
		w := newWire(t)
		w.want(started("A", 100), startLine)
		w.want(started("A", 100), startLine) // told again it is the same
		w.begin("A", id)
		w.want(started("A", 100), startLine)
		w.want(updated("A", 150), fmt.Sprintf(valueLine, id))
		w.want(event(station.PhaseUpdated, "A", 160), "nothing")
		if got := transactionOf(w.table, id); got != "A" {
			t.Errorf("id %d is of %q", id, got)
		}
		w.want(ended("A", 200), fmt.Sprintf(stopLine, id))
	}
}

// The id of a transaction must survive what follows; what could be found out again owes no sync.
func TestAnIDOwesASync(t *testing.T) {
	w := newWire(t)
	c, _ := w.say(started("A", 100))
	if w.table.Urgent() || len(w.table.Drain()) != 0 {
		t.Error("telling the begin changes the table")
	}
	w.hear(c, accept(5))
	if !w.table.Urgent() {
		t.Error("the id owes no sync")
	}
	again := ocpp.NewTable()
	for _, r := range w.table.Drain() {
		again.Restore(r)
	}
	w.table = again
	w.want(ended("A", 200), fmt.Sprintf(stopLine, 5))
}

// Errata 3.18: a begin that the CSMS refused to the last leaves the rest without an id.
func TestIDThatNeverComes(t *testing.T) {
	w := newWire(t)
	c, _ := w.say(started("A", 100))
	w.Abandoned(c, w.table)
	w.want(updated("A", 150), fmt.Sprintf(valueLine, -1))
	w.want(ended("A", 200), fmt.Sprintf(stopLine, -1))
	if got := transactionOf(w.table, -1); got != noTransaction {
		t.Errorf("-1 is the id of %q", got)
	}
	w = newWire(t)
	w.want(ended("B", 200), fmt.Sprintf(stopLine, -1)) // it was never told here
}

// A CSMS that gives an id twice means the newer transaction.
func TestIDGivenTwice(t *testing.T) {
	w := newWire(t)
	w.begin("B", 9)
	w.begin("A", 9)
	if got := transactionOf(w.table, 9); got != "A" {
		t.Errorf("9 is of %q", got)
	}
	w.want(ended("B", 200), fmt.Sprintf(stopLine, -1))
	w.want(ended("A", 200), fmt.Sprintf(stopLine, 9))
}

func TestBeginIsToldOnceTagAndConnectorAreKnown(t *testing.T) {
	t.Run("the cable first", func(t *testing.T) {
		w := newWire(t)
		w.want(event(station.PhaseStarted, "A", 100), "nothing")
		w.want(event(station.PhaseUpdated, "A", 100), "nothing")
		card := event(station.PhaseUpdated, "A", 100)
		card.Token = rfid
		w.want(card, startLine)
		c, _ := w.say(card)
		w.hear(c, accept(4))
		w.want(ended("A", 200), fmt.Sprintf(stopLine, 4))
	})
	t.Run("the card first", func(t *testing.T) {
		w := newWire(t)
		card := started("A", 0)
		card.Ref = term.Ref{}
		w.want(card, "nothing")
		card.Phase, card.Token = station.PhaseUpdated, term.IdToken{}
		w.want(card, "nothing")
		w.want(event(station.PhaseUpdated, "A", 100), startLine)
	})
	t.Run("which connector of two", func(t *testing.T) {
		w := newWire(t)
		card := started("A", 100)
		card.Ref = term.Ref{EVSE: 1}
		w.want(card, "nothing")
		card.Phase, card.Token, card.Ref.Connector = station.PhaseUpdated, term.IdToken{}, 2
		w.want(card, strings.Replace(startLine, `"connectorId":3`, `"connectorId":2`, 1))
	})
	t.Run("never", func(t *testing.T) {
		w := newWire(t)
		w.want(event(station.PhaseStarted, "A", 100), "nothing")
		w.want(ended("A", 100), "nothing")
	})
}

// Where no meter had answered at the begin, the end is what has flowed since the first answer.
func TestBeginWithoutAMeter(t *testing.T) {
	w := newWire(t)
	e := started("A", 0)
	e.Begin, e.Register = -1, -1
	c, _ := w.say(e)
	if !strings.Contains(string(c.Payload), `"meterStart":0`) {
		t.Errorf("told %s", c.Payload)
	}
	w.hear(c, accept(3))
	end := ended("A", 5_000_200)
	end.Begin = 5_000_000 * unit.WattHour
	w.want(end, fmt.Sprintf(stopLine, 3))
	end.Begin, end.Register = -1, -1
	w.want(end, strings.Replace(fmt.Sprintf(stopLine, 3), "200", "0", 1))
	end.Values = updated("A", 200).Values
	w.want(end, strings.Replace(fmt.Sprintf(stopLine, 3), "}", `,"transactionData":[{"timestamp":"2026-11-22T07:01:35.120Z","sampledValue":[{"value":"200.999",`+
		`"context":"Sample.Periodic","measurand":"Energy.Active.Import.Register","unit":"Wh"}]}]}`, 1))
}

func TestReasons(t *testing.T) {
	w := newWire(t)
	w.begin("A", 1)
	var lines []string
	told := func(e *station.TransactionEvent) string {
		_, rest, _ := strings.Cut(w.line(e), `"reason":`)
		return strings.TrimSuffix(rest, "}")
	}
	for _, r := range []term.StopReason{
		term.StopDeAuthorized, term.StopEmergencyStop, term.StopEVDisconnected, term.StopGroundFault, term.StopImmediateReset, term.StopHardReset, term.StopMasterPass,
		term.StopLocal, term.StopOther, term.StopOvercurrent, term.StopPowerLoss, term.StopReboot, term.StopRemote, term.StopByEV, term.StopTimeout,
		term.StopEnergyLimit, "Whim",
	} {
		e := ended("A", 1)
		e.StoppedReason = r
		lines = append(lines, string(r)+": "+told(e))
	}
	e := ended("A", 1)
	e.Trigger = term.TriggerUnlockCommand
	lines = append(lines, "unlock: "+told(e))
	golden(t, "reasons.txt", lines)
}

func TestStopCarriesTheTagThatStopped(t *testing.T) {
	w := newWire(t)
	w.begin("A", 1)
	e := ended("A", 200)
	e.Token, e.StoppedReason = term.IdToken{Value: "Other", Type: term.TokenISO14443}, term.StopLocal
	w.want(e, `StopTransaction {"idTag":"Other","meterStop":200,"timestamp":"2026-11-22T07:01:35.120Z","transactionId":1,"reason":"Local"}`)
	s := started("B", 100)
	s.ReservationID, s.HasReservation = 12, true
	w.want(s, `StartTransaction {"connectorId":3,"idTag":"04E1A2B3","meterStart":100,"reservationId":12,"timestamp":"2026-11-22T07:01:35.120Z"}`)
}

func TestReplies(t *testing.T) {
	w := newWire(t)
	start, _ := w.say(started("A", 100))
	for _, tc := range []struct {
		call    ocpp.Call
		payload string
		want    string
	}{
		{start, `{"idTagInfo":{"status":"ConcurrentTx","parentIdTag":"P","expiryDate":"2027-01-01T00:00:00Z"},"transactionId":1}`,
			`{true {ConcurrentTx 2027-01-01 00:00:00 +0000 UTC Central:.. []  0 false}}`},
		{start, `{"idTagInfo":{"status":"Invalid","parentIdTag":""},"transactionId":2}`, `{true {Invalid 0001-01-01 00:00:00 +0000 UTC none []  0 false}}`},
		{ocpp.Call{Action: "StopTransaction"}, `{}`, `{false { 0001-01-01 00:00:00 +0000 UTC none []  0 false}}`},
		{ocpp.Call{Action: "StopTransaction"}, `{"idTagInfo":{"status":"Blocked"}}`, `{true {Blocked 0001-01-01 00:00:00 +0000 UTC none []  0 false}}`},
		{ocpp.Call{Action: "Authorize"}, `{"idTagInfo":{"status":"Expired"}}`, `{true {Expired 0001-01-01 00:00:00 +0000 UTC none []  0 false}}`},
		{ocpp.Call{Action: "BootNotification"}, `{"status":"Pending","currentTime":"2026-11-22T07:01:35+01:00","interval":0}`,
			`{Pending 2026-11-22 06:01:35 +0000 UTC 0s}`},
		{ocpp.Call{Action: "Heartbeat"}, `{"currentTime":"2026-11-22T07:01:35.5Z"}`, `{2026-11-22 07:01:35.5 +0000 UTC}`},
		{ocpp.Call{Action: "StatusNotification"}, `{}`, `{}`},
		{ocpp.Call{Action: "MeterValues"}, `{}`, `{}`},
		{ocpp.Call{Action: "SecurityEventNotification"}, `{}`, `{}`},
	} {
		if got := fmt.Sprintf("%v", w.hear(tc.call, tc.payload)); got != tc.want {
			t.Errorf("%s %s: %s, want %s", tc.call.Action, tc.payload, got, tc.want)
		}
	}
	for _, bad := range []string{``, `{}`, `{"transactionId":1}`, `{"idTagInfo":{"status":"Accepted"},"transactionId":1.5}`, `{"idTagInfo":{"status":"Fine"},"transactionId":1}`} {
		if r, err := w.Result(start, bad, w.table); err == nil {
			t.Errorf("%s: %v", bad, r)
		}
	}
}

// Whatever a CSMS answers, an id names one transaction at most, a transaction has one id at most, and the table holds a row
// for each transaction and nothing else.
func TestTableHoldsWhatIsTrue(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 16))
		w := newWire(t)
		pending := map[term.TransactionID]ocpp.Call{}
		for range 60 {
			tx := term.TransactionID(fmt.Sprintf("tx-%d", r.IntN(6)))
			e := event(station.Phase(1+r.IntN(3)), tx, r.Int64N(1000))
			if r.IntN(2) == 0 {
				e.Token = rfid
			}
			if r.IntN(4) == 0 {
				e.Ref = term.Ref{}
			}
			if c, ok := w.say(e); ok && c.Action == startAction {
				pending[tx] = c
			}
			if c, ok := pending[tx]; ok && r.IntN(2) == 0 {
				if r.IntN(5) == 0 {
					w.Abandoned(c, w.table)
				} else {
					w.hear(c, accept(r.IntN(4)-1))
				}
				delete(pending, tx)
			}
			if e.Phase == station.PhaseEnded && r.IntN(2) == 0 {
				w.table.Forget(tx)
			}
			checkTable(t, w.table)
		}
		if n := len(w.table.Keys("")); n > 6 {
			t.Fatalf("seed %d: %d rows for 6 transactions", seed, n)
		}
	}
}

func checkTable(t *testing.T, table *ocpp.Table) {
	t.Helper()
	owner := map[CSMSTransactionID]term.TransactionID{}
	for _, tx := range table.Transactions(sideRow) {
		s := stateOf(table, tx)
		if s.kind != stateNamed {
			continue
		}
		if other, taken := owner[s.id]; taken {
			t.Fatalf("id %d is of %s and %s", s.id, tx, other)
		}
		owner[s.id] = tx
		if got := transactionOf(table, int(s.id)); got != tx {
			t.Fatalf("id %d of %s leads to %s", s.id, tx, got)
		}
	}
}

func TestRowsThatCannotBeRead(t *testing.T) {
	for _, row := range []string{"", "id", "id x", "what", "id 99999999999999999999"} {
		if s := parseState(row); s.kind != stateUnnamed || s.idOf() != unnamed {
			t.Errorf("%q: %+v", row, s)
		}
	}
	if s := parseState("waiting ISO14443 A B C"); s.token.Value != "A B C" {
		t.Errorf("token %q", s.token.Value)
	}
}
