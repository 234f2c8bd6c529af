package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// Goals of the guard, under load.
const (
	goalReaction9999 = 2 * time.Millisecond
	goalReactionMax  = 10 * time.Millisecond
	goalMaxima       = 10 // times as fast, the slowest of the one against the slowest of the other
)

// Decisions of each kind of guard: in less than a minute, or in an hour and a half where EVSED_SOAK is set.
const (
	decisions     = 10_000
	decisionsSoak = 1_000_000
	rigGuards     = 5
)

// reaction is how fast one kind of guard was.
type reaction struct {
	Decisions              int
	P50, P99, P9999, Max   time.Duration
	Change99, ChangeMax    time.Duration
	WithinCycle, CycleLess time.Duration
}

// reactionSection runs the rig, which is a program of its own.
func reactionSection(o options) (*section, error) {
	binary, err := buildStation(o, "", "")
	if err != nil {
		return nil, err
	}
	rig, err := filepath.Abs(filepath.Join(o.work, "rig"))
	if err != nil {
		return nil, err
	}
	build := exec.Command("go", "build", "-buildvcs=false", "-o", rig, "./scripts/rig")
	build.Dir = o.root
	if text, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build rig: %w: %s", err, text)
	}
	n := decisions
	if os.Getenv("EVSED_SOAK") != "" {
		n = decisionsSoak
	}
	run := exec.Command(rig, "-json", "-evsed", binary, "-decisions", strconv.Itoa(n), "-guards", strconv.Itoa(rigGuards))
	run.Stderr = os.Stderr
	text, err := run.Output()
	if err != nil {
		return nil, fmt.Errorf("run rig: %w", err)
	}
	var f struct {
		Own, Within   reaction
		Machine       struct{ P99, P9999, Max time.Duration }
		RatioOfMaxima float64
		Hogs          int
	}
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, fmt.Errorf("read what the rig found: %w", err)
	}
	s := reactionTable(f.Own, f.Within, f.RatioOfMaxima, f.Hogs)
	s.row("the machine itself", "", "", millis(f.Machine.P99), millis(f.Machine.P9999), millis(f.Machine.Max), "", "")
	return s, nil
}

func reactionTable(own, within reaction, ratio float64, hogs int) *section {
	s := &section{
		title: "The guard's reaction",
		about: fmt.Sprintf("A vehicle leaves C: from the end of the debounce by the guard's own timetable to the command that opens the contactor. The\n"+
			"vehicles are played by a third process through shared memory. %d guards of each kind with 64 connectors, the same vehicles\n"+
			"in the same run; %d processes do nothing but turn, and the agent, in which the one kind runs and whose children the others\n"+
			"are, makes garbage all the time. The last columns count from the vehicle's change and have the debounce of up to 15 ms in them.\n"+
			"The last row is what the machine itself adds: threads that come before all others only sleep, and look how late they are woken.", rigGuards, hogs),
		head: []string{"guard", "decisions", "p50", "p99", "p99.99", "max", "change to command p99", "max"},
	}
	for _, r := range []struct {
		name string
		reaction
	}{{"evsed guard, a process of its own", own}, {"within the agent", within}} {
		s.row(r.name, fmt.Sprint(r.Decisions), millis(r.P50), millis(r.P99), millis(r.P9999), millis(r.Max), millis(r.Change99), millis(r.ChangeMax))
	}
	s.goal(own.P9999 <= goalReaction9999, "reaction, 9999 of 10000", "<= 2 ms", "%s", millis(own.P9999))
	s.goal(own.Max <= goalReactionMax, "reaction, max", "<= 10 ms", "%s", millis(own.Max))
	s.goal(ratio >= goalMaxima, "reaction, max within the agent", ">= 10 x", "%.0f x", ratio)
	return s
}

func millis(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d)/1e6) }
