package boards

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// The reference in docs/boards.md is of the table and the rules.
func TestReferenceIsOfTheTable(t *testing.T) {
	const path = "../docs/boards.md"
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := replacePart(t, string(raw), "keys", keysTable())
	text = replacePart(t, text, "codes", codesTable())
	golden(t, path, []byte(text))
}

// replacePart puts text between the marks of a part.
func replacePart(t *testing.T, text, part, with string) string {
	t.Helper()
	head, rest, ok := strings.Cut(text, "<!-- "+part+":")
	mark, rest, ok2 := strings.Cut(rest, "-->\n")
	_, tail, ok3 := strings.Cut(rest, "<!-- /"+part+" -->")
	if !ok || !ok2 || !ok3 {
		t.Fatalf("no part %s", part)
	}
	return head + "<!-- " + part + ":" + mark + "-->\n" + with + "<!-- /" + part + " -->" + tail
}

func keysTable() string {
	var b strings.Builder
	b.WriteString("| key | value | meaning | later files |\n|---|---|---|---|\n")
	table.each("", func(path string, k *key) {
		value := strings.ReplaceAll(k.summary(), " | ", ", ")
		if k.need {
			value += "; needed"
		}
		later := ""
		switch {
		case k.in == inProduct:
			later = "product only"
		case k.rule != ruleFixed:
			later = ruleNames[k.rule]
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", path, value, k.about, later)
	})
	return b.String()
}

func codesTable() string {
	var b strings.Builder
	b.WriteString("| code | | what | cause | cure |\n|---|---|---|---|---|\n")
	for _, r := range rules {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", r.Code, r.Severity, r.Title, r.Cause, r.Cure)
	}
	for _, code := range retired {
		fmt.Fprintf(&b, "| %s | | retired | No finding has it any more, and no other rule gets it. | |\n", code)
	}
	return b.String()
}
