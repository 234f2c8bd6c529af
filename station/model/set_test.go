package model

import (
	"strings"
	"testing"
	"time"
)

// named reads "Component[#instance][@evse[.connector]]/Variable[#instance]".
func named(t *testing.T, key string) (Component, Variable) {
	t.Helper()
	c, v, ok := parseKey(key)
	if !ok {
		t.Fatalf("%q is no name", key)
	}
	return c, v
}

func setOne(t *testing.T, m *Model, key, value string) (SetResult, []Change) {
	t.Helper()
	c, v := named(t, key)
	results, changes := m.Set([]SetItem{{Component: c, Variable: v, Value: value}})
	if len(results) != 1 {
		t.Fatalf("%d results for one item", len(results))
	}
	return results[0], changes
}

func TestSet(t *testing.T) {
	for _, row := range []struct {
		name, key, value string
		status           SetStatus
		reason           Reason
		kept             string // what is stored, if accepted and not value
	}{
		{name: "integer", key: "OCPPCommCtrlr/OfflineThreshold", value: "90", status: SetAccepted},
		{name: "names in any case", key: "ocppcommctrlr/OFFLINETHRESHOLD", value: "90", status: SetAccepted},
		{name: "instance in any case", key: "OCPPCommCtrlr/MessageAttempts#transactionevent", value: "3", status: SetAccepted},
		{name: "integer with fraction", key: "OCPPCommCtrlr/OfflineThreshold", value: "90.1", status: SetRejected, reason: ReasonInvalidValue},
		{name: "integer with plus", key: "OCPPCommCtrlr/OfflineThreshold", value: "+90", status: SetRejected, reason: ReasonInvalidValue},
		{name: "integer with leading zero", key: "OCPPCommCtrlr/OfflineThreshold", value: "090", status: SetRejected, reason: ReasonInvalidValue},
		{name: "integer minus zero", key: "OCPPCommCtrlr/OfflineThreshold", value: "-0", status: SetRejected, reason: ReasonInvalidValue},
		{name: "integer that is a word", key: "OCPPCommCtrlr/OfflineThreshold", value: "true", status: SetRejected, reason: ReasonInvalidValue},
		{name: "integer that is a time", key: "OCPPCommCtrlr/OfflineThreshold", value: "2030-01-01T00:00:00Z", status: SetRejected, reason: ReasonInvalidValue},
		{name: "integer empty", key: "OCPPCommCtrlr/OfflineThreshold", value: "", status: SetRejected, reason: ReasonInvalidValue},
		{name: "largest integer", key: "OCPPCommCtrlr/OfflineThreshold", value: "2147483647", status: SetAccepted},
		{name: "integer beyond 32 bits", key: "OCPPCommCtrlr/OfflineThreshold", value: "2147483648", status: SetRejected, reason: ReasonInvalidValue},
		{name: "integer below the range", key: "OCPPCommCtrlr/HeartbeatInterval", value: "0", status: SetRejected, reason: ReasonValueOutOfRange},
		{name: "integer below zero", key: "OCPPCommCtrlr/OfflineThreshold", value: "-1", status: SetRejected, reason: ReasonValueOutOfRange},
		{name: "integer above the range", key: "AlignedDataCtrlr/Interval", value: "86401", status: SetRejected, reason: ReasonValueOutOfRange},
		{name: "integer at the end of the range", key: "AlignedDataCtrlr/Interval", value: "86400", status: SetAccepted},

		{name: "boolean", key: "AuthCtrlr/Enabled", value: "false", status: SetAccepted},
		{name: "boolean as a number", key: "AuthCtrlr/Enabled", value: "1", status: SetRejected, reason: ReasonInvalidValue},
		{name: "boolean in capitals", key: "AuthCtrlr/Enabled", value: "True", status: SetRejected, reason: ReasonInvalidValue},

		{name: "option", key: "AuthCacheCtrlr/Policy", value: "FIFO", status: SetAccepted},
		{name: "option unknown", key: "AuthCacheCtrlr/Policy", value: "CUSTOM", status: SetRejected, reason: ReasonInvalidValue},
		{name: "two options", key: "AuthCacheCtrlr/Policy", value: "LRU,FIFO", status: SetRejected, reason: ReasonInvalidValue},
		{name: "option empty", key: "AuthCacheCtrlr/Policy", value: "", status: SetRejected, reason: ReasonInvalidValue},

		{name: "members", key: "TxCtrlr/TxStartPoint", value: "EVConnected,Authorized", status: SetAccepted},
		{name: "members with blanks", key: "TxCtrlr/TxStartPoint", value: " EVConnected, Authorized ", status: SetAccepted, kept: "EVConnected,Authorized"},
		{name: "member twice", key: "TxCtrlr/TxStartPoint", value: "Authorized,Authorized", status: SetRejected, reason: ReasonInvalidValue},
		{name: "member unknown", key: "TxCtrlr/TxStartPoint", value: "Authorized,Hope", status: SetRejected, reason: ReasonInvalidValue},
		{name: "member in the wrong case", key: "TxCtrlr/TxStartPoint", value: "authorized", status: SetRejected, reason: ReasonInvalidValue},
		{name: "member missing between commas", key: "TxCtrlr/TxStartPoint", value: "EVConnected,,Authorized", status: SetRejected, reason: ReasonInvalidValue},
		{name: "no start point at all", key: "TxCtrlr/TxStartPoint", value: "", status: SetRejected, reason: ReasonInvalidValue},
		{name: "start point that no meter reaches", key: "TxCtrlr/TxStartPoint", value: "DataSigned", status: SetRejected, reason: ReasonInvalidValue},
		{name: "bay where there are sensors", key: "TxCtrlr/TxStopPoint", value: "ParkingBayOccupancy", status: SetAccepted},
		{name: "no measurands", key: "SampledDataCtrlr/TxUpdatedMeasurands", value: "", status: SetAccepted},
		{name: "measurand that the meter lacks", key: "SampledDataCtrlr/TxUpdatedMeasurands", value: "SoC", status: SetRejected, reason: ReasonInvalidValue},

		{name: "sequence", key: "OCPPCommCtrlr/NetworkConfigurationPriority", value: "2,1", status: SetAccepted},
		{name: "sequence empty", key: "OCPPCommCtrlr/NetworkConfigurationPriority", value: " ", status: SetRejected, reason: ReasonInvalidValue},
		{name: "slot that does not exist", key: "OCPPCommCtrlr/NetworkConfigurationPriority", value: "4", status: SetRejected, reason: ReasonInvalidValue},

		{name: "string", key: "AuthCtrlr/MasterPassGroupId", value: "Mäster", status: SetAccepted},
		{name: "string emptied", key: "AuthCtrlr/MasterPassGroupId", value: "", status: SetAccepted},
		{name: "string of 36 characters", key: "AuthCtrlr/MasterPassGroupId", value: strings.Repeat("ä", 36), status: SetAccepted},
		{name: "string too long", key: "AuthCtrlr/MasterPassGroupId", value: strings.Repeat("a", 37), status: SetRejected, reason: ReasonTooLarge},
		{name: "string that is no text", key: "AuthCtrlr/MasterPassGroupId", value: "\xff", status: SetRejected, reason: ReasonInvalidValue},
		{name: "value beyond ConfigurationValueSize", key: "AuthCtrlr/MasterPassGroupId", value: strings.Repeat("a", 1001), status: SetRejected, reason: ReasonTooLarge},

		{name: "password", key: "SecurityCtrlr/BasicAuthPassword", value: "0123456789abcDEF", status: SetAccepted},
		{name: "password with symbols", key: "SecurityCtrlr/BasicAuthPassword", value: "*-_=:+|@.*-_=:+|@.", status: SetAccepted},
		{name: "password too short", key: "SecurityCtrlr/BasicAuthPassword", value: "0123456789abcDE", status: SetRejected, reason: ReasonValueOutOfRange},
		{name: "longest password", key: "SecurityCtrlr/BasicAuthPassword", value: strings.Repeat("a", 64), status: SetAccepted},
		{name: "password too long", key: "SecurityCtrlr/BasicAuthPassword", value: strings.Repeat("a", 65), status: SetRejected, reason: ReasonValueOutOfRange},
		{name: "password with a blank", key: "SecurityCtrlr/BasicAuthPassword", value: "0123456789abc DEF", status: SetRejected, reason: ReasonInvalidValue},

		{name: "read-only", key: "SecurityCtrlr/Identity", value: "x", status: SetRejected, reason: ReasonReadOnly},
		{name: "read-only and computed", key: "ClockCtrlr/DateTime", value: "2030-01-01T00:00:00Z", status: SetRejected, reason: ReasonReadOnly},
		{name: "read-only per EVSE", key: "EVSE@1/AllowReset", value: "false", status: SetRejected, reason: ReasonReadOnly},
		{name: "unknown component", key: "NoCtrlr/Interval", value: "1", status: SetUnknownComponent},
		{name: "unknown instance of a component", key: "TxCtrlr#2/TxStartPoint", value: "Authorized", status: SetUnknownComponent},
		{name: "component of another tier", key: "TxCtrlr@1/TxStartPoint", value: "Authorized", status: SetUnknownComponent},
		{name: "EVSE that does not exist", key: "EVSE@3/AllowReset", value: "true", status: SetUnknownComponent},
		{name: "EVSE without a number", key: "EVSE/AllowReset", value: "true", status: SetUnknownComponent},
		{name: "connector that does not exist", key: "Connector@1.2/Available", value: "true", status: SetUnknownComponent},
		{name: "unknown variable", key: "TxCtrlr/Nothing", value: "1", status: SetUnknownVariable},
		{name: "variable without its instance", key: "OCPPCommCtrlr/MessageAttempts", value: "1", status: SetUnknownVariable},
		{name: "variable with an instance too many", key: "OCPPCommCtrlr/OfflineThreshold#x", value: "1", status: SetUnknownVariable},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := newModel(t, twoEVSEs(), nil)
			result, changes := setOne(t, m, row.key, row.value)
			if result.Status != row.status || result.Reason != row.reason {
				t.Fatalf("got %s %q (%s), want %s %q", result.Status, result.Reason, result.Info, row.status, row.reason)
			}
			if row.status != SetAccepted {
				if len(changes) != 0 {
					t.Fatalf("refused, and yet changed %v", changes)
				}
				return
			}
			if row.kept == "" {
				row.kept = row.value
			}
			if len(changes) != 1 || changes[0].Value != row.kept {
				t.Fatalf("changes %v, want one of %q", changes, row.kept)
			}
			if got := m.Text(changes[0].ID); got != row.kept {
				t.Fatalf("stored %q, want %q", got, row.kept)
			}
		})
	}
}

