package main

import (
	"fmt"
	"io"
	"strings"
)

// dryRunUsage is the command line of evsed board dry-run.
const dryRunUsage = "[--hardware FILE[,FILE...]] [--junit FILE] FILE..."

// boardCommands are what is done with board files; each is in a file of its own name, board_VERB.go.
func boardCommands() []command {
	return []command{
		{"init", boardInitUsage, "write a board file to begin with, from one that is shipped", boardInit},
		{"validate", "FILE...", "check a board file, and the product and site files over it, on any machine", boardValidate},
		{"show", boardShowUsage, "say what the files make together, and which line says so", boardShow},
		{"schema", "board|product|site", "print the JSON Schema of such files, for an editor", boardSchema},
		{"help", "[CODE|keys|meters]", "explain a code of a finding, list the keys or the models of meters", boardHelp},
		{"try", boardTryUsage, "ask each meter, insulation monitor and power module of the files once what it is (station stopped); --network: those of other machines, too", boardTry},
		{"dry-run", dryRunUsage, "play what a station has to do on the board of the files, in virtual time; --hardware: on another board", boardDryRun},
		{"bringup", bringupUsage, "take a new board into service, step by step, with a report; --virtual: rehearse it without hardware", boardBringup},
		{"seal", sealUsage, "end factory mode: a station takes these files and no others, once their bring-up has passed", boardSeal},
		{"probe", probeUsage, "say which wires this machine has, by the names that a board file calls them by", boardProbe},
	}
}

// board runs a command on board files.
func board(args []string, out, errs io.Writer) error {
	all := boardCommands()
	if len(args) > 0 {
		for _, c := range all {
			if c.name != args[0] {
				continue
			}
			if err := c.run(args[1:], out, errs); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			return nil
		}
	}
	var lines []string
	for _, c := range all {
		lines = append(lines, c.name+" "+c.usage)
	}
	return usagef("want a command: %s", strings.Join(lines, "; "))
}
