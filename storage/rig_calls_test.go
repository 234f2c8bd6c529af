package storage_test

import (
	"math/rand/v2"
	"syscall"
	"testing"

	"github.com/evsed/evsed/storage/faultfs"
)

// faults are what may become of one call to the device. Those that lie are found out behind a power cut at the earliest.
var faults = []struct {
	name string
	faultfs.Fault
	lies bool
}{
	{"EIO", faultfs.Fault{Kind: faultfs.Fail, Err: syscall.EIO}, false},
	{"ENOSPC", faultfs.Fault{Kind: faultfs.Fail, Err: syscall.ENOSPC}, false},
	{"EROFS", faultfs.Fault{Kind: faultfs.Fail, Err: syscall.EROFS}, false},
	{"short", faultfs.Fault{Kind: faultfs.Short, Err: syscall.ENOSPC}, false},
	{"torn", faultfs.Fault{Kind: faultfs.Torn, Err: syscall.EIO}, false},
	{"silently torn", faultfs.Fault{Kind: faultfs.Torn}, true},
	{"lost", faultfs.Fault{Kind: faultfs.Lost}, true},
	{"late", faultfs.Fault{Kind: faultfs.Late}, true},
	{"misdirected", faultfs.Fault{Kind: faultfs.Misplaced}, true},
}

// TestEveryCallGoesWrong tells the twenty sessions with the n-th call to the device going wrong, for every n and in every
// way. A call that says so costs nothing: everything is told and billed. Behind a lie the power is cut: the station starts,
// and tells nothing that no meter showed. By default it takes a part of the calls; EVSED_CUTS asks for all.
func TestEveryCallGoesWrong(t *testing.T) {
	step := 37
	if count("EVSED_CUTS", 0, soakCuts) > 0 {
		step = 1
	}
	runs, lies, found := 0, 0, 0
	for i, story := range sessions {
		for k, fault := range faults {
			for n, calls := 1+(i+k)%step, 1<<30; n <= calls; n += step {
				w := wrongCall(t, uint64(i), story, n, fault.Fault, fault.lies)
				if w.err != nil {
					t.Fatalf("session %d, %s in call %d: %v", i, fault.name, n, w.err)
				}
				if calls = w.disk.calls; fault.lies {
					lies++
					if len(w.damage) > 0 {
						found++
					}
				}
				runs++
				w.remove()
			}
		}
	}
	figures(t, figure{"failing calls: calls", runs, "", "to the device that went wrong, the n-th of each session for every n, in nine ways"},
		figure{"failing calls: that said so", runs - lies, "", "EIO, ENOSPC, EROFS, short, torn: all is told and billed"},
		figure{"failing calls: lies", lies, "", "lost, late, torn or misdirected without a word, and the power cut: the station starts, tells no wrong value"})
	t.Logf("%d calls went wrong; %d of them lied and were cut, of which %d left damage that was found", runs, lies, found)
}

// wrongCall tells a session in which call n goes wrong.
func wrongCall(t *testing.T, seed uint64, story string, n int, fault faultfs.Fault, lies bool) *world {
	w := newWorld(t, seed)
	w.opts.CheckpointRecords = 6
	w.disk.script = func(c faultfs.Call) (faultfs.Fault, bool) {
		w.disk.calls++
		if w.disk.calls != n {
			return faultfs.Fault{}, false
		}
		if lies { // it comes out when the power goes, a few writes later
			rng := rand.New(rand.NewPCG(seed, uint64(n)))
			w.disk.cutAt = w.disk.writes + 1 + rng.IntN(12)
		}
		w.wronged = true
		return fault, true
	}
	w.disk.arm(0, func() bool { return true })
	w.deceived = lies
	tellSession(w, story)
	return w
}
