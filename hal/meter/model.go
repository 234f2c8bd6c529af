package meter

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
)

// Drivers of a model: how its meter is spoken to.
const (
	DriverModbus = "modbus"   // registers, by the model's table
	DriverDCBM   = "lem-dcbm" // HTTP, by package dcbm
)

// Ways in which a meter is told what to sign, and gives it out.
const (
	SignsDCBM  = DriverDCBM    // package dcbm
	SignsIskra = "iskra-wm3m4" // package iskra, beside the registers of the model's table
)

// Line is how a meter speaks when it leaves the factory.
type Line struct {
	Baud  int
	Frame string
	Unit  uint8
}

// Model is what is known of one kind of meter.
type Model struct {
	Name   string // maker/type, in lower case: "eastron/sdm630-v2"
	Title  string // as it stands on the meter
	Driver string
	Signs  string // SignsDCBM or SignsIskra; "": it signs nothing
	Phases int    // lines it measures: 1 or 3; 0 is a meter for DC
	Line   Line   // zero for a meter that is not on a serial line

	reversed bool // it is built in the wrong way round: what it shows as export flows to the car

	sunspec uint16 // the SunSpec model whose beginning the addresses count from; 0: they count from 0
	probe   probe
	values  []value
	blocks  []block
}

//go:embed models/*.yaml
var files embed.FS

// embedded parses the models that evsed knows, in the order of their names. They are in the binary, so that a mistake in
// one is a mistake in evsed.
var embedded = sync.OnceValue(func() []*Model {
	var ms []*Model
	names, err := fs.Glob(files, "models/*.yaml")
	if err != nil {
		panic(err)
	}
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			panic(err)
		}
		m, err := Parse(name, text)
		if err != nil {
			panic(err)
		}
		ms = append(ms, m)
	}
	slices.SortFunc(ms, func(a, b *Model) int { return strings.Compare(a.Name, b.Name) })
	return ms
})

// Models returns the models that evsed knows, in the order of their names.
func Models() []*Model { return slices.Clone(embedded()) }

// Find returns the model of a name.
func Find(name string) (*Model, error) {
	ms := embedded()
	i, found := slices.BinarySearchFunc(ms, name, func(m *Model, n string) int { return strings.Compare(m.Name, n) })
	if found {
		return ms[i], nil
	}
	var maker []string
	for _, m := range ms {
		if path.Dir(m.Name) == path.Dir(name) {
			maker = append(maker, m.Name)
		}
	}
	if maker == nil {
		for _, m := range ms {
			maker = append(maker, m.Name)
		}
	}
	return nil, fmt.Errorf("no meter model %q; there are: %s; or name a file of your own", name, strings.Join(maker, ", "))
}

// maxFile bounds a meter file; the longest of ours has a tenth of it.
const maxFile = 64 << 10

// Load reads a model from a file in the format of models/.
func Load(name string) (*Model, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("meter model: %w", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("meter model: %w", err)
	}
	if !st.Mode().IsRegular() || st.Size() > maxFile {
		return nil, fmt.Errorf("meter model %s: want a file of at most %d bytes", name, maxFile)
	}
	text := make([]byte, st.Size())
	if _, err := f.ReadAt(text, 0); err != nil && st.Size() > 0 {
		return nil, fmt.Errorf("meter model %s: %w", name, err)
	}
	return Parse(name, text)
}
