package image

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Format is the only format there is; a station refuses any other.
const Format = "evsed-firmware/1"

// Bounds of an image.
const (
	MaxManifest = 16 << 10  // bytes
	MaxHardware = 64        // rows
	maxWord     = 64        // bytes of a name or a version
	MaxPayload  = 128 << 20 // bytes: ten times today's binary
)

// Manifest says what an image is and where it may run. Its bytes are what is signed, and they hold the digest of the payload.
type Manifest struct {
	Product  string     // what it is: "evsed"
	Version  Version    // of the payload
	Security uint32     // security version: a station never starts one below the highest that it called good
	Target   string     // GOOS/GOARCH or GOOS/GOARCH/GOARM of the payload, such as linux/arm/7
	Hardware []Hardware // where it runs; not empty
	Released time.Time  // UTC, whole seconds
	MinAgent Version    // the oldest evsed that may install it; zero: any
	Length   int64      // bytes of the payload
	SHA256   [32]byte   // of the payload
}

// Hardware is a kind of board and the revisions of it.
type Hardware struct {
	ID       string // letters, digits, '.', '_', '-'
	Min, Max uint32 // revisions, both included
}

// wire is the manifest as JSON; the order of the fields is the order of the bytes.
type wire struct {
	Format   string         `json:"format"`
	Product  string         `json:"product"`
	Version  string         `json:"version"`
	Security uint32         `json:"securityVersion"`
	Target   string         `json:"target"`
	Hardware []wireHardware `json:"hardware"`
	Released string         `json:"released"`
	MinAgent string         `json:"minAgent,omitempty"`
	Length   int64          `json:"length"`
	SHA256   string         `json:"sha256"`
}

type wireHardware struct {
	ID  string `json:"id"`
	Min uint32 `json:"min"`
	Max uint32 `json:"max"`
}

// Append appends the manifest's bytes. There is one way to write a manifest, so equal manifests are equal bytes.
func (m Manifest) Append(dst []byte) ([]byte, error) {
	if err := m.check(); err != nil {
		return dst, err
	}
	w := wire{Format: Format, Product: m.Product, Version: m.Version.String(), Security: m.Security, Target: m.Target,
		Released: m.Released.UTC().Format(time.RFC3339), Length: m.Length, SHA256: hex.EncodeToString(m.SHA256[:])}
	if m.MinAgent != (Version{}) {
		w.MinAgent = m.MinAgent.String()
	}
	for _, h := range m.Hardware {
		w.Hardware = append(w.Hardware, wireHardware(h))
	}
	b, err := json.Marshal(w)
	if err != nil {
		return dst, err
	}
	return append(dst, b...), nil
}

// ParseManifest reads a manifest. What Append would not have written is refused: unknown and repeated fields, blanks, other
// orders.
func ParseManifest(b []byte) (Manifest, error) {
	m, err := parseManifest(b)
	if err != nil {
		return Manifest{}, fmt.Errorf("%w: manifest: %w", ErrFormat, err)
	}
	return m, nil
}

func parseManifest(b []byte) (m Manifest, err error) {
	if len(b) > MaxManifest {
		return m, fmt.Errorf("%d bytes: want at most %d", len(b), MaxManifest)
	}
	var w wire
	if err := json.Unmarshal(b, &w); err != nil {
		return m, err
	}
	if w.Format != Format {
		return m, fmt.Errorf("format %.40q: want %q", w.Format, Format)
	}
	m = Manifest{Product: w.Product, Security: w.Security, Target: w.Target, Length: w.Length}
	if m.Version, err = ParseVersion(w.Version); err != nil {
		return m, fmt.Errorf("version: %w", err)
	}
	if w.MinAgent != "" {
		if m.MinAgent, err = ParseVersion(w.MinAgent); err != nil {
			return m, fmt.Errorf("minAgent: %w", err)
		}
	}
	if m.Released, err = time.Parse(time.RFC3339, w.Released); err != nil {
		return m, fmt.Errorf("released: %w", err)
	}
	if n, err := hex.Decode(m.SHA256[:], []byte(w.SHA256[:min(len(w.SHA256), 64)])); err != nil || n != 32 {
		return m, fmt.Errorf("sha256: want 64 hexadecimal digits")
	}
	for _, h := range w.Hardware {
		m.Hardware = append(m.Hardware, Hardware(h))
	}
	again, err := m.Append(nil)
	if err != nil {
		return m, err
	}
	if !bytes.Equal(again, b) {
		return m, fmt.Errorf("bytes are not those that a manifest has")
	}
	return m, nil
}

func (m Manifest) check() error {
	switch {
	case !word(m.Product):
		return fmt.Errorf("product %.80q: want a word", m.Product)
	case m.Version == Version{}:
		return fmt.Errorf("version: want one such as 1.2.3")
	case !target(m.Target):
		return fmt.Errorf("target %.80q: want GOOS/GOARCH or GOOS/GOARCH/GOARM", m.Target)
	case len(m.Hardware) == 0 || len(m.Hardware) > MaxHardware:
		return fmt.Errorf("%d kinds of hardware: want 1 to %d", len(m.Hardware), MaxHardware)
	case m.Released.Year() < 2000 || m.Released.Year() > 9999 || m.Released.Nanosecond() != 0:
		return fmt.Errorf("released: want a date in whole seconds")
	case m.Length < 1 || m.Length > MaxPayload:
		return fmt.Errorf("length %d: want 1 to %d", m.Length, MaxPayload)
	}
	for _, h := range m.Hardware {
		if !word(h.ID) || h.Min > h.Max {
			return fmt.Errorf("hardware %.80q revisions %d to %d: want a word, and the lower revision first", h.ID, h.Min, h.Max)
		}
	}
	return nil
}

// word tells whether s is a name: letters, digits and ". _ -".
func word(s string) bool {
	if s == "" || len(s) > maxWord {
		return false
	}
	for _, c := range []byte(s) {
		if !alnum(c) && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

func alnum(c byte) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' }

func target(s string) bool {
	parts := strings.Split(s, "/")
	if len(parts) != 2 && len(parts) != 3 {
		return false
	}
	for _, p := range parts {
		if !word(p) {
			return false
		}
	}
	return true
}
