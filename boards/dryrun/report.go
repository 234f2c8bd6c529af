package dryrun

import (
	"encoding/xml"
	"fmt"
	"io"
	"time"

	"github.com/evsed/evsed/station/term"
)

// Result is what became of a step.
type Result uint8

// Results.
const (
	Passed Result = iota
	Failed
	Left // the board has nothing to do it with
)

var resultNames = [...]string{"ok", "FAILED", "-"}

func (r Result) String() string { return resultNames[r] }

// Step is one scenario as it went.
type Step struct {
	EVSE   term.EVSEID // 0: the station
	Name   string
	Took   time.Duration // what was measured, where Limit is not 0
	Limit  time.Duration
	Note   string // what was measured, if it is no time; or why it was left out or failed
	Result Result
}

// String is the step as a line.
func (s Step) String() string {
	where, measured := "station", s.Note
	if s.EVSE != 0 {
		where = fmt.Sprintf("evse %d", s.EVSE)
	}
	if s.Limit > 0 && s.Result != Left {
		measured = fmt.Sprintf("%s of %s", inMillis(s.Took), inMillis(s.Limit))
		if s.Note != "" {
			measured += "  " + s.Note
		}
	}
	return fmt.Sprintf("%-7s  %-38s %-6s  %s", where, s.Name, s.Result, measured)
}

// inMillis writes a time in milliseconds, as a whole number where it is one.
func inMillis(d time.Duration) string {
	return fmt.Sprintf("%d ms", (d + time.Millisecond/2).Milliseconds())
}

// Report is a dry run.
type Report struct {
	Board string
	Steps []Step
}

// Count counts the steps of each result.
func (r *Report) Count() (passed, failed, left int) {
	for _, s := range r.Steps {
		switch s.Result {
		case Passed:
			passed++
		case Failed:
			failed++
		case Left:
			left++
		}
	}
	return passed, failed, left
}

// Summary is the last line of a dry run.
func (r *Report) Summary() string {
	passed, failed, left := r.Count()
	return fmt.Sprintf("%d steps: %d ok, %d failed, %d not fitted", len(r.Steps), passed, failed, left)
}

// JUnit's words, as CI systems read them.
type (
	junitSuite struct {
		XMLName  xml.Name    `xml:"testsuite"`
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string      `xml:"classname,attr"`
		Name    string      `xml:"name,attr"`
		Time    string      `xml:"time,attr"` // what was measured, in seconds
		Failure *junitCause `xml:"failure"`
		Skipped *junitCause `xml:"skipped"`
		Out     string      `xml:"system-out,omitempty"`
	}
	junitCause struct {
		Message string `xml:"message,attr"`
	}
)

// JUnit writes the report as JUnit XML.
func (r *Report) JUnit(w io.Writer) error {
	_, failed, left := r.Count()
	suite := junitSuite{Name: "evsed dry-run " + r.Board, Tests: len(r.Steps), Failures: failed, Skipped: left}
	for _, s := range r.Steps {
		c := junitCase{Class: "station", Name: s.Name, Time: fmt.Sprintf("%d.%03d", s.Took/time.Second, s.Took%time.Second/time.Millisecond)}
		if s.EVSE != 0 {
			c.Class = fmt.Sprintf("evse%d", s.EVSE)
		}
		switch s.Result {
		case Passed:
			c.Out = s.String()
		case Failed:
			c.Failure = &junitCause{s.String()}
		case Left:
			c.Skipped = &junitCause{s.Note}
		}
		suite.Cases = append(suite.Cases, c)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(suite); err != nil {
		return fmt.Errorf("write JUnit: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}
