package bringup

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/evsed/evsed/station/term"
)

// Format is that of a report's file.
const Format = "evsed.bringup/1"

// File is the name of a report in the state directory.
const File = "bringup.json"

// maxReport bounds a report's file, in bytes.
const maxReport = 1 << 20

// Report is a bring-up as far as it has come.
type Report struct {
	Format  string
	Board   string
	Serial  string `json:",omitempty"`
	Program string // version that measured
	Virtual bool   `json:",omitempty"` // a rehearsal on a bench
	Files   []Source
	Started time.Time
	Ended   *time.Time `json:",omitempty"` // all steps have been made
	Cut     string     `json:",omitempty"` // boot in which the power was to be cut
	Steps   []Step
}

// Source is a board file by its content.
type Source struct {
	Name   string
	SHA256 string
}

// Result is what became of a step.
type Result string

// Results.
const (
	Passed  Result = "passed"
	Failed  Result = "failed"
	Skipped Result = "skipped" // by the person: it was not measured
	Left    Result = "not fitted"
)

// Step is one step as it went.
type Step struct {
	ID     string
	EVSE   term.EVSEID `json:",omitempty"`
	Title  string
	Result Result
	At     time.Time
	Why    string  `json:",omitempty"` // of one that failed
	Values []Value `json:",omitempty"`
}

// Value is one thing that was measured, in whole numbers of its unit.
type Value struct {
	Name        string
	Value       int64
	Unit        string
	Least, Most *int64 `json:",omitempty"` // bounds that it was held to
	Scope       bool   `json:",omitempty"` // measured by an instrument, and typed in
}

// OK reports whether the value is within its bounds.
func (v Value) OK() bool {
	return (v.Least == nil || v.Value >= *v.Least) && (v.Most == nil || v.Value <= *v.Most)
}

func (v Value) String() string {
	text := fmt.Sprintf("%s %d %s", v.Name, v.Value, v.Unit)
	switch {
	case v.Least != nil && v.Most != nil:
		text += fmt.Sprintf(" (%d..%d)", *v.Least, *v.Most)
	case v.Least != nil:
		text += fmt.Sprintf(" (at least %d)", *v.Least)
	case v.Most != nil:
		text += fmt.Sprintf(" (at most %d)", *v.Most)
	}
	if v.Scope {
		text += " by instrument"
	}
	if !v.OK() {
		text += " OUTSIDE"
	}
	return text
}

// Passed reports whether every step has been made and none failed or was skipped.
func (r *Report) Passed() bool {
	if r.Ended == nil || len(r.Steps) == 0 {
		return false
	}
	for _, s := range r.Steps {
		if s.Result != Passed && s.Result != Left {
			return false
		}
	}
	return true
}

// step returns the step of an id at an EVSE, or nil.
func (r *Report) step(id string, evse term.EVSEID) *Step {
	for i := range r.Steps {
		if r.Steps[i].ID == id && r.Steps[i].EVSE == evse {
			return &r.Steps[i]
		}
	}
	return nil
}

// put keeps a step in its place.
func (r *Report) put(s Step) {
	if old := r.step(s.ID, s.EVSE); old != nil {
		*old = s
		return
	}
	r.Steps = append(r.Steps, s)
}

// Worst returns the greatest value of a name that was measured at an EVSE; false: none was.
func (r *Report) Worst(evse term.EVSEID, step, name string) (worst int64, found bool) {
	s := r.step(step, evse)
	if s == nil || s.Result != Passed {
		return 0, false
	}
	for _, v := range s.Values {
		if v.Name == name && (!found || v.Value > worst) {
			worst, found = v.Value, true
		}
	}
	return worst, found
}

// Sources are board files by their content, in the order of their names on the command line.
func Sources(paths []string) ([]Source, error) {
	var all []Source
	for _, p := range paths {
		data, err := os.ReadFile(p)
		if err != nil {
			return nil, fmt.Errorf("board file: %w", err)
		}
		sum := sha256.Sum256(data)
		all = append(all, Source{filepath.Base(p), hex.EncodeToString(sum[:])})
	}
	return all, nil
}

// ErrNone is a state directory without a bring-up.
var ErrNone = errors.New("no bring-up was started here")

// Read reads the report of a state directory.
func Read(dir string) (*Report, error) {
	f, err := os.Open(filepath.Join(dir, File))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w: evsed board bringup start FILE... --state %s begins one", dir, ErrNone, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("bring-up report: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && info.Size() > maxReport {
		err = fmt.Errorf("%d bytes: at most %d", info.Size(), maxReport)
	}
	var r Report
	if err == nil {
		d := json.NewDecoder(f)
		d.DisallowUnknownFields()
		err = d.Decode(&r)
	}
	if err == nil && r.Format != Format {
		err = fmt.Errorf("format %q: want %q", r.Format, Format)
	}
	if err != nil {
		return nil, fmt.Errorf("bring-up report %s: %w", filepath.Join(dir, File), err)
	}
	return &r, nil
}

// Write keeps the report durably: a step that was made is not lost with the power.
func (r *Report) Write(dir string) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("bring-up report: %w", err)
	}
	return WriteDurably(filepath.Join(dir, File), append(data, '\n'))
}
