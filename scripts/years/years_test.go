package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// retold tells a story of a plan in a folder of its own.
func retold(t *testing.T, p *plan, long time.Duration, file *bytes.Buffer) *result {
	t.Helper()
	dir, err := os.MkdirTemp(scratch(), "years")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	var r *result
	if file == nil {
		r, err = story(p, filepath.Join(dir, "state"), long, nil)
	} else {
		r, err = story(p, filepath.Join(dir, "state"), long, file)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestShortStories: some days of many stations, each with circumstances of its own.
func TestShortStories(t *testing.T) {
	n := uint64(24)
	if testing.Short() {
		n = 8
	}
	sum := newTotal()
	for seed := uint64(1); seed <= n; seed++ {
		p := newPlan(seed)
		p.sessions, p.trouble, p.cruise = 8, 3*time.Hour, max(p.cruise, 15*time.Second)
		r := retold(t, p, 3*day, nil)
		if r.breach != nil {
			t.Errorf("seed %d: %v\n%s", seed, r.breach, r.tail)
		}
		sum.add(r)
	}
	t.Log(sum)
	c := &sum.counts
	for name, n := range map[string]int{"transactions": c.transactions, "events": c.events, "repeats": c.repeats, "power cuts": c.powerCuts, "cuts in a write": c.writeCuts,
		"kills": c.kills, "restarts of the guard": c.guardRestarts, "lost connections": c.networkCut, "requests": c.requests, "demands": c.heals,
		"charging profiles": c.profiles, "inventories of them": c.inventories, "composite schedules": c.composites, "reservations": c.reservations} {
		if n == 0 && !testing.Short() {
			t.Errorf("the stories do not get around: no %s", name)
		}
	}
}

// TestSameSeedSameTrace (I13): the same seed gives the same trace, byte for byte; another one gives another.
func TestSameSeedSameTrace(t *testing.T) {
	for _, seed := range []uint64{3, 12, 30} {
		var a, b, c bytes.Buffer
		one, two, other := retold(t, newPlan(seed), 4*day, &a), retold(t, newPlan(seed), 4*day, &b), retold(t, newPlan(seed+1000), day, &c)
		if !bytes.Equal(a.Bytes(), b.Bytes()) {
			t.Errorf("seed %d: two traces: %s", seed, difference(a.Bytes(), b.Bytes()))
		}
		if one.hash != two.hash || one.hash == other.hash {
			t.Errorf("seed %d: hashes %s, %s and, of another seed, %s", seed, one.hash, two.hash, other.hash)
		}
		if a.Len() < 1000 {
			t.Errorf("seed %d: a trace of %d bytes", seed, a.Len())
		}
	}
}

func difference(a, b []byte) string {
	x, y := bytes.Split(a, []byte("\n")), bytes.Split(b, []byte("\n"))
	for i := 0; i < len(x) && i < len(y); i++ {
		if !bytes.Equal(x[i], y[i]) {
			return fmt.Sprintf("line %d: %.200q and %.200q", i+1, x[i], y[i])
		}
	}
	return fmt.Sprintf("%d and %d lines", len(x), len(y))
}

// TestSeedsThatFoundSomething: each of these stories once broke an invariant.
func TestSeedsThatFoundSomething(t *testing.T) {
	administered := func(p *plan) {
		p.kinds, p.sessions, p.trouble, p.cruise, p.heal = kindAdmin, 12, time.Hour, time.Minute, 30*day
		p.set("TxStartPoint", "Authorized")
	}
	before := func(p *plan) { p.kinds &^= kindSmart | kindReserve } // what was not there when they were found
	for _, was := range []struct {
		seed   uint64
		days   int
		change func(*plan)
		what   string
	}{
		{20, 1, before, "I7: a status that the CSMS answered with an error was never told again"},
		{18, 7, before, "I7: the same, found when all was healed"},
		{2, 3, administered, "I8: a card that began a transaction gave a connector out of service back"},
	} {
		p := newPlan(was.seed)
		if was.change != nil {
			was.change(p)
		}
		if r := retold(t, p, time.Duration(was.days)*day, nil); r.breach != nil {
			t.Errorf("seed %d (%s): %v\n%s", was.seed, was.what, r.breach, r.tail)
		}
	}
}
