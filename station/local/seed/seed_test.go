package seed

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/model"
)

var update = flag.Bool("update", false, "write the golden files")

func parse(t *testing.T, text string) *Seed {
	t.Helper()
	s, err := Parse("seed.json", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func set(component, variable, value string) model.SetItem {
	return model.SetItem{Component: model.Component{Name: component}, Variable: model.Variable{Name: variable}, Value: value}
}

func TestParseOnlyURL(t *testing.T) {
	got := parse(t, `{"csms":[{"url":"ws://127.0.0.1:9000"}]}`)
	want := &Seed{
		Name: "cp001", Identity: station.Identity{Vendor: "evsed", Model: "simulator"}, Slots: []int{1, 2, 3},
		Profiles: []Profile{{1, station.NetworkProfile{URL: "ws://127.0.0.1:9000", MessageTimeout: 30 * time.Second}}},
		EVSEs: []station.EVSE{{ID: 1, Phases: 3, MaxCurrent: 32 * unit.Ampere,
			Connectors: []station.Connector{{ID: 1, Type: "cType2", Tethered: true}}}},
		World:     []halsim.EVSE{{ID: 1, Phases: 3, MaxCurrent: 32 * unit.Ampere, Connectors: []halsim.Connector{{ID: 1, Light: true}}}},
		Lights:    true,
		Overrides: []model.SetItem{set("OCPPCommCtrlr", "NetworkConfigurationPriority", "1")},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// full uses every part that this build has.
const full = `{
 "format": "station-seed/1",
 "station": {"id":"cp007","vendor":"V","model":"M","serialNumber":"S","chargeBoxSerialNumber":"S","firmwareVersion":"0.1"},
 "csms": [{"slot":2,"url":"ws://127.0.0.1:9000/a","ocpp":["ocpp2.0.1","ocpp1.6"],"securityProfile":1,
           "basicAuthPassword":"0123456789ABCDEF","messageTimeoutS":5},
          {"url":"ws://127.0.0.1:9001","slot":5,"basicAuthPassword":"FEDCBA9876543210"},
          {"url":"ws://127.0.0.1:9002","slot":1}],
 "evses": [{"id":1,"evseId":"DE*X*1","powerType":"AC","phases":1,"maxCurrentA":16.5,"iso15118":false,
            "connectors":[{"id":1,"type":"sType2"},{"id":2,"type":"cType1"}]},
           {"maxCurrentA":80,"signing":"ocmf"}],
 "siteFuseA": 63, "lights": false,
 "ocpp16": {"HeartbeatInterval":"86400","Abc":"x"},
 "ocpp2":  [{"component":"TxCtrlr","variable":"TxStartPoint","attribute":"Actual","value":"EVConnected",
             "componentInstance":"", "variableInstance":"", "evse":0, "connector":0},
            {"component":"EVSE","evse":1,"variable":"Power","attribute":"MaxSet","value":"3"}],
 "security": {"csmsRootCertificates":"","v2gRootCertificates":"/v2g","chargingStationCertificateDir":"c","chargingStationKeyDir":"k","privateKeyPassword":"secret"},
 "vendor": {"anything": [{"goes": null}]}
}`

func TestParseFull(t *testing.T) {
	s := parse(t, full)
	if want := (station.Identity{Vendor: "V", Model: "M", SerialNumber: "S", FirmwareVersion: "0.1"}); s.Name != "cp007" || s.Identity != want {
		t.Errorf("identity %q %+v, want cp007 %+v", s.Name, s.Identity, want)
	}
	profiles := []Profile{
		{2, station.NetworkProfile{URL: "ws://127.0.0.1:9000/a", Versions: []string{"ocpp2.0.1", "ocpp1.6"}, SecurityProfile: 1, MessageTimeout: 5 * time.Second}},
		{5, station.NetworkProfile{URL: "ws://127.0.0.1:9001", SecurityProfile: 1, MessageTimeout: 30 * time.Second, Password: "FEDCBA9876543210"}},
		{1, station.NetworkProfile{URL: "ws://127.0.0.1:9002", MessageTimeout: 30 * time.Second}},
	}
	if !reflect.DeepEqual(s.Profiles, profiles) || !reflect.DeepEqual(s.Slots, []int{1, 2, 3, 4, 5}) {
		t.Errorf("profiles %+v in slots %v, want %+v", s.Profiles, s.Slots, profiles)
	}
	evses := []station.EVSE{
		{ID: 1, Name: "DE*X*1", Phases: 1, MaxCurrent: 16500, Connectors: []station.Connector{{ID: 1, Type: "sType2"}, {ID: 2, Type: "cType1", Tethered: true}}},
		{ID: 2, Phases: 3, MaxCurrent: 63 * unit.Ampere, Signs: station.SignsReadings, Connectors: []station.Connector{{ID: 1, Type: "cType2", Tethered: true}}},
	}
	world := []halsim.EVSE{
		{ID: 1, Phases: 1, MaxCurrent: 16500, Connectors: []halsim.Connector{{ID: 1, Socket: true, Lock: true}, {ID: 2}}},
		{ID: 2, Phases: 3, MaxCurrent: 63 * unit.Ampere, Signs: true, Connectors: []halsim.Connector{{ID: 1}}},
	}
	if s.Lights || !reflect.DeepEqual(s.EVSEs, evses) || !reflect.DeepEqual(s.World, world) {
		t.Errorf("EVSEs %+v\n%+v", s.EVSEs, s.World)
	}
	maxPower := set("EVSE", "Power", "3")
	maxPower.Component.EVSE, maxPower.Attribute = 1, model.MaxSet
	overrides := []model.SetItem{
		set("SecurityCtrlr", "BasicAuthPassword", "0123456789ABCDEF"), set("OCPPCommCtrlr", "NetworkConfigurationPriority", "2,5,1"),
		set("TxCtrlr", "TxStartPoint", "EVConnected"), maxPower,
	}
	if !reflect.DeepEqual(s.Overrides, overrides) {
		t.Errorf("overrides %+v, want %+v", s.Overrides, overrides)
	}
	if want := (Security{Roots: [4]string{3: "/v2g"}, Station: Pair{"c", "k"}, Password: "secret"}); s.Security != want {
		t.Errorf("security %+v", s.Security)
	}
	if want := []Key{{"HeartbeatInterval", "86400"}, {"Abc", "x"}}; !reflect.DeepEqual(s.Keys, want) {
		t.Errorf("keys %v, want %v", s.Keys, want)
	}
	warnings := []string{
		"seed.json:3:95: station.chargeBoxSerialNumber: left out: OCPP 1.6 has given it up for serialNumber",
		"seed.json:11:15: siteFuseA: the EVSEs may draw 79.5 A together: this build keeps each below the fuse, but does not share it",
	}
	if !reflect.DeepEqual(s.Warnings, warnings) {
		t.Errorf("warnings\n%s\nwant\n%s", strings.Join(s.Warnings, "\n"), strings.Join(warnings, "\n"))
	}
}

// TestInstallMakesAStation gives a seed to the core: it takes the profiles, and every value that the seed implies.
func TestInstallMakesAStation(t *testing.T) {
	for _, text := range []string{full, `{"csms":[{"url":"ws://127.0.0.1:9000"}]}`} {
		s := parse(t, text)
		st, err := station.New(station.Config{Identity: s.Identity, Name: s.Name, EVSEs: s.EVSEs, Slots: s.Slots})
		if err != nil {
			t.Fatal(err)
		}
		records, err := s.Install(st)
		if err != nil || len(records) != len(s.Profiles) {
			t.Fatalf("installed %d profiles, %v", len(records), err)
		}
		for _, it := range s.Overrides {
			if it.Component.Name == "EVSE" {
				continue // computed, so refused and logged
			}
			if _, err := st.Model().Override(it.Component, it.Variable, it.Attribute, it.Value); err != nil {
				t.Error(err)
			}
		}
		var order []int
		for _, p := range s.Profiles {
			order = append(order, p.Slot)
		}
		if got := st.NetworkPriority(); !reflect.DeepEqual(got, order) {
			t.Errorf("priority %v, want %v", got, order)
		}
	}
}

// TestErrors keeps what users are told: one line each, with file, place, field and cure.
func TestErrors(t *testing.T) {
	const golden = "testdata/errors.txt"
	old, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(strings.TrimSpace(string(old)), "\n\n")
	for i, block := range blocks {
		if strings.HasPrefix(block, "#") {
			continue
		}
		in, _, _ := strings.Cut(block, "\n=> ")
		s, err := Parse("seed.json", []byte(in))
		if err == nil {
			t.Errorf("accepted as %+v:\n%s", s, in)
			continue
		}
		if strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "secret") {
			t.Errorf("want one line without a secret, got %q", err)
		}
		blocks[i] = in + "\n=> " + err.Error()
	}
	got := strings.Join(blocks, "\n\n") + "\n"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if got != string(old) {
		t.Errorf("the errors differ from %s, see with -update:\n%s", golden, got)
	}
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	good, bad, long := filepath.Join(dir, "good.json"), filepath.Join(dir, "bad.json"), filepath.Join(dir, "long.json")
	for path, text := range map[string]string{good: full, bad: "{}", long: strings.Repeat(" ", MaxSize) + full} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if s, err := Read(good); err != nil || s.Name != "cp007" {
		t.Errorf("got %v, %v", s, err)
	}
	for path, want := range map[string]string{
		bad:                       "bad.json:1:1: csms: missing: want [{\"url\":\"ws://host:port/path\"}]",
		long:                      "long.json: want at most 1048576 bytes",
		filepath.Join(dir, "not"): "seed file " + filepath.Join(dir, "not") + ": no such file or directory: want a file in the format station-seed/1",
		dir:                       "seed file " + dir + ": is a directory: want a file in the format station-seed/1",
	} {
		if _, err := Read(path); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

// TestReferenceIsASeed reads the example of the page for users.
func TestReferenceIsASeed(t *testing.T) {
	page, err := os.ReadFile("../../../docs/SIM-API.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```json\n")
	example, _, _ := strings.Cut(rest, "```")
	if s := parse(t, example); len(s.Warnings) > 0 {
		t.Error(s.Warnings)
	}
	for _, kind := range append(append([]string{}, cables...), sockets...) {
		if !strings.Contains(string(page), "`"+kind+"`") {
			t.Errorf("docs/SIM-API.md does not have `%s`", kind)
		}
	}
}

// FuzzParse wants an error of one line, or a seed of which a station and its world can be made.
func FuzzParse(f *testing.F) {
	f.Add([]byte(full))
	f.Add([]byte(`{"csms":[{"url":"ws://127.0.0.1:9000"}]}`))
	if b, err := os.ReadFile("testdata/errors.txt"); err == nil {
		for _, block := range strings.Split(string(b), "\n\n") {
			in, _, _ := strings.Cut(block, "\n=> ")
			f.Add([]byte(in))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Parse("seed.json", data)
		if err != nil {
			if text := err.Error(); !strings.HasPrefix(text, "seed.json:") || strings.ContainsAny(text, "\r\n") {
				t.Fatalf("error %q", text)
			}
			return
		}
		if _, err := halsim.New(halsim.Config{Clock: func() time.Time { return time.Unix(0, 0) }, EVSEs: s.World}, nil); err != nil {
			t.Fatal(err)
		}
		st, err := station.New(station.Config{Identity: s.Identity, Name: s.Name, EVSEs: s.EVSEs, Slots: s.Slots})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Install(st); err != nil {
			t.Fatal(err)
		}
		for _, it := range s.Overrides { // must not panic; what it refuses is logged
			_, _ = st.Model().Override(it.Component, it.Variable, it.Attribute, it.Value)
		}
	})
}

// A list of versions that all profiles share is that of the station, which a CSMS may change; lists that differ are their
// profiles' own.
func TestParseSharedVersions(t *testing.T) {
	const seed = `{"csms":[{"url":"ws://127.0.0.1:9000","ocpp":%s},{"url":"ws://127.0.0.1:9001","ocpp":%s}]}`
	s := parse(t, fmt.Sprintf(seed, `["ocpp1.6","ocpp2.0.1"]`, `["ocpp1.6","ocpp2.0.1"]`))
	if s.Profiles[0].Versions != nil || s.Profiles[1].Versions != nil || !reflect.DeepEqual(s.Overrides[0], set("OCPPCommCtrlr", "OfferedVersions", "ocpp1.6,ocpp2.0.1")) {
		t.Errorf("%+v, %+v", s.Profiles, s.Overrides)
	}
	s = parse(t, fmt.Sprintf(seed, `["ocpp1.6"]`, `["ocpp2.0.1"]`))
	if len(s.Profiles[0].Versions) != 1 || len(s.Profiles[1].Versions) != 1 || len(s.Overrides) != 1 {
		t.Errorf("%+v, %+v", s.Profiles, s.Overrides)
	}
}

// The security profile follows from the address and the password, and one that is given has to agree.
func TestSecurityProfileOfASeed(t *testing.T) {
	const both = `,"security":{"csmsRootCertificates":"r.pem","chargingStationCertificateDir":"c.pem","chargingStationKeyDir":"k.pem"}`
	for _, c := range []struct {
		csms string
		want int
	}{
		{`{"url":"ws://csms.example/ocpp"}`, 0},
		{`{"url":"ws://csms.example/ocpp","basicAuthPassword":"0123456789abcdef"}`, 1},
		{`{"url":"wss://csms.example/ocpp","basicAuthPassword":"0123456789abcdef"}`, 2},
		{`{"url":"wss://csms.example/ocpp"}`, 3},
		{`{"url":"WSS://csms.example/ocpp","securityProfile":3,"basicAuthPassword":"0123456789abcdef"}`, 3},
		{`{"url":"https://csms.example/soap","ocpp":["soap1.5"],"securityProfile":3,"soapListen":":8443"}`, 3},
	} {
		s, err := Parse("seed.json", []byte(`{"csms":[`+c.csms+`]`+both+`}`))
		if err != nil || s.Profiles[0].SecurityProfile != c.want {
			t.Errorf("%s: %v, want security profile %d", c.csms, err, c.want)
		}
	}
}
