package main

import (
	"fmt"
	"io"
	"slices"
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
}
