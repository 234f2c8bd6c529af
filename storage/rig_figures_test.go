package storage_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// figures leaves what a rig found in storage.tsv of the folder that EVSED_FIGURES names: a line each of name, value, unit
// and meaning. A line of the same name is replaced. A rig that breaks a promise fails and leaves nothing, so each zero is one
// that was counted.
func figures(t *testing.T, lines ...figure) {
	dir := os.Getenv("EVSED_FIGURES")
	if dir == "" || t.Failed() {
		return
	}
	path := filepath.Join(dir, "storage.tsv")
	old, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	all := strings.SplitAfter(string(old), "\n")
	all = all[:len(all)-1]
	for _, f := range lines {
		line, at := fmt.Sprintf("%s\t%d\t%s\t%s\n", f.name, f.value, f.unit, f.meaning), len(all)
		for i, o := range all {
			if strings.HasPrefix(o, f.name+"\t") {
				at = i
			}
		}
		all = append(append(all[:at:at], line), all[min(at+1, len(all)):]...)
	}
	if err := os.WriteFile(path, []byte(strings.Join(all, "")), 0o644); err != nil {
		t.Fatal(err)
	}
}

type figure struct {
	name          string
	value         int
	unit, meaning string
}

// kept are the promises that a rig of power cuts checks.
func kept(rig string) []figure {
	return []figure{
		{rig + ": acknowledged events lost", 0, "", "of all that storage had called durable, by the books of the CSMS"},
		{rig + ": different repeats", 0, "", "messages told again with other content"},
		{rig + ": failed starts", 0, "", "behind a cut"},
		{rig + ": wrong values", 0, "", "register values that no meter showed, or energy billed twice or not at all"},
	}
}
