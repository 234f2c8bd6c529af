package model

import (
	"testing"

	"github.com/evsed/evsed/station/term"
)

func query(t *testing.T, m *Model, q Query) []ReportRow {
	t.Helper()
	c, status := m.Query(q)
	if status != ReportAccepted { // B08.FR.01
		t.Fatalf("got %s", status)
	}
	return rows(c)
}

func ask(component Component, variable Variable) []ComponentVariable {
	return []ComponentVariable{{Component: component, Variable: variable}}
}

func TestQueryByName(t *testing.T) { // B08.FR.11
	m := newModel(t, twoEVSEs(), nil)
	for _, row := range []struct {
		name string
		ask  []ComponentVariable
		want []string
	}{
		{"one variable", ask(Component{Name: "evse", EVSE: 1}, Variable{Name: "availabilitystate"}), []string{"EVSE@1/AvailabilityState"}},
		{"every variable of a component: B08.FR.20", ask(Component{Name: "ClockCtrlr"}, Variable{}),
			[]string{"ClockCtrlr/DateTime", "ClockCtrlr/TimeAdjustmentReportingThreshold", "ClockCtrlr/TimeSource"}},
		{"every instance of a variable: B08.FR.21", ask(Component{Name: "DeviceDataCtrlr"}, Variable{Name: "ItemsPerMessage"}),
			[]string{"DeviceDataCtrlr/ItemsPerMessage#GetReport", "DeviceDataCtrlr/ItemsPerMessage#GetVariables", "DeviceDataCtrlr/ItemsPerMessage#SetVariables"}},
		{"one instance", ask(Component{Name: "DeviceDataCtrlr"}, Variable{Name: "ItemsPerMessage", Instance: "GetReport"}),
			[]string{"DeviceDataCtrlr/ItemsPerMessage#GetReport"}},
		{"every connector of an EVSE: B08.FR.22", ask(Component{Name: "Connector", EVSE: 2}, Variable{Name: "Available"}),
			[]string{"Connector@2.1/Available", "Connector@2.2/Available"}},
		{"one connector", ask(Component{Name: "Connector", EVSE: 2, Connector: 2}, Variable{Name: "Available"}), []string{"Connector@2.2/Available"}},
		{"every EVSE: B08.FR.23", ask(Component{Name: "EVSE"}, Variable{Name: "AvailabilityState"}),
			[]string{"EVSE@1/AvailabilityState", "EVSE@2/AvailabilityState"}},
		{"rows named twice come once, in the order of the table", []ComponentVariable{
			{Component{Name: "TxCtrlr"}, Variable{Name: "TxStopPoint"}},
			{Component{Name: "TxCtrlr"}, Variable{Name: "TxStartPoint"}},
			{Component{Name: "TXCTRLR"}, Variable{Name: "TXSTARTPOINT"}},
		}, []string{"TxCtrlr/TxStartPoint", "TxCtrlr/TxStopPoint"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := query(t, m, Query{Variables: row.ask})
			wantNames(t, names(got), row.want...)
			for _, r := range got { // B08.FR.12
				if r.Characteristics != *m.entryOf(t, r).chars {
					t.Errorf("%v: characteristics %+v", r.Variable, r.Characteristics)
				}
			}
		})
	}
}

func (m *Model) entryOf(t *testing.T, r ReportRow) *entry {
	t.Helper()
	i, status := m.find(r.Component, r.Variable, Actual)
	if status != SetAccepted {
		t.Fatalf("%v: %s", r, status)
	}
	return &m.entries[i]
}

func TestQueryOfNothing(t *testing.T) { // B08.FR.15
	m := newModel(t, twoEVSEs(), nil)
	for _, q := range []Query{
		{Variables: ask(Component{Name: "NoCtrlr"}, Variable{})},
		{Variables: ask(Component{Name: "EVSE", EVSE: 3}, Variable{})},
		{Variables: ask(Component{Name: "EVSE", Instance: "left"}, Variable{})}, // B08.FR.24
		{Variables: ask(Component{Name: "TxCtrlr"}, Variable{Name: "TxStartPoint", Instance: "x"})},
		{Criteria: []Criterion{CriterionProblem}},
		{Criteria: []Criterion{CriterionProblem}, Variables: ask(Component{Name: "EVSE", EVSE: 1}, Variable{Name: "AvailabilityState"})},
	} {
		if c, status := m.Query(q); status != ReportEmptyResultSet || c.More() {
			t.Errorf("%+v: %s", q, status)
		}
	}
}

