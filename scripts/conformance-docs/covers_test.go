package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTablesAreUpToDate fails when a test claims something else than a table says.
func TestTablesAreUpToDate(t *testing.T) {
	root := filepath.Join("..", "..")
	for _, p := range pages {
		want, err := p.generate(root)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(root, p.name))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("%s is out of date: go run ./scripts/conformance-docs", p.name)
		}
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

func TestCasesOf16(t *testing.T) {
	root := t.TempDir()
	put := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(root, "x_test.go"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("package a\n\n// covers: TC_001_CS TC_064_CS\nfunc TestOne(t *testing.T) {}\n\n// covers: TC_001_CS\nfunc TestTwo(t *testing.T) {}\n")
	got, err := book16.generate(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"| TC_001_CS | Cold boot | x_test.go: TestOne, x_test.go: TestTwo |  |",
		"| TC_064_CS | Data transfer to the Central System | x_test.go: TestOne | the station has nothing of its own to tell by DataTransfer |",
		"| TC_002_CS | Cold boot, pending |  |  |", "1 played, 1 of what this build does not have,"} {
		if !strings.Contains(got, line) {
			t.Errorf("no line %q in\n%s", line, got)
		}
	}
	if two, err := Generate(root); err != nil || strings.Contains(two, "TC_001_CS") {
		t.Errorf("a case of 1.6 is among those of 2.x: %v\n%s", err, two)
	}
	put("package a\n\n// covers: TC_099_CS\nfunc TestOne(t *testing.T) {}\n")
	if _, err := book16.generate(root); err == nil || !strings.Contains(err.Error(), "TC_099_CS: claimed by x_test.go") {
		t.Errorf("a case that is in no list: error %v", err)
	}
	for _, bad := range []string{"TC_001\tx", "TC_001_CS", "TC_002_CS\tb\nTC_001_CS\ta", "TC_001_CS\ta\tb\tc"} {
		if _, err := (book{file: "cases16.tsv", id: id16, text: bad}).parse(); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
