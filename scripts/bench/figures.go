package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// figures are what a run found, for who reads more than one run: a line each of name, value, unit and meaning.
type figures struct {
	rig   string
	lines strings.Builder
}

func (f *figures) add(name string, value float64, unit, format string, args ...any) {
	fmt.Fprintf(&f.lines, "%s\t%.6g\t%s\t%s\n", name, value, unit, fmt.Sprintf(format, args...))
}

// write writes them as <rig>.tsv into the folder that EVSED_FIGURES names, if it names one.
func (f *figures) write() error {
	dir := os.Getenv("EVSED_FIGURES")
	if dir == "" {
		return nil
	}
	return os.WriteFile(filepath.Join(dir, f.rig+".tsv"), []byte(f.lines.String()), 0o644)
}
