package boards

import (
	"strings"
	"testing"
)

// Files that are made to hurt are findings, and few.
func TestHostileFiles(t *testing.T) {
	nested := func(s string) string { return "schema: evse.board/1\nx: " + strings.Repeat(s, 9000) }
	keys := func() string {
		var b strings.Builder
		b.WriteString("schema: evse.board/1\n")
		for b.Len() < MaxFile-40 {
			b.WriteString("k" + strings.Repeat("x", b.Len()%7) + strings.Repeat("y", b.Len()%13) + ": 1\n")
		}
		return b.String()
	}
	for name, data := range map[string]string{
		"lists": nested("["), "maps": nested("{a: "), "dashes": nested("- "), "keys": keys(), "too large": strings.Repeat("a: 1\n", MaxFile),
		"no UTF-8": "schema: \xff", "NUL": "schema: \x00", "alias of itself": "a: &a [*a]", "long word": "schema: " + strings.Repeat("x", 60000),
		"many aliases": "schema: evse.board/1\na: &a 1\nb: [" + strings.Repeat("*a,", 9000) + "]",
	} {
		b, fs, err := Read(File{name, []byte(data)})
		if b != nil || err == nil || len(fs) == 0 || len(fs) > maxFindings {
			t.Errorf("%s: %v, %d findings, %v", name, b != nil, len(fs), err)
		}
		for _, f := range fs {
			if len(f.String()) > 1000 {
				t.Errorf("%s: a finding of %d bytes", name, len(f.String()))
			}
		}
	}
}