func TestQueryByUnknownCriterion(t *testing.T) { // B08.FR.02
	m := newModel(t, twoEVSEs(), nil)
	if _, status := m.Query(Query{Criteria: []Criterion{CriterionActive, "Beautiful"}}); status != ReportNotSupported {
		t.Errorf("got %s", status)
	}
}

func TestQueryWithoutAnyWishIsTheFullInventory(t *testing.T) {
	m := newModel(t, twoEVSEs(), nil)
	wantNames(t, names(query(t, m, Query{})), names(report(t, m, FullInventory))...)
}

// components returns the components of a report in order, each once.
func components(all []ReportRow) map[string]bool {
	found := map[string]bool{}
	for _, r := range all {
		found[r.Component.String()] = true
	}
	return found
}

func TestQueryByCriteria(t *testing.T) {
	live := world{}
	live.set(EVSEProblem, term.Ref{EVSE: 2}, "true")
	m := newModel(t, twoEVSEs(), live)
	if r, _ := setOne(t, m, "AuthCacheCtrlr/Enabled", "false"); r.Status != SetAccepted {
		t.Fatal(r)
	}
	if _, err := m.Override(Component{Name: "Connector", EVSE: 2, Connector: 2}, Variable{Name: "Available"}, Actual, "false"); err != nil {
		t.Fatal(err)
	}
	all := len(components(report(t, m, FullInventory)))

	enabled := components(query(t, m, Query{Criteria: []Criterion{CriterionEnabled}})) // B08.FR.09
	if len(enabled) != all-1 || enabled["AuthCacheCtrlr"] || !enabled["AuthCtrlr"] || !enabled["TxCtrlr"] {
		t.Errorf("enabled: %v", enabled)
	}
	available := components(query(t, m, Query{Criteria: []Criterion{CriterionAvailable}})) // B08.FR.08
	if len(available) != all-1 || available["Connector@2.2"] || !available["Connector@2.1"] || !available["TxCtrlr"] {
		t.Errorf("available: %v", available)
	}
	active := components(query(t, m, Query{Criteria: []Criterion{CriterionActive}})) // B08.FR.07: none has the variable
	if len(active) != all {
		t.Errorf("active: %v", active)
	}
	problem := components(query(t, m, Query{Criteria: []Criterion{CriterionProblem}})) // B08.FR.10
	if len(problem) != 1 || !problem["EVSE@2"] {
		t.Errorf("problem: %v", problem)
	}
	either := components(query(t, m, Query{Criteria: []Criterion{CriterionProblem, CriterionEnabled}})) // B08.FR.13
	if len(either) != all-1 {
		t.Errorf("problem or enabled: %v", either)
	}
	// B08.FR.05: both lists bind.
	wantNames(t, names(query(t, m, Query{
		Criteria:  []Criterion{CriterionAvailable},
		Variables: ask(Component{Name: "Connector"}, Variable{Name: "ConnectorType"}),
	})), "Connector@1.1/ConnectorType", "Connector@2.1/ConnectorType")
}

func TestQueryKeepsItsOwnCopy(t *testing.T) {
	m := newModel(t, twoEVSEs(), nil)
	wishes := ask(Component{Name: "ClockCtrlr"}, Variable{})
	c, _ := m.Query(Query{Variables: wishes})
	wishes[0].Component.Name = "TxCtrlr" // the buffer of a decoder is used again
	wantNames(t, names(rows(c)), "ClockCtrlr/DateTime", "ClockCtrlr/TimeAdjustmentReportingThreshold", "ClockCtrlr/TimeSource")
}
