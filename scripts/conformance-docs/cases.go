package main

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Table16 is where the table of the certification cases of 1.6 stands, below the module's root.
const Table16 = "docs/conformance/ocpp16.md"

//go:embed cases16.tsv
var cases16 string

// case16 is a certification case of 1.6.
type case16 struct {
	id, title string
	absent    string // why the station has not what it is about; "" where it has
}

// id16 is how a case of 1.6 is called.
var (
	id16     = regexp.MustCompile(`^TC_\d{3}(_\d)?_CS$`)
	testFunc = regexp.MustCompile(`^func (Test\w+)\(`)
)

// parseCases reads the list of cases: id, title and reason, with tabs between them.
func parseCases(text string) ([]case16, error) {
	var all []case16
	for n, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) < 2 || len(f) > 3 || !id16.MatchString(f[0]) || f[1] == "" {
			return nil, fmt.Errorf("cases16.tsv:%d: %q: want id, title and perhaps a reason, with tabs between them", n+1, line)
		}
		c := case16{id: f[0], title: f[1]}
		if len(f) == 3 {
			c.absent = f[2]
		}
		if len(all) > 0 && all[len(all)-1].id >= c.id {
			return nil, fmt.Errorf("cases16.tsv:%d: %s: want the ids in order", n+1, c.id)
		}
		all = append(all, c)
	}
	return all, nil
}

// Generate16 returns the table of the cases of 1.6, with the test of each below root.
func Generate16(root string) (string, error) {
	cases, err := parseCases(cases16)
	if err != nil {
		return "", err
	}
	all, err := collect(root)
	if err != nil {
		return "", err
	}
	shown, missing := 0, 0
	var rows strings.Builder
	for _, c := range cases {
		by, err := testsOf(root, c.id, all[c.id])
		if err != nil {
			return "", err
		}
		switch {
		case by == "":
			missing++
		case c.absent == "":
			shown++
		}
		fmt.Fprintf(&rows, "| %s | %s | %s | %s |\n", c.id, c.title, by, c.absent)
	}
	for id := range all {
		if id16.MatchString(id) && !slices.ContainsFunc(cases, func(c case16) bool { return c.id == id }) {
			return "", fmt.Errorf("%s: claimed by %s, and no case of cases16.tsv", id, strings.Join(all[id], ", "))
		}
	}
	var b strings.Builder
	b.WriteString("# OCPP 1.6: certification cases for charge points\n\n")
	b.WriteString("Written by `go run ./scripts/conformance-docs` from its list of cases and the `covers:` lines of tests; do not edit.\n")
	b.WriteString("The tests are written from the titles of the cases, the specification and its errata. They see the station from\n")
	b.WriteString("outside: frames of OCPP-J on one side, the simulator interface on the other. Where the last column has a reason, the\n")
	b.WriteString("station does not have what the case is about, and its test shows that it says so.\n\n")
	fmt.Fprintf(&b, "%d cases: %d played, %d of what this build does not have, %d without a test.\n\n", len(cases), shown, len(cases)-shown-missing, missing)
	b.WriteString("| case | title | test | not in this build |\n|---|---|---|---|\n")
	b.WriteString(rows.String())
	return b.String(), nil
}

// testsOf names the tests that claim a case: file and function.
func testsOf(root, id string, files []string) (string, error) {
	var names []string
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(file)))
		if err != nil {
			return "", err
		}
		claimed := false
		for line := range strings.Lines(string(text)) {
			if m := covers.FindStringSubmatch(strings.TrimSuffix(line, "\n")); m != nil {
				claimed = claimed || slices.Contains(words(m[1]), id)
			}
			if m := testFunc.FindStringSubmatch(line); m != nil && claimed {
				names, claimed = append(names, file+": "+m[1]), false
			}
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", "), nil
}
