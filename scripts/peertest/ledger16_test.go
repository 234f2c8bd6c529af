package peertest

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// entry16 is what a Central System keeps of one message of a transaction of 1.6.
type entry16 struct {
	ConnectorID           int
	TransactionID         *int
	IdTag, Timestamp      string
	MeterStart, MeterStop int
	Reason                string
	MeterValue            []struct {
		Timestamp    string
		SampledValue []sample
	}
}

type sample struct{ Value, Measurand, Unit, Context string }

func parse16(payload string) (e entry16) {
	_ = json.Unmarshal([]byte(payload), &e) // the peer has checked it
	return e
}

// values are the samples of a measurand; "" is the energy register, which 1.6 need not name.
func (e entry16) values(measurand string) (out []sample) {
	for _, v := range e.MeterValue {
		for _, s := range v.SampledValue {
			if s.Measurand == measurand || measurand == "Energy.Active.Import.Register" && s.Measurand == "" {
				out = append(out, s)
			}
		}
	}
	return out
}

// registers are the energies that are told, in Wh.
func (e entry16) registers() (out []float64) {
	for _, s := range e.values("Energy.Active.Import.Register") {
		v, err := strconv.ParseFloat(s.Value, 64)
		if err != nil {
			v = math.NaN()
		}
		if s.Unit == "kWh" {
			v *= 1000
		}
		out = append(out, v)
	}
	return out
}

// account is one transaction in a Central System's books.
type account struct {
	id, connector int
	tag           string
	start, stop   int // registers, Wh
	begun, ended  string
	reason        string
	values        int     // how many registers came with its id
	register      float64 // the last of them
}

// books16 reads the journal as a Central System's billing does: by the ids that it gave. wrong is what it cannot bill.
func books16(entries []Entry) (accounts []*account, wrong []string) {
	starts := map[string]entry16{} // message id: what has no answer yet
	find := func(id int) *account {
		i := slices.IndexFunc(accounts, func(a *account) bool { return a.id == id })
		if i < 0 {
			wrong = append(wrong, fmt.Sprintf("nobody gave the id %d", id))
			return &account{}
		}
		return accounts[i]
	}
	for _, e := range entries {
		f := parseFrame(e.Frame)
		m := parse16(f.payload)
		switch {
		case e.Kind == In && f.action == "StartTransaction":
			starts[f.id] = m
		case e.Kind == Out && f.typ == 3 && starts[f.id].IdTag != "":
			s := starts[f.id]
			if !slices.ContainsFunc(accounts, func(a *account) bool { return a.id == *m.TransactionID }) { // else told again: its answer was lost
				accounts = append(accounts, &account{id: *m.TransactionID, connector: s.ConnectorID, tag: s.IdTag, start: s.MeterStart,
					stop: -1, begun: s.Timestamp, register: float64(s.MeterStart)})
			}
		case e.Kind == In && f.action == "MeterValues" && m.TransactionID != nil:
			wrong = append(wrong, find(*m.TransactionID).measured(m)...)
		case e.Kind == In && f.action == "StopTransaction":
			wrong = append(wrong, find(*m.TransactionID).closed(m)...)
		}
	}
	return accounts, wrong
}

func (a *account) measured(m entry16) (wrong []string) {
	if a.stop >= 0 || a.connector != m.ConnectorID {
		wrong = append(wrong, fmt.Sprintf("values of transaction %d at connector %d, ended %q", a.id, m.ConnectorID, a.ended))
	}
	for _, v := range m.registers() {
		if !(v >= math.Floor(a.register)) {
			wrong = append(wrong, fmt.Sprintf("the register of transaction %d falls from %g to %g", a.id, a.register, v))
		}
		a.values, a.register = a.values+1, v
	}
	return wrong
}

func (a *account) closed(m entry16) (wrong []string) {
	if a.stop >= 0 && (a.stop != m.MeterStop || a.ended != m.Timestamp) {
		wrong = append(wrong, fmt.Sprintf("transaction %d ends twice", a.id))
	}
	a.stop, a.ended, a.reason = m.MeterStop, m.Timestamp, m.Reason
	if float64(a.stop) < math.Floor(a.register) || a.ended < a.begun {
		wrong = append(wrong, fmt.Sprintf("transaction %d ends with %d at %s after %g, begun %s", a.id, a.stop, a.ended, a.register, a.begun))
	}
	return wrong
}

// TestBooks16 shows that wrong books are found. Without this TestSessions16 could not fail.
func TestBooks16(t *testing.T) {
	start := func(id string, n int) []Entry {
		return []Entry{
			{Kind: In, Frame: `[2,"` + id + `","StartTransaction",{"connectorId":1,"idTag":"A","meterStart":10,"timestamp":"2026-01-01T00:00:00Z"}]`},
			{Kind: Out, Frame: fmt.Sprintf(`[3,%q,{"transactionId":%d,"idTagInfo":{"status":"Accepted"}}]`, id, n)},
		}
	}
	values := func(n, connector int, wh string) Entry {
		return Entry{Kind: In, Frame: fmt.Sprintf(`[2,"v","MeterValues",{"connectorId":%d,"transactionId":%d,"meterValue":[{"timestamp":"2026-01-01T00:00:01Z",`+
			`"sampledValue":[{"value":%q},{"value":"1","measurand":"Current.Import"}]}]}]`, connector, n, wh)}
	}
	stop := func(n, wh int, at string) Entry {
		return Entry{Kind: In, Frame: fmt.Sprintf(`[2,"e","StopTransaction",{"transactionId":%d,"meterStop":%d,"timestamp":"2026-01-01T00:00:0%sZ"}]`, n, wh, at)}
	}
	for name, tc := range map[string]struct {
		entries []Entry
		wrong   string
	}{
		"whole":           {append(start("a", 1), values(1, 1, "10.5"), values(1, 1, "11"), stop(1, 12, "2")), ""},
		"told again":      {append(append(start("a", 1), start("b", 1)...), stop(1, 12, "2"), stop(1, 12, "2")), ""},
		"unknown id":      {append(start("a", 1), values(2, 1, "11")), "nobody gave"},
		"falling":         {append(start("a", 1), values(1, 1, "12"), values(1, 1, "11")), "falls"},
		"other connector": {append(start("a", 1), values(1, 2, "11")), "at connector 2"},
		"after the end":   {append(start("a", 1), stop(1, 12, "2"), values(1, 1, "13")), "ended"},
		"ends twice":      {append(start("a", 1), stop(1, 12, "2"), stop(1, 12, "3")), "ends twice"},
		"ends below":      {append(start("a", 1), values(1, 1, "13"), stop(1, 12, "2")), "after 13"},
	} {
		accounts, wrong := books16(tc.entries)
		if got := strings.Join(wrong, "; "); len(accounts) != 1 || (got == "") != (tc.wrong == "") || !strings.Contains(got, tc.wrong) {
			t.Errorf("%s: %d accounts, %q, want %q", name, len(accounts), got, tc.wrong)
		}
	}
}
