//go:build !linux

package main

import "os"

// isTerminal reports whether somebody sits at f, as well as can be told without asking the driver.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && f.Name() != os.DevNull
}
