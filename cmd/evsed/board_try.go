package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/evsed/evsed/boards/checkup"
)

const boardTryUsage = "[--network] FILE..."

// boardTry asks each device at a bus once, with the station stopped.
func boardTry(args []string, out, _ io.Writer) error {
	var o checkup.Options
	fs := flag.NewFlagSet("try", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.BoolVar(&o.Network, "network", false, "")
	if err := fs.Parse(args); err != nil {
		return usagef("%w: want %s", err, boardTryUsage)
	}
	if err := wantFiles(fs.Args()); err != nil {
		return err
	}
	b, err := loadBoard(fs.Args())
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	results, failed, left := checkup.Run(ctx, b, checkup.Linux{}, o), 0, 0
	for _, r := range results {
		fmt.Fprintln(out, r)
		switch {
		case r.Err != nil:
			failed++
		case r.Left:
			left++
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d devices do not answer as the board says", failed, len(results))
	}
	fmt.Fprintf(out, "%d devices answer", len(results)-left)
	if left > 0 {
		fmt.Fprintf(out, ", %d on the network not asked (--network)", left)
	}
	fmt.Fprintln(out)
	return nil
}
