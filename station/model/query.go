package model

// Criterion is a word of OCPP ComponentCriterionEnumType.
type Criterion string

// The criteria of a custom report.
const (
	CriterionActive    Criterion = "Active"
	CriterionAvailable Criterion = "Available"
	CriterionEnabled   Criterion = "Enabled"
	CriterionProblem   Criterion = "Problem"
)

// ComponentVariable names rows of a custom report. What is left empty stands for all: the variable (B08.FR.20),
// its instance (B08.FR.21), connector (B08.FR.22), EVSE with the station tier (B08.FR.23) and the instance of the
// component (B08.FR.24, B08.FR.25).
type ComponentVariable struct {
	Component Component
	Variable  Variable
}

// Query is what a GetReport request asks for. Where both lists are given, a row has to satisfy both (B08.FR.05);
// where neither is, the report is the full inventory.
type Query struct {
	Criteria  []Criterion
	Variables []ComponentVariable
}

// criteria is a set of criteria.
type criteria uint8

const (
	wantActive criteria = 1 << iota
	wantAvailable
	wantEnabled
	wantProblem
)

// Query begins a custom report (B08). How many variables a request may name (ItemsPerMessageGetReport) is checked
// by the caller. The rows come from the cursor if the status is Accepted.
func (m *Model) Query(q Query) (Cursor, ReportStatus) {
	c := Cursor{m: m, pick: pickQuery, filters: append([]ComponentVariable(nil), q.Variables...)}
	for _, criterion := range q.Criteria {
		switch criterion {
		case CriterionActive:
			c.criteria |= wantActive
		case CriterionAvailable:
			c.criteria |= wantAvailable
		case CriterionEnabled:
			c.criteria |= wantEnabled
		case CriterionProblem:
			c.criteria |= wantProblem
		default:
			return Cursor{}, ReportNotSupported // B08.FR.02
		}
	}
	if !c.More() {
		return Cursor{}, ReportEmptyResultSet // B08.FR.15
	}
	return c, ReportAccepted // B08.FR.01
}

// wanted reports whether a query asks for an entry.
func (c *Cursor) wanted(e *entry) bool {
	return c.named(e) && (c.criteria == 0 || c.meets(e.comp))
}

// named reports whether the entry is one of the variables named; all are if none is (B08.FR.11).
func (c *Cursor) named(e *entry) bool {
	comp := &c.m.comps[e.comp].Component
	for i := range c.filters {
		f := &c.filters[i]
		if matches(f.Component.Name, comp.Name) && matches(f.Component.Instance, comp.Instance) &&
			(f.Component.EVSE == 0 || f.Component.EVSE == comp.EVSE) &&
			(f.Component.Connector == 0 || f.Component.Connector == comp.Connector) &&
			matches(f.Variable.Name, e.row.name) && matches(f.Variable.Instance, e.row.instance) {
			return true
		}
	}
	return len(c.filters) == 0
}

// matches compares a name with what was asked for; asking for "" is asking for any.
func matches(asked, name string) bool { return asked == "" || equalFold(asked, name) }

// meets reports whether a component satisfies at least one criterion (B08.FR.13). A component without the variable
// satisfies all but Problem (B08.FR.07 to B08.FR.10).
func (c *Cursor) meets(comp int) bool {
	if c.judged != comp+1 {
		c.judged, c.fits = comp+1, c.m.meets(comp, c.criteria)
	}
	return c.fits
}

func (m *Model) meets(comp int, want criteria) bool {
	for _, t := range [...]struct {
		bit     criteria
		name    string
		without bool
	}{
		{wantActive, "Active", true}, {wantAvailable, "Available", true}, {wantEnabled, "Enabled", true}, {wantProblem, "Problem", false},
	} {
		if want&t.bit != 0 && m.isTrue(comp, t.name, t.without) {
			return true
		}
	}
	return false
}

// isTrue reports whether the named variable of a component is true, or without if there is none.
func (m *Model) isTrue(comp int, name string, without bool) bool {
	for i := m.comps[comp].first; i < m.comps[comp].end; i++ {
		if e := &m.entries[i]; e.row.name == name && e.row.instance == "" {
			return m.text(e) == "true"
		}
	}
	return without
}
