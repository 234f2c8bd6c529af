package meter

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/evsed/evsed/hal/modbus"
)

// Schema is the first line of a meter file.
const Schema = "evse.meter/1"

// file is a meter file as it is written.
type file struct {
	Schema string                   `yaml:"schema"`
	Model  string                   `yaml:"model"`
	Title  string                   `yaml:"title"`
	Source string                   `yaml:"source"` // where the numbers are from; for readers of the file
	Driver string                   `yaml:"driver"`
	Signs  string                   `yaml:"signs"`
	Phases *int                     `yaml:"phases"`
	Line   fileLine                 `yaml:"line"`
	Order  string                   `yaml:"order"`
	Turned bool                     `yaml:"reversed"`
	Read   fileRead                 `yaml:"read"`
	Sun    uint16                   `yaml:"sunspec"`
	Probe  *fileProbe               `yaml:"probe"`
	Map    map[string]*fileRegister `yaml:"map"`
}

type fileLine struct {
	Baud  int    `yaml:"baud"`
	Frame string `yaml:"frame"`
	Unit  uint8  `yaml:"unit"`
}

type fileRead struct {
	Max int `yaml:"max"`
	Gap int `yaml:"gap"`
}

type fileRegister struct {
	Input    *uint16  `yaml:"input"`
	Holding  *uint16  `yaml:"holding"`
	Type     string   `yaml:"type"`
	Unit     string   `yaml:"unit"`
	Scale    *decimal `yaml:"scale"`
	Order    string   `yaml:"order"`
	Stride   int      `yaml:"stride"`
	Exponent *uint16  `yaml:"exponent"`
	Absent   *uint64  `yaml:"absent"`
}

type fileProbe struct {
	fileRegister `yaml:",inline"`
	Expect       []decimal `yaml:"expect"`
	OneOf        []uint64  `yaml:"one_of"`
}

// decimal keeps a number of the file as it is written: no float lies between.
type decimal struct{ fixed }

