package sim

import (
	"fmt"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/local/strict"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/term"
)

// Bounds of the fitter's calls.
const (
	maxSet     = 1000
	maxEntry   = 10_000
	maxName    = 50
	maxValue   = 2500
	maxNumber  = 1 << 20
	maxVersion = 1<<31 - 1
)

// variable is one attribute of one variable, named as the seed file names it.
type variable struct {
	Key               string           `json:"key,omitempty"` // of OCPP 1.6
	Component         string           `json:"component,omitempty"`
	ComponentInstance string           `json:"componentInstance,omitempty"`
	EVSE              term.EVSEID      `json:"evse,omitempty"`
	Connector         term.ConnectorID `json:"connector,omitempty"`
	Variable          string           `json:"variable,omitempty"`
	VariableInstance  string           `json:"variableInstance,omitempty"`
	Attribute         string           `json:"attribute,omitempty"`
	Value             *string          `json:"value,omitempty"`
	Mutability        string           `json:"mutability,omitempty"`
	Status            string           `json:"status,omitempty"`
	Error             string           `json:"error,omitempty"`
}

func nameOf(c model.Component, v model.Variable, a model.Attribute) variable {
	return variable{
		Component: c.Name, ComponentInstance: c.Instance, EVSE: c.EVSE, Connector: c.Connector, Variable: v.Name,
		VariableInstance: v.Instance, Attribute: a.String(),
	}
}

// variables lists current values, secrets too.
func (c *call) variables(v *strict.Value) (any, error) {
	c.Object(v)
	if err := c.bad(); err != nil {
		return nil, err
	}
	if c.query.Has("key") {
		return c.readKey(c.query.Get("key"))
	}
	inv, err := ask[station.Inventory](c, station.GetInventory{Component: c.query.Get("component"), Variable: c.query.Get("variable")})
	if err != nil {
		return nil, err
	}
	list := []variable{}
	for _, row := range inv.Rows {
		for _, a := range row.Attributes {
			it := nameOf(row.Component, row.Variable, a.Type)
			it.Mutability = a.Mutability.String()
			if a.HasValue {
				it.Value = &a.Value
			}
			list = append(list, it)
		}
	}
	return struct {
		Variables []variable `json:"variables"`
	}{list}, nil
}

// setVariables sets variables, read-only ones too.
func (c *call) setVariables(v *strict.Value) (any, error) {
	o := c.Object(v, "set")
	o.Need("set", "a list of variables")
	var wishes []wish
	o.Each("set", maxSet, func(_ int, v *strict.Value) { wishes = append(wishes, c.wishOf(v)) })
	if err := c.bad(); err != nil {
		return nil, err
	}
	var items []model.SetItem
	for i := range wishes {
		items = append(items, wishes[i].items...)
	}
	set, err := ask[station.VariablesSet](c, station.OverrideVariables{Items: items})
	if err != nil {
		return nil, err
	}
	if len(set.Results) != len(items) {
		return nil, fmt.Errorf("set variables: %d results for %d items", len(set.Results), len(items))
	}
	rest, results := set.Results, []variable{}
	for i := range wishes {
		rest = wishes[i].settle(rest)
		results = append(results, wishes[i].told)
	}
	return struct {
		Results []variable `json:"results"`
	}{results}, nil
}

// setItem reads one variable to set: by the names of OCPP 2.x, or by a key of 1.6.
func (c *call) setItem(v *strict.Value) (it model.SetItem, key string) {
	o := c.Object(v, "key", "component", "variable", "attribute", "value", "componentInstance", "variableInstance", "evse", "connector")
	text := func(name string, most int) string { return strict.Or(strict.Text(o, name, most), "") }
	o.Need("value", "a string in quotes")
	it.Value = text("value", maxValue)
	if key = text("key", maxName); key != "" {
		for _, name := range []string{"component", "variable", "attribute", "componentInstance", "variableInstance", "evse", "connector"} {
			if o.Value(name) != nil {
				o.Fail(name, "want a key, or component and variable")
			}
		}
		return it, key
	}
	o.Need("component", "a name like TxCtrlr, or a key")
	o.Need("variable", "a name like TxStartPoint")
	it.Component = model.Component{
		Name: text("component", maxName), Instance: text("componentInstance", maxName),
		EVSE:      strict.Or(strict.Int[term.EVSEID](o, "evse", 0, maxNumber), 0),
		Connector: strict.Or(strict.Int[term.ConnectorID](o, "connector", 0, maxNumber), 0),
	}
	it.Variable = model.Variable{Name: text("variable", maxName), Instance: text("variableInstance", maxName)}
	it.Attribute, _ = model.ParseAttribute(strict.Or(strict.Word(o, "attribute", "Actual", "Target", "MinSet", "MaxSet"), "Actual"))
	return it, ""
}

