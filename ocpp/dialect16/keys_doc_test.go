package dialect16

import (
	"os"
	"strings"
	"testing"
)

// The document of the keys lists those of the table, in its order, with the variable that each of them is and with files that
// exist.
func TestKeysAreDocumented(t *testing.T) {
	const doc = "../../docs/conformance/ocpp16-keys.md"
	text, err := os.ReadFile(doc)
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	for line := range strings.Lines(string(text)) {
		if cells := strings.Split(line, " | "); strings.HasPrefix(line, "| ") && len(cells) == 4 && cells[0] != "| key" {
			rows = append(rows, []string{strings.TrimPrefix(cells[0], "| "), cells[1], cells[3]})
		}
	}
	if len(rows) != len(keys) {
		t.Fatalf("%d keys are documented, the table has %d", len(rows), len(keys))
	}
	for i, row := range rows {
		k := &keys[i]
		if row[0] != k.name {
			t.Fatalf("row %d is %s, want %s", i, row[0], k.name)
		}
		variable := k.component + "." + k.variable
		if !k.derived() && !strings.HasPrefix(row[1], "none") && !strings.HasPrefix(row[1], variable) {
			t.Errorf("%s is %s, want %s", k.name, row[1], variable)
		}
		for _, word := range strings.Fields(strings.Trim(row[2], " |\n")) {
			word = strings.Trim(word, ",")
			path := "../../station/testdata/" + word
			switch {
			case strings.Contains(word, "/"):
				path = "../../" + word
			case !strings.HasSuffix(word, ".txt"):
				continue
			}
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s: %v", k.name, err)
			}
		}
	}
}
