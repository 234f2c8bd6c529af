package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPageIsUpToDate fails when a test that is claimed has gone, or when the page says something else than the table and
// the figures.
func TestPageIsUpToDate(t *testing.T) {
	root := filepath.Join("..", "..")
	want, err := Generate(root)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(root, Page))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is out of date: go run ./scripts/robustness", Page)
	}
}

func TestCheck(t *testing.T) {
	root := t.TempDir()
	put(t, root, "a/x_test.go", "package a\n\nfunc TestOne(t *testing.T) {}\n\nfunc FuzzTwo(f *testing.F) {}\n\n// func TestThree(\n")
	for _, test := range []struct {
		name, wrong string
		rows        []Row
	}{
		{"all there", "", []Row{{ID: "F1", Tests: []string{"a.TestOne FuzzTwo"}}, {ID: "F2", Later: "a subject"}}},
		{"number twice", "F1 stands twice", []Row{{ID: "F1", Later: "x"}, {ID: "F1", Later: "y"}}},
		{"nothing", "F1: no test shows it", []Row{{ID: "F1"}}},
		{"no test", "no package.Test", []Row{{ID: "F1", Tests: []string{"TestOne"}}}},
		{"gone", "there is no TestThree in a", []Row{{ID: "F1", Tests: []string{"a.TestThree"}}}},
		{"other package", "there is no TestOne in b", []Row{{ID: "F1", Tests: []string{"b.TestOne"}}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := check(root, test.rows)
			if (err == nil) != (test.wrong == "") || err != nil && !strings.Contains(err.Error(), test.wrong) {
				t.Errorf("%v, want %q", err, test.wrong)
			}
		})
	}
}

func TestFigures(t *testing.T) {
	root := t.TempDir()
	r := Rig{Name: "years"}
	if all, err := r.read(root); err != nil || all != nil {
		t.Errorf("not measured: %v, %v", all, err)
	}
	put(t, root, Figures+"/years.tsv", "# seed 7\nstation-years\t100\tyears\tsimulated\n")
	if all, err := r.read(root); err != nil || len(all) != 1 || all[0] != (figure{"station-years", "100", "years", "simulated"}) {
		t.Errorf("%v, %v", all, err)
	}
	put(t, root, Figures+"/years.tsv", "station-years\t100\n")
	if _, err := r.read(root); err == nil || !strings.Contains(err.Error(), ":1:") {
		t.Errorf("two fields: %v", err)
	}
	if all, err := strays(root, nil); err != nil || len(all) != 1 {
		t.Errorf("strays %v, %v", all, err)
	}
}

func put(t *testing.T, root, name, text string) {
	t.Helper()
	path := filepath.Join(root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
