package boards

import (
	"fmt"
	"strings"
)

// checker looks for what is wrong with a board whose values are right each by itself: it needs no hardware.
type checker struct {
	b        *Board
	findings []Finding
}

// all runs every rule.
func (c *checker) all() {
	c.ids()
	c.buses()
	c.mcus()
	c.names()
	c.devices()
	c.owners()
	c.inputs()
	c.supply()
	for i := range c.b.EVSEs {
		e := &c.b.EVSEs[i]
		at := evsePath(e)
		c.pilot(e, at)
		c.contactors(e, at)
		c.plug(e, at)
		c.temperatures(e, at)
		c.meter(e, at)
		c.currents(e, at)
		c.dc(e, at)
	}
}

func evsePath(e *EVSE) string { return fmt.Sprintf("evses[%d]", e.ID) }

// find makes a finding at the place of a path, or of the nearest container that a file has.
func (c *checker) find(path, code, text, cure string) {
	if len(c.findings) >= maxFindings {
		return
	}
	where := c.b.place(path)
	c.findings = append(c.findings, Finding{File: where.File, Line: where.Line, Column: where.Column, Code: code, Severity: severityOf(code), Text: text, Cure: cure})
}

// findf is find without a cure of its own: the code's is told.
func (c *checker) findf(path, code, format string, args ...any) {
	r, _ := RuleOf(code)
	cure := strings.TrimSuffix(r.Cure, ".")
	if cure != "" {
		cure = strings.ToLower(cure[:1]) + cure[1:]
	}
	c.find(path, code, fmt.Sprintf(format, args...), cure)
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

// given says whether a file gives a value at the path.
func (c *checker) given(path string) bool { _, ok := c.b.places[path]; return ok }

// ids have no gap, and what is switched off comes last.
func (c *checker) ids() {
	off := false
	for i := range c.b.EVSEs {
		e := &c.b.EVSEs[i]
		if int(e.ID) != i+1 {
			c.find(join(evsePath(e), "id"), "BRD-115", fmt.Sprintf("EVSE %d stands at place %d", e.ID, i+1), "number and order EVSEs from 1 without a gap")
			return
		}
		if off && !e.Off {
			c.find(join(evsePath(&c.b.EVSEs[i-1]), "off"), "BRD-115", fmt.Sprintf("EVSE %d is off and EVSE %d is not", i, i+1), "switch off the last ones")
		}
		off = e.Off
	}
	if c.b.EVSEs[0].Off {
		c.find(join(evsePath(&c.b.EVSEs[0]), "off"), "BRD-115", "every EVSE is switched off", "leave the first one on")
	}
}
