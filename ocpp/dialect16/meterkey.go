package dialect16

import (
	"strconv"
	"strings"

	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/station/model"
)

// meterPublicKey begins the keys by which 1.6 tells the public keys of meters: the number of the connector follows (signed meter
// values 1.0, 3.3.1). Connectors of one EVSE share its meter.
const meterPublicKey = "MeterPublicKey"

// meterKeyNumber returns the connector that a key of that kind names; false if it is none.
func meterKeyNumber(name string) (int, bool) {
	if len(name) <= len(meterPublicKey) || !strings.EqualFold(name[:len(meterPublicKey)], meterPublicKey) {
		return 0, false
	}
	n, err := strconv.Atoi(name[len(meterPublicKey):])
	return n, err == nil && strconv.Itoa(n) == name[len(meterPublicKey):]
}

// meterKeyOf is the variable behind the key of a connector.
func (d *Dialect) meterKeyOf(number int) (model.Component, model.Variable) {
	return model.Component{Name: "FiscalMetering", EVSE: d.topology.connector(number).EVSE}, model.Variable{Name: "PublicKey"}
}

func isMeterKey(row *model.ReportRow) bool {
	return row.Component.Name == "FiscalMetering" && row.Variable.Name == "PublicKey"
}

// meterKey tells the public key of a connector's meter; false if the meter signs nothing.
func (d *Dialect) meterKey(number int, rows []model.ReportRow) (msg16.KeyValue, bool) {
	v := msg16.KeyValue{Key: meterPublicKey + strconv.Itoa(number), Readonly: true}
	c, name := d.meterKeyOf(number)
	row := rowOf(rows, c, name)
	if row == nil {
		return v, false
	}
	if text, ok := valueOf(row); ok {
		v.Value = value(text)
	}
	return v, true
}

// meterKeys tells the public keys of all meters that sign.
func (d *Dialect) meterKeys(rows []model.ReportRow) []msg16.KeyValue {
	var all []msg16.KeyValue
	for i := range d.topology {
		if v, ok := d.meterKey(i+1, rows); ok {
			all = append(all, v)
		}
	}
	return all
}
