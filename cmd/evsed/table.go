package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/local/seed"
	"github.com/evsed/evsed/station/local/virtual"
)

// tableOptions are the flags of evsed table.
type tableOptions struct {
	seed, to      string
	silence, hold time.Duration
}

func parseTable(args []string) (tableOptions, error) {
	var o tableOptions
	fs := flag.NewFlagSet("table", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.StringVar(&o.seed, "seed", "", "")
	fs.StringVar(&o.to, "to", "", "")
	fs.DurationVar(&o.silence, "silence", 0, "")
	fs.DurationVar(&o.hold, "hold", 0, "")
	if err := fs.Parse(args); err != nil {
		return o, usagef("%w: want --seed FILE --to FILE, and --silence or --hold with a time like 10s if you like", err)
	}
	switch {
	case fs.NArg() > 0:
		return o, usagef("unexpected argument %q", fs.Arg(0))
	case o.seed == "":
		return o, usagef("--seed: want a file in the format %s", seed.Format)
	case o.to == "":
		return o, usagef("--to: want a file for the line table")
	case o.hold < 0 || o.hold > maxHold:
		return o, usagef("--hold: %v: want 0 to %v", o.hold, maxHold)
	}
	return o, checkSilence("--silence", o.silence)
}

// compileTable compiles the line table for a guard that is a unit of its own: it reads nothing else before its lines are
// safe.
func compileTable(args []string, out, _ io.Writer) error {
	o, err := parseTable(args)
	if err != nil {
		return err
	}
	s, err := seed.Read(o.seed)
	if err != nil {
		return usageError{err}
	}
	connectors := virtual.Connectors(station.Config{EVSEs: s.EVSEs})
	table, err := simTable(connectors, 0, o.silence, o.hold).Append(nil)
	if err != nil {
		return usagef("--seed %s: %w", o.seed, err)
	}
	if err := writeDurably(o.to+".new", table); err != nil {
		return usagef("--to: %w", err)
	}
	if err := os.Rename(o.to+".new", o.to); err != nil {
		return usagef("--to: %w", err)
	}
	fmt.Fprintf(out, "line table of %s: %d connectors, %d bytes\n", s.Name, len(connectors), len(table))
	return nil
}
