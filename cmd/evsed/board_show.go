package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/evsed/evsed/boards"
	machine "github.com/evsed/evsed/boards/probe"
)

const boardShowUsage = "FILE... [--live] [--origin KEY]"

// boardShow tells what files make together; --live looks for each name on this machine, --origin shows one value and the lines
// that it comes from.
func boardShow(args []string, out, _ io.Writer) error {
	live, origin := false, ""
	var files []string
	for i := 0; i < len(args); i++ {
		switch {
		case args[i] == "--live":
			live = true
		case args[i] == "--origin" && i+1 < len(args):
			i++
			origin = args[i]
		default:
			files = append(files, args[i])
		}
	}
	if err := wantFiles(files); err != nil {
		return err
	}
	b, err := loadBoard(files)
	if err != nil {
		return err
	}
	if origin != "" {
		text, err := b.Explain(origin)
		if err != nil {
			return usageError{err}
		}
		fmt.Fprintln(out, text)
		return nil
	}
	b.Describe(out)
	if !live {
		return nil
	}
	found, missing := machine.Resolve(b, machine.Look("/", machine.KernelLines))
	fmt.Fprintln(out)
	for _, line := range found {
		fmt.Fprintln(out, line)
	}
	if number, err := b.Identity.Serial.Read("/"); !errors.Is(err, boards.ErrNoSerial) {
		if err != nil {
			fmt.Fprintf(out, "serial number: %v\n", err)
			missing++
		} else {
			fmt.Fprintf(out, "serial number: %s\n", number)
		}
	}
	if missing > 0 {
		return fmt.Errorf("%d names of the board are not on this machine, or are in use", missing)
	}
	return nil
}
