package storage_test

import (
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The counts that the rigs are judged by; make soak asks for them.
const (
	soakCuts   = 100_000
	soakImages = 10_000
)

// count returns the number that an environment variable asks for, else soak in a soak, else def.
func count(name string, def, soak int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	if os.Getenv("EVSED_SOAK") != "" {
		return soak
	}
	return def
}

// firstSeed is where the seeds of the random rigs begin: SEED, as in make soak SEED=7.
func firstSeed() uint64 {
	n, _ := strconv.ParseUint(os.Getenv("SEED"), 10, 64)
	return n
}

// tellSession tells a whole session; behind a power cut the power comes back and the story goes on.
func tellSession(w *world, story string) {
	w.line.wanted = true
	w.boot()
	for l := range strings.SplitSeq("advance 2s;"+story, ";") {
		if w.err != nil {
			return
		}
		if w.runner == nil {
			w.advance(3 * time.Second)
			w.boot()
		}
		w.tell(l)
	}
	w.audit()
}

// keeps are the choices of what of the unsynced a cut leaves.
func keeps(n uint64) []func() bool {
	rng := rand.New(rand.NewPCG(n, 5))
	return []func() bool{
		func() bool { return false },
		func() bool { return true },
		func() bool { return rng.IntN(2) == 0 },
	}
}

// TestTwentySessionsCutAtEveryWrite tells each of twenty sessions once without a cut, and then once for every write of it
// with the power going in that write. By default it takes a part of the writes; EVSED_CUTS asks for all.
func TestTwentySessionsCutAtEveryWrite(t *testing.T) {
	step, choices := 11, 1
	if count("EVSED_CUTS", 0, soakCuts) > 0 {
		step, choices = 1, 3
	}
	cuts, writes := 0, 0
	for i, story := range sessions {
		whole := newWorld(t, uint64(i))
		whole.opts.CheckpointRecords = 6
		whole.disk.arm(0, nil)
		tellSession(whole, story)
		if whole.err != nil {
			t.Fatalf("session %d without a cut: %v", i, whole.err)
		}
		if len(whole.csms.events) == 0 {
			t.Fatalf("session %d: no transaction", i)
		}
		whole.remove()
		writes += whole.disk.writes
		for n := 1 + i%step; n <= whole.disk.writes; n += step {
			for k, keep := range keeps(uint64(n))[3-choices:] {
				w := newWorld(t, uint64(i))
				w.opts.CheckpointRecords = 6
				w.disk.arm(n, keep)
				tellSession(w, story)
				if w.err != nil {
					t.Fatalf("session %d, write %d of %d, choice %d: %v", i, n, whole.disk.writes, k, w.err)
				}
				if w.disk.cutAt != 0 {
					t.Fatalf("session %d, write %d of %d: the power did not go", i, n, whole.disk.writes)
				}
				cuts++
				w.remove()
			}
		}
	}
	t.Logf("%d cuts in %d writes of %d sessions", cuts, writes, len(sessions))
	figures(t, append([]figure{{"every write: sessions", len(sessions), "", "each told once for every write of it, the power going in that write"},
		{"every write: writes", writes, "", "of journal, side files and database pages, the first start included"},
		{"every write: power cuts", cuts, "", "each write with nothing, everything and a random half of the unsynced sectors kept"}}, kept("every write")...)...)
}

// cutsOfLife is how often the power goes in the life of one station.
const cutsOfLife = 50

// TestRandomCuts lets stations live random lives in which the power goes at random writes, leaving random parts of what
// was not synced. EVSED_CUTS says how many cuts.
func TestRandomCuts(t *testing.T) {
	cuts, writes, repeats, told := 0, 0, 0, 0
	for seed := firstSeed(); cuts < count("EVSED_CUTS", 400, soakCuts); seed++ {
		w := cutLife(t, seed)
		if w.err != nil {
			t.Fatalf("seed %d: %v", seed, w.err)
		}
		cuts, writes, repeats, told = cuts+w.disk.cuts, writes+w.disk.writes, repeats+w.csms.repeats, told+len(w.csms.heard)
		w.remove()
	}
	t.Logf("%d cuts in %d writes; the CSMS heard %d messages, %d of them again", cuts, writes, told, repeats)
	figures(t, append([]figure{{"random cuts: power cuts", cuts, "", "at random writes of random lives, random sectors of the unsynced kept"},
		{"random cuts: messages", told, "", "kept messages that the CSMS heard"},
		{"random cuts: repeats", repeats, "", "told again, with the same content"}}, kept("random cuts")...)...)
}

// cutLife is a life with cutsOfLife cuts; every tenth time the world is healed and the books are audited.
func cutLife(t *testing.T, seed uint64) *world {
	w := newWorld(t, seed)
	w.line.wanted = true
	w.boot()
	for w.disk.cuts < cutsOfLife && w.err == nil {
		share := w.rng.IntN(5) // of the unsynced, that is there behind the cut
		w.disk.arm(w.disk.writes+1+w.rng.IntN(50), func() bool { return w.rng.IntN(4) < share })
		w.advance(3 * time.Second)
		w.boot()
		for w.err == nil && w.disk.cutAt != 0 {
			w.boot()
			w.tell(w.random())
		}
		if w.disk.cuts%10 == 0 {
			w.disk.arm(0, w.disk.keep)
			w.audit()
		}
	}
	w.disk.arm(0, w.disk.keep)
	w.audit()
	return w
}
