package main

import (
	"io"
	"strings"

	"github.com/evsed/evsed/boards"
)

// boardHelp explains a code, or lists all; keys prints the reference of keys.
func boardHelp(args []string, out, _ io.Writer) error {
	if len(args) > 1 {
		return usagef("unexpected argument %q: want one code, keys or meters", args[1])
	}
	switch {
	case len(args) == 0:
		boards.WriteRules(out)
	case args[0] == "keys":
		boards.WriteKeys(out)
	case args[0] == "meters":
		boards.WriteModels(out)
	default:
		r, ok := boards.RuleOf(strings.ToUpper(args[0]))
		if !ok {
			return usagef("no code %q: evsed board help lists them", args[0])
		}
		boards.WriteRule(out, r)
	}
	return nil
}
