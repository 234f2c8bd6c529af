package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTableIsUpToDate fails when a test claims something else than the table says.
func TestTableIsUpToDate(t *testing.T) {
	root := filepath.Join("..", "..")
	want, err := Generate(root)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(root, Table))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is out of date: go run ./scripts/conformance-docs", Table)
	}
}

func TestCollect(t *testing.T) {
	root := t.TempDir()
	put := func(name, text string) {
		t.Helper()
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("a/testdata/x.txt", "# covers: E01.FR.01 TC_E_01_CS\nboot\n")
	put("a/x_test.go", "package a\n\n// covers: E01.FR.01, B01.FR.02\n")
	put("a/x.go", "// covers: E09.FR.09\n")
	put(".git/testdata/x.txt", "# covers: E08.FR.01\n")
	got, err := Generate(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"| B01.FR.02 | a/x_test.go |", "| E01.FR.01 | a/testdata/x.txt, a/x_test.go |", "| TC_E_01_CS | a/testdata/x.txt |", "2 requirements, 1 test cases."} {
		if !strings.Contains(got, line) {
			t.Errorf("no line %q in\n%s", line, got)
		}
	}
	for _, id := range []string{"E09.FR.09", "E08.FR.01"} {
		if strings.Contains(got, id) {
			t.Errorf("%s is claimed by no test", id)
		}
	}
	put("a/testdata/y.txt", "# covers: nonsense\n")
	if _, err := Generate(root); err == nil || !strings.Contains(err.Error(), "a/testdata/y.txt:1") {
		t.Errorf("bad id: error %v", err)
	}
}
