// Command bench measures evsed against the goals of its makers and against what others wrote: codec, core, journal, link,
// and the built binary from exec to its first message, its memory, its wake-ups and its size. It prints one table a
// subject and writes them to a file. It is a module of its own: what it compares with is no dependency of the product.
//
//	go run .                        everything, into docs/benchmarks.md
//	go run . -only codec,size -o -  some of it, to the terminal alone
//	go run . -only replay -replay 5000 -o -    a long replay in real time
//
// All contenders of a table run in turn in one process (or one after the other in one round), so that their ratio holds
// on any machine; absolute numbers are of this machine and of what else it did.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// options is what the command line says.
type options struct {
	root   string // folder of the product
	work   string // scratch folder on a real disk
	laps   int
	starts int           // of the binary
	settle time.Duration // before memory is read
	watch  time.Duration // one of the windows in which wake-ups are counted
	replay int           // events that are told in real time
}

// part is one section of the report and its name on the command line.
type part struct {
	name string
	run  func(options) (*section, error)
}

func parts() []part {
	return []part{
		{"codec", codecSection},
		{"step", stepSection},
		{"schedule", scheduleSection},
		{"durable", durableSection},
		{"sampled", sampledSection},
		{"roundtrip", roundTripSection},
		{"boot", bootSection},
		{"queued", queuedSection},
		{"replay", replaySection},
		{"memory", memorySection},
		{"wakeups", wakeupSection},
		{"reaction", reactionSection},
		{"size", sizeSection},
	}
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == childFlag {
		os.Exit(child(os.Args[2:]))
	}
	var o options
	only := flag.String("only", "", "comma-separated parts: "+strings.Join(partNames(), ", "))
	file := flag.String("o", "../../docs/benchmarks.md", "file to write, - for none")
	flag.StringVar(&o.root, "root", "../..", "folder of the product")
	flag.IntVar(&o.laps, "laps", 25, "laps of each contender")
	flag.IntVar(&o.starts, "starts", 20, "starts of the binary")
	flag.DurationVar(&o.settle, "settle", 5*time.Second, "how long a station runs before its memory is read")
	flag.DurationVar(&o.watch, "watch", 30*time.Second, "each of the windows in which wake-ups are counted")
	flag.IntVar(&o.replay, "replay", 500, "events that are told in real time")
	flag.Parse()
	if err := measure(o, *only, *file); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func partNames() []string {
	var names []string
	for _, p := range parts() {
		names = append(names, p.name)
	}
	return names
}

func measure(o options, only, file string) error {
	wanted := partNames()
	if only != "" {
		wanted = strings.Split(only, ",")
	}
	for _, name := range wanted {
		if !slices.Contains(partNames(), name) {
			return fmt.Errorf("no part %q; there are %s", name, strings.Join(partNames(), ", "))
		}
	}
	if file != "-" && only != "" {
		return fmt.Errorf("the file holds every part: use -o - with -only")
	}
	work, err := os.MkdirTemp(scratch(o.root), "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	o.work = work
	var text bytes.Buffer
	missing := report(io.MultiWriter(os.Stdout, &text), o, wanted)
	if file != "-" {
		if err := os.WriteFile(file, text.Bytes(), 0o644); err != nil {
			return err
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("not measured: %s", strings.Join(missing, ", "))
	}
	return nil
}

// scratch is where files are written: beside the product, for a temporary folder is often no disk.
func scratch(root string) string {
	dir := root + "/build"
	if os.MkdirAll(dir, 0o755) != nil {
		return ""
	}
	return dir
}

// report writes the parts and ends with all goals. A part that cannot be measured here says why, and is returned by name.
func report(w io.Writer, o options, wanted []string) (missing []string) {
	fmt.Fprintln(w, "# Benchmarks")
	fmt.Fprintln(w)
	fmt.Fprintln(w, "Written by `make bench`; not edited. Trust the ratios: all contenders of a table ran in turn in one run.")
	fmt.Fprintln(w)
	fmt.Fprintln(w, machine())
	var goals []goal
	for _, p := range parts() {
		if !slices.Contains(wanted, p.name) {
			continue
		}
		s, err := p.run(o)
		if err != nil {
			fmt.Fprintf(w, "\n## %s\n\nNot measured: %s\n", p.name, oneLine(err))
			missing = append(missing, p.name)
			goals = append(goals, goal{p.name, "to be measured", "not measured", false})
			continue
		}
		s.write(w)
		goals = append(goals, s.goals...)
	}
	fmt.Fprintf(w, "\n## Goals\n\n")
	writeGoals(w, goals)
	return missing
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
