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

// Decisions of each kind of guard: in six minutes, or in an hour where EVSED_SOAK is set.
const (
	decisions     = 100_000
	decisionsSoak = 1_000_000
	rigGuards     = 8
)

// reaction is how fast one kind of guard was.
type reaction struct {
	Decisions    int
	Sample, Wait struct{ P50, P99, P9999, Max time.Duration }
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
	s.row("the machine itself", "", "", millis(f.Machine.P99), millis(f.Machine.P9999), millis(f.Machine.Max))
	return s, nil
}

func reactionTable(own, within reaction, ratio float64, hogs int) *section {
	s := &section{
		title: "The guard's reaction",
		about: fmt.Sprintf("A vehicle leaves C: from the sample that completes the debounce to the command that opens the contactor. The vehicles are\n"+
			"played by a third process through shared memory. %d guards of each kind with 64 connectors, the same vehicles\n"+
			"in the same run; %d processes do nothing but turn, and the agent, in which the one kind runs and whose children the others\n"+
			"are, makes garbage all the time. The second rows count from the due end of the debounce: how late the sample was taken is in\n"+
			"them. The last row is what the machine itself adds to that: threads that come before all others only sleep, and look how\n"+
			"late they are woken.", rigGuards, hogs),
		head: []string{"guard", "decisions", "p50", "p99", "p99.99", "max"},
	}
	for _, r := range []struct {
		name string
		reaction
	}{{"evsed guard, a process of its own", own}, {"within the agent", within}} {
		s.row(r.name, fmt.Sprint(r.Decisions), millis(r.Sample.P50), millis(r.Sample.P99), millis(r.Sample.P9999), millis(r.Sample.Max))
		s.row("... with the wait for the sample", "", millis(r.Wait.P50), millis(r.Wait.P99), millis(r.Wait.P9999), millis(r.Wait.Max))
	}
	s.goal(own.Sample.P9999 <= goalReaction9999, "reaction, 9999 of 10000", "<= 2 ms", "%s", millis(own.Sample.P9999))
	s.goal(own.Sample.Max <= goalReactionMax, "reaction, max", "<= 10 ms", "%s", millis(own.Sample.Max))
	s.goal(ratio >= goalMaxima, "reaction, max within the agent", ">= 10 x", "%.0f x", ratio)
	return s
}

func millis(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d)/1e6) }
