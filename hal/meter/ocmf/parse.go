package ocmf

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// Bounds of what is read. A record of a long charge with a reading each quarter of an hour has 20 KiB.
const (
	MaxRecord  = 64 << 10
	MaxRecords = 1000
)

// ErrFormat is text that is no record.
var ErrFormat = errors.New("not OCMF")

// marker begins each record.
const marker = "OCMF|"

// Record is one signed record.
type Record struct {
	Raw     []byte // all of it, as it came
	Payload []byte // the part that is signed, as it came

	fields    object // of the payload
	signature object
	readings  []object
}

// object is a JSON object with its fields in order; a key that is there twice is there twice.
type object []field

type field struct {
	key string
	raw json.RawMessage
}

// get returns a field.
func (o object) get(key string) (json.RawMessage, bool) {
	for _, f := range o {
		if f.key == key {
			return f.raw, true
		}
	}
	return nil, false
}

// text returns a field that is a string, or "".
func (o object) text(key string) string {
	raw, _ := o.get(key)
	var s string
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// has says whether a field is there.
func (o object) has(key string) bool {
	_, ok := o.get(key)
	return ok
}

// ParseAll reads all records of a text, which stand one behind another with white space between them.
func ParseAll(text []byte) ([]*Record, error) {
	var all []*Record
	for rest := bytes.TrimSpace(text); len(rest) > 0; {
		if !bytes.HasPrefix(rest, []byte(marker)) {
			return nil, fmt.Errorf("record %d: %w: want %s at its beginning", len(all)+1, ErrFormat, marker)
		}
		end := len(rest)
		for at := len(marker); ; {
			i := bytes.Index(rest[at:], []byte(marker))
			if i < 0 {
				break
			}
			at += i
			if c := rest[at-1]; c == '\n' || c == ' ' || c == '\t' || c == '\r' || c == '}' {
				end = at
				break
			}
			at++
		}
		r, err := Parse(bytes.TrimSpace(rest[:end]))
		if err != nil {
			return nil, fmt.Errorf("record %d: %w", len(all)+1, err)
		}
		if all = append(all, r); len(all) > MaxRecords {
			return nil, fmt.Errorf("%w: more than %d records", ErrFormat, MaxRecords)
		}
		rest = bytes.TrimSpace(rest[end:])
	}
	if all == nil {
		return nil, fmt.Errorf("%w: empty", ErrFormat)
	}
	return all, nil
}

// Parse reads one record. It refuses what is no OCMF at all; what is wrong with a field is for the verdicts.
func Parse(text []byte) (*Record, error) {
	if len(text) > MaxRecord {
		return nil, fmt.Errorf("%w: %d bytes, want at most %d", ErrFormat, len(text), MaxRecord)
	}
	raw := bytes.Clone(text)
	parts := bytes.Split(raw, []byte{'|'})
	if len(parts) != 3 || string(parts[0]) != "OCMF" {
		return nil, fmt.Errorf("%w: want OCMF|payload|signature, and no other %q", ErrFormat, '|')
	}
	r := &Record{Raw: raw, Payload: parts[1]}
	var err error
	if r.fields, err = parseObject(parts[1]); err != nil {
		return nil, fmt.Errorf("%w: payload: %w", ErrFormat, err)
	}
	if r.signature, err = parseObject(parts[2]); err != nil {
		return nil, fmt.Errorf("%w: signature: %w", ErrFormat, err)
	}
	if r.readings, err = r.parseReadings(); err != nil {
		return nil, fmt.Errorf("%w: readings: %w", ErrFormat, err)
	}
	return r, nil
}

// parseReadings returns the readings; a field that is left out has the value of the reading before (Table 7).
func (r *Record) parseReadings() ([]object, error) {
	raw, ok := r.fields.get("RD")
	if !ok {
		return nil, nil
	}
	var all []json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, err
	}
	var out []object
	for _, one := range all {
		o, err := parseObject(one)
		if err != nil {
			return nil, err
		}
		if len(out) > 0 {
			for _, key := range inherited {
				if before, ok := out[len(out)-1].get(key); ok && !o.has(key) {
					o = append(o, field{key, before})
				}
			}
		}
		out = append(out, o)
	}
	return out, nil
}

// inherited are the fields of a reading that may be left out where they repeat. The value is not among them: a reading
// without one is an event.
var inherited = []string{"TM", "TX", "RI", "RU", "RT", "EF", "ST"}

// parseObject reads a JSON object with nothing behind it.
func parseObject(text []byte) (object, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	open, err := dec.Token()
	if err != nil {
		return nil, err
	}
	if open != json.Delim('{') {
		return nil, errors.New("want an object")
	}
	var o object
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, err
		}
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return nil, err
		}
		name, _ := key.(string)
		o = append(o, field{name, raw})
	}
	if _, err := dec.Token(); err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(text[dec.InputOffset():])) > 0 {
		return nil, errors.New("something follows the object")
	}
	return o, nil
}
