package boards

import "strings"

// checker looks for what is wrong with a board whose files are right each by itself: it needs no hardware.
type checker struct {
	b        *Board
	findings []Finding
}

// all runs every rule.
func (c *checker) all() {
}

// find makes a finding at the place of a path, or of the nearest container that a file has.
func (c *checker) find(path, code, text, cure string) {
	if len(c.findings) >= maxFindings {
		return
	}
	where := c.b.place(path)
	c.findings = append(c.findings, Finding{File: where.File, Line: where.Line, Column: where.Column, Code: code, Severity: severityOf(code), Text: text, Cure: cure})
}

// place returns where a path stands, or the nearest container of it.
func (b *Board) place(path string) Origin {
	for {
		if o, ok := b.places[path]; ok {
			return o
		}
		i := strings.LastIndexAny(path, ".[")
		if i < 0 {
			return b.places[""]
		}
		path = path[:i]
	}
}
