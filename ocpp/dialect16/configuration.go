package dialect16

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/model"
)

// maxKeys is how many keys a GetConfiguration.req may name: GetConfigurationMaxKeys, which the device model says too.
const maxKeys = 64

// maxValue is the longest value that can be told, in characters (1.6, 7.29). A longer one is left out: cut off, it would be
// another one.
const maxValue = 500

// getConfiguration reads 1.6, 5.8. Without keys it asks for everything.
func (d *Dialect) getConfiguration(m *msg16.GetConfigurationRequest) (station.Request, error) {
	if len(m.Key) > maxKeys {
		return nil, refusal(&rpc.DecodeError{Code: rpc.OccurrenceConstraintViolation, Path: "key", Reason: "elements above " + strconv.Itoa(maxKeys)})
	}
	r := station.ListVariables{}
	for _, name := range m.Key {
		name = strings.Clone(name)
		r.Names = append(r.Names, name)
		var v model.ComponentVariable
		if n, ok := meterKeyNumber(name); ok {
			v.Component, v.Variable = d.meterKeyOf(n)
		} else if k := find(name); k == nil {
			v.Component, v.Variable = parseOwn(name)
		} else if k.component != "" {
			v.Component, v.Variable = k.componentName(), k.variableName()
		} else {
			continue // a fact of the dialect; what the core lists meanwhile is not looked at
		}
		r.Query.Variables = append(r.Query.Variables, v)
	}
	return r, nil
}

// configuration answers 1.6, 5.8: the keys that were asked for, or all of them, those of the standard first.
func (d *Dialect) configuration(r station.ListVariables, rows []model.ReportRow) msg16.Message {
	m := &msg16.GetConfigurationResponse{}
	if len(r.Names) == 0 {
		m.ConfigurationKey = d.everything(rows)
		return m
	}
	for _, name := range r.Names {
		v, ok := d.lookUp(name, rows)
		if !ok {
			m.UnknownKey = append(m.UnknownKey, name)
			continue
		}
		m.ConfigurationKey = append(m.ConfigurationKey, v)
	}
	return m
}

// lookUp finds the value of one key, which is told in its own spelling whatever that of the question is.
func (d *Dialect) lookUp(name string, rows []model.ReportRow) (msg16.KeyValue, bool) {
	if n, ok := meterKeyNumber(name); ok {
		return d.meterKey(n, rows)
	}
	if k := find(name); k != nil {
		return d.standard(k, rows)
	}
	c, v := parseOwn(name)
	row := rowOf(rows, c, v)
	if row == nil {
		return msg16.KeyValue{}, false
	}
	return ownKey(row), true
}

// everything lists the keys of the standard that exist, then every variable that none of them is.
func (d *Dialect) everything(rows []model.ReportRow) []msg16.KeyValue {
	var all []msg16.KeyValue
	told := make([]bool, len(rows))
	for i := range keys {
		k := &keys[i]
		if v, ok := d.standard(k, rows); ok {
			all = append(all, v)
		}
		for j := range rows {
			told[j] = told[j] || !k.derived() && k.names(&rows[j])
		}
	}
	all = append(all, d.meterKeys(rows)...)
	for j := range rows {
		if v := ownKey(&rows[j]); !told[j] && !isMeterKey(&rows[j]) && utf8.RuneCountInString(v.Key) <= maxKey {
			all = append(all, v)
		}
	}
	return all
}

// names reports whether a row is the variable of a key.
func (k *key) names(row *model.ReportRow) bool {
	if k.form == rotation {
		return row.Component.Name == connectorTier && row.Variable == k.variableName()
	}
	return row.Component == k.componentName() && row.Variable == k.variableName()
}

// standard tells a key of the standard; false if the station has nothing for it.
func (d *Dialect) standard(k *key, rows []model.ReportRow) (msg16.KeyValue, bool) {
	v := msg16.KeyValue{Key: k.name, Readonly: true}
	switch k.form {
	case fact:
		text, ok := d.fact(k.name, rows)
		v.Value = msg16.Some(text)
		return v, ok
	case rotation:
		return d.rotations(k, rows)
	}
	row := rowOf(rows, k.componentName(), k.variableName())
	if row == nil || k.form == most && !row.Characteristics.MaxLimit.Set {
		return v, false
	}
	v.Readonly = k.form != level && (k.derived() || readOnly(row))
	if text, ok := valueOf(row); ok {
		v.Value = value(k.spell(row, text))
	}
	return v, true
}

// ownKey tells a variable under its own name.
func ownKey(row *model.ReportRow) msg16.KeyValue {
	v := msg16.KeyValue{Key: ownName(row.Component, row.Variable), Readonly: readOnly(row)}
	if text, ok := valueOf(row); ok {
		v.Value = value(text)
	}
	return v
}

// value is a text that fits, absent otherwise.
func value(text string) msg16.Opt[string] {
	return msg16.Opt[string]{V: text, Has: utf8.RuneCountInString(text) <= maxValue}
}

