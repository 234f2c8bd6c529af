package floors

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "rewrite scripts/deps.txt")

// root is the folder of the module, seen from this package.
const root = "../.."

func TestHouseKeepsItsFloors(t *testing.T) {
	for _, f := range Check(house(t), House) {
		t.Error(f)
	}
}

func TestHouseFilesHoldOneIdea(t *testing.T) {
	over, warn := CheckLength(house(t), House)
	for _, f := range over {
		t.Error(f)
	}
	for _, f := range warn {
		t.Log(f)
	}
}

// The reader must have found the house, or the two tests above prove nothing.
func TestHouseWasRead(t *testing.T) {
	tree := house(t)
	want := map[string]bool{"hal/unit": false, "scripts/floors": false}
	for _, p := range tree.Packages {
		if _, ok := want[p.Path]; ok {
			want[p.Path] = len(p.Files) > 0
		}
	}
	for path, seen := range want {
		if !seen {
			t.Errorf("package %s was not read", path)
		}
	}
}

// TestLinkedModules compares what the product links with scripts/deps.txt. Run
// it with -update after a decision about a dependency.
func TestLinkedModules(t *testing.T) {
	golden := filepath.Join(root, "scripts", "deps.txt")
	got, err := Modules(root, productPattern())
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("linked modules are\n%swant, by scripts/deps.txt,\n%sif this was decided: go test ./scripts/floors -update", got, want)
	}
}

func productPattern() string {
	if _, err := os.Stat(filepath.Join(root, "cmd")); err != nil {
		return "./..."
	}
	return "./cmd/..."
}

func house(t *testing.T) *Tree {
	t.Helper()
	tree, err := Read(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	return tree
}
