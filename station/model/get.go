package model

// GetStatus is a word of OCPP GetVariableStatusEnumType.
type GetStatus string

// The outcomes of reading a variable.
const (
	GetAccepted                  GetStatus = "Accepted"
	GetRejected                  GetStatus = "Rejected"
	GetUnknownComponent          GetStatus = "UnknownComponent"
	GetUnknownVariable           GetStatus = "UnknownVariable"
	GetNotSupportedAttributeType GetStatus = "NotSupportedAttributeType"
)

// GetItem is one question of a GetVariables request.
type GetItem struct {
	Component Component
	Variable  Variable
	Attribute Attribute
}

// GetResult answers one GetItem and repeats its names (B06.FR.02, B06.FR.03, B06.FR.11). Value counts only with
// GetAccepted, where it may be empty (B06.FR.13); otherwise a message omits it.
type GetResult struct {
	Component Component
	Variable  Variable
	Attribute Attribute
	Status    GetStatus
	Reason    Reason
	Value     string
}

// Get appends one result per item to dst, in order (B06.FR.01). How many items a request may have
// (ItemsPerMessageGetVariables) is checked by the caller.
func (m *Model) Get(dst []GetResult, items []GetItem) []GetResult {
	for k := range items {
		item := &items[k]
		result := GetResult{Component: item.Component, Variable: item.Variable, Attribute: item.Attribute}
		// An instance that was not named is the one without a name (B06.FR.14, B06.FR.15).
		i, status := m.find(item.Component, item.Variable, item.Attribute)
		result.Status = GetStatus(status) // B06.FR.06, B06.FR.07, B06.FR.08, B06.FR.10
		if status == SetAccepted {
			if e := &m.entries[i]; e.mut == WriteOnly { // B06.FR.09
				result.Status, result.Reason = GetRejected, ReasonWriteOnly
			} else {
				result.Value = m.text(e)
			}
		}
		dst = append(dst, result)
	}
	return dst
}
