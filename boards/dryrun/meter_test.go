package dryrun

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMeterOfAFile: a meter that the manufacturer describes in a file of its own is at the bench like one that comes with the program.
func TestMeterOfAFile(t *testing.T) {
	dir := t.TempDir()
	copied := func(from, to, old, with string) string {
		t.Helper()
		text, err := os.ReadFile(from)
		if err != nil || !strings.Contains(string(text), old) {
			t.Fatalf("%s: %v, want one with %q", from, err, old)
		}
		to = filepath.Join(dir, to)
		if err := os.WriteFile(to, []byte(strings.Replace(string(text), old, with, 1)), 0o644); err != nil {
			t.Fatal(err)
		}
		return to
	}
	copied("../../hal/meter/models/eastron-sdm72d-m-v2.yaml", "acme.yaml", "eastron/sdm72d-m-v2", "acme/x1")
	b := load(t, copied("../ac-wallbox-cm4.yaml", "board.yaml", "model: eastron/sdm72d-m-v2", "model: acme.yaml"))
	asked := false
	for _, s := range Run(b, b, nil).Steps {
		if s.Result == Failed {
			t.Error(s)
		}
		asked = asked || s.Result == Passed && strings.Contains(s.Name, "meter silent")
	}
	if !asked {
		t.Error("no step made the meter silent")
	}
}
