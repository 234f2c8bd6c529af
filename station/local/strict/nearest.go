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

// distance counts the letters to insert, drop or change that make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := corner
			if a[i] != b[j] {
				change++
			}
			corner = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
