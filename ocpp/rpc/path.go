package rpc

import (
	"strconv"
	"strings"
)

const maxPathName = 64 // bytes of one name in a path: a peer's unknown names can be long

// pathAt returns the JSON path of the place where s, the beginning of a JSON text, ends; leaf, if any, is
// the member of the innermost object to name instead of the last one read. Faults are rare, so nobody keeps a path while reading: it is found again from the text.
func pathAt[T string | []byte](s T, leaf string) string {
	type step struct {
		list, named bool
		n           int
		name        string
	}
	var steps []step
	for i := 0; i < len(s); i++ {
		top := len(steps) - 1
		switch s[i] {
		case '{', '[':
			steps = append(steps, step{list: s[i] == '['})
		case '}', ']':
			steps = steps[:max(top, 0)]
		case ',':
			if top >= 0 {
				steps[top].n++
				steps[top].named = false
			}
		case '"':
			end := textEnd(s, i+1)
			if top >= 0 && !steps[top].list && !steps[top].named {
				steps[top].named = true
				steps[top].name = strings.ToValidUTF8(string(s[i+1:min(end, i+1+maxPathName)]), "")
			}
			i = end
		}
	}
	var out []byte
	for i, st := range steps {
		switch {
		case leaf != "" && i == len(steps)-1:
			out = appendName(out, leaf)
		case st.list:
			out = append(strconv.AppendInt(append(out, '['), int64(st.n), 10), ']')
		case st.named:
			out = appendName(out, st.name)
		}
	}
	return string(out)
}

func appendName(out []byte, name string) []byte {
	if len(out) > 0 {
		out = append(out, '.')
	}
	return append(out, name...)
}

// textEnd returns the index of the quote that ends the string whose text begins at i, or the length of s.
func textEnd[T string | []byte](s T, i int) int {
	for ; i < len(s) && s[i] != '"'; i++ {
		if s[i] == '\\' {
			i++
		}
	}
	return min(i, len(s))
}
