// Command robustness writes docs/robustness.md: which test shows how the station behaves in which fault, which one keeps
// which known weakness of other stations out, where the invariants are checked, and what the rigs have measured. The tables
// (faults.go, weaknesses.go, invariants.go) say what is claimed; a test that they name has to exist. Figures come from
// docs/robustness/*.tsv, where "EVSED_FIGURES=$PWD/docs/robustness" lets the rigs put them. The package's own test fails
// when the page is out of date; "go run ./scripts/robustness" writes it anew.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// Page and Figures are where the page and the figures of the rigs stand, below the module's root.
const (
	Page    = "docs/robustness.md"
	Figures = "docs/robustness"
)

func main() {
	root := "."
	if len(os.Args) > 1 {
		root = os.Args[1]
	}
	if err := write(root); err != nil {
		fmt.Fprintln(os.Stderr, "robustness:", err)
		os.Exit(1)
	}
}

func write(root string) error {
	text, err := Generate(root)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, Page), []byte(text), 0o644)
}
