package meter

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const good = `schema: evse.meter/1
model: example/one
title: Example One
phases: 3
probe: {input: 0, type: f32, unit: V, expect: [80, 300]}
map:
  voltage: {input: 0, type: f32, unit: V, stride: 2}
  power: {input: 6, type: f32, unit: W}
  energy.import: {input: 8, type: f32, unit: kWh}
`

func TestOwnMeterFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "one.yaml")
	if err := os.WriteFile(name, []byte(good), 0o644); err != nil {
		t.Fatal(err)
	}
	m, err := Load(name)
	if err != nil {
		t.Fatal(err)
	}
	if m.Name != "example/one" || m.Phases != 3 || len(m.values) != 5 || len(m.blocks) != 1 || m.blocks[0].count != 10 {
		t.Errorf("got %+v", m)
	}
	if _, err := Load(name + "x"); err == nil {
		t.Error("a file that is not there is read")
	}
}

func TestBadMeterFiles(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"another schema", "evse.meter/1", "evse.meter/2", "want evse.meter/1"},
		{"unknown key", "title:", "titel:", "line 3: field titel not found"},
		{"unknown key of a register", "type: f32, unit: W", "typ: f32, unit: W", "field typ not found"},
		{"key twice", "title: Example One", "title: One\ntitle: Two", "already defined"},
		{"name without a maker", "example/one", "one", "want maker/type"},
		{"two phases", "phases: 3", "phases: 2", "want 1 or 3"},
		{"no phases", "phases: 3\n", "", "want 1 or 3"},
		{"unknown driver", "phases: 3", "phases: 3\ndriver: mbus", "want lem-dcbm"},
		{"unknown way to sign", "phases: 3", "phases: 3\nsigns: ocmf", "want iskra-wm3m4"},
		{"unknown quantity", "power:", "watts:", "map.watts: no such quantity; there are: current, energy.export"},
		{"unknown type", "type: f32, unit: W", "type: f64, unit: W", `map.power: type: "f64": want f32`},
		{"unit of another quantity", "unit: W", "unit: V", "want W or kW"},
		{"unit missing", ", unit: W", "", "want W or kW"},
		{"both tables", "{input: 6", "{input: 6, holding: 6", "either input: or holding:"},
		{"no table", "{input: 6, type", "{type", "either input: or holding:"},
		{"stride too small", "stride: 2", "stride: 1", "at least 2 registers"},
		{"stride without lines", "unit: W}", "unit: W, stride: 2}", "there is one line"},
		{"line of power", "power:", "power.l1:", "of voltage or current"},
		{"fourth line", "voltage: {input: 0, type: f32, unit: V, stride: 2}", "voltage.l4: {input: 0, type: f32, unit: V}", "want l1 to l3"},
		{"line twice", "  power:", "  voltage.l2: {input: 2, type: f32, unit: V}\n  power:", "voltage is there twice"},
		{"past the end", "{input: 6,", "{input: 65535,", "passes the last register"},
		{"scale of nothing", "unit: W}", "unit: W, scale: 0}", "measures nothing"},
		{"scale with an exponent", "unit: W}", "unit: W, scale: 1e3}", "want a decimal number"},
		{"exponent twice", "unit: W}", "unit: W, exponent: 5}", "has its own"},
		{"order", "unit: W}", "unit: W, order: middle}", "want big"},
		{"no power", "  power: {input: 6, type: f32, unit: W}\n", "", "map: want power"},
		{"no probe", "probe: {input: 0, type: f32, unit: V, expect: [80, 300]}\n", "", "probe: want the register"},
		{"probe for nothing", ", expect: [80, 300]", "", "want expect"},
		{"probe with half a range", "[80, 300]", "[80]", "want [from, to]"},
		{"too much at once", "phases: 3", "phases: 3\nread: {max: 126}", "want 4 to 125"},
		{"two documents", "title: Example One", "title: One\n---\nschema: x", ""},
		{"address of five digits", "{input: 6,", "{input: 65536,", "cannot unmarshal"},
	} {
		text := strings.Replace(good, c.old, c.new, 1)
		if text == good {
			t.Fatalf("%s: changes nothing", c.name)
		}
		m, err := Parse("bad.yaml", []byte(text))
		if err == nil {
			t.Errorf("%s: taken for %+v", c.name, m)
		} else if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "meter model bad.yaml") {
			t.Errorf("%s: got %q, want %q", c.name, err, c.want)
		}
	}
}

func TestModelsAreFound(t *testing.T) {
	if n := len(Models()); n < 12 {
		t.Fatalf("%d models", n)
	}
	for _, m := range Models() {
		if got, err := Find(m.Name); err != nil || got != m {
			t.Errorf("%s: %v, %v", m.Name, got, err)
		}
	}
	if _, err := Find("eastron/sdm631"); err == nil || !strings.Contains(err.Error(), "eastron/sdm630-v2") || strings.Contains(err.Error(), "abb/") {
		t.Error(err)
	}
}

// FuzzParse: a file that is taken makes a meter that can be shown and read without a panic.
func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	names, _ := filepath.Glob("models/*.yaml")
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := Parse("fuzz", text)
		if err != nil || m.Driver != DriverModbus {
			return
		}
		s := NewSlave(m)
		s.Set(sample(m))
		im := image{blocks: m.blocks}
		for _, b := range m.blocks {
			words, err := s.ReadTable(b.kind, s.base+b.address, b.count)
			if err != nil {
				return // the blocks of two addresses that pass the end
			}
			im.words = append(im.words, words)
		}
		meter, err := New(m, nil, 1, Options{})
		if err != nil {
			t.Fatal(err)
		}
		meter.reading(im)
	})
}
