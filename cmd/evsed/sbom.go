package main

import (
	"errors"
	"io"
	"runtime/debug"

	"github.com/evsed/evsed/station/local/sbom"
)

// billOfMaterials tells what this very program was made of.
func billOfMaterials(args []string, out, _ io.Writer) error {
	if len(args) != 0 {
		return usagef("takes no arguments")
	}
	b, ok := debug.ReadBuildInfo()
	if !ok {
		return errors.New("this program was built without a list of its modules")
	}
	return sbom.Write(out, b, release)
}
