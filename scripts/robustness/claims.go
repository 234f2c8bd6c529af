package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Row is one line of a table of the page.
type Row struct {
	ID    string
	What  string   // the fault, the weakness or the invariant
	Asks  string   // what the station does about it
	Tests []string // "package.Test", package below the module's root; several may follow one package, apart by spaces
	Later string   // what of it waits for a subject that is not built yet; a row without tests needs it
}

// check reports what is wrong with rows: a number used twice, a row that nothing shows, a test that is not there.
func check(root string, rows []Row) error {
	seen := map[string]bool{}
	known := tests{root: root, of: map[string]map[string]bool{}}
	for _, r := range rows {
		if seen[r.ID] {
			return fmt.Errorf("%s stands twice in the table", r.ID)
		}
		seen[r.ID] = true
		if len(r.Tests) == 0 && r.Later == "" {
			return fmt.Errorf("%s: no test shows it, and nothing says why", r.ID)
		}
		for _, t := range r.Tests {
			dir, names, ok := cut(t)
			if !ok {
				return fmt.Errorf("%s: %q is no package.Test", r.ID, t)
			}
			for _, name := range names {
				there, err := known.has(dir, name)
				if err != nil {
					return fmt.Errorf("%s: %w", r.ID, err)
				}
				if !there {
					return fmt.Errorf("%s: there is no %s in %s", r.ID, name, dir)
				}
			}
		}
	}
	return nil
}

// cut takes "dir.TestA TestB" apart.
func cut(claim string) (dir string, names []string, ok bool) {
	dir, rest, ok := strings.Cut(claim, ".")
	names = strings.Fields(rest)
	return dir, names, ok && dir != "" && len(names) > 0
}

// tests knows the tests of each package.
type tests struct {
	root string
	of   map[string]map[string]bool
}

var declared = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w*)\(`)

func (ts tests) has(dir, name string) (bool, error) {
	if ts.of[dir] == nil {
		files, err := filepath.Glob(filepath.Join(ts.root, filepath.FromSlash(dir), "*_test.go"))
		if err != nil {
			return false, err
		}
		found := map[string]bool{}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				return false, err
			}
			for _, m := range declared.FindAllSubmatch(text, -1) {
				found[string(m[1])] = true
			}
		}
		ts.of[dir] = found
	}
	return ts.of[dir][name], nil
}
