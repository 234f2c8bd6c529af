// Command pure prints the packages of F0 to F3 that have tests, one a line: go run ./scripts/floors/pure, in the module's root.
package main

import (
	"fmt"
	"os"

	"github.com/evsed/evsed/scripts/floors"
)

func main() {
	tree, err := floors.Read(os.DirFS("."))
	if err != nil {
		fmt.Fprintln(os.Stderr, "pure:", err)
		os.Exit(1)
	}
	for _, p := range floors.House.PurePackages(tree) {
		fmt.Println("./" + p)
	}
}