func TestSetAnswersEveryItemInOrder(t *testing.T) { // B05.FR.01, B05.FR.02, B05.FR.03, B05.FR.12
	m := newModel(t, twoEVSEs(), nil)
	items := []SetItem{
		{Component: Component{Name: "TxCtrlr"}, Variable: Variable{Name: "EVConnectionTimeOut"}, Value: "30"},
		{Component: Component{Name: "Nothing"}, Variable: Variable{Name: "At"}, Attribute: MaxSet, Value: "all"},
		{Component: Component{Name: "txctrlr"}, Variable: Variable{Name: "StopTxOnInvalidId"}, Value: "false"},
	}
	results, changes := m.Set(items)
	if len(results) != len(items) || len(changes) != 2 {
		t.Fatalf("%d results, %d changes", len(results), len(changes))
	}
	for i, r := range results {
		if r.Component != items[i].Component || r.Variable != items[i].Variable || r.Attribute != items[i].Attribute {
			t.Errorf("result %d is for %v %v %v", i, r.Component, r.Variable, r.Attribute)
		}
	}
	if results[0].Attribute != Actual {
		t.Errorf("no attribute named is %s, want Actual", results[0].Attribute)
	}
	if m.Duration(EVConnectionTimeOut) != 30*time.Second || m.Bool(StopTxOnInvalidId) {
		t.Errorf("not in force: %v %v", m.Duration(EVConnectionTimeOut), m.Bool(StopTxOnInvalidId))
	}
}

