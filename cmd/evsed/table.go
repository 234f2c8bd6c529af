package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/guard"
	"github.com/evsed/evsed/station/local/seed"
	"github.com/evsed/evsed/station/local/virtual"
)

// tableOptions are the flags of evsed table.
type tableOptions struct {
	seed, to      string
	board         []string // files; or a seed of the simulated world
	silence, hold time.Duration
}

func parseTable(args []string) (tableOptions, error) {
	var o tableOptions
	fs := flag.NewFlagSet("table", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	var files string
	fs.StringVar(&o.seed, "seed", "", "")
	fs.StringVar(&files, "board", "", "")
	fs.StringVar(&o.to, "to", "", "")
	fs.DurationVar(&o.silence, "silence", 0, "")
	fs.DurationVar(&o.hold, "hold", 0, "")
	if err := fs.Parse(args); err != nil {
		return o, usagef("%w: want --board FILE[,FILE...] (or --seed FILE) --to FILE, and --silence or --hold with a time like 10s if you like", err)
	}
	if files != "" {
		o.board = strings.Split(files, ",")
	}
	switch {
	case fs.NArg() > 0:
		return o, usagef("unexpected argument %q", fs.Arg(0))
	case o.seed != "" && o.board != nil:
		return o, usagef("--board and --seed: want one of them: a board has real lines, a seed alone has simulated ones")
	case o.seed == "" && o.board == nil:
		return o, usagef("want --board FILE[,FILE...], or --seed with a file in the format %s for simulated lines", seed.Format)
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
	t, name, err := o.table()
	if err != nil {
		return err
	}
	table, err := t.Append(nil)
	if err != nil {
		return usageError{err}
	}
	if err := writeDurably(o.to+".new", table); err != nil {
		return usagef("--to: %w", err)
	}
	if err := os.Rename(o.to+".new", o.to); err != nil {
		return usagef("--to: %w", err)
	}
	fmt.Fprintf(out, "line table of %s: %d connectors, %d bytes\n", name, len(t.Connectors), len(table))
	return nil
}

// table compiles what the options name.
func (o *tableOptions) table() (t *guard.Table, name string, err error) {
	if o.board == nil {
		s, err := seed.Read(o.seed)
		if err != nil {
			return nil, "", usageError{err}
		}
		return simTable(virtual.Connectors(station.Config{EVSEs: s.EVSEs}), 0, o.silence, o.hold), s.Name, nil
	}
	b, _, err := boards.Load(o.board...)
	if err != nil {
		return nil, "", usagef("--board: %w (evsed board validate tells all)", err)
	}
	if t, err = b.Table(o.silence, o.hold); err != nil {
		return nil, "", usagef("--board: %w", err)
	}
	return t, b.Identity.Model, nil
}
