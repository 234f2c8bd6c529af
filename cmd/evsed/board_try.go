package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/evsed/evsed/boards/checkup"
)

// boardTry asks each device at a bus once, with the station stopped.
func boardTry(args []string, out, _ io.Writer) error {
	if err := wantFiles(args); err != nil {
		return err
	}
	b, err := loadBoard(args)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	results, failed := checkup.Run(ctx, b, checkup.Linux{}), 0
	for _, r := range results {
		fmt.Fprintln(out, r)
		if r.Err != nil {
			failed++
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d devices do not answer as the board says", failed, len(results))
	}
	fmt.Fprintf(out, "%d devices answer\n", len(results))
	return nil
}
