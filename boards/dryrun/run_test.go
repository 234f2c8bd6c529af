package dryrun

import (
	"path/filepath"
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

// shipped are the files of the boards that come with the program.
func shipped(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("shipped boards: %v, %v", files, err)
	}
	return files
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