// tokenStatuses are the words of OCPP's AuthorizationStatusEnumType.
var tokenStatuses = []string{
	"Accepted", "Blocked", "ConcurrentTx", "Expired", "Invalid", "NoCredit", "NotAllowedTypeEVSE", "NotAtThisLocation",
	"NotAtThisTime", "Unknown",
}

// entries reads tokens with what is known of them, each token once.
func (c *call) entries(o *strict.Members) []ListEntry {
	o.Need("entries", "a list of tokens")
	var list []ListEntry
	seen := map[string]bool{}
	o.Each("entries", maxEntry, func(_ int, v *strict.Value) {
		e := c.Object(v, "idToken", "type", "status", "groupIdToken", "expiry")
		it := ListEntry{Token: token(e), Info: term.TokenInfo{
			Status: term.TokenStatus(strict.Or(strict.Word(e, "status", tokenStatuses...), "Accepted")),
		}}
		if g := e.Value("groupIdToken"); g != nil && !e.IsNull("groupIdToken") {
			it.Info.Group = token(c.Object(g, "idToken", "type"))
		}
		if t := e.Value("expiry"); t != nil && !e.IsNull("expiry") {
			if at := strict.Time(e, "expiry"); at != nil {
				it.Info.Expiry = *at
			}
		}
		if seen[it.Token.Key()] {
			e.Fail("idToken", "given twice: keep one")
		}
		seen[it.Token.Key()] = true
		list = append(list, it)
	})
	return list
}

// authCache puts tokens into the authorization cache.
func (c *call) authCache(v *strict.Value) (any, error) {
	list := c.entries(c.Object(v, "entries"))
	if err := c.bad(); err != nil {
		return nil, err
	}
	item := model.GetItem{Component: model.Component{Name: "AuthCacheCtrlr"}, Variable: model.Variable{Name: "Enabled"}}
	on, err := ask[station.Variables](c, station.GetVariables{Items: []model.GetItem{item}})
	if err != nil {
		return nil, err
	}
	if len(on.Results) != 1 || on.Results[0].Value != "true" { // it would forget them at once
		return nil, fmt.Errorf("AuthCacheCtrlr.Enabled is not true: %w", halsim.ErrImpossible)
	}
	r := station.PutAuthCache{}
	for _, it := range list {
		r.Entries = append(r.Entries, station.CacheEntry{Token: it.Token, Info: it.Info})
	}
	st, err := ask[station.Status](c, r)
	return c.decided(st, err)
}

// localList puts a complete local authorization list in force.
func (c *call) localList(v *strict.Value) (any, error) {
	o := c.Object(v, "version", "entries")
	o.Need("version", "a number from 1")
	version := strict.Or(strict.Int(o, "version", 1, maxVersion), 0)
	list := c.entries(o)
	if err := c.bad(); err != nil {
		return nil, err
	}
	if c.o.StageList == nil {
		return nil, notSimulated("the local list")
	}
	r, err := c.o.StageList(version, list)
	if err != nil {
		return nil, err
	}
	st, err := ask[station.Status](c, r)
	return c.decided(st, err)
}

// decided turns a status into an answer.
func (c *call) decided(st station.Status, err error) (any, error) {
	if err == nil && st.Status != "Accepted" {
		err = fmt.Errorf("%s: %s %s: %w", st.Status, st.Reason, st.Info, halsim.ErrImpossible)
	}
	return done{}, err
}
