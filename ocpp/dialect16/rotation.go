package dialect16

import (
	"strconv"
	"strings"

	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/station/model"
)

// ConnectorPhaseRotation is one list for what the device model says at each connector: "1.RST,2.RTS" (1.6, 9.1.7).

// rotations tells the phase rotation of every connector; false if the station has none.
func (d *Dialect) rotations(k *key, rows []model.ReportRow) (msg16.KeyValue, bool) {
	v := msg16.KeyValue{Key: k.name, Readonly: true}
	var list []string
	for i, ref := range d.topology {
		row := rowOf(rows, model.Component{Name: connectorTier, EVSE: ref.EVSE, Connector: ref.Connector}, k.variableName())
		if row == nil {
			continue
		}
		text, _ := valueOf(row)
		if text == "" {
			text = unrotated(d.phases[i])
		}
		list = append(list, strconv.Itoa(i+1)+"."+text)
		v.Readonly = readOnly(row)
	}
	v.Value = value(strings.Join(list, ","))
	return v, len(list) > 0
}

// unrotated is the word of 1.6 for a connector of which no rotation is known.
func unrotated(phases int) string {
	if phases == 3 {
		return "Unknown"
	}
	return "NotApplicable"
}

// rotationItems sets the phase rotation of the connectors that a list names. A word that names none is a wish for one that
// does not exist.
func (d *Dialect) rotationItems(k *key, list string) []model.SetItem {
	var items []model.SetItem
	for _, word := range strings.Split(list, ",") {
		number, turn, _ := strings.Cut(strings.TrimSpace(word), ".")
		n, err := strconv.Atoi(number)
		ref := d.topology.connector(n)
		item := model.SetItem{
			Component: model.Component{Name: connectorTier, EVSE: ref.EVSE, Connector: ref.Connector},
			Variable:  k.variableName(),
			Value:     turn,
		}
		if err != nil || ref == nowhere { // the key exists; its value is wrong
			item.Component, item.Variable = stationModel()
			item.Attribute = model.MaxSet
			return []model.SetItem{item} // alone: nothing is changed
		}
		items = append(items, item)
	}
	return items
}
