package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// event is one line of "go test -json" (see "go doc test2json").
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
}

// counter turns events into lines and keeps the figures of the last one. Tests
// and subtests count alike.
type counter struct {
	w      io.Writer
	output map[string][]string // what a running test has printed, by package and test
	skips  []string

	packages, broken        int // broken: packages that failed, for whatever reason
	passed, failed, skipped int
}

// maxKept bounds the lines kept of one test, so that a test that prints for
// ever does not fill the memory. The last lines say what went wrong.
const maxKept = 2000

func newCounter(w io.Writer) *counter {
	return &counter{w: w, output: map[string][]string{}}
}

// read consumes the stream of one go test run. A line that is not an event is
// the tool chain's own word and is passed on.
func (c *counter) read(r io.Reader) error {
	in := bufio.NewReader(r)
	for {
		line, err := in.ReadBytes('\n')
		var e event
		switch {
		case len(line) == 0:
		case json.Unmarshal(line, &e) != nil:
			fmt.Fprintf(c.w, "%s", line)
		default:
			c.take(e)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read test events: %w", err)
		}
	}
}

func (c *counter) take(e event) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "build-output":
		fmt.Fprint(c.w, e.Output)
	case "output":
		c.keep(key, e)
	case "pass", "fail", "skip":
		c.end(key, e)
		delete(c.output, key)
	}
}

func (c *counter) keep(key string, e event) {
	if strings.HasPrefix(e.Output, "=== ") {
		return // the progress of -v, which nobody asked for
	}
	kept := append(c.output[key], e.Output)
	if len(kept) > maxKept {
		kept = kept[1:]
	}
	c.output[key] = kept
}

func (c *counter) end(key string, e event) {
	if e.Test == "" {
		c.endPackage(key, e)
		return
	}
	switch e.Action {
	case "pass":
		c.passed++
	case "fail":
		c.failed++
		fmt.Fprint(c.w, strings.Join(c.output[key], ""))
	case "skip":
		c.skipped++
		c.skips = append(c.skips, fmt.Sprintf("skipped %s %s: %s", e.Package, e.Test, reason(c.output[key])))
	}
}

// endPackage prints what the package itself said: its one line where all is
// well, and everything, a panic included, where it is not.
func (c *counter) endPackage(key string, e event) {
	c.packages++
	if e.Action == "fail" {
		c.broken++
		c.unfinished(e.Package)
	}
	for _, line := range c.output[key] {
		if e.Action == "fail" || strings.HasPrefix(line, "ok ") || strings.HasPrefix(line, "? ") || strings.Contains(line, "[no test files]") {
			fmt.Fprint(c.w, line)
		}
	}
}

// unfinished shows and counts the tests of a package that ended without a word:
// a panic or a timeout took the process from under them.
func (c *counter) unfinished(pkg string) {
	for _, key := range slices.Sorted(maps.Keys(c.output)) {
		if test, ok := strings.CutPrefix(key, pkg+" "); ok && test != "" {
			c.failed++
			fmt.Fprint(c.w, strings.Join(c.output[key], ""))
			delete(c.output, key)
		}
	}
}

// summary prints the skipped tests by name and the line that counts.
func (c *counter) summary(took time.Duration) {
	for _, s := range c.skips {
		fmt.Fprintln(c.w, s)
	}
	verdict := "PASS"
	if c.failed > 0 || c.broken > 0 || c.packages == 0 {
		verdict = "FAIL"
	}
	fmt.Fprintf(c.w, "%s: %d packages (%d failed), %d tests passed, %d failed, %d skipped in %s\n",
		verdict, c.packages, c.broken, c.passed, c.failed, c.skipped, took.Round(100*time.Millisecond))
}

// reason finds the words of t.Skip in what a test printed: the last line that
// names a place in a test file.
func reason(output []string) string {
	for _, line := range slices.Backward(output) {
		if _, after, ok := strings.Cut(line, "_test.go:"); ok {
			if _, text, ok := strings.Cut(after, ": "); ok {
				return strings.TrimSpace(text)
			}
		}
	}
	return "no reason given"
}