// rowOf returns the row of a variable, nil if there is none.
func rowOf(rows []model.ReportRow, c model.Component, v model.Variable) *model.ReportRow {
	for i := range rows {
		if rows[i].Component.Equal(c) && rows[i].Variable.Equal(v) {
			return &rows[i]
		}
	}
	return nil
}

// valueOf returns the actual value; false where it may not be told.
func valueOf(row *model.ReportRow) (string, bool) {
	for _, a := range row.Attributes {
		if a.Type == model.Actual {
			return a.Value, a.HasValue
		}
	}
	return "", false
}

func readOnly(row *model.ReportRow) bool {
	for _, a := range row.Attributes {
		if a.Type == model.Actual {
			return a.Mutability == model.ReadOnly
		}
	}
	return true
}

// changeConfiguration reads 1.6, 5.3. A key that nobody knows becomes a variable that the core does not know either; one
// that nobody can write becomes an attribute that no variable has.
func (d *Dialect) changeConfiguration(m *msg16.ChangeConfigurationRequest) station.Request {
	k := find(m.Key)
	if n, ok := meterKeyNumber(m.Key); ok { // the core says that it is read-only, or not there
		c, v := d.meterKeyOf(n)
		return station.SetVariables{Items: []model.SetItem{{Component: c, Variable: v, Value: strings.Clone(m.Value)}}}
	}
	if k == nil {
		c, v := parseOwn(strings.Clone(m.Key))
		return station.SetVariables{Items: []model.SetItem{{Component: c, Variable: v, Value: strings.Clone(m.Value)}}}
	}
	item := model.SetItem{Component: k.componentName(), Variable: k.variableName(), Value: k.read(strings.Clone(m.Value))}
	switch {
	case k.form == level:
		return raiseSecurity(item)
	case k.form == rotation:
		return station.SetVariables{Items: d.rotationItems(k, item.Value)}
	case k.form == fact:
		item.Component, item.Variable = stationModel()
		item.Attribute = model.MaxSet
	case k.derived():
		item.Attribute = model.MaxSet
	}
	items := []model.SetItem{item}
	if k.also != "" {
		item.Variable = splitVariable(k.also)
		items = append(items, item)
	}
	if name, other, ok := strings.Cut(k.off, "="); ok && item.Value == "false" {
		item.Variable, item.Value = splitVariable(name), other
		items = append(items, item)
	}
	return station.SetVariables{Items: items}
}

// raiseSecurity reads the key SecurityProfile (whitepaper, A05). What is no number is a value that no variable takes.
func raiseSecurity(item model.SetItem) station.Request {
	n, err := strconv.Atoi(item.Value)
	if err != nil {
		return station.SetVariables{Items: []model.SetItem{item}}
	}
	return station.RaiseSecurity{Profile: n}
}

// stationModel is a variable that every station has.
func stationModel() (model.Component, model.Variable) {
	return model.Component{Name: "ChargingStation"}, model.Variable{Name: "Model"}
}

// configurationChanged answers 1.6, 5.3.
func configurationChanged(results []model.SetResult) msg16.Message {
	m := &msg16.ChangeConfigurationResponse{Status: msg16.ConfigurationStatusAccepted}
	for i := range results {
		r := &results[i]
		switch r.Status {
		case model.SetAccepted:
			if atReboot(r) {
				m.Status = msg16.ConfigurationStatusRebootRequired
			}
			continue
		case model.SetUnknownComponent, model.SetUnknownVariable:
			m.Status = msg16.ConfigurationStatusNotSupported
		default:
			m.Status = msg16.ConfigurationStatusRejected
		}
		return m
	}
	return m
}

// atReboot reports whether a variable is used from the next boot on.
func atReboot(r *model.SetResult) bool {
	return r.Component.Equal(model.Component{Name: "OCPPCommCtrlr"}) && r.Variable.Equal(model.Variable{Name: "NetworkConfigurationPriority"}) // B10.FR.04
}

// hexPassword marks a password in the device model that is given by hexadecimal digits: the link sends the bytes that they
// mean, or for a CSMS that wants it so the digits.
const hexPassword = "hex:"

// authorizationKey returns the password of a key that a CSMS sets: the hexadecimal form of 16 to 20 bytes (whitepaper,
// 7.2), which the device model keeps in that form under a mark, or else the text itself. "" is what no password may be.
func authorizationKey(key string) string {
	if !isHex(key) {
		return key
	}
	const least, longest = 32, 40
	if len(key)%2 != 0 || len(key) < least || len(key) > longest {
		return ""
	}
	return hexPassword + strings.ToLower(key)
}

func isHex(s string) bool {
	for i := 0; i < len(s); i++ {
		if strings.IndexByte("0123456789abcdefABCDEF", s[i]) < 0 {
			return false
		}
	}
	return s != ""
}