// covers: B05.FR.06 TC_B_37_CS
func TestSetOtherAttributesAreNotSupported(t *testing.T) { // B05.FR.06
	m := newModel(t, twoEVSEs(), nil)
	for _, a := range []Attribute{Target, MinSet, MaxSet} {
		results, _ := m.Set([]SetItem{{Component: Component{Name: "TxCtrlr"}, Variable: Variable{Name: "EVConnectionTimeOut"}, Attribute: a, Value: "30"}})
		if results[0].Status != SetNotSupportedAttributeType || results[0].Attribute != a {
			t.Errorf("%s: got %s for %s", a, results[0].Status, results[0].Attribute)
		}
	}
}

func TestSetSameVariableTwiceInOneRequest(t *testing.T) { // B05.FR.13
	m := newModel(t, twoEVSEs(), nil)
	results, changes := m.Set([]SetItem{
		{Component: Component{Name: "TxCtrlr"}, Variable: Variable{Name: "EVConnectionTimeOut"}, Value: "30"},
		{Component: Component{Name: "TXCTRLR"}, Variable: Variable{Name: "evconnectiontimeout"}, Value: "40"},
	})
	if results[0].Status != SetAccepted || results[1].Status != SetRejected || len(changes) != 1 || m.Int(EVConnectionTimeOut) != 30 {
		t.Fatalf("got %v, changes %v", results, changes)
	}
}

