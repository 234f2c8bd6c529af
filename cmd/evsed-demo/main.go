// Command evsed-demo shows a station at work: a simulated one with two EVSEs, a CSMS in memory, and a prompt that plugs
// cars, swipes cards, cuts the network and pulls the power. Everything is on loopback and in a throw-away folder.
//
// With a terminal on stdin it asks what to do. Without one it plays a story by itself, checks that every watt-hour and
// every message added up, and exits 0, or 1 with a sentence that says what did not.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// version is what the demo calls the station's firmware.
const version = "0.1.0"

// Exit codes, as those of evsed.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := start(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, isTerminal(os.Stdin), colours(os.Stdout))
	stop()
	os.Exit(code)
}

// start runs the demo and returns the exit code.
func start(ctx context.Context, args []string, in io.Reader, out, errs io.Writer, prompt, colour bool) int {
	flags := flag.NewFlagSet("evsed-demo", flag.ContinueOnError)
	flags.SetOutput(errs)
	rate := flags.Float64("rate", defaultRate, "how many seconds of the station pass in one real second, 1 to 60")
	tell := flags.Bool("story", false, "play the story although there is a terminal")
	speak := flags.String("ocpp", "", "the `version` that the CSMS speaks: 2.1, 2.0.1 or 1.6; all of them without it")
	if err := flags.Parse(args); err != nil {
		if err == flag.ErrHelp {
			return exitOK
		}
		return exitUsage
	}
	vs, known := versionOf(*speak)
	if flags.NArg() > 0 || !known || !(*rate >= 1 && *rate <= maxRate) {
		fmt.Fprintf(errs, "evsed-demo: want no arguments, a rate from 1 to %d, and one of the versions %s\n", maxRate, spoken(versions))
		return exitUsage
	}
	d, err := open(options{rate: *rate, versions: vs, wait: patience, out: out, colour: colour, prompt: prompt && !*tell})
	if err != nil {
		fmt.Fprintln(errs, "evsed-demo:", err)
		return exitFailed
	}
	if prompt && !*tell {
		err = d.ask(ctx, in)
	} else {
		err = d.story(ctx)
	}
	if closed := d.close(); err == nil {
		err = closed
	}
	if err != nil {
		fmt.Fprintln(errs, "evsed-demo:", err)
		return exitFailed
	}
	return exitOK
}

const (
	defaultRate = 10
	maxRate     = 60 // beyond it, a busy desk misses what the guard wants to hear in time
)

// colours reports whether f is a terminal that shows colour and wants it.
func colours(f *os.File) bool {
	term := os.Getenv("TERM")
	return isTerminal(f) && os.Getenv("NO_COLOR") == "" && term != "" && term != "dumb"
}
