package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"
)

func main() {
	o := options{}
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().Unix()), "what the story is made of")
	flag.Float64Var(&o.years, "years", 1, "station-years to tell, each with a seed of its own that follows from the one before")
	flag.Float64Var(&o.each, "each", 1, "years of each station")
	flag.DurationVar(&o.long, "for", 0, "begin no further station after this time; 0: tell all the years")
	flag.StringVar(&o.trace, "trace", os.Getenv("TRACE"), "a file for the trace, every line of it")
	flag.StringVar(&o.profile, "profile", "", "a file for a CPU profile")
	flag.Parse()
	if err := o.run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// options is what the command is told.
type options struct {
	seed           uint64
	years, each    float64
	long           time.Duration // of real time
	trace, profile string
}

func (o options) run(out io.Writer) (err error) {
	var file *bufio.Writer
	if o.trace != "" {
		f, err := os.Create(o.trace)
		if err != nil {
			return err
		}
		file = bufio.NewWriterSize(f, 1<<20)
		defer func() { _ = file.Flush(); _ = f.Close() }()
	}
	debug.SetGCPercent(1600) // the heap is small, and the collector would never rest
	stop, err := profile(o.profile)
	if err != nil {
		return err
	}
	defer stop()
	sum, began := newTotal(), time.Now()
	for n := uint64(0); sum.years() < o.years-1e-9 && (o.long == 0 || time.Since(began) < o.long); n++ {
		left := min(o.each, o.years-sum.years())
		r, err := tell(o.seed+n, time.Duration(left*float64(year)), asWriter(file))
		if err != nil {
			return err
		}
		fmt.Fprintln(out, r)
		if r.breach != nil {
			return r.report(left)
		}
		sum.add(r)
		if err := sum.figures(os.Getenv("EVSED_FIGURES")); err != nil { // what has been told counts, should the rest be interrupted
			return err
		}
	}
	fmt.Fprintln(out, sum)
	return nil
}

func asWriter(w *bufio.Writer) io.Writer {
	if w == nil {
		return nil
	}
	return w
}

const year = 365 * day

// tell tells the story of a seed.
func tell(seed uint64, long time.Duration, file io.Writer) (*result, error) {
	dir, err := os.MkdirTemp(scratch(), "years")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	return story(newPlan(seed), filepath.Join(dir, "state"), long, file)
}

// scratch is where the databases lie: in memory if there is such a place.
func scratch() string {
	const memory = "/dev/shm"
	if st, err := os.Stat(memory); err == nil && st.IsDir() {
		return memory
	}
	return ""
}
