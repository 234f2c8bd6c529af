package peertest

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
)

// TestProfiles16 is what a home energy manager does: a default profile of the highest id and level, absolute, changed while a
// car charges.
func TestProfiles16(t *testing.T) {
	eachPeer(t, makers16, func(t *testing.T, p Peer) {
		s := startStation(t, p)
		s.ask("ChangeConfiguration", `{"key":"MeterValuesSampledData","value":"Energy.Active.Import.Register,Current.Import,Current.Offered"}`)
		level := s.highestLevel()

		s.limit16(level, 10)
		s.composite16(10) // without a transaction
		s.plug(1)
		s.swipe(1, "CARD-1")
		id := s.begun16(1, "CARD-1")
		s.draws16(id, 10)

		s.limit16(level, 0)
		s.status16(1, "SuspendedEVSE")
		s.until("the car is paused", func(st state) bool { return st.EVSEs[0].PowerW == 0 && st.EVSEs[0].LimitA == 0 })
		s.composite16(0)

		s.limit16(level, 16)
		s.status16(1, "Charging")
		s.draws16(id, 16)

		if a := s.ask("ClearChargingProfile", `{"id":2147483647}`); a.Status() != "Accepted" {
			t.Errorf("clear: %v", a)
		}
		s.draws16(id, 32)
		s.swipe(1, "CARD-1")
		s.ended16(id, "Local")
		if _, wrong := books16(p.Journal().From(0)); len(wrong) > 0 {
			t.Errorf("books: %q", wrong)
		}
		s.clean()
	})
}

// highestLevel asks for the configuration key.
func (s *station) highestLevel() string {
	s.t.Helper()
	var answer struct{ ConfigurationKey []struct{ Key, Value string } }
	a := s.ask("GetConfiguration", `{"key":["ChargeProfileMaxStackLevel"]}`)
	if err := json.Unmarshal([]byte(a.Payload), &answer); err != nil || len(answer.ConfigurationKey) != 1 {
		s.t.Fatalf("no ChargeProfileMaxStackLevel: %v", a)
	}
	return answer.ConfigurationKey[0].Value
}

// limit16 sets the default profile of EVSE 1.
func (s *station) limit16(level string, amperes int) {
	s.t.Helper()
	s.place = s.peer.Journal().Len()
	a := s.ask("SetChargingProfile", fmt.Sprintf(`{"connectorId":1,"csChargingProfiles":{"chargingProfileId":2147483647,"stackLevel":%s,`+
		`"chargingProfilePurpose":"TxDefaultProfile","chargingProfileKind":"Absolute","chargingSchedule":{"startSchedule":"2026-01-01T00:00:00Z",`+
		`"chargingRateUnit":"A","chargingSchedulePeriod":[{"startPeriod":0,"limit":%d.0}]}}}`, level, amperes))
	if a.Status() != "Accepted" {
		s.t.Errorf("limit of %d A: %v", amperes, a)
	}
}

// composite16 asks what the next ten minutes of EVSE 1 will be.
func (s *station) composite16(amperes float64) {
	s.t.Helper()
	var answer struct {
		Status           string
		ConnectorID      int
		ScheduleStart    string
		ChargingSchedule struct {
			ChargingRateUnit       string
			Duration               int
			ChargingSchedulePeriod []struct {
				StartPeriod int
				Limit       float64
			}
		}
	}
	a := s.ask("GetCompositeSchedule", `{"connectorId":1,"duration":600,"chargingRateUnit":"A"}`)
	_ = json.Unmarshal([]byte(a.Payload), &answer) // the peer has checked it
	periods := answer.ChargingSchedule.ChargingSchedulePeriod
	if answer.Status != "Accepted" || answer.ConnectorID != 1 || answer.ChargingSchedule.ChargingRateUnit != "A" || answer.ChargingSchedule.Duration != 600 ||
		answer.ScheduleStart == "" || len(periods) != 1 || periods[0].StartPeriod != 0 || periods[0].Limit != amperes {
		s.t.Errorf("composite schedule: %v, want %g A for 600 s", a, amperes)
	}
}

// draws16: the car draws what it may, and the Central System hears both numbers with the transaction's id.
func (s *station) draws16(id int, amperes float64) {
	s.t.Helper()
	s.until(fmt.Sprintf("the car draws %g A", amperes), func(st state) bool {
		e := st.EVSEs[0]
		return math.Abs(e.LimitA-amperes) < 0.1 && len(e.CurrentA) == 3 && math.Abs(e.CurrentA[0]-amperes) < 0.1
	})
	s.place = s.peer.Journal().Len()
	s.sent(fmt.Sprintf("that %g A are drawn and offered", amperes), "MeterValues", func(p string) bool {
		m := parse16(p)
		return m.TransactionID != nil && *m.TransactionID == id && m.about("Current.Import", amperes) && m.about("Current.Offered", amperes)
	})
}

// about says whether every value of a measurand is what is expected.
func (e entry16) about(measurand string, amperes float64) bool {
	values := e.values(measurand)
	for _, v := range values {
		got, err := strconv.ParseFloat(strings.TrimSpace(v.Value), 64)
		if err != nil || v.Unit != "A" || math.Abs(got-amperes) > 0.2 {
			return false
		}
	}
	return len(values) > 0
}
