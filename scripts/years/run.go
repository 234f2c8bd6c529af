package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"syscall"
	"time"
)

// result is a story that was told.
type result struct {
	plan   *plan
	counts counts
	hash   string
	breach *breach
	tail   string
	cpu    time.Duration
	flat   flatness
}

// story plays a plan for so long, with a demand for liveness every now and then and at the end.
func story(p *plan, dir string, long time.Duration, file io.Writer) (*result, error) {
	began := cpuTime()
	s, err := newSim(p, dir, file)
	if err != nil {
		return nil, err
	}
	defer s.end()
	s.start()
	r := &result{plan: p}
	end := epoch.Add(long)
	for s.err == nil && s.now.Before(end) {
		next := s.now.Add(p.heal)
		s.play(earlier(next, end))
		s.demand(!s.now.Before(end) || s.chance(2))
		r.flat.look(s)
	}
	if s.err == nil {
		r.flat.check(s)
	}
	s.count.virtual = s.since()
	r.counts, r.hash, r.breach, r.cpu = s.count, s.trace.hash(), s.err, cpuTime()-began
	if s.err != nil {
		r.tail = s.trace.tail(60)
	}
	return r, nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// cpuTime is the time that this process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// profile writes a CPU profile to a file, if one is named.
func profile(name string) (stop func(), err error) {
	if name == "" {
		return func() {}, nil
	}
	f, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, err
	}
	return func() { pprof.StopCPUProfile(); _ = f.Close() }, nil
}

func (r *result) years() float64 { return float64(r.counts.virtual) / float64(year) }

// String is one line of progress.
func (r *result) String() string {
	c := &r.counts
	state := "ok"
	if r.breach != nil {
		state = "BROKEN " + r.breach.Error()
	}
	return fmt.Sprintf("seed %d: %.2f years in %.1f s of CPU, %d sessions, %d transactions, %d events, %d power cuts, %d kills, %d troubles, hash %s, %s\n  %v\n  %v",
		r.plan.seed, r.years(), r.cpu.Seconds(), c.sessions, c.transactions, c.events, c.powerCuts, c.kills, c.faults, r.hash, state, r.plan, &r.flat)
}

// report says what broke and how to see it again.
func (r *result) report(years float64) error {
	return fmt.Errorf("%sseed %d broke %s\n  again: make soak SEED=%d YEARS=%g TRACE=trace.txt", r.tail, r.plan.seed, r.breach, r.plan.seed, years)
}

// total sums stories up.
type total struct {
	counts  counts
	cpu     time.Duration
	stories int
	worst   flatness
}

func newTotal() *total { return &total{} }

func (t *total) years() float64 { return float64(t.counts.virtual) / float64(year) }

func (t *total) add(r *result) {
	a, b := &t.counts, &r.counts
	for _, p := range [...]struct{ to, from *int }{
		{&a.steps, &b.steps}, {&a.sessions, &b.sessions}, {&a.transactions, &b.transactions}, {&a.events, &b.events}, {&a.repeats, &b.repeats},
		{&a.samples, &b.samples}, {&a.powerCuts, &b.powerCuts}, {&a.writeCuts, &b.writeCuts}, {&a.kills, &b.kills}, {&a.guardRestarts, &b.guardRestarts},
		{&a.boots, &b.boots}, {&a.networkCut, &b.networkCut}, {&a.faults, &b.faults}, {&a.checks, &b.checks}, {&a.requests, &b.requests},
		{&a.heals, &b.heals}, {&a.deadLetters, &b.deadLetters}, {&a.thinned, &b.thinned}, {&a.resumed, &b.resumed},
		{&a.profiles, &b.profiles}, {&a.inventories, &b.inventories}, {&a.composites, &b.composites}, {&a.reservations, &b.reservations},
	} {
		*p.to += *p.from
	}
	a.virtual += b.virtual
	t.cpu += r.cpu
	t.stories++
	t.worst.worse(&r.flat)
}

// speed is station-years in a minute of CPU.
func (t *total) speed() float64 { return t.years() / t.cpu.Minutes() }

func (t *total) String() string {
	c := &t.counts
	return fmt.Sprintf("%d seeds, %.2f station-years, %.1f a CPU minute: %d sessions, %d transactions, %d events (%d told again, %d samples), %d power cuts (%d in a write), %d kills, %d lost connections, %d troubles, %d profiles, %d reservations, %d demands for liveness, %d checks, 0 broken",
		t.stories, t.years(), t.speed(), c.sessions, c.transactions, c.events, c.repeats, c.samples, c.powerCuts, c.writeCuts, c.kills, c.networkCut, c.faults, c.profiles, c.reservations, c.heals, c.checks)
}

// figures writes years.tsv into a folder, if one is named.
func (t *total) figures(dir string) error {
	if dir == "" {
		return nil
	}
	c := &t.counts
	var b strings.Builder
	row := func(name string, value any, unit, meaning string) {
		fmt.Fprintf(&b, "%s\t%v\t%s\t%s\n", name, value, unit, meaning)
	}
	row("seeds", t.stories, "seeds", "stations that were simulated, each with circumstances of its own")
	row("station-years", fmt.Sprintf("%.2f", t.years()), "years", "virtual time of all stations together")
	row("speed", fmt.Sprintf("%.1f", t.speed()), "station-years per CPU minute", "how fast virtual time went by")
	row("sessions", c.sessions, "sessions", "drivers who came")
	row("transactions", c.transactions, "transactions", "that the CSMS heard of")
	row("events", c.events, "events", "transaction events that the CSMS took, repetitions not counted")
	row("repeats", c.repeats, "events", "that came again, unchanged")
	row("power-cuts", c.powerCuts, "cuts", "of the mains, at any instant")
	row("write-cuts", c.writeCuts, "cuts", "of these within a write, with any subset of unsynced sectors kept")
	row("kills", c.kills, "kills", "of the process")
	row("guard-restarts", c.guardRestarts, "restarts", "of the guard alone")
	row("connections-lost", c.networkCut, "connections", "that ended")
	row("faults", c.faults, "troubles", "of network, CSMS, clock, flash, power, process, board, cars and operators")
	row("profiles", c.profiles, "profiles", "charging profiles that were accepted")
	row("inventories", c.inventories, "inventories", "of all charging profiles, held against what was accepted and cleared")
	row("composites", c.composites, "schedules", "composite schedules, held against what was accepted")
	row("reservations", c.reservations, "reservations", "that were accepted")
	row("liveness", c.heals, "demands", "everything healed: connected, queue drained, status right within the hour")
	row("checks", c.checks, "checks", "of invariants I1 to I14")
	row("broken", 0, "invariants", "broken; a run that breaks one ends there, and that station does not count")
	row("heap-slope", fmt.Sprintf("%.0f", t.worst.slope/1024), "KiB per year", "steepest growth of the living heap of any station, from demand to demand")
	return os.WriteFile(filepath.Join(dir, "years.tsv"), []byte(b.String()), 0o644)
}
