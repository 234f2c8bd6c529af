package boards

import (
	"fmt"
	"strings"
)

// value is one value of a document that fits its key.
type value struct {
	key   *key
	path  string
	where Origin
	over  *value // of the layer above, that it changed

	text  string // as written: texts, words and lines
	num   int64  // integers, and quantities in their base unit
	flag  bool   // flags; of a map that may be an MCU: it is
	names []string
	items []*value // of maps, beside names; of lists and words
	steps []step
	span  [2]int64
}

// step is one row of kindSteps.
type step struct{ at, to int64 }

// child returns the member of that name, or nil.
func (v *value) child(name string) *value {
	if v == nil {
		return nil
	}
	for i, n := range v.names {
		if n == name {
			return v.items[i]
		}
	}
	return nil
}

// show writes the value as a file would.
func (v *value) show() string {
	switch v.key.kind {
	case kindFlag:
		return fmt.Sprint(v.flag)
	case kindInt:
		return fmt.Sprint(v.num)
	case kindQuantity:
		return v.key.q.show(v.num)
	case kindRange:
		return fmt.Sprintf("[%s, %s]", v.key.q.show(v.span[0]), v.key.q.show(v.span[1]))
	case kindSteps:
		var rows []string
		for _, s := range v.steps {
			rows = append(rows, v.key.at.show(s.at)+": "+v.key.q.show(s.to))
		}
		return "{" + strings.Join(rows, ", ") + "}"
	case kindWords, kindTexts, kindLines:
		var items []string
		for _, i := range v.items {
			items = append(items, i.text)
		}
		if v.key.kind == kindWords && len(items) == 1 {
			return items[0]
		}
		return "[" + strings.Join(items, ", ") + "]"
	case kindMap, kindDict, kindMaps:
		if v.flag {
			return "mcu"
		}
		return ""
	}
	return v.text
}

// leaf says whether the value is one that a file gives, not a container of them.
func (v *value) leaf() bool {
	switch v.key.kind {
	case kindMap:
		return v.flag
	case kindDict, kindMaps:
		return false
	case kindLine:
		return v.names == nil
	}
	return true
}
