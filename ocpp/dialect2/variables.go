package dialect2

import (
	"strings"

	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/term"
)

// getVariables reads B06.
func getVariables(m *msg2.GetVariablesRequest) station.Request {
	items := make([]model.GetItem, len(m.GetVariableData))
	for i := range m.GetVariableData {
		v := &m.GetVariableData[i]
		items[i] = model.GetItem{
			Component: componentOf(&v.Component),
			Variable:  variableOf(&v.Variable),
			Attribute: attributeOf(v.AttributeType),
		}
	}
	return station.GetVariables{Items: items}
}

// setVariables reads B05.
func setVariables(m *msg2.SetVariablesRequest) station.Request {
	items := make([]model.SetItem, len(m.SetVariableData))
	for i := range m.SetVariableData {
		v := &m.SetVariableData[i]
		items[i] = model.SetItem{
			Component: componentOf(&v.Component),
			Variable:  variableOf(&v.Variable),
			Attribute: attributeOf(v.AttributeType),
			Value:     strings.Clone(v.AttributeValue),
		}
	}
	return station.SetVariables{Items: items}
}

// variables answers B06. Accepted comes with a value, an empty one too (B06.FR.10, B06.FR.13); every other status comes
// without (B06.FR.06 to B06.FR.08).
func (d *Dialect) variables(b station.Variables) msg2.Message {
	m := &msg2.GetVariablesResponse{}
	for i := range b.Results {
		r := &b.Results[i]
		m.GetVariableResult = append(m.GetVariableResult, msg2.GetVariableResult{
			AttributeStatus:     msg2.GetVariableStatus(r.Status),
			AttributeStatusInfo: d.statusInfo(string(r.Reason), ""),
			AttributeType:       msg2.Attribute(r.Attribute.String()),
			AttributeValue:      rpc.Opt[string]{V: r.Value, Has: r.Status == model.GetAccepted},
			Component:           component(&r.Component),
			Variable:            variable(&r.Variable),
		})
	}
	return m
}

// variablesSet answers B05.
func (d *Dialect) variablesSet(b station.VariablesSet) msg2.Message {
	m := &msg2.SetVariablesResponse{}
	for i := range b.Results {
		r := &b.Results[i]
		m.SetVariableResult = append(m.SetVariableResult, msg2.SetVariableResult{
			AttributeStatus:     msg2.SetVariableStatus(r.Status),
			AttributeStatusInfo: d.statusInfo(string(r.Reason), r.Info),
			AttributeType:       msg2.Attribute(r.Attribute.String()),
			Component:           component(&r.Component),
			Variable:            variable(&r.Variable),
		})
	}
	return m
}

// component names a component as the station or the CSMS spelled it.
func component(c *model.Component) msg2.Component {
	return msg2.Component{
		Name:     c.Name,
		Instance: optional(c.Instance),
		EVSE:     evse(term.Ref{EVSE: c.EVSE, Connector: c.Connector}),
	}
}

func variable(v *model.Variable) msg2.Variable {
	return msg2.Variable{Name: v.Name, Instance: optional(v.Instance)}
}

func componentOf(m *msg2.Component) model.Component {
	return model.Component{
		Name:      strings.Clone(m.Name),
		Instance:  strings.Clone(m.Instance.V),
		EVSE:      term.EVSEID(m.EVSE.V.ID),
		Connector: term.ConnectorID(m.EVSE.V.ConnectorID.V),
	}
}

func variableOf(m *msg2.Variable) model.Variable {
	return model.Variable{Name: strings.Clone(m.Name), Instance: strings.Clone(m.Instance.V)}
}

// attributeOf reads an attribute type, which decoding has already checked; absent means Actual.
func attributeOf(m msg2.Attribute) model.Attribute {
	a, ok := model.ParseAttribute(string(m))
	if !ok {
		panic("dialect2: attribute type " + string(m) + " is in the schema and not in the model")
	}
	return a
}