// UnmarshalYAML implements yaml.Unmarshaler.
func (d *decimal) UnmarshalYAML(n *yaml.Node) error {
	v, err := parseFixed(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil {
		return fmt.Errorf("line %d: %q: want a decimal number like 0.1", n.Line, n.Value)
	}
	d.fixed = v
	return nil
}

var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,30}/[a-z0-9][a-z0-9-]{0,40}$`)

// Parse reads a model from the text of a meter file; name stands in the errors.
func Parse(name string, text []byte) (*Model, error) {
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	var f file
	if err := dec.Decode(&f); err != nil {
		return nil, fmt.Errorf("meter model %s: %w", name, err)
	}
	if err := dec.Decode(new(file)); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("meter model %s: want one document", name)
	}
	m, err := f.model()
	if err != nil {
		return nil, fmt.Errorf("meter model %s: %w", name, err)
	}
	return m, nil
}

// model checks a file and makes its model.
func (f *file) model() (*Model, error) {
	if f.Schema != Schema {
		return nil, fmt.Errorf("schema: %q: want %s", f.Schema, Schema)
	}
	if !nameForm.MatchString(f.Model) {
		return nil, fmt.Errorf("model: %q: want maker/type in lower case, digits and hyphens", f.Model)
	}
	if f.Title == "" {
		return nil, errors.New("title: want the name that stands on the meter")
	}
	if f.Phases == nil || *f.Phases != 0 && *f.Phases != 1 && *f.Phases != 3 {
		return nil, errors.New("phases: want 1 or 3, or 0 for a meter of DC")
	}
	m := &Model{Name: f.Model, Title: f.Title, Driver: f.Driver, Signs: f.Signs, Phases: *f.Phases, sunspec: f.Sun, reversed: f.Turned,
		Line: Line{f.Line.Baud, f.Line.Frame, f.Line.Unit}}
	switch f.Driver {
	case "":
		if m.Driver = DriverModbus; f.Signs != "" && f.Signs != SignsIskra {
			return nil, fmt.Errorf("signs: %q: want %s, or nothing for a meter with Modbus that signs nothing", f.Signs, SignsIskra)
		}
	case DriverDCBM:
		if f.Map != nil || f.Probe != nil || f.Signs != "" {
			return nil, fmt.Errorf("driver %s: speaks no Modbus; leave map, probe and signs out", f.Driver)
		}
		m.Signs = SignsDCBM
		return m, nil
	default:
		return nil, fmt.Errorf("driver: %q: want %s, or nothing for Modbus", f.Driver, DriverDCBM)
	}
	if err := f.registers(m); err != nil {
		return nil, err
	}
	return m, f.plan(m)
}

// registers fills the values of a model and its probe.
func (f *file) registers(m *Model) error {
	for _, key := range slices.Sorted(maps.Keys(f.Map)) {
		if f.Map[key] == nil {
			return fmt.Errorf("map.%s: want a register", key)
		}
		vs, err := f.value(key, *f.Map[key], max(m.Phases, 1))
		if err != nil {
			return fmt.Errorf("map.%s: %w", key, err)
		}
		for _, v := range vs {
			if slices.ContainsFunc(m.values, func(o value) bool { return o.quantity == v.quantity && o.line == v.line }) {
				return fmt.Errorf("map.%s: %v is there twice", key, v.quantity)
			}
		}
		m.values = append(m.values, vs...)
	}
	for _, need := range []quantity{power, energyImport} {
		if !slices.ContainsFunc(m.values, func(v value) bool { return v.quantity == need }) {
			return fmt.Errorf("map: want %v; a meter without it counts nothing", need)
		}
	}
	if f.Probe == nil {
		return errors.New("probe: want the register that tells this meter from others")
	}
	r, err := f.register(f.Probe.fileRegister, f.Probe.Unit)
	if err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	m.probe = probe{register: r, oneOf: f.Probe.OneOf}
	switch {
	case f.Probe.Stride != 0:
		return errors.New("probe: want one register, without stride")
	case (len(f.Probe.Expect) == 0) == (len(f.Probe.OneOf) == 0):
		return errors.New("probe: want expect: [from, to], or one_of: [values]")
	case len(f.Probe.OneOf) > 0:
		return nil
	case len(f.Probe.Expect) != 2:
		return errors.New("probe: expect: want [from, to]")
	}
	for i, d := range f.Probe.Expect {
		t, ok := d.thousandths(1, 0)
		if !ok {
			return errors.New("probe: expect: number too large")
		}
		m.probe.expect[i] = t
	}
	return nil
}

// value makes the values of one key: one, or one a line where the key has a stride.
func (f *file) value(key string, r fileRegister, lines int) ([]value, error) {
	name, suffix, ofLine := strings.Cut(key, ".l")
	q, known := quantities[name]
	if !known {
		return nil, fmt.Errorf("no such quantity; there are: %s", strings.Join(slices.Sorted(maps.Keys(quantities)), ", "))
	}
	reg, err := f.register(r, r.Unit)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(q.units(), r.Unit) {
		return nil, fmt.Errorf("unit: %q: want %s", r.Unit, strings.Join(q.units(), " or "))
	}
	perLine := q == voltage || q == current
	line := 0
	switch {
	case ofLine && (len(suffix) != 1 || suffix[0] < '1' || int(suffix[0]-'0') > lines || !perLine):
		return nil, fmt.Errorf("want l1 to l%d, of voltage or current", lines)
	case ofLine:
		line = int(suffix[0] - '1')
	case !perLine || lines == 1:
		lines = 1
	case r.Stride < reg.words:
		return nil, fmt.Errorf("stride: %d: want the distance from line to line, at least %d registers", r.Stride, reg.words)
	}
	if ofLine || lines == 1 {
		if r.Stride != 0 {
			return nil, errors.New("stride: there is one line")
		}
		return []value{{q, line, reg}}, nil
	}
	var vs []value
	for line := range lines {
		one := reg
		at := int(reg.address) + line*r.Stride
		if at+reg.words > 1<<16 {
			return nil, errors.New("passes the last register")
		}
		one.address = uint16(at)
		vs = append(vs, value{q, line, one})
	}
	return vs, nil
}

// register makes a register of the file.
func (f *file) register(r fileRegister, unit string) (register, error) {
	var reg register
	switch {
	case (r.Input == nil) == (r.Holding == nil):
		return reg, errors.New("want either input: or holding: with an address")
	case r.Input != nil:
		reg.kind, reg.address = modbus.Input, *r.Input
	default:
		reg.kind, reg.address = modbus.Holding, *r.Holding
	}
	var known bool
	if reg.format, known = formats[r.Type]; !known {
		return reg, fmt.Errorf("type: %q: want %s", r.Type, strings.Join(slices.Sorted(maps.Keys(formats)), ", "))
	}
	if int(reg.address)+reg.words > 1<<16 {
		return reg, errors.New("passes the last register")
	}
	order := r.Order
	if order == "" {
		order = f.Order
	}
	switch order {
	case "", "big":
	case "little":
		reg.little = true
	default:
		return reg, fmt.Errorf("order: %q: want big (highest register first, the default) or little", order)
	}
	reg.scale = fixed{digits: 1}
	if r.Scale != nil {
		reg.scale = r.Scale.fixed
	}
	if reg.scale.digits == 0 {
		return reg, errors.New("scale: 0 measures nothing")
	}
	reg.scale.places -= prefixes[unit]
	if r.Exponent != nil && (reg.float || reg.exponent) {
		return reg, fmt.Errorf("exponent: type %s has its own", r.Type)
	}
	if r.Exponent != nil {
		reg.power, reg.powered = *r.Exponent, true
	}
	if r.Absent != nil {
		reg.absent, reg.mayBeAbsent = *r.Absent, true
	}
	return reg, nil
}
