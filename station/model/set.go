package model

import "strconv"

// SetStatus is a word of OCPP SetVariableStatusEnumType.
type SetStatus string

// The outcomes of setting a variable. RebootRequired is missing: no value of this station waits for a reboot to be
// accepted.
const (
	SetAccepted                  SetStatus = "Accepted"
	SetRejected                  SetStatus = "Rejected"
	SetUnknownComponent          SetStatus = "UnknownComponent"
	SetUnknownVariable           SetStatus = "UnknownVariable"
	SetNotSupportedAttributeType SetStatus = "NotSupportedAttributeType"
)

// SetItem is one wish of a SetVariables request.
type SetItem struct {
	Component Component
	Variable  Variable
	Attribute Attribute
	Value     string
}

// SetResult answers one SetItem and repeats its names (B05.FR.02, B05.FR.03, B05.FR.12). Info explains a
// rejection to a person.
type SetResult struct {
	Component Component
	Variable  Variable
	Attribute Attribute
	Status    SetStatus
	Reason    Reason
	Info      string
}

// Set carries out a SetVariables request: one result per item, in order (B05.FR.01), each item on its own. How
// many items a request may have (ItemsPerMessageSetVariables) is checked by the caller. The changes are in force
// when Set returns; the caller answers once they are durable.
func (m *Model) Set(items []SetItem) ([]SetResult, []Change) {
	results := make([]SetResult, len(items))
	var changes []Change
	var seen []int
	for k := range items {
		item := &items[k]
		results[k] = SetResult{Component: item.Component, Variable: item.Variable, Attribute: item.Attribute}
		i, status := m.find(item.Component, item.Variable, item.Attribute)
		results[k].Status = status // B05.FR.04, B05.FR.05, B05.FR.06
		if status != SetAccepted {
			continue
		}
		if contains(seen, i) { // B05.FR.13: a request names a variable once; the first wins
			results[k].refuse(fault{ReasonInvalidValue, "named twice in one request"})
			continue
		}
		seen = append(seen, i)
		if change, ok := m.setOne(i, item.Value, &results[k]); ok {
			changes = append(changes, change)
		}
	}
	return results, changes
}

// setOne returns a change if there is something to keep.
func (m *Model) setOne(i int, raw string, result *SetResult) (Change, bool) {
	e := &m.entries[i]
	if e.mut == ReadOnly { // B05.FR.09
		result.refuse(fault{ReasonReadOnly, ""})
		return Change{}, false
	}
	if most := m.Int(ConfigurationValueSize); tooLong(raw, at(most)) { // part 2, 2.1.20
		result.refuse(fault{ReasonTooLarge, "at most " + strconv.Itoa(most) + " characters"})
		return Change{}, false
	}
	val, f := parse(e, raw)
	if f.reason != "" { // B05.FR.07, B05.FR.08
		result.refuse(f)
		return Change{}, false
	}
	if m.veto != nil {
		if reason := m.veto(e.row.id, val.text); reason != "" { // B05.FR.09, B10.FR.02, A05.FR.02
			result.refuse(fault{reason, ""})
			return Change{}, false
		}
	}
	if e.set && e.value.text == val.text {
		return Change{}, false
	}
	// A new NetworkConfigurationPriority is Accepted, not RebootRequired: that is the one word that A05.FR.04 and
	// B10.FR.01 both allow. It is used from the next boot on (B10.FR.04).
	return m.store(e, val), true
}

func (r *SetResult) refuse(f fault) {
	r.Status, r.Reason, r.Info = SetRejected, f.reason, f.info
}

func contains(ns []int, n int) bool {
	for _, have := range ns {
		if have == n {
			return true
		}
	}
	return false
}
