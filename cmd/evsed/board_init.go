package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/evsed/evsed/boards"
)

const boardInitUsage = "[--from NAME] [--to FILE]"

// boardInit writes a shipped file to begin with; without a name it lists them.
func boardInit(args []string, out, _ io.Writer) error {
	fs := flag.NewFlagSet("init", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	from := fs.String("from", "", "")
	to := fs.String("to", "", "")
	if err := fs.Parse(args); err != nil {
		return usagef("%w: want %s", err, boardInitUsage)
	}
	if fs.NArg() > 0 {
		return usagef("unexpected argument %q: want %s", fs.Arg(0), boardInitUsage)
	}
	if *from == "" {
		if *to != "" {
			return usagef("--to without --from: want one of %s", strings.Join(boards.Shipped(), ", "))
		}
		fmt.Fprintln(out, "shipped, for --from:")
		for _, n := range boards.Shipped() {
			fmt.Fprintf(out, "  %-28s %s\n", n, boards.ShippedAbout(n))
		}
		return nil
	}
	text, err := boards.Starter(*from)
	if err != nil {
		return usageError{err}
	}
	if *to == "" {
		_, err := out.Write(text)
		return err
	}
	f, err := os.OpenFile(*to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return usagef("--to: %w", err)
	}
	if _, err := f.Write(text); err != nil {
		f.Close()
		return fmt.Errorf("write %s: %w", *to, err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("write %s: %w", *to, err)
	}
	fmt.Fprintf(out, "%s: a board like %s; next: evsed board probe, put this machine's names in, evsed board validate %s\n", *to, *from, *to)
	return nil
}
