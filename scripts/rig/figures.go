package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// figures are what a run has found.
type figures struct {
	Own           figure  // guards in processes of their own
	Within        figure  // guards within the agent
	RatioOfMaxima float64 // of the times from the completing sample to the command
	RatioWithWait float64 // of the times from the due end of the debounce
	Machine       machineFigure
	Guards, Hogs  int
	Seed          uint64
	FIFO          bool    // SCHED_FIFO was allowed
	Load          float64 // processes that ran or wanted to in the run's last minute, the rig's own among them
	Stolen        float64 // percent of the processors' time that the host took
}

// figure is one kind of guard.
type figure struct {
	Decisions           int
	Sample              spread        // from the sample that completes the debounce to the command: what the goals are about
	Wait                spread        // from the due end of the debounce: how late the machine let that sample be taken is in it
	Change99, ChangeMax time.Duration // from the vehicle's change to the command, debounce and all
}

// spread is how times are spread.
type spread struct{ P50, P99, P9999, Max time.Duration }

func spreadOf(times []int64) spread {
	slices.Sort(times)
	return spread{P50: quantile(times, 5000), P99: quantile(times, 9900), P9999: quantile(times, 9999), Max: quantile(times, 10000)}
}

func (s spread) String() string {
	return fmt.Sprintf("p50 %v p99 %v p99.99 %v max %v", s.P50, s.P99, s.P9999, s.Max)
}

func (s *samples) figure() figure {
	whole := spreadOf(s.whole)
	return figure{Decisions: len(s.late), Sample: spreadOf(s.cycle), Wait: spreadOf(s.late), Change99: whole.P99, ChangeMax: whole.Max}
}

// quantile returns the least value that at least per of 10000 do not exceed.
func quantile(sorted []int64, per int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return time.Duration(sorted[(len(sorted)*per+9999)/10000-1])
}

func (f figures) print(w io.Writer) {
	fmt.Fprintf(w, "reaction to a vehicle that leaves C; %d guards of each kind, %d hogs, seed %d\n", f.Guards, f.Hogs, f.Seed)
	for _, k := range f.kinds() {
		fmt.Fprintf(w, "%s, %d decisions\n  from the sample that completes the debounce to the command: %v\n", k.about, k.f.Decisions, k.f.Sample)
		fmt.Fprintf(w, "  from the due end of the debounce, the wait for that sample in it: %v\n", k.f.Wait)
		fmt.Fprintf(w, "  from the vehicle's change, debounce and all: p99 %v max %v\n", k.f.Change99, k.f.ChangeMax)
	}
	fmt.Fprintf(w, "the machine itself wakes a thread late by: p99 %v p99.99 %v max %v\n", f.Machine.P99, f.Machine.P9999, f.Machine.Max)
	fmt.Fprintf(w, "ratio of maxima %.1f, with the wait %.1f\n", f.RatioOfMaxima, f.RatioWithWait)
	fmt.Fprintf(w, "load %.1f on %d processors, %.1f %% of their time taken by the host\n", f.Load, runtime.NumCPU(), f.Stolen)
	if !f.FIFO {
		fmt.Fprintln(w, "NO SCHED_FIFO: it was not allowed, and these figures are no measure of the goals")
	}
}

type kind struct {
	name, about string
	f           figure
}

func (f figures) kinds() [2]kind {
	return [2]kind{{"process", "the guard as a process of its own", f.Own}, {"within", "a guard within the agent", f.Within}}
}

// Goals of the guard that is a process of its own.
const (
	goalP9999 = 2 * time.Millisecond
	goalMax   = 10 * time.Millisecond
	goalRatio = 10
)

// missed says which goals were missed; with the wait for a sample, by more than the machine itself was late.
func (f figures) missed() []string {
	var all []string
	miss := func(is bool, format string, args ...any) {
		if is {
			all = append(all, fmt.Sprintf(format, args...))
		}
	}
	own := f.Own
	miss(own.Sample.P9999 > goalP9999, "from the sample: p99.99 %v, want %v", own.Sample.P9999, goalP9999)
	miss(own.Sample.Max > goalMax, "from the sample: max %v, want %v", own.Sample.Max, goalMax)
	miss(f.RatioOfMaxima < goalRatio, "ratio of maxima %.1f, want %d", f.RatioOfMaxima, goalRatio)
	miss(own.Wait.P9999 > goalP9999+f.Machine.P9999, "with the wait: p99.99 %v, want %v; the machine's own is %v", own.Wait.P9999, goalP9999, f.Machine.P9999)
	miss(own.Wait.Max > goalMax+f.Machine.Max, "with the wait: max %v, want %v; the machine's own is %v", own.Wait.Max, goalMax, f.Machine.Max)
	return all
}

// keep writes reaction.tsv into a folder, for the documents; "" is none.
func (f figures) keep(dir string) error {
	if dir == "" {
		return nil
	}
	var b strings.Builder
	row := func(name string, value any, unit, means string) {
		fmt.Fprintf(&b, "%s\t%v\t%s\t%s\n", name, value, unit, means)
	}
	ms := func(d time.Duration) string { return fmt.Sprintf("%.3f", float64(d)/float64(time.Millisecond)) }
	row("decisions", f.Own.Decisions, "", "openings measured of each kind of guard: a vehicle leaves C, the contactor is told to open")
	for _, k := range f.kinds() {
		for _, q := range []struct {
			of    string
			is    func(spread) time.Duration
			means string
		}{
			{"p50", func(s spread) time.Duration { return s.P50 }, "median"},
			{"p99", func(s spread) time.Duration { return s.P99 }, "99 of 100"},
			{"p99.99", func(s spread) time.Duration { return s.P9999 }, "9,999 of 10,000"},
			{"max", func(s spread) time.Duration { return s.Max }, "the latest"},
		} {
			row(k.name+" "+q.of, ms(q.is(k.f.Sample)), "ms", k.about+": from the sample that completes the debounce to the command, "+q.means)
			row(k.name+" with the wait "+q.of, ms(q.is(k.f.Wait)), "ms", k.about+": from the due end of the debounce to the command, "+q.means+"; how late the machine let the sample be taken is in it")
		}
		row(k.name+" change max", ms(k.f.ChangeMax), "ms", k.about+": from the vehicle's change to the command, debounce and all, the latest")
	}
	row("ratio of maxima", fmt.Sprintf("%.1f", f.RatioOfMaxima), "", "maximum within the agent over maximum of the process, from the sample")
	row("ratio with the wait", fmt.Sprintf("%.1f", f.RatioWithWait), "", "the same, from the due end of the debounce")
	row("machine p99.99", ms(f.Machine.P9999), "ms", "how late the machine wakes a thread that comes before all others, at the worst of a debounce: 9,999 of 10,000")
	row("machine max", ms(f.Machine.Max), "ms", "the same, the latest: no guard can be better than its machine")
	row("guards", f.Guards, "", "guards of each kind, with 64 connectors each")
	row("hogs", f.Hogs, "", "processes that do nothing but turn; the agent makes garbage beside them")
	row("processors", runtime.NumCPU(), "", "of the machine")
	row("load", fmt.Sprintf("%.1f", f.Load), "", "processes that ran or wanted to in the last minute of the run, the rig's own among them")
	row("stolen", fmt.Sprintf("%.1f", f.Stolen), "%", "of the processors' time, taken by the host of the virtual machine")
	row("SCHED_FIFO", f.FIFO, "", "it was allowed; without it the figures are no measure of the goals")
	return os.WriteFile(filepath.Join(dir, "reaction.tsv"), []byte(b.String()), 0o644)
}
