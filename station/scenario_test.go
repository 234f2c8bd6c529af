package station_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evsed/evsed/station/stationtest"
)

var update = flag.Bool("update", false, "rewrite the scenario files")

// TestScenarios plays each file of testdata and compares what the station does with what stands there.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenario files: %v", err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			got, err := stationtest.Run(string(want))
			if err != nil {
				t.Fatalf("%v\n%s", err, got)
			}
			if *update {
				if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(want) {
				t.Errorf("differs from %s (rewrite with -update, then read the diff):\n%s", name, firstDifference(string(want), got))
			}
		})
	}
}

// firstDifference shows where two texts part, with some lines around.
func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	i := 0
	for i < len(w) && i < len(g) && w[i] == g[i] {
		i++
	}
	show := func(l []string) string { return strings.Join(l[min(max(i-3, 0), len(l)):min(i+6, len(l))], "\n") }
	return "want:\n" + show(w) + "\ngot:\n" + show(g)
}
