package boards

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/evsed/evsed/hal/meter"
	"github.com/evsed/evsed/hal/meter/ocmf"
)

// Table returns the register table of the meter's model.
func (m *Meter) Table() (*meter.Model, error) {
	if strings.HasSuffix(m.Model, ".yaml") {
		return meter.Load(m.Model)
	}
	return meter.Find(m.Model)
}

// ErrKey is a meter with another key than the board says: another meter was built in, or the file is of another station.
var ErrKey = errors.New("the meter has another public key than the board file says")

// CheckKey compares the meter's own key (SubjectPublicKeyInfo, DER) with that of the board; from-meter takes any.
func (m *Meter) CheckKey(own []byte) error {
	if m.PublicKey == "from-meter" {
		return nil
	}
	board, err := ocmf.ParseKey(m.PublicKey)
	if err != nil {
		return err
	}
	key, err := ocmf.ParseKey(hex.EncodeToString(own))
	if err != nil {
		return fmt.Errorf("the meter's own: %w", err)
	}
	if !key.Equal(board) {
		return fmt.Errorf("%w: %x, and not %s", ErrKey, own, m.PublicKey)
	}
	return nil
}

// WriteModels writes the models of meters.
func WriteModels(w io.Writer) {
	for _, m := range meter.Models() {
		fmt.Fprintf(w, "%-28s %s\n", m.Name, m.Title)
	}
}

// meter is of a known model, at a bus that it can be set to, and measures all lines.
func (c *checker) meter(e *EVSE, at string) {
	m, path := e.Meter, join(at, "meter")
	if m == nil {
		if !e.Off {
			c.findf(at, "BRD-322", "EVSE %d has no meter", e.ID)
		}
		return
	}
	t, err := m.Table()
	if err != nil {
		cure := "evsed board help meters lists them"
		if errors.Is(err, fs.ErrNotExist) {
			cure = "the path is from the board file's folder"
		}
		c.find(join(path, "model"), "BRD-207", err.Error(), cure)
		return
	}
	c.signed(m, t, path)
	http := t.Driver != meter.DriverModbus
	switch {
	case http && (m.HTTP == "" || m.Bus != "" || m.Address != 0):
		c.find(path, "BRD-210", t.Title+" speaks HTTP", "want http alone, no bus and no address")
	case !http && (m.Bus == "" || m.Address == 0 || m.HTTP != ""):
		c.find(path, "BRD-210", t.Title+" speaks Modbus", "want bus and address, no http")
	}
	c.phases(e, t, path)
	if b := c.b.Bus(m.Bus); b != nil && b.Kind == BusSerial && t.Line.Baud != 0 && (t.Line.Baud != b.Baud || t.Line.Frame != b.Frame) {
		c.find(join(path, "bus"), "BRD-211", fmt.Sprintf("bus %s has %d %s, and %s leaves the factory with %d %s", b.Name, b.Baud, b.Frame, t.Title, t.Line.Baud, t.Line.Frame),
			"set the meter to the bus, or the bus to the meter")
	}
}

// signed values have a key, and the other way round.
func (c *checker) signed(m *Meter, t *meter.Model, path string) {
	if m.Legal && t.Signs == "" {
		c.findf(join(path, "legal"), "BRD-323", "%s signs nothing", t.Title)
	}
	switch {
	case m.Legal && m.PublicKey == "":
		c.findf(path, "BRD-320", "legal without public_key")
	case m.Legal && m.PublicKey != "from-meter":
		if _, err := ocmf.ParseKey(m.PublicKey); err != nil {
			c.findf(join(path, "public_key"), "BRD-320", "%v", err)
		}
	case !m.Legal && m.PublicKey != "":
		c.find(join(path, "public_key"), "BRD-210", "a key without signed values", "add legal: ocmf, or leave the key out")
	}
}

// phases of the meter are those of the EVSE, each once.
func (c *checker) phases(e *EVSE, t *meter.Model, path string) {
	given := 0
	for _, p := range e.Meter.Phases {
		given += b2i(p != 0)
	}
	switch {
	case e.DC != (t.Phases == 0):
		c.findf(path, "BRD-321", "%s is a meter for %s", t.Title, map[bool]string{true: "DC", false: "AC"}[t.Phases == 0])
	case t.Phases < int(e.Phases):
		c.findf(path, "BRD-321", "%s measures %d line, and EVSE %d has %d", t.Title, t.Phases, e.ID, e.Phases)
	case c.given(join(path, "phases")) && given < int(e.Phases):
		c.findf(join(path, "phases"), "BRD-321", "%d lines named, and EVSE %d has %d", given, e.ID, e.Phases)
	case c.given(join(path, "phases")) && e.DC:
		c.find(join(path, "phases"), "BRD-210", "phases of a DC meter", "leave them out")
	}
}
