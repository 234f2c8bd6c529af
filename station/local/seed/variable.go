package seed

import (
	"github.com/evsed/evsed/station/local/strict"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/term"
)

// Bounds of variables.
const (
	maxVariables = 1000
	maxName      = 50   // ComponentType.name, VariableType.name and their instances
	maxValue     = 2500 // SetVariableDataType.attributeValue, 2.1
)

// keys takes the values of OCPP 1.6 keys along. This build has no table of them, so the caller logs each.
func (d *decoder) keys(top *strict.Members) {
	top.Pairs("ocpp16", maxVariables, func(name, value string) {
		d.s.Keys = append(d.s.Keys, Key{name, value})
	})
}

func (d *decoder) variables(top *strict.Members) {
	top.Each("ocpp2", maxVariables, func(_ int, v *strict.Value) {
		o := d.Object(v, "component", "variable", "attribute", "value", "componentInstance", "variableInstance", "evse", "connector")
		o.Need("component", "a name like TxCtrlr")
		o.Need("variable", "a name like TxStartPoint")
		o.Need("value", "a string in quotes")
		text := func(name string, most int) string { return strict.Or(strict.Text(o, name, most), "") }
		it := model.SetItem{
			Component: model.Component{
				Name: text("component", maxName), Instance: text("componentInstance", maxName),
				EVSE:      term.EVSEID(strict.Or(strict.Int(o, "evse", 0, maxEVSEs), 0)),
				Connector: term.ConnectorID(strict.Or(strict.Int(o, "connector", 0, maxConnectors), 0)),
			},
			Variable: model.Variable{Name: text("variable", maxName), Instance: text("variableInstance", maxName)},
			Value:    text("value", maxValue),
		}
		word := strict.Or(strict.Word(o, "attribute", "Actual", "Target", "MinSet", "MaxSet"), "Actual")
		it.Attribute, _ = model.ParseAttribute(word)
		d.s.Overrides = append(d.s.Overrides, it)
	})
}
