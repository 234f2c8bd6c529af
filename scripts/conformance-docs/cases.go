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

// Table16 and Table2 are where the tables of cases stand, below the module's root.
const (
	Table16 = "docs/conformance/ocpp16.md"
	Table2  = "docs/conformance/cases2.md"
)

//go:embed cases16.tsv
var cases16 string

//go:embed cases2.tsv
var cases2 string

// book is a list of cases, with what stands above its table.
type book struct {
	file, text string // of the list
	id         *regexp.Regexp
	head       string
	within     string // the tests that count are below this folder; "" for all
}

// testCase is a row of a book.
type testCase struct {
	id, title string
	absent    string // why the station has not what it is about; "" where it has
}

var testFunc = regexp.MustCompile(`^func (Test\w+)\(`)

// The books. How a case of 1.6 is called, and how one of 2.x.
var (
	id16 = regexp.MustCompile(`^TC_\d{3}(_\d)?_CS$`)
	id2  = regexp.MustCompile(`^TC_[A-Z]_\d{2,3}_CS$`)

	book16 = book{file: "cases16.tsv", text: cases16, id: id16, head: "# OCPP 1.6: certification cases for charge points\n\n" +
		"Written by `go run ./scripts/conformance-docs` from its list of cases and the `covers:` lines of tests; do not edit.\n" +
		"The tests are written from the titles of the cases, the specification and its errata. They see the station from\n" +
		"outside: frames of OCPP-J on one side, the simulator interface on the other. Where the last column has a reason, the\n" +
		"station does not have what the case is about, and its test shows that it says so.\n\n"}

	book2 = book{file: "cases2.tsv", text: cases2, id: id2, within: "station/local/cert2/", head: "# OCPP 2.0.1, part 6: test cases for charging stations\n\n" +
		"Written by `go run ./scripts/conformance-docs` from its list of cases and the `covers:` lines of tests; do not edit.\n" +
		"The tests see the station from outside: frames of OCPP-J on one side, the simulator interface on the other; each case is\n" +
		"played in 2.0.1 and in 2.1. Where the last column has a reason, the station does not have what the case is about, and its\n" +
		"test shows that it says so. Blocks that are not here are shown by scenarios of the core (ocpp2.md).\n\n"}
)

// parse reads the list: id, title and reason, with tabs between them.
func (k book) parse() ([]testCase, error) {
	var all []testCase
	for n, line := range strings.Split(strings.TrimSuffix(k.text, "\n"), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) < 2 || len(f) > 3 || !k.id.MatchString(f[0]) || f[1] == "" {
			return nil, fmt.Errorf("%s:%d: %q: want id, title and perhaps a reason, with tabs between them", k.file, n+1, line)
		}
		c := testCase{id: f[0], title: f[1]}
		if len(f) == 3 {
			c.absent = f[2]
		}
		if len(all) > 0 && all[len(all)-1].id >= c.id {
			return nil, fmt.Errorf("%s:%d: %s: want the ids in order", k.file, n+1, c.id)
		}
		all = append(all, c)
	}
	return all, nil
}

// generate returns the table of a book, with the test of each case below root.
func (k book) generate(root string) (string, error) {
	cases, err := k.parse()
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
		by, err := testsOf(root, c.id, k.those(all[c.id]))
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
	for id, files := range all {
		if len(k.those(files)) > 0 && k.id.MatchString(id) && !slices.ContainsFunc(cases, func(c testCase) bool { return c.id == id }) {
			return "", fmt.Errorf("%s: claimed by %s, and no case of %s", id, strings.Join(files, ", "), k.file)
		}
	}
	return k.head + fmt.Sprintf("%d cases: %d played, %d of what this build does not have, %d without a test.\n\n", len(cases), shown, len(cases)-shown-missing, missing) +
		"| case | title | test | not in this build |\n|---|---|---|---|\n" + rows.String(), nil
}

// those are the files that count.
func (k book) those(files []string) []string {
	return slices.DeleteFunc(slices.Clone(files), func(f string) bool { return !strings.HasPrefix(f, k.within) })
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
