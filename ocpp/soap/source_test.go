package soap

import (
	"strings"
	"testing"
)

// TestAttributesAreCountedWhileTheyAreRead: an element with more attributes than may be costs no more than what was read of
// them, in memory as in time.
func TestAttributesAreCountedWhileTheyAreRead(t *testing.T) {
	many := strings.Repeat(` a=""`, 8e4)
	for name, c := range map[string]struct {
		raw string
		ok  bool
	}{
		"of the envelope":           {`<a` + many + `/>`, false},
		"of an element in the body": {within("", `<c:resetRequest`+many+`/>`), false},
		"with ends in them":         {`<a` + strings.Repeat(` a='>"'`, 6e4) + `/>`, false},
		"behind a declaration":      {`<?xml version="1.0"?><a` + many + `/>`, false},
		"in a comment":              {within("<!--"+many+"-->", reset16), true},
		"in text":                   {within(`<w:x xmlns:w="urn:w">`+many+`</w:x>`, reset16), true},
		"as many as may be":         {within(`<w:x xmlns:w="urn:w" w:b=">"`+names(maxAttributes-2)+`/>`, reset16), true},
		"one more":                  {within(`<w:x xmlns:w="urn:w" w:b=">"`+names(maxAttributes-1)+`/>`, reset16), false},
	} {
		var err error
		allocated := testing.AllocsPerRun(1, func() { _, err = Parse([]byte(c.raw), ChargePoint) })
		if c.ok != (err == nil) || !c.ok && !strings.Contains(err.Error(), "too many attributes") {
			t.Errorf("%s: %v", name, err)
		}
		if allocated > 1000 {
			t.Errorf("%s: %v allocations", name, allocated)
		}
	}
}

// names are n attributes.
func names(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(" a" + strings.Repeat("b", i) + `='"'`)
	}
	return b.String()
}
