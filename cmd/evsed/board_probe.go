package main

import (
	"encoding/json"
	"flag"
	"io"

	wires "github.com/evsed/evsed/boards/probe"
)

// probeUsage is the command line of evsed board probe.
const probeUsage = "[--json] [--root DIR]"

// boardProbe says what wires this machine has, by the names that a board file calls them by.
func boardProbe(args []string, out, _ io.Writer) error {
	fs := flag.NewFlagSet("probe", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	asJSON := fs.Bool("json", false, "")
	root := fs.String("root", "/", "")
	if err := fs.Parse(args); err != nil {
		return usagef("%w: want %s", err, probeUsage)
	}
	if fs.NArg() > 0 {
		return usagef("unexpected argument %q: want %s", fs.Arg(0), probeUsage)
	}
	m := wires.Look(*root, wires.KernelLines)
	if !*asJSON {
		return m.Text(out)
	}
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	return enc.Encode(m)
}
