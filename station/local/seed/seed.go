package seed

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/local/strict"
	"github.com/evsed/evsed/station/model"
)

// Format names the version of the format that this package reads.
const Format = "station-seed/1"

// MaxSize bounds a seed file, in bytes: room for a thousand variables.
const MaxSize = 1 << 20

// Seed is what a seed file says, with the defaults filled in.
type Seed struct {
	Name      string           // the station's identity toward the CSMS
	Identity  station.Identity // FirmwareVersion "": that of the build
	Profiles  []Profile        // best first; at least one
	Slots     []int            // slots a network profile may be put into, those of Profiles among them
	EVSEs     []station.EVSE   // their maximum is not above the site's fuse
	World     []halsim.EVSE    // the same, as the simulated world has them
	Lights    bool             // connectors have lights
	Overrides []model.SetItem  // to set before the start, in this order; what the model refuses is logged
	Keys      []Key            // values of OCPP 1.6 keys, in the file's order
	Security  Security         // files of certificates and keys
	Brought   *Material        // what those files held; nil until somebody has read them
	OfBoard   []string         // members that were given and are a board's to say: evses, lights, siteFuseA
	Labels    []string         // members of station that were given: vendor, model, serialNumber ...
	Warnings  []string         // what was left out and why, one line each, to be logged
}

// Profile is a network profile and the slot it belongs into.
type Profile struct {
	Slot int
	station.NetworkProfile
}

// Key is the value of an OCPP 1.6 configuration key.
type Key struct{ Name, Value string }

// Read reads the seed file at path. Its error is one line that names the file.
func Read(path string) (*Seed, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, reason(path, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, reason(path, err)
	}
	return Parse(filepath.Base(path), data)
}

// reason tells of a file that cannot be read, without repeating its path.
func reason(path string, err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return fmt.Errorf("seed file %s: %w: want a file in the format %s", path, err, Format)
}

// Parse reads a seed; name stands in front of its errors.
func Parse(name string, data []byte) (*Seed, error) {
	if len(data) > MaxSize {
		return nil, fmt.Errorf("%s: want at most %d bytes", name, MaxSize)
	}
	v, err := strict.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s:%w", name, err)
	}
	d := &decoder{name: name, s: &Seed{}}
	d.document(v)
	if err := d.Err(); err != nil {
		return nil, fmt.Errorf("%s:%w", name, err)
	}
	return d.s, nil
}

// decoder fills a Seed.
type decoder struct {
	strict.Reader
	name string
	s    *Seed
}

func (d *decoder) document(v *strict.Value) {
	o := d.Object(v, "format", "station", "csms", "evses", "lights", "siteFuseA", "ocpp16", "ocpp2", "security", "vendor")
	strict.Word(o, "format", Format)
	d.identity(o)
	d.networks(o)
	d.s.Lights = strict.Or(strict.Flag(o, "lights"), true)
	for _, name := range []string{"evses", "lights", "siteFuseA"} {
		if o.Value(name) != nil {
			d.s.OfBoard = append(d.s.OfBoard, name)
		}
	}
	d.topology(o)
	d.siteFuse(o)
	d.keys(o)
	d.variables(o)
	d.security(o)
	d.trusted(o)
	if o.Value("vendor") != nil { // anything may stand in it: it belongs to other programs
		d.vendor(o)
	}
}

func (d *decoder) vendor(o *strict.Members) {
	if v := o.Value("vendor"); v.Kind != strict.Object {
		d.Fail(v, "want an object")
	}
}

// warn notes what was left out.
func (d *decoder) warn(v *strict.Value, text string) {
	line, col := v.Place()
	d.s.Warnings = append(d.s.Warnings, fmt.Sprintf("%s:%d:%d: %s: %s", d.name, line, col, v.Path(), text))
}
