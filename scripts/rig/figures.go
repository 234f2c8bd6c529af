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
	Own           figure // guards in processes of their own
	Within        figure // guards within the agent
	RatioOfMaxima float64
	Machine       machineFigure
	Guards, Hogs  int
	Seed          uint64
	FIFO          bool    // SCHED_FIFO was allowed
	Load          float64 // processes that ran or wanted to in the run's last minute, the rig's own among them
	Stolen        float64 // percent of the processors' time that the host took
}

// figure is one kind of guard. Times are of the reaction, but where they say otherwise.
type figure struct {
	Decisions              int
	P50, P99, P9999, Max   time.Duration
	Change99, ChangeMax    time.Duration // from the vehicle's change to the command, debounce and all
	WithinCycle, CycleLess time.Duration // from the completing sample to the command: max and median
}

func (s *samples) figure() figure {
	slices.Sort(s.late)
	slices.Sort(s.whole)
	slices.Sort(s.cycle)
	return figure{Decisions: len(s.late), P50: quantile(s.late, 5000), P99: quantile(s.late, 9900), P9999: quantile(s.late, 9999), Max: quantile(s.late, 10000),
		Change99: quantile(s.whole, 9900), ChangeMax: quantile(s.whole, 10000), WithinCycle: quantile(s.cycle, 10000), CycleLess: quantile(s.cycle, 5000)}
}

// quantile returns the least value that at least per of 10000 do not exceed.
func quantile(sorted []int64, per int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return time.Duration(sorted[(len(sorted)*per+9999)/10000-1])
}

func (f figures) print(w io.Writer) {
	fmt.Fprintf(w, "reaction to a vehicle that leaves C, from the due end of the debounce to the command; %d guards of each kind, %d hogs, seed %d\n", f.Guards, f.Hogs, f.Seed)
	for _, k := range []struct {
		name string
		f    figure
	}{{"process of its own", f.Own}, {"within the agent", f.Within}} {
		fmt.Fprintf(w, "%-20s %d decisions: p50 %v p99 %v p99.99 %v max %v; change to command p99 %v max %v; within the cycle p50 %v max %v\n",
			k.name, k.f.Decisions, k.f.P50, k.f.P99, k.f.P9999, k.f.Max, k.f.Change99, k.f.ChangeMax, k.f.CycleLess, k.f.WithinCycle)
	}
	fmt.Fprintf(w, "the machine itself   p99 %v p99.99 %v max %v\n", f.Machine.P99, f.Machine.P9999, f.Machine.Max)
	fmt.Fprintf(w, "ratio of maxima %.1f\n", f.RatioOfMaxima)
	fmt.Fprintf(w, "load %.1f on %d processors, %.1f %% of their time taken by the host\n", f.Load, runtime.NumCPU(), f.Stolen)
	if !f.FIFO {
		fmt.Fprintln(w, "NO SCHED_FIFO: it was not allowed, and these figures are no measure of the goals")
	}
}

// Goals of the guard that is a process of its own.
const (
	goalP9999 = 2 * time.Millisecond
	goalMax   = 10 * time.Millisecond
	goalRatio = 10
)

// missed says which goals were missed by more than the machine itself was late.
func (f figures) missed() []string {
	var all []string
	miss := func(is bool, format string, args ...any) {
		if is {
			all = append(all, fmt.Sprintf(format, args...))
		}
	}
	miss(f.Own.P9999 > goalP9999+f.Machine.P9999, "p99.99 %v, want %v; the machine's own is %v", f.Own.P9999, goalP9999, f.Machine.P9999)
	miss(f.Own.Max > goalMax+f.Machine.Max, "max %v, want %v; the machine's own is %v", f.Own.Max, goalMax, f.Machine.Max)
	miss(f.RatioOfMaxima < goalRatio, "ratio of maxima %.1f, want %d", f.RatioOfMaxima, goalRatio)
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
	for _, k := range []struct {
		name, means string
		f           figure
	}{{"process", "the guard as a process of its own", f.Own}, {"within", "a guard within the agent", f.Within}} {
		row(k.name+" p50", ms(k.f.P50), "ms", k.means+": from the due end of the debounce to the command, median")
		row(k.name+" p99", ms(k.f.P99), "ms", k.means+": 99 of 100")
		row(k.name+" p99.99", ms(k.f.P9999), "ms", k.means+": 9,999 of 10,000")
		row(k.name+" max", ms(k.f.Max), "ms", k.means+": the latest")
		row(k.name+" change max", ms(k.f.ChangeMax), "ms", k.means+": from the vehicle's change to the command, debounce and all, the latest")
	}
	row("ratio of maxima", fmt.Sprintf("%.1f", f.RatioOfMaxima), "", "maximum within the agent over maximum of the process")
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
