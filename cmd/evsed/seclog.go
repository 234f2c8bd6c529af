package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/evsed/evsed/storage/seclog"
)

// securityLog checks the chain of a security log: of a file that a station uploaded, or of a state directory, in which it
// changes nothing; the station may run.
func securityLog(args []string, out, errs io.Writer) error {
	if len(args) != 2 || args[0] != "verify" {
		return usagef("want verify FILE|DIR: a file that a station uploaded, or a state directory")
	}
	v, err := verifySecurityLog(args[1])
	if errors.Is(err, seclog.ErrNoLog) || errors.Is(err, os.ErrNotExist) {
		return usagef("%s: %w", args[1], err)
	}
	if err != nil {
		return err
	}
	for _, b := range v.Told {
		fmt.Fprintln(out, "the station told:", b)
	}
	for _, b := range v.Breaks {
		fmt.Fprintln(out, "broken:", b)
	}
	if v.Torn {
		fmt.Fprintln(out, "the last entry was being written")
	}
	if v.Omitted > 0 {
		fmt.Fprintf(out, "%d entries are left out, of which only the hash is here\n", v.Omitted)
	}
	if v.Station != "" {
		fmt.Fprintln(out, "station", v.Station)
	}
	fmt.Fprintf(out, "%d entries, %d to %d, the last with hash %s\n", v.Entries, v.First, v.Last, v.Head)
	if !v.Whole() {
		return fmt.Errorf("%s cannot be trusted: the chain is broken in %d places", args[1], len(v.Breaks))
	}
	fmt.Fprintln(out, "the chain is whole")
	return nil
}

func verifySecurityLog(path string) (seclog.Verified, error) {
	f, err := os.Open(path)
	if err != nil {
		return seclog.Verified{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return seclog.Verified{}, err
	}
	if info.IsDir() {
		return seclog.VerifyDir(path)
	}
	return seclog.Verify(f)
}