func TestSetVeto(t *testing.T) { // B10.FR.02
	cfg := twoEVSEs()
	cfg.Veto = func(id ID, value string) Reason {
		if id == NetworkConfigurationPriority && value == "3,1" {
			return ReasonNotFound
		}
		return ""
	}
	m := newModel(t, cfg, nil)
	result, changes := setOne(t, m, "OCPPCommCtrlr/NetworkConfigurationPriority", "3, 1")
	if result.Status != SetRejected || result.Reason != ReasonNotFound || len(changes) != 0 {
		t.Fatalf("got %v, changes %v", result, changes)
	}
	if got := m.Text(NetworkConfigurationPriority); got != "1,2" {
		t.Fatalf("value became %q", got)
	}
	if result, _ := setOne(t, m, "OCPPCommCtrlr/NetworkConfigurationPriority", "2"); result.Status != SetAccepted { // A05.FR.04
		t.Fatalf("got %v", result)
	}
}

func TestSetAgainChangesNothing(t *testing.T) {
	m := newModel(t, twoEVSEs(), nil)
	// The default chosen explicitly is kept: it has to survive a product that changes its default.
	if _, changes := setOne(t, m, "TxCtrlr/EVConnectionTimeOut", "120"); len(changes) != 1 {
		t.Fatalf("first choice: %v", changes)
	}
	if result, changes := setOne(t, m, "TxCtrlr/EVConnectionTimeOut", "120"); result.Status != SetAccepted || len(changes) != 0 {
		t.Fatalf("second choice: %v %v", result, changes)
	}
}

func TestParseDecimalAndDateTime(t *testing.T) {
	decimal := &entry{row: &row{}, chars: &Characteristics{DataType: TypeDecimal, MinLimit: Limit{-1500, true}, MaxLimit: Limit{2500, true}}}
	instant := &entry{row: &row{}, chars: &Characteristics{DataType: TypeDateTime}}
	for _, row := range []struct {
		e    *entry
		raw  string
		want Reason
	}{
		{decimal, "0", ""}, {decimal, "2.5", ""}, {decimal, "-1.5", ""}, {decimal, "0.000001", ""},
		{decimal, "2.500001", ReasonValueOutOfRange}, {decimal, "-1.500001", ReasonValueOutOfRange},
		{decimal, "0.0000001", ReasonInvalidValue}, {decimal, "01", ReasonInvalidValue}, {decimal, "1e3", ReasonInvalidValue},
		{decimal, "", ReasonInvalidValue}, {decimal, "1.", ReasonInvalidValue}, {decimal, ".5", ReasonInvalidValue},
		{decimal, "+1", ReasonInvalidValue}, {decimal, "--1", ReasonInvalidValue}, {decimal, "NaN", ReasonInvalidValue},
		{decimal, "9999999999999999999", ReasonInvalidValue}, {decimal, "999999999999", ReasonValueOutOfRange},
		{instant, "2030-01-01T00:00:00Z", ""}, {instant, "2030-01-01T00:00:00.123+01:00", ""},
		{instant, "2030-01-01T00:00:00.1234Z", ReasonInvalidValue}, {instant, "2030-01-01", ReasonInvalidValue}, {instant, "2030-01-01T00:00:00,123Z", ReasonInvalidValue},
		{instant, "2030-13-01T00:00:00Z", ReasonInvalidValue}, {instant, "", ReasonInvalidValue},
	} {
		if _, f := parse(row.e, row.raw); f.reason != row.want {
			t.Errorf("%s %q: got %q, want %q", row.e.chars.DataType, row.raw, f.reason, row.want)
		}
	}
}
