package gpio

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

const (
	nearest  = 3 // names that an error offers
	farthest = 4 // edits that make a name another one
)

// hint offers the names that are near to one that is not there.
func (c *Chips) hint(name string) string {
	type near struct {
		name string
		away int
	}
	var all []near
	for n := range c.index {
		d := distance(strings.ToLower(n), strings.ToLower(name))
		if d <= min(farthest, len(name)/2) {
			all = append(all, near{n, d})
		}
	}
	if len(c.index) == 0 {
		return ", nor any other name: want gpio-line-names in the device tree"
	}
	if len(all) == 0 {
		return fmt.Sprintf(" among %d names", len(c.index))
	}
	slices.SortFunc(all, func(a, b near) int {
		return cmp.Or(cmp.Compare(a.away, b.away), cmp.Compare(a.name, b.name))
	})
	var names []string
	for _, n := range all[:min(nearest, len(all))] {
		names = append(names, fmt.Sprintf("%q", n.name))
	}
	return ", but " + strings.Join(names, ", ")
}

// distance is how many letters to change, add or leave out make a into b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := last
			if a[i] != b[j] {
				cost++
			}
			last = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
