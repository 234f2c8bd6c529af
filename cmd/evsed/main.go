// Command evsed is the agent of a charging station: it drives the board, talks to the CSMS and keeps every transaction
// until the CSMS has acknowledged it.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// Exit codes, the same for every subcommand.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// command is a row of the command table.
type command struct {
	name  string
	usage string
	about string
	run   func(args []string, out, errs io.Writer) error
}

func commands() []command {
	return []command{
		{"run", "--seed FILE --state DIR --board FILE[,FILE...]|--sim-listen HOST:PORT [--keys file|file?key=FILE|tpm:DEVICE|tpm:unix:SOCKET] [--guard within|child|SOCKET] [--guard-silence 10s] [--sim-lines FILE] " + fileUsage + " " + raucUsage + " [--sandbox on|require|off] [--sim-log-ocpp]", "run a station on the wires of a board, or in the simulated world", runStation},
		{"guard", "[--table FILE] [--listen SOCKET] [--sim-lines FILE] [--sandbox on|require|off] [--figures] [--selftest CYCLES]", "drive contactors and pilots (started by evsed run, or a unit of its own)", runGuard},
		{"table", "--board FILE[,FILE...]|--seed FILE --to FILE [--silence 10s] [--hold 0s]", "compile the line table for a guard that is a unit of its own", compileTable},
		{"meter", "models|read|scan|sign|verify ...", "read energy meters, find them on a bus, and verify what they signed (evsed meter tells how)", meters},
		{"board", "VERB ...", "check, show and start board files: which wires a station has (evsed board lists the verbs)", board},
		{"rfid", rfidUsage, "try a card reader: shows each card's UID, and the token that the CSMS would see", cards},
		{"launch", launchUsage, "start the evsed of the slot that counts, on trial if it is new; the one that came with the system if none is right", launch},
		{"fw", "keygen|pack|sign|verify|inspect ...", "make and sign firmware images (on a build host)", firmware},
		{"dead-letters", "--state DIR [--resend KEY|all]", "list messages that the CSMS refused, or queue them again (station stopped)", deadLetters},
		{"seclog", "verify FILE|DIR", "check the chain of a security log: a file that a station uploaded, or a state directory", securityLog},
		{"sbom", "", "list what this build is made of, as CycloneDX", billOfMaterials},
		{"version", "", "show the version of this build", version},
	}
}

// usageError is a mistake in the command line; it ends with exit code 2.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func main() { os.Exit(dispatch(os.Args[1:], os.Stdout, os.Stderr)) }

// dispatch runs a subcommand and returns the exit code.
func dispatch(args []string, out, errs io.Writer) int {
	if len(args) == 0 {
		help(errs)
		return exitUsage
	}
	if args[0] == "help" || args[0] == "--help" || args[0] == "-h" {
		help(out)
		return exitOK
	}
	for _, c := range commands() {
		if c.name != args[0] {
			continue
		}
		err := c.run(args[1:], out, errs)
		var usage usageError
		switch {
		case err == nil:
			return exitOK
		case errors.Is(err, errRestart):
			fmt.Fprintf(errs, "evsed %s: %v\n", c.name, err)
			return exitRestart
		case errors.As(err, &usage):
			fmt.Fprintf(errs, "evsed %s: %v\n", c.name, err)
			return exitUsage
		}
		fmt.Fprintf(errs, "evsed %s: %v\n", c.name, err)
		return exitFailed
	}
	fmt.Fprintf(errs, "evsed: no command %q; there are: %s\n", args[0], strings.Join(names(), ", "))
	return exitUsage
}

func names() []string {
	var ns []string
	for _, c := range commands() {
		ns = append(ns, c.name)
	}
	return ns
}

func help(w io.Writer) {
	fmt.Fprintln(w, "evsed - the agent of a charging station")
	fmt.Fprintln(w)
	for _, c := range commands() {
		fmt.Fprintf(w, "  evsed %s %s\n        %s\n", c.name, c.usage, c.about)
	}
}
