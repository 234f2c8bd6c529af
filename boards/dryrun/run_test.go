package dryrun

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/evsed/evsed/boards"
)

// load reads a board that has to be right.
func load(t *testing.T, paths ...string) *boards.Board {
	t.Helper()
	b, findings, err := boards.Load(paths...)
	if err != nil {
		t.Fatal(err, findings)
	}
	return b
}

// shipped are the files of the boards that come with the program, without those that stand over them.
func shipped(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../*.yaml")
	var all []string
	for _, f := range files {
		if !strings.HasPrefix(name(f), "product-") && !strings.HasPrefix(name(f), "site-") {
			all = append(all, f)
		}
	}
	if err != nil || len(all) < 4 {
		t.Fatalf("shipped boards: %v, %v", all, err)
	}
	return all
}

func name(file string) string { return filepath.Base(file) }

// TestShippedBoards: every board that comes with the program does what a station has to do.
func TestShippedBoards(t *testing.T) {
	for _, f := range shipped(t) {
		t.Run(name(f), func(t *testing.T) {
			t.Parallel()
			b := load(t, f)
			r := Run(b, b, func(s Step) {
				if s.Result == Failed {
					t.Error(s)
				} else {
					t.Log(s)
				}
			})
			t.Log(r.Summary())
		})
	}
}

// comparedBoard is one of the tests: no shipped board measures its pilot by comparators.
const comparedBoard = "../testdata/ac-comparators.yaml"

// TestComparators: a pilot that comparators measure does all that one with converters does, and each of its own faults opens.
func TestComparators(t *testing.T) {
	b := load(t, comparedBoard)
	played := map[string]Result{}
	for _, s := range Run(b, b, nil).Steps {
		played[s.Name] = s.Result
		if s.Result == Failed {
			t.Error(s)
		}
	}
	for _, name := range []string{"C: car charges", "C -> B: contactor opens", "E: pilot short to earth", "F: out of service is shown", "diode shorted", "PE broken",
		"comparator contradicts the others", "comparator of the diode broken off", "comparator stuck"} {
		if r, is := played[name]; !is || r != Passed {
			t.Errorf("%s: played %v, %v", name, is, r)
		}
	}
}

// TestProductAndSite: files over a board change what is played, and it still works.
func TestProductAndSite(t *testing.T) {
	b := load(t, "../ac-socket-imx6ull.yaml", "../product-11kw.yaml", "../site-small-fuse.yaml")
	for _, s := range Run(b, b, nil).Steps {
		if s.Result == Failed {
			t.Error(s)
		}
	}
}
