package sim

import (
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/local/strict"
	"github.com/evsed/evsed/station/model"
)

// Keys translates the configuration keys of OCPP 1.6 into the device model and back.
type Keys interface {
	// Set returns the variables that setting a key sets; none: there is no such key.
	Set(key, value string) []model.SetItem
	// List returns the request that asks for a key, and Read what its answer says of it; false: there is no such key.
	List(key string) station.Request
	Read(asked station.Request, answer station.Inventory) (KeyValue, bool)
}

// KeyValue is a key as 1.6 tells it.
type KeyValue struct {
	Key      string
	Value    string
	HasValue bool
	ReadOnly bool
}

// readKey answers GET /variables?key=.
func (c *call) readKey(name string) (any, error) {
	if c.o.Keys == nil {
		return nil, notSimulated("keys of OCPP 1.6")
	}
	list := []variable{}
	asked := c.o.Keys.List(name)
	inv, err := ask[station.Inventory](c, asked)
	if err != nil {
		return nil, err
	}
	if k, ok := c.o.Keys.Read(asked, inv); ok {
		it := variable{Key: k.Key, Mutability: model.ReadWrite.String()}
		if k.ReadOnly {
			it.Mutability = model.ReadOnly.String()
		}
		if k.HasValue {
			it.Value = &k.Value
		}
		list = append(list, it)
	}
	return struct {
		Variables []variable `json:"variables"`
	}{list}, nil
}

// wish is one entry of POST /variables: the items that it means, and what is told of it.
type wish struct {
	items []model.SetItem
	told  variable
}

// wishOf reads an entry.
func (c *call) wishOf(v *strict.Value) wish {
	it, key := c.setItem(v)
	if key == "" {
		return wish{[]model.SetItem{it}, nameOf(it.Component, it.Variable, it.Attribute)}
	}
	w := wish{told: variable{Key: key}}
	if c.o.Keys != nil {
		w.items = c.o.Keys.Set(key, it.Value)
	}
	switch {
	case c.o.Keys == nil:
		w.told.Status, w.told.Error = "Rejected", "this build does not speak OCPP 1.6"
	case len(w.items) == 0:
		w.told.Status, w.told.Error = "Rejected", "no key of this station"
	}
	return w
}

// settle tells what became of a wish: the worst of its items. It returns the results behind them.
func (w *wish) settle(results []model.SetResult) []model.SetResult {
	for _, r := range results[:len(w.items)] {
		if w.told.Status == "" || r.Status != model.SetAccepted {
			w.told.Status, w.told.Error = string(r.Status), r.Info
		}
	}
	return results[len(w.items):]
}
