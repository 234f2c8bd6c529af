package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/storage"
)

// deadLetters lists or queues again what the CSMS refused to the last attempt (E13.FR.04). The station must be stopped:
// its database has one owner.
func deadLetters(args []string, out, errs io.Writer) error {
	fs := flag.NewFlagSet("dead-letters", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	dir := fs.String("state", "", "")
	resend := fs.String("resend", "", "")
	if err := fs.Parse(args); err != nil {
		return usagef("%w: want --state DIR [--resend KEY|all]", err)
	}
	if *dir == "" || fs.NArg() > 0 {
		return usagef("want --state DIR [--resend KEY|all]")
	}
	if _, err := os.Stat(filepath.Join(*dir, seedCopy)); err != nil {
		return usagef("--state %s: %w: want a directory that evsed made", *dir, err)
	}
	store, rep, err := storage.Open(*dir, storage.Options{})
	if err != nil {
		return stateError(*dir, err)
	}
	defer store.Close()
	for _, f := range rep.Findings {
		fmt.Fprintln(errs, "evsed dead-letters:", f)
	}
	letters, err := store.DeadLetters()
	if err != nil {
		return err
	}
	if *resend != "" {
		return resendLetters(store, letters, *resend, out)
	}
	listLetters(letters, out)
	return nil
}

func listLetters(letters []storage.Entry, out io.Writer) {
	if len(letters) == 0 {
		fmt.Fprintln(out, "no dead letters")
		return
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "KEY\tTIME\tMESSAGE")
	for _, l := range letters {
		at, text := describe(l)
		fmt.Fprintf(w, "%s\t%s\t%s\n", l.Key, at, text)
	}
	w.Flush()
}

// describe says in one line what a dead letter is.
func describe(l storage.Entry) (at, text string) {
	id, err := station.ParseReportID(l.Key)
	if err != nil {
		return "-", err.Error()
	}
	r, err := station.DecodeReport(id, l.Value)
	if err != nil {
		return "-", err.Error()
	}
	switch b := r.Body.(type) {
	case *station.TransactionEvent:
		kind := [...]string{"", "Started", "Updated", "Ended"}[b.Phase]
		return b.At.Format(time.RFC3339), fmt.Sprintf("TransactionEvent %s %s seqNo %d (%s)", b.Transaction, kind, b.SeqNo, b.Trigger)
	case station.SecurityEvent:
		return b.At.Format(time.RFC3339), "SecurityEventNotification " + b.Type
	}
	return "-", fmt.Sprintf("%T", r.Body)
}

// resendLetters queues letters behind everything that waits: their place in the order is lost already, their content is not.
func resendLetters(store *storage.Store, letters []storage.Entry, which string, out io.Writer) error {
	n := 0
	for _, l := range letters {
		if which != "all" && l.Key != which {
			continue
		}
		next, err := nextKey(store)
		if err != nil {
			return err
		}
		records, err := store.Resend(l.Key, next)
		if err != nil {
			return err
		}
		if err := store.Commit(records); err != nil {
			return err
		}
		_, text := describe(l)
		fmt.Fprintf(out, "queued again as %s: %s\n", next, text)
		n++
	}
	if n == 0 && which != "all" {
		return fmt.Errorf("no dead letter %s: list them without --resend", which)
	}
	return nil
}

func nextKey(store *storage.Store) (string, error) {
	last := store.OutboxLast()
	if last == "" {
		return station.ReportID(1).Key(), nil
	}
	id, err := station.ParseReportID(last)
	return (id + 1).Key(), err
}
