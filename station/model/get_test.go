package model

import (
	"testing"

	"github.com/evsed/evsed/station/term"
)

// world is a Live whose values the test sets.
type world map[ID]map[term.Ref]string

func (w world) Live(ref term.Ref, id ID) (string, bool) {
	value, ok := w[id][ref]
	return value, ok
}

func (w world) set(id ID, ref term.Ref, value string) {
	if w[id] == nil {
		w[id] = map[term.Ref]string{}
	}
	w[id][ref] = value
}

func getOne(t *testing.T, m *Model, key string, a Attribute) GetResult {
	t.Helper()
	c, v := named(t, key)
	item := GetItem{Component: c, Variable: v, Attribute: a}
	results := m.Get(nil, []GetItem{item})
	if len(results) != 1 {
		t.Fatalf("%d results for one item", len(results))
	}
	if r := results[0]; r.Component != c || r.Variable != v || r.Attribute != a { // B06.FR.02, B06.FR.03
		t.Fatalf("answered for %v %v %v", r.Component, r.Variable, r.Attribute)
	}
	return results[0]
}

// covers: TC_B_34_CS
func TestGet(t *testing.T) {
	live := world{}
	live.set(EVSEAvailabilityState, term.Ref{EVSE: 1}, "Occupied")
	live.set(ConnectorAvailabilityState, term.Ref{EVSE: 2, Connector: 2}, "Faulted")
	live.set(DateTime, term.Ref{}, "2030-01-01T00:00:00Z")
	for _, row := range []struct {
		name, key string
		attribute Attribute
		status    GetStatus
		reason    Reason
		value     string
	}{
		{name: "default", key: "TxCtrlr/EVConnectionTimeOut", status: GetAccepted, value: "120"},
		{name: "names in any case", key: "txctrlr/evconnectiontimeout", status: GetAccepted, value: "120"},
		{name: "from the board", key: "Connector@2.2/ConnectorType", status: GetAccepted, value: "cType2"},
		{name: "one instance", key: "DeviceDataCtrlr/ItemsPerMessage#getreport", status: GetAccepted, value: "64"}, // B06.FR.14
		{name: "no instance", key: "DeviceDataCtrlr/ItemsPerMessage", status: GetUnknownVariable},                  // B06.FR.15
		{name: "computed for the station", key: "ClockCtrlr/DateTime", status: GetAccepted, value: "2030-01-01T00:00:00Z"},
		{name: "computed for an EVSE", key: "EVSE@1/AvailabilityState", status: GetAccepted, value: "Occupied"},
		{name: "computed for a connector", key: "Connector@2.2/AvailabilityState", status: GetAccepted, value: "Faulted"},
		{name: "computed, and nothing known", key: "EVSE@2/AvailabilityState", status: GetAccepted, value: "Unavailable"},
		{name: "no value at all", key: "OCPPCommCtrlr/ActiveNetworkProfile", status: GetAccepted, value: ""}, // B06.FR.13
		{name: "write-only", key: "SecurityCtrlr/BasicAuthPassword", status: GetRejected, reason: ReasonWriteOnly},
		{name: "unknown component", key: "NoCtrlr/Available", status: GetUnknownComponent},
		{name: "unknown variable", key: "TxCtrlr/Available", status: GetUnknownVariable},
		{name: "other attribute", key: "TxCtrlr/EVConnectionTimeOut", attribute: Target, status: GetNotSupportedAttributeType},
		{name: "other attribute of nothing", key: "TxCtrlr/Nothing", attribute: Target, status: GetUnknownVariable},
		{name: "EVSE without a name has no EvseId", key: "EVSE@2/EvseId", status: GetUnknownVariable},
		{name: "EVSE with a name", key: "EVSE@1/EvseId", status: GetAccepted, value: "DE*X*1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := newModel(t, twoEVSEs(), live)
			if _, err := m.Put(BasicAuthPassword, "0123456789abcDEF"); err != nil {
				t.Fatal(err)
			}
			got := getOne(t, m, row.key, row.attribute)
			if got.Status != row.status || got.Reason != row.reason || got.Value != row.value {
				t.Fatalf("got %s %q %q, want %s %q %q", got.Status, got.Reason, got.Value, row.status, row.reason, row.value)
			}
		})
	}
}

func TestGetAppendsOneResultPerItem(t *testing.T) { // B06.FR.01
	m := newModel(t, twoEVSEs(), nil)
	items := []GetItem{
		{Component: Component{Name: "TxCtrlr"}, Variable: Variable{Name: "TxStartPoint"}},
		{Component: Component{Name: "TxCtrlr"}, Variable: Variable{Name: "TxStartPoint"}},
		{Component: Component{Name: "Nothing"}},
	}
	results := m.Get(make([]GetResult, 1, 4), items)
	if len(results) != 1+len(items) || results[1].Value != "PowerPathClosed" || results[2] != results[1] || results[3].Status != GetUnknownComponent {
		t.Fatalf("got %+v", results)
	}
}

func TestGetAllocatesNothing(t *testing.T) {
	m := newModel(t, twoEVSEs(), nil)
	items := []GetItem{{Component: Component{Name: "Connector", EVSE: 2, Connector: 2}, Variable: Variable{Name: "ConnectorType"}}}
	dst := make([]GetResult, 0, 1)
	if n := testing.AllocsPerRun(100, func() { dst = m.Get(dst[:0], items) }); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}
