package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/evsed/evsed/boards/seal"
	"github.com/evsed/evsed/storage/keys"
)

// sealUsage is the command line of evsed board seal.
const sealUsage = "--state DIR FILE..."

// boardSeal ends the factory mode of a board.
func boardSeal(args []string, out, _ io.Writer) error {
	state, files, err := stateFiles("seal", sealUsage, args, func(*flag.FlagSet) {})
	if err != nil {
		return err
	}
	b, err := loadBoard(files)
	if err != nil {
		return err
	}
	store, err := seal.Open(state, "file")
	if errors.Is(err, keys.ErrSpec) {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	s, err := seal.Make(state, store, b, files, release, time.Now())
	if err = errors.Join(err, store.Close()); err != nil {
		return err
	}
	for _, f := range s.Files {
		fmt.Fprintf(out, "%s  sha256 %s\n", f.Name, f.SHA256)
	}
	for _, w := range s.Worst {
		fmt.Fprintf(out, "evse %d  %s: %d ms at worst\n", w.EVSE, w.Function, w.Millis)
	}
	fmt.Fprintf(out, "sealed %s: evsed run --board takes these files and no others from now on\n", s.Board)
	return nil
}
