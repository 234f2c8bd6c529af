package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// isTerminal reports whether somebody sits at f; /dev/null is a device too, but not a terminal.
func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}
