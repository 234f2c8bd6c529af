package boards

import (
	"fmt"
	"slices"
	"strings"
)

// merge puts the values of a later layer over those of the ones before it. What loosens is a finding and is not taken.
func (r *reader) merge(base, over *value) {
	for i, name := range over.names {
		o, b := over.items[i], base.child(name)
		switch {
		case b == nil && over.key.kind == kindMaps:
			r.at(o, "BRD-115", fmt.Sprintf("%s: the board has none of that id", o.path), "it has "+strings.Join(base.names, ", "))
		case b == nil && over.key.kind == kindDict:
			r.at(o, "BRD-115", fmt.Sprintf("%s: the board has none of that name", o.path), "it has "+strings.Join(base.names, ", "))
		case b == nil && o.key.rule == ruleFixed && o.leaf():
			r.at(o, "BRD-111", o.path, "it belongs into the board file")
		case b == nil:
			base.names, base.items = append(base.names, name), append(base.items, o)
		case name == "id" || name == "schema":
		case o.leaf() != b.leaf():
			r.at(o, "BRD-112", o.path+" is given to an mcu by "+b.where.String(), "leave it out")
		case !o.leaf():
			r.merge(b, o)
		default:
			r.replace(base, b, o)
		}
	}
}

// replace takes o in place of b if the key's rule lets it.
func (r *reader) replace(base, b, o *value) {
	if o.show() == b.show() {
		return
	}
	if !tighter(b, o) {
		r.at(o, "BRD-112", fmt.Sprintf("%s: %s loosens %s in %s", o.path, o.show(), b.show(), b.where), "a later file may only "+ruleNames[o.key.rule])
		return
	}
	o.over = b
	base.items[slices.Index(base.items, b)] = o
}

// at makes a finding at a value.
func (r *reader) at(v *value, code, text, cure string) {
	if len(r.findings) < maxFindings {
		r.findings = append(r.findings, Finding{File: v.where.File, Line: v.where.Line, Column: v.where.Column, Code: code,
			Severity: severityOf(code), Text: text, Cure: cure})
	}
}

// String returns file and line, as an error names them.
func (o Origin) String() string { return fmt.Sprintf("%s:%d", o.File, o.Line) }

// tighter says whether o is as its rule wants it beside b.
func tighter(b, o *value) bool {
	switch o.key.rule {
	case ruleSet:
		return true
	case ruleLower:
		return o.num <= b.num
	case ruleRaise:
		return o.num >= b.num
	case ruleOn:
		return o.flag
	case ruleLater:
		return slices.Index(o.key.words, o.text) >= slices.Index(o.key.words, b.text)
	case ruleSteps:
		return stepsWithin(b.steps, o.steps)
	}
	return false
}

// stepsWithin says whether o allows nowhere more than b: both fall, so it is enough to look where one of them steps.
func stepsWithin(b, o []step) bool {
	for _, s := range b {
		if at(o, s.at) > s.to {
			return false
		}
	}
	for _, s := range o {
		if s.to > at(b, s.at) {
			return false
		}
	}
	return true
}

// at is what steps allow at a place: below the first one anything.
func at(steps []step, place int64) int64 {
	most := int64(maxQuantity)
	for _, s := range steps {
		if s.at <= place {
			most = s.to
		}
	}
	return most
}
