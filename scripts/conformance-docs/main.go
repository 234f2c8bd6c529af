// Command conformance-docs writes docs/conformance/ocpp2.md: which test shows which requirement or test case of OCPP 2.x; and
// docs/conformance/ocpp16.md and cases2.md: which test plays which certification case, or why it is not in this build.
// It claims what tests claim: "# covers: ID ..." in a scenario file, "// covers: ID ..." in a test. Its own test fails when
// a table is out of date; "go run ./scripts/conformance-docs" writes them anew.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// Table is where the table stands, below the module's root.
const Table = "docs/conformance/ocpp2.md"

func main() {
	root := "."
	if len(os.Args) > 1 {
		root = os.Args[1]
	}
	if err := write(root); err != nil {
		fmt.Fprintln(os.Stderr, "conformance-docs:", err)
		os.Exit(1)
	}
}

// pages are what is written, by the function that makes each.
var pages = []struct {
	name     string
	generate func(root string) (string, error)
}{{Table, Generate}, {Table16, book16.generate}, {Table2, book2.generate}}

func write(root string) error {
	for _, p := range pages {
		text, err := p.generate(root)
		if err != nil {
			return err
		}
		name := filepath.Join(root, p.name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
