package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// claims maps a requirement or test case to the files that show it.
type claims map[string][]string

var (
	covers  = regexp.MustCompile(`^\s*(?:#|//) covers:(.*)$`)
	validID = regexp.MustCompile(`^([A-Z]\d\d\.FR\.\d{2,3}|TC_[A-Z]_\d{2,3}_CS|TC_\d{3}(_\d)?_CS)$`)
)

// collect reads the claims of every test below root.
func collect(root string) (claims, error) {
	all := claims{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); path != root && (strings.HasPrefix(name, ".") || name == "tools" || name == "bench") {
				return filepath.SkipDir
			}
			return nil
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		scenario := strings.HasSuffix(rel, ".txt") && strings.Contains(rel, "/testdata/")
		if !scenario && !strings.HasSuffix(rel, "_test.go") || strings.HasPrefix(rel, "scripts/") {
			return nil
		}
		return all.read(path, rel)
	})
	return all, err
}

// read adds the claims of one file.
func (c claims) read(path, rel string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for n, line := range strings.Split(string(text), "\n") {
		m := covers.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		for _, id := range words(m[1]) {
			if !validID.MatchString(id) {
				return fmt.Errorf("%s:%d: %q is neither a requirement (E01.FR.01) nor a test case (TC_E_01_CS, or TC_001_CS of 1.6)", rel, n+1, id)
			}
			if !slices.Contains(c[id], rel) {
				c[id] = append(c[id], rel)
			}
		}
	}
	return nil
}

// words are the ids of a claim.
func words(claim string) []string {
	return strings.FieldsFunc(claim, func(r rune) bool { return r == ' ' || r == ',' })
}

// Generate returns the table of 2.x for the tests below root.
func Generate(root string) (string, error) {
	all, err := collect(root)
	if err != nil {
		return "", err
	}
	var requirements, cases []string
	for id := range all {
		if id16.MatchString(id) {
			continue
		}
		if strings.HasPrefix(id, "TC_") {
			cases = append(cases, id)
		} else {
			requirements = append(requirements, id)
		}
	}
	var b strings.Builder
	b.WriteString("# OCPP 2.0.1 and 2.1: what shows what\n\n")
	b.WriteString("Written by `go run ./scripts/conformance-docs` from the `covers:` lines of tests and scenarios; do not edit.\n")
	b.WriteString("Each row names the tests that show a requirement of part 2, or the course of a test case of part 6.\n")
	b.WriteString("A requirement that is missing here may be met all the same: no test claims it yet.\n\n")
	fmt.Fprintf(&b, "%d requirements, %d test cases.\n", len(requirements), len(cases))
	section(&b, "Requirements", requirements, all)
	section(&b, "Test cases", cases, all)
	return b.String(), nil
}

func section(b *strings.Builder, title string, ids []string, all claims) {
	slices.Sort(ids)
	fmt.Fprintf(b, "\n## %s\n\n| id | shown by |\n|---|---|\n", title)
	for _, id := range ids {
		files := slices.Clone(all[id])
		slices.Sort(files)
		fmt.Fprintf(b, "| %s | %s |\n", id, strings.Join(files, ", "))
	}
}
