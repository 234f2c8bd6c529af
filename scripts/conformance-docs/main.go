// Command conformance-docs writes docs/conformance/ocpp2.md: which test shows which requirement or test case of OCPP 2.x.
// It claims what tests claim: "# covers: ID ..." in a scenario file, "// covers: ID ..." in a test. Its own test fails when
// the table is out of date; "go run ./scripts/conformance-docs" writes it anew.
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

func write(root string) error {
	text, err := Generate(root)
	if err != nil {
		return err
	}
	name := filepath.Join(root, Table)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, []byte(text), 0o644)
}
