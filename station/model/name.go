package model

import (
	"strconv"
	"strings"

	"github.com/evsed/evsed/station/term"
)

// Component addresses a component. EVSE 0 is the station tier, Connector 0 the EVSE tier (part 1, 4.1).
type Component struct {
	Name      string
	Instance  string
	EVSE      term.EVSEID
	Connector term.ConnectorID
}

// Variable addresses a variable within a component.
type Variable struct {
	Name     string
	Instance string
}

// Equal compares as OCPP does: names and instances are case-insensitive identifier strings.
func (c Component) Equal(o Component) bool {
	return c.EVSE == o.EVSE && c.Connector == o.Connector && equalFold(c.Name, o.Name) && equalFold(c.Instance, o.Instance)
}

// Equal compares as OCPP does: names and instances are case-insensitive identifier strings.
func (v Variable) Equal(o Variable) bool {
	return equalFold(v.Name, o.Name) && equalFold(v.Instance, o.Instance)
}

// String returns "EVSE@1", "Connector@1.2" or "TxCtrlr"; an instance follows the name behind '#'.
func (c Component) String() string {
	s := c.Name
	if c.Instance != "" {
		s += "#" + c.Instance
	}
	if c.EVSE != 0 {
		s += "@" + term.Ref{EVSE: c.EVSE, Connector: c.Connector}.String()
	}
	return s
}

// String returns "TxStartPoint" or "ItemsPerMessage#GetReport".
func (v Variable) String() string {
	if v.Instance == "" {
		return v.Name
	}
	return v.Name + "#" + v.Instance
}

// keyOf returns the name under which a changed value is kept: component, slash, variable.
func keyOf(c Component, v Variable) string { return c.String() + "/" + v.String() }

// parseKey is the inverse of keyOf.
func parseKey(key string) (c Component, v Variable, ok bool) {
	left, right, ok := strings.Cut(key, "/")
	if !ok {
		return c, v, false
	}
	v.Name, v.Instance, _ = strings.Cut(right, "#")
	left, tier, placed := strings.Cut(left, "@")
	c.Name, c.Instance, _ = strings.Cut(left, "#")
	if !placed {
		return c, v, true
	}
	evse, connector, deep := strings.Cut(tier, ".")
	e, err := strconv.ParseUint(evse, 10, 31)
	c.EVSE = term.EVSEID(e)
	if err == nil && deep {
		var n uint64
		n, err = strconv.ParseUint(connector, 10, 31)
		c.Connector = term.ConnectorID(n)
	}
	return c, v, err == nil
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// equalFold ignores the case of ASCII letters, the only letters that an identifierString has.
func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := 0; i < len(a); i++ {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}
