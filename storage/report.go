package storage

import "fmt"

// Codes of findings; stable.
const (
	FoundTail     = "STO-TAIL"     // unreadable bytes behind the journal's last batch were cut off: a torn write, never acknowledged
	FoundRepaired = "STO-REPAIRED" // one of two copies was unreadable, the other one was used
	FoundLost     = "STO-LOST"     // something acknowledged is damaged and gone
	FoundAside    = "STO-ASIDE"    // a file was put aside and rebuilt from what is whole
	FoundMigrated = "STO-MIGRATED" // records were brought to a newer schema
	FoundSealed   = "STO-SEALED"   // a password does not open, or could not be sealed
)

// maxFindings bounds a Report; the rest is counted in its last line.
const maxFindings = 64

// Finding is one thing that Open noticed.
type Finding struct {
	Code string
	File string
	Text string
}

// String returns the finding as one line for the log.
func (f Finding) String() string { return fmt.Sprintf("%s %s: %s", f.Code, f.File, f.Text) }

// Report says what Open found.
type Report struct {
	Fresh    bool // nothing was there
	Replayed int  // records replayed from the journal
	Findings []Finding
}

// Damaged reports whether something was lost or put aside: the station says so over OCPP and on stderr.
func (r Report) Damaged() bool {
	for _, f := range r.Findings {
		if f.Code == FoundLost || f.Code == FoundAside {
			return true
		}
	}
	return false
}

func (r *Report) add(code, file, format string, args ...any) {
	switch {
	case len(r.Findings) < maxFindings:
		r.Findings = append(r.Findings, Finding{code, file, fmt.Sprintf(format, args...)})
	case len(r.Findings) == maxFindings:
		r.Findings = append(r.Findings, Finding{code, file, "and more of the kind"})
	}
}
