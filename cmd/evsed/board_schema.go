package main

import (
	"io"

	"github.com/evsed/evsed/boards"
)

// boardSchema prints the JSON Schema of a layer's files, for an editor.
func boardSchema(args []string, out, _ io.Writer) error {
	if len(args) == 1 {
		for l := boards.LayerBoard; l <= boards.LayerSite; l++ {
			if l.String() == args[0] {
				return boards.WriteSchema(out, l)
			}
		}
	}
	return usagef("want one of board, product and site")
}
