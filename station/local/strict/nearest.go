package strict

import "strings"

// Nearest returns the name that got was probably meant to be, or "" if none is near: the same letters in another
// case, or at most a third of them wrong.
func Nearest(got string, names []string) string {
	if len(got) > maxNearest {
		return ""
	}
	best, least := "", 0
	for _, name := range names {
		if name == "" || len(name) > maxNearest {
			continue
		}
		d := distance(strings.ToLower(got), strings.ToLower(name))
		if limit := max(len(name)/3, 1); d <= limit && (best == "" || d < least) {
			best, least = name, d
		}
	}
	return best
}

// maxNearest bounds the work of a comparison, in bytes.
const maxNearest = 64

// distance counts the letters to insert, drop, change or swap with their neighbour that make b of a.
func distance(a, b string) int {
	before, above, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, above, row = above, row, before
		row[0] = i + 1
		for j := range len(b) {
			change := above[j]
			if a[i] != b[j] {
				change++
			}
			row[j+1] = min(change, above[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
