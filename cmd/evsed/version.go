package main

import (
	"fmt"
	"io"
	"runtime/debug"
)

// release is set by the build: -ldflags "-X main.release=1.2.3".
var release = "0.1.0-dev"

func version(args []string, out, _ io.Writer) error {
	if len(args) != 0 {
		return usagef("takes no arguments")
	}
	fmt.Fprintf(out, "evsed %s\n", release)
	if b, ok := debug.ReadBuildInfo(); ok {
		fmt.Fprintf(out, "%s", b.GoVersion)
		for _, s := range b.Settings {
			switch s.Key {
			case "GOOS", "GOARCH", "vcs.revision":
				fmt.Fprintf(out, " %s", s.Value)
			}
		}
		fmt.Fprintln(out)
	}
	return nil
}
