//go:build !arm

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/evsed/evsed/boards/dryrun"
)

// boardDryRun plays what a station has to do on the board of the files.
func boardDryRun(args []string, out, _ io.Writer) error {
	fs := flag.NewFlagSet("dry-run", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	junit := fs.String("junit", "", "")
	hardware := fs.String("hardware", "", "")
	if err := fs.Parse(args); err != nil {
		return usagef("%w: want %s", err, dryRunUsage)
	}
	if err := wantFiles(fs.Args()); err != nil {
		return err
	}
	software, err := loadBoard(fs.Args())
	if err != nil {
		return err
	}
	real := software
	if *hardware != "" {
		if real, err = loadBoard(strings.Split(*hardware, ",")); err != nil {
			return fmt.Errorf("--hardware: %w", err)
		}
	}
	report := dryrun.Run(real, software, func(s dryrun.Step) { fmt.Fprintln(out, s) })
	fmt.Fprintln(out, report.Summary())
	if *junit != "" {
		if err := writeJUnit(*junit, report); err != nil {
			return fmt.Errorf("--junit: %w", err)
		}
	}
	if _, failed, _ := report.Count(); failed > 0 {
		return fmt.Errorf("%d of %d steps failed", failed, len(report.Steps))
	}
	return nil
}

func writeJUnit(path string, r *dryrun.Report) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(r.JUnit(f), f.Close())
}
