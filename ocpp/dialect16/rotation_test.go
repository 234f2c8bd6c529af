package dialect16

import (
	"testing"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/model"
)

// What the device model does not know, 1.6 has two words for: three lines of unknown order, and no lines to be rotated.
func TestRotationOfConnectors(t *testing.T) {
	d := New([]station.EVSE{
		{ID: 1, Phases: 3, Connectors: []station.Connector{{ID: 1}, {ID: 2}}},
		{ID: 2, Phases: 1, Connectors: []station.Connector{{ID: 1}}},
		{ID: 3, Connectors: []station.Connector{{ID: 1}}},
	})
	var rows []model.ReportRow
	for i, turn := range []string{"STR", "", "", ""} {
		ref := d.topology.ref(i + 1)
		rows = append(rows, model.ReportRow{Component: model.Component{Name: "Connector", EVSE: ref.EVSE, Connector: ref.Connector},
			Variable:   model.Variable{Name: "PhaseRotation"},
			Attributes: []model.AttributeValue{{Type: model.Actual, Value: turn, HasValue: true, Mutability: model.ReadOnly}}})
	}
	v, ok := d.rotations(find("ConnectorPhaseRotation"), rows)
	if want := "1.STR,2.Unknown,3.NotApplicable,4.NotApplicable"; !ok || v.Value.V != want || !v.Readonly {
		t.Errorf("%+v, %t, want %s, read-only", v, ok, want)
	}
}
