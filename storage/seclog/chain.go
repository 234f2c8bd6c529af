package seclog

import (
	"fmt"

	"github.com/evsed/evsed/station"
)

// chain follows the entries of a log and notes where they cannot be verified.
type chain struct {
	prev    hash
	last    uint64 // number of the entry that prev belongs to
	entries int
	breaks  []string // at most station.MaxBreaks
	more    int      // breaks beyond that
	suspect *line    // does not follow prev: torn, or what it followed is gone or changed
	took    func(line)
}

// broken notes a break.
func (c *chain) broken(format string, args ...any) {
	if len(c.breaks) >= station.MaxBreaks {
		c.more++
		return
	}
	c.breaks = append(c.breaks, fmt.Sprintf(format, args...))
}

// next takes a line that stands behind those before. One with a number that was there already is old, and is passed over.
func (c *chain) next(l line) {
	if l.number <= c.last {
		return
	}
	if chained(c.prev, l.body) == l.sum {
		if c.suspect != nil {
			c.broken("between %d and %d stands what belongs to neither", c.last, l.number)
			c.suspect = nil
		}
		c.take(l)
		return
	}
	c.settle()
	if l.number <= c.last {
		return
	}
	if chained(c.prev, l.body) == l.sum { // the suspect stands where it stood
		c.take(l)
		return
	}
	l.body, l.text = append([]byte(nil), l.body...), append([]byte(nil), l.text...)
	c.suspect = &l
}

// settle takes the suspect, since something follows it.
func (c *chain) settle() {
	s := c.suspect
	if c.suspect = nil; s == nil {
		return
	}
	c.broken("%d does not follow %d", s.number, c.last)
	c.link(*s)
}

// take takes a line that follows.
func (c *chain) take(l line) {
	switch {
	case l.number == c.last+2:
		c.broken("%d is missing", c.last+1)
	case l.number > c.last+2:
		c.broken("%d to %d are missing", c.last+1, l.number-1)
	}
	c.link(l)
}

func (c *chain) link(l line) {
	c.prev, c.last = l.sum, l.number
	c.entries++
	if c.took != nil {
		c.took(l)
	}
}

// finish takes what stands at the end. torn: what looks like the next entry there and does not follow was never whole.
func (c *chain) finish() (torn bool) {
	if c.suspect != nil && c.suspect.number == c.last+1 {
		c.suspect = nil
		return true
	}
	c.settle()
	return false
}
