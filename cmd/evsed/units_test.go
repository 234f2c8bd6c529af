package main

import (
	"os"
	"strings"
	"testing"
)

// TestUnitsStartUs: the command lines of the unit files are ones that this program understands.
func TestUnitsStartUs(t *testing.T) {
	for _, name := range []string{"evsed.service", "evsed-guard.service", "evsed-two-units.conf"} {
		text, err := os.ReadFile("../../scripts/systemd/" + name)
		must(t, err)
		found := false
		for line := range strings.Lines(string(text)) {
			command, ok := strings.CutPrefix(strings.TrimSpace(line), "ExecStart=/usr/bin/evsed ")
			if !ok {
				continue
			}
			found = true
			args := strings.Fields(command)
			switch args[0] {
			case "run":
				_, err = parseRun(args[1:])
			case guardCommand:
				_, err = parseGuard(args[1:])
			default:
				t.Errorf("%s starts %s", name, args[0])
			}
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if !found {
			t.Errorf("%s starts nothing", name)
		}
	}
}
