package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/evsed/evsed/boards"
)

// boardValidate prints every finding of a board, and how many there are.
func boardValidate(args []string, out, _ io.Writer) error {
	if err := wantFiles(args); err != nil {
		return err
	}
	_, findings, err := boards.Load(args...)
	if err != nil && !errors.Is(err, boards.ErrBoard) {
		return usageError{err}
	}
	for _, f := range findings {
		fmt.Fprintln(out, f)
	}
	fmt.Fprintln(out, boards.Count(findings))
	if err != nil {
		return fmt.Errorf("%s: %s", args[0], boards.Count(findings))
	}
	return nil
}

// wantFiles refuses a command line without files, or with flags.
func wantFiles(args []string) error {
	if len(args) == 0 {
		return usagef("want a board file, and the product and site files over it")
	}
	for _, a := range args {
		if len(a) > 1 && a[0] == '-' {
			return usagef("unexpected flag %q: want files", a)
		}
	}
	return nil
}

// loadBoard loads a board for a command that needs one without errors.
func loadBoard(files []string) (*boards.Board, error) {
	b, _, err := boards.Load(files...)
	if err != nil {
		return nil, fmt.Errorf("%w (evsed board validate tells all)", err)
	}
	return b, nil
}
