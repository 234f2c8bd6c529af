package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// assigned finds NAME=value in the quotes of a unit's Environment line, and NAME="value" in a file of them, commented out or not.
var (
	assigned     = regexp.MustCompile(`"(EVSED_[A-Z]+)=([^"]*)"|(EVSED_[A-Z]+)=(\S*)`)
	offered      = regexp.MustCompile(`(?m)^#?(EVSED_[A-Z]+)="(.*)"$`)
	unitVariable = regexp.MustCompile(`\$(EVSED_[A-Z]+)`)
)

// expand does what systemd does with $NAME: the value by words, nothing where it is empty.
func expand(t *testing.T, command string, env map[string]string) []string {
	t.Helper()
	return strings.Fields(unitVariable.ReplaceAllStringFunc(command, func(name string) string {
		value, ok := env[name[1:]]
		if !ok {
			t.Errorf("%s: %s has no value", command, name)
		}
		return value
	}))
}

// understood reads a command line as this program would.
func understood(args []string) error {
	switch args[0] {
	case "run":
		_, err := parseRun(args[1:])
		return err
	case guardCommand:
		_, err := parseGuard(args[1:])
		return err
	case "launch":
		o, err := parseLaunch(args[1:])
		if err != nil {
			return err
		}
		return understood(o.rest)
	}
	return usagef("starts %s", args[0])
}

// TestUnitsStartUs: the command lines of the unit files are ones that this program understands, with the variables of the unit alone
// and with all that the packages' default file offers: the slots of evsed launch among them.
func TestUnitsStartUs(t *testing.T) {
	defaults, err := os.ReadFile("../../scripts/package/files/evsed.default")
	must(t, err)
	env := map[string]string{}
	for _, unit := range []string{"evsed.service", "evsed-guard.service", "evsed-two-units.conf"} {
		text, err := os.ReadFile("../../scripts/systemd/" + unit)
		must(t, err)
		for line := range strings.Lines(string(text)) {
			if values, ok := strings.CutPrefix(line, "Environment="); ok {
				for _, m := range assigned.FindAllStringSubmatch(values, -1) {
					env[m[1]+m[3]] = m[2] + m[4]
				}
			}
		}
		found := false
		for line := range strings.Lines(string(text)) {
			command, ok := strings.CutPrefix(strings.TrimSpace(line), "ExecStart=/usr/bin/evsed ")
			if !ok {
				continue
			}
			found = true
			if err := understood(expand(t, command, env)); err != nil {
				t.Errorf("%s: %v", unit, err)
			}
			with := map[string]string{"EVSED_LINES": env["EVSED_LINES"]}
			for _, m := range offered.FindAllStringSubmatch(string(defaults), -1) {
				with[m[1]] = m[2]
			}
			args := expand(t, command, with)
			if err := understood(args); err != nil {
				t.Errorf("%s with all that the default file offers: %v", unit, err)
			}
			if unit == "evsed.service" && args[0] != "launch" {
				t.Errorf("%s cannot start from slots: %q", unit, args)
			}
		}
		if !found {
			t.Errorf("%s starts nothing", unit)
		}
	}
}
