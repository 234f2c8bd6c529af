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
	fmt.Fprintf(&f.lines, "%s\t%s\t%s\t%s\n", name, plain(value), unit, fmt.Sprintf(format, args...))
}

// plain prints a value with three digits behind a small number, none behind a large one, and no exponent.
func plain(value float64) string {
	switch {
	case value >= 1000:
		return fmt.Sprintf("%.0f", value)
	case value >= 10:
		return fmt.Sprintf("%.1f", value)
	}
	return fmt.Sprintf("%.3f", value)
}

// write writes them as <rig>.tsv into the folder that EVSED_FIGURES names, if it names one.
func (f *figures) write() error {
	dir := os.Getenv("EVSED_FIGURES")
	if dir == "" {
		return nil
	}
	return os.WriteFile(filepath.Join(dir, f.rig+".tsv"), []byte(f.lines.String()), 0o644)
}
