package storage_test

import (
	"syscall"
	"testing"
	"time"
)

// TestStorms lets stations live random lives on a device that fails, fills up, becomes slow and loses its power, several of
// it at once. Behind each storm the world is healed: the storage is well by itself, and the books are audited. EVSED_CUTS
// says how many cuts.
func TestStorms(t *testing.T) {
	cuts, refusedStarts, ills := 0, 0, 0
	for seed := firstSeed(); cuts < count("EVSED_CUTS", 1600, soakCuts)/32; seed++ {
		w := newWorld(t, 5000+seed)
		stormyLife(w, &ills)
		if w.err != nil {
			t.Fatalf("seed %d: %v", seed, w.err)
		}
		cuts, refusedStarts = cuts+w.disk.cuts, refusedStarts+w.refusedStarts
		w.remove()
	}
	t.Logf("%d cuts, %d times ill, %d starts had to wait for the device", cuts, ills, refusedStarts)
	figures(t, append([]figure{{"storms: power cuts", cuts, "", "in random lives on a device that fails, fills up and becomes slow"},
		{"storms: illnesses", ills, "", "EIO, EROFS, ENOSPC, a full device with and without its reserve, syncs of 5 s"}}, kept("storms")...)...)
}

// stormyLife is a life of five storms.
func stormyLife(w *world, ills *int) {
	w.line.wanted = true
	w.storm = true
	for range 5 {
		w.boot()
		for range 40 {
			if w.err != nil {
				return
			}
			w.weather(ills)
			if w.runner == nil {
				w.advance(time.Minute) // who starts it waits
				w.boot()
				continue
			}
			w.tell(w.random())
		}
		w.ill(nil)
		w.roomy()
		w.keeper.slow = false
		w.disk.arm(0, w.disk.keep)
		w.boot()
		w.advance(3 * time.Minute)
		w.boot()
		w.advance(3 * time.Minute)
		if w.err == nil && w.state != "" {
			w.fail("the device is well, the storage says %q", w.state)
		}
		w.audit()
	}
}

// weather makes the device better or worse.
func (w *world) weather(ills *int) {
	switch n := w.rng.IntN(24); n {
	case 0, 1, 2:
		w.ill([]error{syscall.EIO, syscall.EROFS, syscall.ENOSPC}[n])
		*ills++
	case 3, 4:
		w.full(n == 3)
		*ills++
	case 5:
		w.keeper.slow = !w.keeper.slow
		*ills++
	case 6, 7, 8, 9:
		w.ill(nil)
	case 10, 11, 12:
		w.roomy()
	case 13, 14, 15, 16:
		share := w.rng.IntN(5)
		w.disk.arm(w.disk.writes+1+w.rng.IntN(30), func() bool { return w.rng.IntN(4) < share })
	}
}
