package model

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/evsed/evsed/station/term"
)

// Live gives the values that are computed and never stored. ref is {0,0} for a row of the station tier, {e,0} for
// one of EVSE e, {e,c} for one of its connectors. ok false means that there is no value now; the default of the row
// is shown then. The answer is spelled as OCPP spells it. Live is called from Get, Next and the queries.
type Live interface {
	Live(ref term.Ref, id ID) (value string, ok bool)
}

// Model holds the values of all rows. It belongs to one goroutine.
type Model struct {
	comps   []component
	entries []entry // station tier first: there the index is the ID
	byName  map[string]int
	live    Live
	veto    func(ID, string) Reason
}

// component is an addressable component: its entries lie in one run.
type component struct {
	Component
	first, end int
}

// entry is one variable of one component.
type entry struct {
	row   *row
	comp  int
	chars *Characteristics
	mut   Mutability
	value value
	set   bool // somebody chose the value; false: it is the default
	gone  bool // the station does not have it, and nobody finds it
}

// value is a checked value in the form that code wants.
type value struct {
	text string
	num  int      // integer; boolean as 0 and 1
	list []string // members of a list
}

// Change is a value that has to survive: one Record, an upsert under Key.
type Change struct {
	ID    ID
	Key   string
	Value string
}

// LogValue keeps values out of logs: one of them is a password.
func (c Change) LogValue() slog.Value { return slog.StringValue(c.Key) }

// Int returns the value of an integer variable of the station tier. It panics if id is no stored integer.
func (m *Model) Int(id ID) int { return m.stored(id, TypeInteger).value.num }

// Bool returns the value of a boolean variable of the station tier. It panics if id is no stored boolean.
func (m *Model) Bool(id ID) bool { return m.stored(id, TypeBoolean).value.num != 0 }

// Decimal returns the value of a decimal variable of the station tier, digits behind the thousandths dropped. It panics
// if id is no stored decimal.
func (m *Model) Decimal(id ID) Decimal { return milli(m.stored(id, TypeDecimal).value.text) }

// Duration returns the value of an integer variable in seconds. It panics if id is no such variable.
func (m *Model) Duration(id ID) time.Duration {
	e := m.stored(id, TypeInteger)
	if e.row.unit != "s" {
		panic("model: " + id.String() + " is not in seconds")
	}
	return time.Duration(e.value.num) * time.Second
}

// List returns the members of a list variable of the station tier; the caller does not change it. It panics if id
// is no stored list.
func (m *Model) List(id ID) []string {
	e := m.entry(id)
	if !e.row.kind.isList() {
		panic("model: " + id.String() + " is no list")
	}
	return e.value.list
}

// Has reports whether word is a member of a list variable.
func (m *Model) Has(id ID, word string) bool {
	for _, member := range m.List(id) {
		if member == word {
			return true
		}
	}
	return false
}

// Text returns the value of any stored variable of the station tier as OCPP spells it, secrets too.
func (m *Model) Text(id ID) string { return m.entry(id).value.text }

// TextAt returns the value of a row that exists per EVSE or connector as OCPP spells it, computed if it is a live
// one; "" if ref has no such row.
func (m *Model) TextAt(ref term.Ref, id ID) string {
	for n := range m.comps {
		c := &m.comps[n]
		if c.EVSE != ref.EVSE || c.Connector != ref.Connector {
			continue
		}
		for i := c.first; i < c.end; i++ {
			if m.entries[i].row.id == id {
				return m.text(&m.entries[i])
			}
		}
	}
	return ""
}

func (m *Model) stored(id ID, kind DataType) *entry {
	e := m.entry(id)
	if e.row.kind != kind {
		panic("model: " + id.String() + " is of type " + e.row.kind.String())
	}
	return e
}

// entry panics for a row that has no single stored value: asking for one is a mistake in our code.
func (m *Model) entry(id ID) *entry {
	if id >= stationIDs {
		panic("model: " + id.String() + " exists once per EVSE or connector")
	}
	e := &m.entries[id]
	if e.row.live {
		panic("model: " + id.String() + " is computed, not stored")
	}
	return e
}

// Put sets a value on behalf of the station itself, such as the heartbeat interval that the CSMS gave at boot
// (B01.FR.04). Type and range are checked, mutability is not.
func (m *Model) Put(id ID, value string) (Change, error) {
	if id >= stationIDs {
		panic("model: " + id.String() + " exists once per EVSE or connector")
	}
	return m.force(int(id), value)
}

// Override sets a value on behalf of a seed or of the fitter: read-only ones too, but none that is computed.
func (m *Model) Override(c Component, v Variable, a Attribute, value string) (Change, error) {
	i, status := m.find(c, v, a)
	if status != SetAccepted {
		return Change{}, fmt.Errorf("set %s/%s: %s", c, v, status)
	}
	return m.force(i, value)
}

// Restore replays a Change. An error means that the row does not exist any more, or does not take the value any
// more; the default stays.
func (m *Model) Restore(key, value string) error {
	c, v, ok := parseKey(key)
	if !ok {
		return fmt.Errorf("restore %q: not a key", key)
	}
	i, status := m.find(c, v, Actual)
	if status != SetAccepted {
		return fmt.Errorf("restore %s: %s", key, status)
	}
	_, err := m.force(i, value)
	return err
}

func (m *Model) force(i int, raw string) (Change, error) {
	e := &m.entries[i]
	if e.row.live {
		return Change{}, fmt.Errorf("set %s: the value is computed", m.key(e))
	}
	val, f := parse(e, raw)
	if f.reason != "" {
		return Change{}, fmt.Errorf("set %s: %s: %s", m.key(e), f.reason, f.info)
	}
	return m.store(e, val), nil
}

func (m *Model) store(e *entry, val value) Change {
	e.value, e.set = val, true
	return Change{ID: e.row.id, Key: m.key(e), Value: val.text}
}

func (m *Model) key(e *entry) string { return keyOf(m.comps[e.comp].Component, e.row.variable()) }

// text returns the current value of an entry, computed if it is a live one.
func (m *Model) text(e *entry) string {
	if e.row.live && m.live != nil {
		c := &m.comps[e.comp]
		if value, ok := m.live.Live(term.Ref{EVSE: c.EVSE, Connector: c.Connector}, e.row.id); ok {
			return value
		}
	}
	return e.value.text
}

// find returns the entry of a name, or the word that says what is missing. The words are those of SetVariables;
// GetVariables has the same.
func (m *Model) find(c Component, v Variable, a Attribute) (int, SetStatus) {
	var buf [128]byte
	n, ok := m.byName[string(appendName(buf[:0], c))]
	if !ok {
		return 0, SetUnknownComponent
	}
	for i := m.comps[n].first; i < m.comps[n].end; i++ {
		r := m.entries[i].row
		if m.entries[i].gone || !equalFold(r.name, v.Name) || !equalFold(r.instance, v.Instance) {
			continue
		}
		if a != Actual {
			return 0, SetNotSupportedAttributeType
		}
		return i, SetAccepted
	}
	return 0, SetUnknownVariable
}

// appendName appends the folded name under which a component is looked up.
func appendName(b []byte, c Component) []byte {
	for i := 0; i < len(c.Name); i++ {
		b = append(b, lower(c.Name[i]))
	}
	b = append(b, 0)
	for i := 0; i < len(c.Instance); i++ {
		b = append(b, lower(c.Instance[i]))
	}
	b = append(b, 0)
	for _, n := range [2]int32{int32(c.EVSE), int32(c.Connector)} {
		b = append(b, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	return b
}
