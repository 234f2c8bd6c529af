package model

// Base is a word of OCPP ReportBaseEnumType.
type Base string

// The base reports. All three are supported (B07.FR.12 asks for the first two).
const (
	ConfigurationInventory Base = "ConfigurationInventory"
	FullInventory          Base = "FullInventory"
	SummaryInventory       Base = "SummaryInventory"
)

// ReportStatus is a word of OCPP GenericDeviceModelStatusEnumType.
type ReportStatus string

// The answers to a wish for a report. Rejected is for the caller, who knows when no report can be made
// (B07.FR.13, B08.FR.16).
const (
	ReportAccepted       ReportStatus = "Accepted"
	ReportRejected       ReportStatus = "Rejected"
	ReportNotSupported   ReportStatus = "NotSupported"
	ReportEmptyResultSet ReportStatus = "EmptyResultSet"
)

// ReportRow is one variable of a report (OCPP ReportDataType).
type ReportRow struct {
	ID              ID
	Component       Component
	Variable        Variable
	Attributes      []AttributeValue
	Characteristics Characteristics
}

// AttributeValue is one attribute of a reported variable. HasValue is false where the value may not be told
// (B07.FR.03, B08.FR.03); an unset value is told as "" (B07.FR.11).
type AttributeValue struct {
	Type       Attribute
	Value      string
	HasValue   bool
	Mutability Mutability
	Persistent bool
	Constant   bool
}

// Report begins a base report (B07). The rows come from the cursor if the status is Accepted.
func (m *Model) Report(base Base) (Cursor, ReportStatus) {
	c := Cursor{m: m}
	switch base {
	case ConfigurationInventory:
		c.pick = pickSettable
	case FullInventory:
		c.pick = pickAll
	case SummaryInventory:
		c.pick = pickSummary
	default:
		return Cursor{}, ReportNotSupported // B07.FR.02, B07.FR.05
	}
	return c, ReportAccepted // B07.FR.01
}

// Inventory begins a list of all variables for the fitter, secrets included; a name that is "" stands for all.
func (m *Model) Inventory(component, variable string) Cursor {
	c := Cursor{m: m, secrets: true}
	if component != "" || variable != "" {
		c.pick = pickQuery
		c.filters = []ComponentVariable{{Component: Component{Name: component}, Variable: Variable{Name: variable}}}
	}
	return c
}

// pick says which rows a cursor stops at.
type pick uint8

const (
	pickAll pick = iota
	pickSettable
	pickSummary
	pickQuery
)

// Cursor walks the rows of a report in the order of the table; it holds no copy of them, so that a report costs
// no memory and shows the values of the moment at which a row is read. Cursors of a Model may be mixed freely with
// other calls.
type Cursor struct {
	m        *Model
	pick     pick
	secrets  bool
	criteria criteria
	filters  []ComponentVariable
	next     int
	// The last component judged against the criteria, plus one, and the verdict.
	judged int
	fits   bool
}

// More reports whether Next will give another row: the tbc of a NotifyReport (B07.FR.10, B08.FR.14).
func (c *Cursor) More() bool {
	if c.m == nil {
		return false
	}
	for c.next < len(c.m.entries) && !c.takes(c.next) {
		c.next++
	}
	return c.next < len(c.m.entries)
}

// Next fills dst from the front and returns the number of rows; less than len(dst) means that the report is
// complete. The Attributes of the rows in dst are reused.
func (c *Cursor) Next(dst []ReportRow) int {
	for n := range dst {
		if !c.More() {
			return n
		}
		c.fill(&dst[n], &c.m.entries[c.next])
		c.next++
	}
	return len(dst)
}

func (c *Cursor) fill(row *ReportRow, e *entry) {
	row.ID = e.row.id
	row.Component = c.m.comps[e.comp].Component
	row.Variable = e.row.variable()
	row.Characteristics = *e.chars // B08.FR.12
	a := AttributeValue{
		Type:       Actual,
		HasValue:   e.mut != WriteOnly || c.secrets,
		Mutability: e.mut,
		Persistent: !e.row.live, // part 2, chapter 2 of the referenced variables: what can be set persists
		Constant:   e.mut == ReadOnly && !e.row.live,
	}
	if a.HasValue {
		a.Value = c.m.text(e)
	}
	row.Attributes = append(row.Attributes[:0], a)
}

func (c *Cursor) takes(i int) bool {
	e := &c.m.entries[i]
	if e.gone {
		return false
	}
	switch c.pick {
	case pickSettable: // B07.FR.07
		return e.mut != ReadOnly
	case pickSummary:
		return c.m.inSummary(e)
	case pickQuery:
		return c.wanted(e)
	}
	return true // B07.FR.08
}

// inSummary picks what tells of availability and trouble (B07.FR.09): the state of the station, of every EVSE and
// of each connector whose state differs from that of its EVSE, and what has a problem.
func (m *Model) inSummary(e *entry) bool {
	switch e.row.id {
	case StationAvailabilityState, EVSEAvailabilityState:
		return true
	case StationProblem, EVSEProblem, ConnectorProblem, LockProblem:
		return m.text(e) == "true"
	case ConnectorAvailabilityState:
		evse := Component{Name: "EVSE", EVSE: m.comps[e.comp].EVSE}
		i, status := m.find(evse, e.row.variable(), Actual)
		return status != SetAccepted || m.text(&m.entries[i]) != m.text(e)
	}
	return false
}
