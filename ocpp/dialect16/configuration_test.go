package dialect16

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/term"
)

// someStation is the device model of the station of these tests.
func someStation(t *testing.T) *model.Model {
	t.Helper()
	m, err := model.New(model.Config{
		Identity: "CP-1", Vendor: "evsed", Model: "Halsim 2",
		EVSEs: []model.EVSE{
			{ID: 1, EvseID: "DE*ABC*E1", Phases: 3, MaxPower: 22_000_000, Connectors: []model.Connector{{ID: 1, Type: "cType2", Phases: 3}, {ID: 2, Type: "sType2", Phases: 3}}},
			{ID: 2, Phases: 1, MaxPower: 7_400_000, Connectors: []model.Connector{{ID: 1, Type: "cType2", Phases: 1, Fixed: true}}},
		},
		Measurands: []term.Measurand{term.EnergyActiveImportRegister, term.PowerActiveImport, term.Voltage},
		Slots:      []int{1, 2},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// answer lets a device model answer what a CSMS asks or sets, as the core does, and returns the response.
func (w *wire) answer(m *model.Model, action, payload string) string {
	w.t.Helper()
	req, err := w.Request(action, payload, w.table, nil)
	if err != nil {
		w.t.Fatalf("%s %s: %v", action, payload, err)
	}
	var body station.ResponseBody
	switch r := req.(type) {
	case station.ListVariables:
		var inv station.Inventory
		cur, _ := m.Query(r.Query)
		for row := (model.ReportRow{}); cur.More(); row = (model.ReportRow{}) {
			one := []model.ReportRow{row}
			cur.Next(one)
			inv.Rows = append(inv.Rows, one...)
		}
		body = inv
	case station.SetVariables:
		results, _ := m.Set(r.Items)
		body = station.VariablesSet{Results: results}
	case station.RaiseSecurity: // up to 2, as a core with a root and no certificate of its own
		if body = (station.Status{Status: "Accepted"}); r.Profile > 2 {
			body = station.Status{Status: "Rejected", Reason: "InvalidNetworkConf"}
		}
	default:
		w.t.Fatalf("%T", req)
	}
	out, err := w.Respond(nil, action, req, body)
	if err != nil {
		w.t.Fatalf("%s %s: %v", action, payload, err)
	}
	return string(out)
}

func (w *wire) listed(m *model.Model) []msg16.KeyValue {
	w.t.Helper()
	var all msg16.GetConfigurationResponse
	if err := w.decode(&all, w.answer(m, "GetConfiguration", `{}`)); err != nil {
		w.t.Fatal(err)
	}
	return all.ConfigurationKey
}

func TestGetConfigurationOfEverything(t *testing.T) {
	w := newWire(t)
	var lines []string
	for _, v := range w.listed(someStation(t)) {
		if find(v.Key) == nil {
			break // the variables follow, which are as many as the device model has
		}
		line := v.Key
		if v.Readonly {
			line += " (read-only)"
		}
		if v.Value.Has {
			line += " = " + v.Value.V
		}
		lines = append(lines, line)
	}
	golden(t, "configuration.txt", lines)
}

// Every variable is listed under one name, by which it is found again whatever the case of its letters; that name reads
// back as the variable.
func TestEveryVariableHasAName(t *testing.T) {
	w, m := newWire(t), someStation(t)
	seen := map[string]bool{}
	for _, v := range w.listed(m) {
		if seen[strings.ToLower(v.Key)] {
			t.Errorf("%s is listed twice", v.Key)
		}
		seen[strings.ToLower(v.Key)] = true
		got := w.answer(m, "GetConfiguration", fmt.Sprintf(`{"key":[%q]}`, strings.ToUpper(v.Key)))
		if !strings.HasPrefix(got, `{"configurationKey":[{"key":"`+v.Key+`",`) {
			t.Errorf("%s is found as %s", v.Key, got)
		}
	}
	cur, _ := m.Query(model.Query{})
	for row := make([]model.ReportRow, 1); cur.Next(row) > 0; {
		name := ownName(row[0].Component, row[0].Variable)
		standard := false
		for i := range keys {
			standard = standard || !keys[i].derived() && keys[i].names(&row[0])
		}
		if c, v := parseOwn(name); !standard && (c != row[0].Component || v != row[0].Variable) {
			t.Errorf("%s reads back as %v %v", name, c, v)
		}
		if !standard && !seen[strings.ToLower(name)] {
			t.Errorf("%s is not listed: %d characters", name, utf8.RuneCountInString(name))
		}
	}
}

// absent are the keys of the standard that this station need not have.
var absent = map[string]string{
	"ConnectorSwitch3to1PhaseSupported": "phases are not switched during a transaction",
	"BlinkRepeat":                       "a light blinks as its driver does",
	"LightIntensity":                    "a light shines as its driver does",
	"AlignedDataSignReadings":           "no meter signs", "AlignedDataSignUpdatedReadings": "no meter signs",
	"SampledDataSignReadings": "no meter signs", "SampledDataSignStartedReadings": "no meter signs", "SampledDataSignUpdatedReadings": "no meter signs",
	"PublicKeyWithSignedMeterValue": "no meter signs",
}

func TestStandardKeys(t *testing.T) {
	w, m := newWire(t), someStation(t)
	for i := range keys {
		k := &keys[i]
		got := w.answer(m, "GetConfiguration", fmt.Sprintf(`{"key":[%q]}`, k.name))
		if _, none := absent[k.name]; !none && got == `{"unknownKey":["`+k.name+`"]}` {
			t.Errorf("%s: %s", k.name, got)
		}
		if i > 0 && find(k.name) != k {
			t.Errorf("%s has two rows", k.name)
		}
		if k.also != "" && rowOf(rowsOf(t, m), k.componentName(), splitVariable(k.also)) == nil {
			t.Errorf("%s: no variable %s", k.name, k.also)
		}
	}
	if m.Int(model.ItemsPerMessageGetVariables) != maxKeys {
		t.Errorf("GetConfigurationMaxKeys is %d, and %d are taken", m.Int(model.ItemsPerMessageGetVariables), maxKeys)
	}
}

func rowsOf(t *testing.T, m *model.Model) []model.ReportRow {
	t.Helper()
	cur, _ := m.Query(model.Query{})
	rows := make([]model.ReportRow, 1000)
	return rows[:cur.Next(rows)]
}

func TestChangeConfiguration(t *testing.T) {
	for _, tc := range []struct{ key, value, want string }{
		{"HeartbeatInterval", "900", "Accepted"},
		{"heartbeatinterval", " 901 ", "Accepted"},
		{"HeartbeatInterval", "soon", "Rejected"},
		{"WebSocketPingInterval", "-1", "Rejected"}, // 1.6, 9.1.34
		{"LocalAuthListEnabled", "False", "Accepted"},
		{"LocalAuthListEnabled", "no", "Rejected"},
		{"MeterValueSampleInterval", "15", "Accepted"},
		{"MeterValuesSampledData", "Energy.Active.Import.Register, Voltage", "Accepted"},
		{"MeterValuesSampledData", "", "Accepted"},
		{"MeterValuesSampledData", "Energy.Active.Import.Register,SoC", "Rejected"}, // 1.6, 3.16.4
		{"MeterValuesSampledDataMaxLength", "9", "Rejected"},
		{"NumberOfConnectors", "9", "Rejected"},
		{"SupportedFeatureProfiles", "Core", "Rejected"},
		{"LocalAuthListMaxLength", "1", "Rejected"},
		{"ChargeProfileMaxStackLevel", "1", "Rejected"},
		{"SecurityProfile", "2", "Accepted"},
		{"SecurityProfile", "3", "Rejected"},
		{"SecurityProfile", "high", "Rejected"},
		{"AuthorizationKey", "000102030405060708090A0B0C0D0E0F", "Accepted"},
		{"AuthorizationKey", "0001", "Rejected"},
		{"TxCtrlr.TxStopPoint", "EVConnected", "Accepted"},
		{"txctrlr.txstoppoint", "EVConnected,Nonsense", "Rejected"},
		{"EVSE@1.Power", "1", "Rejected"},
		{"OCPPCommCtrlr.NetworkConfigurationPriority", "2,1", "RebootRequired"},
		{"EVSE@9.Power", "1", "NotSupported"},
		{"CertificateSignedMaxChainSize", "1", "Rejected"},
		{"CpoName", "Operator", "Accepted"},
		{"SupportedKeys", "1", "NotSupported"},
		{"", "1", "NotSupported"},
		{".", "1", "NotSupported"},
	} {
		w, m := newWire(t), someStation(t)
		got := w.answer(m, "ChangeConfiguration", fmt.Sprintf(`{"key":%q,"value":%q}`, tc.key, tc.value))
		if got != `{"status":"`+tc.want+`"}` {
			t.Errorf("%s = %s: %s, want %s", tc.key, tc.value, got, tc.want)
		}
	}
}

// One interval of 1.6 is two variables of 2.x.
func TestOneKeyTwoVariables(t *testing.T) {
	w, m := newWire(t), someStation(t)
	w.answer(m, "ChangeConfiguration", `{"key":"ClockAlignedDataInterval","value":"900"}`)
	if m.Int(model.AlignedDataInterval) != 900 || m.Int(model.AlignedDataTxEndedInterval) != 900 {
		t.Error("not both intervals are 900 s")
	}
}

// The password never comes back.
func TestAuthorizationKeyIsNotTold(t *testing.T) {
	w, m := newWire(t), someStation(t)
	w.answer(m, "ChangeConfiguration", `{"key":"AuthorizationKey","value":"000102030405060708090A0B0C0D0E0F"}`)
	if got := m.Text(model.BasicAuthPassword); got != "hex:000102030405060708090a0b0c0d0e0f" {
		t.Errorf("kept as %q", got)
	}
	if got := w.answer(m, "GetConfiguration", `{"key":["AuthorizationKey","SecurityCtrlr.BasicAuthPassword"]}`); got !=
		`{"configurationKey":[{"key":"AuthorizationKey","readonly":false},{"key":"SecurityCtrlr.BasicAuthPassword","readonly":false}]}` {
		t.Errorf("told %s", got)
	}
}

func TestUnknownKeys(t *testing.T) {
	w := newWire(t)
	got := w.answer(someStation(t), "GetConfiguration", `{"key":["What","NumberOfConnectors","","TxCtrlr.What"]}`)
	if want := `{"configurationKey":[{"key":"NumberOfConnectors","readonly":true,"value":"3"}],"unknownKey":["What","","TxCtrlr.What"]}`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// What is longer than 1.6 can tell is left out, not cut.
func TestLongValue(t *testing.T) {
	if v := value(strings.Repeat("é", maxValue)); !v.Has {
		t.Error("500 characters are left out")
	}
	if v := value(strings.Repeat("é", maxValue+1)); v.Has {
		t.Error("501 characters are told")
	}
}
