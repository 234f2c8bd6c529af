package virtual_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/ocpp/csms"
	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/ocpp/rpc"
)

// bills16 waits for the end and compares the bills with the meters: to the watt-hour, in which 1.6 counts.
func (s *site) bills16(transactions int) []csms.Transaction {
	s.t.Helper()
	s.until("the end", func() bool {
		all := s.csms.Ledger().Transactions()
		for _, t := range all {
			if t.Open() {
				return false
			}
		}
		return len(all) == transactions && s.station.Status().Pending == 0
	})
	for _, wrong := range s.csms.Ledger().Check(nil) {
		s.t.Error(wrong)
	}
	billed := map[int]unit.Energy{}
	for _, t := range s.csms.Ledger().Transactions() {
		billed[t.EVSE] += t.Energy()
	}
	for evse := 1; evse <= 2; evse++ {
		if off := s.evse(evse).Energy - billed[evse]; off < 0 || off >= unit.WattHour {
			s.t.Errorf("EVSE %d counted %d mWh, billed were %d", evse, s.evse(evse).Energy, billed[evse])
		}
	}
	return s.csms.Ledger().Transactions()
}

// In 1.6 as in 2.x: two cars charge, the network goes and one of them is stopped meanwhile, the power goes and the other is
// resumed, answers are lost, the number of the first comes late; and every watt-hour is billed once.
func TestSessionsIn16(t *testing.T) {
	s := open(t, "ocpp1.6")
	if v, ok := s.csms.Connected("cs"); !ok || v != rpc.V16 {
		t.Fatalf("speaks %v, %v", v, ok)
	}
	lost := csms.Answer{Drop: true, Close: true}
	s.csms.Next("StartTransaction", lost, lost)
	s.charge(1, 2)
	if s.told(1).Repeats < 2 {
		t.Errorf("the number came at once: %+v", s.told(1))
	}
	s.must(s.station.SetNetwork(false, 0, 0))
	before := s.evse(1).Energy
	s.until("offline energy", func() bool { return s.evse(1).Energy >= before+2*some })
	s.swipe(1)
	s.until("stopped", func() bool { return !s.evse(1).Relay })
	s.must(s.station.PowerOff(0))
	s.until("dark", func() bool { return !s.station.World().State().Powered })
	s.must(s.station.PowerOn())
	s.until("charging again", func() bool { return s.evse(2).Relay })
	s.must(s.station.SetNetwork(true, 20*time.Millisecond, 10))
	s.until("the end of the first", func() bool { return !s.told(1).Open() })
	s.csms.Next("MeterValues", lost)
	s.more(2)
	s.csms.Next("StopTransaction", lost)
	s.swipe(2)
	for _, tx := range s.bills16(2) {
		if tx.StoppedReason != "Local" || tx.IdToken != driver.Value {
			t.Errorf("%+v", tx)
		}
	}
}

// A number that never comes: what follows is told with -1, and the next transaction has one of its own.
func TestNumberThatNeverComes(t *testing.T) {
	s := open(t, "ocpp1.6")
	const attempts = 2
	for key, value := range map[string]string{"TransactionMessageAttempts": "2", "TransactionMessageRetryInterval": "1"} {
		r, err := s.csms.Call(t.Context(), "cs", "ChangeConfiguration", fmt.Appendf(nil, `{"key":%q,"value":%q}`, key, value))
		if err != nil || r.Message16.(*msg16.ChangeConfigurationResponse).Status != msg16.ConfigurationStatusAccepted {
			t.Fatalf("%s: %+v", key, r)
		}
	}
	s.csms.Next("StartTransaction", refusals(attempts)...)
	s.plug(1)
	s.swipe(1)
	s.until("charging", func() bool { return s.evse(1).Relay })
	s.swipe(1)
	s.until("all is told", func() bool { return s.csms.Received("cs", "StopTransaction") == 1 && s.station.Status().Pending == 0 })
	if n := s.csms.Received("cs", "StartTransaction"); n != attempts {
		t.Errorf("%d attempts", n)
	}
	if n := len(s.csms.Ledger().Transactions()); n != 0 {
		t.Errorf("%d transactions in the books", n)
	}
	found := s.csms.Ledger().Errors()
	if len(found) == 0 || found[len(found)-1] != "cs: StopTransaction of transaction -1, which never began" {
		t.Errorf("errors %q", found)
	}
}

func refusals(n int) (all []csms.Answer) {
	for range n {
		all = append(all, csms.Answer{Error: &csms.CallError{Code: rpc.InternalError}})
	}
	return all
}
