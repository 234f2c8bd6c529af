package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Rig is a test that measures.
type Rig struct {
	Name string // of its file of figures
	What string // what it does
	Run  string // how to run it
}

// figure is a line of a rig's file: name, value, unit, meaning.
type figure [4]string

// read returns the figures of a rig; none if it has not been run.
func (r Rig) read(root string) ([]figure, error) {
	name := filepath.Join(root, Figures, r.Name+".tsv")
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []figure
	for n, line := range strings.Split(strings.TrimRight(string(text), "\n"), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(line, "\t")
		if len(fields) != len(figure{}) {
			return nil, fmt.Errorf("%s:%d: want name, value, unit and meaning between tabs, not %d fields", name, n+1, len(fields))
		}
		all = append(all, figure(fields))
	}
	return all, nil
}

// strays are files of figures that belong to no rig of the table.
func strays(root string, rigs []Rig) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(root, Figures, "*.tsv"))
	if err != nil {
		return nil, err
	}
	var all []string
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".tsv")
		known := false
		for _, r := range rigs {
			known = known || r.Name == name
		}
		if !known {
			all = append(all, name)
		}
	}
	return all, nil
}
