package main

import (
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"time"
)

// sourceDate is a day on which this source had been written already: the station knows that it is not earlier, whatever
// its clock says. Each release moves it.
var sourceDate = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)

// release is set by the build: -ldflags "-X main.release=1.2.3".
var release = "0.1.0-dev"

func version(args []string, out, _ io.Writer) error {
	if len(args) != 0 {
		return usagef("takes no arguments")
	}
	fmt.Fprintf(out, "evsed %s\n", release)
	if b := toolchain(); b != "" {
		fmt.Fprintln(out, b)
	}
	return nil
}

// build is the release and what it was built with, in one line.
func build() string { return strings.TrimSpace("evsed " + release + " " + toolchain()) }

// toolchain is what the program was built with; "" where it is not known.
func toolchain() string {
	b, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	text := b.GoVersion
	for _, s := range b.Settings {
		switch s.Key {
		case "GOOS", "GOARCH", "vcs.revision":
			text += " " + s.Value
		}
	}
	return text
}
