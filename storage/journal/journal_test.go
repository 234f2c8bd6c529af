package journal_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/evsed/evsed/storage/faultfs"
	"github.com/evsed/evsed/storage/journal"
)

// small is the smallest log.
var small = journal.Options{Segments: 2, SegmentSize: 68 * journal.BlockSize}

// payload is a batch that tells its number and attempt.
func payload(n uint64, attempt, size int) []byte {
	head := fmt.Sprintf("batch %d.%d ", n, attempt)
	return append([]byte(head), bytes.Repeat([]byte{byte(n), byte(attempt)}, size/2)...)
}

// sizes of the script: one cell, exactly one, just over, several blocks.
var sizes = []int{10, 400, 1990, 2100, 9000, 300, 4060, 64000}

type replayed struct {
	seq  uint64
	data string
}

func replay(t *testing.T, fs journal.FS, after uint64) (*journal.Journal, journal.Report, []replayed) {
	t.Helper()
	j, rep, err := journal.Open(fs, small, after)
	if err != nil {
		t.Fatal(err)
	}
	var got []replayed
	if err := j.Replay(func(seq uint64, p []byte) error {
		got = append(got, replayed{seq, string(p)})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return j, rep, got
}

func appendN(t *testing.T, j *journal.Journal, n int) (last uint64) {
	t.Helper()
	for i := 0; i < n; i++ {
		var err error
		if last, err = j.Append(payload(j.Seq()+1, 0, sizes[i%len(sizes)])); err != nil {
			t.Fatal(err)
		}
	}
	return last
}

func TestReplayInOrder(t *testing.T) {
	for _, fs := range []journal.FS{faultfs.New(), journal.Dir(t.TempDir())} {
		j, rep, got := replay(t, fs, 0)
		if !rep.Fresh || len(got) > 0 {
			t.Errorf("fresh log: %+v, %d batches", rep, len(got))
		}
		appendN(t, j, 12)
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		_, rep, got = replay(t, fs, 3)
		if rep != (journal.Report{First: 4, Last: 12}) {
			t.Errorf("report %+v", rep)
		}
		for i, r := range got {
			n := uint64(i + 4)
			if r.seq != n || r.data != string(payload(n, 0, sizes[(n-1)%8])) {
				t.Errorf("batch %d is number %d with %d bytes", n, r.seq, len(r.data))
			}
		}
	}
}

func TestFullUntilReleased(t *testing.T) {
	j, _, _ := replay(t, faultfs.New(), 0)
	var err error
	for err == nil {
		_, err = j.Append(make([]byte, 20000))
	}
	if !errors.Is(err, journal.ErrFull) {
		t.Fatalf("error %v", err)
	}
	last := j.Seq()
	if j.Room() >= 6 {
		t.Errorf("full with room for %d blocks", j.Room())
	}
	j.Release(last)
	for i := 0; i < 100; i++ {
		n, err := j.Append(make([]byte, 20000))
		if err != nil || n != last+1 {
			t.Fatalf("append after release: %d, %v", n, err)
		}
		last = n
		j.Release(n)
	}
	if _, err := j.Append(make([]byte, journal.MaxBatch+1)); !errors.Is(err, journal.ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
	if _, err := j.Append(make([]byte, journal.MaxBatch)); err != nil {
		t.Errorf("largest: %v", err)
	}
}

// TestPowerCutAtEveryCall cuts the power at every call of a script that goes round the segments, and keeps random
// subsets of the unsynced sectors. What comes back is an unbroken run of batches that has all acknowledged ones.
func TestPowerCutAtEveryCall(t *testing.T) {
	rounds := 6
	if os.Getenv("EVSED_SOAK") != "" {
		rounds = 300
	}
	cuts := 0
	for n := 1; ; n++ {
		fs := faultfs.New()
		fs.Plan(n, faultfs.Cut, nil)
		acked, released := script(fs)
		if !fs.Off() {
			break
		}
		for round := 0; round < rounds; round++ {
			rng := rand.New(rand.NewPCG(uint64(n), uint64(round)))
			keep := func() bool { return rng.IntN(2) == 0 }
			switch round {
			case 0:
				keep = func() bool { return false }
			case 1:
				keep = func() bool { return true }
			}
			cuts++
			checkPrefix(t, fs.Reboot(keep), acked, released, fmt.Sprintf("call %d round %d", n, round))
		}
	}
	t.Logf("%d power cuts", cuts)
}

// script appends 40 batches and releases now and then; it stops at the first error.
func script(fs journal.FS) (acked, released uint64) {
	j, _, err := journal.Open(fs, small, 0)
	if err != nil {
		return 0, 0
	}
	for i := 0; i < 40; i++ {
		n, err := j.Append(payload(j.Seq()+1, 0, sizes[i%len(sizes)]))
		if err != nil {
			return acked, released
		}
		acked = n
		if i%9 == 8 {
			released = n
			j.Release(n)
		}
	}
	return acked, released
}

func checkPrefix(t *testing.T, fs *faultfs.FS, acked, released uint64, what string) {
	t.Helper()
	j, rep, got := replay(t, fs, released)
	if rep.Lost > 0 || rep.Missing {
		t.Fatalf("%s: report %+v", what, rep)
	}
	last := released
	for _, r := range got {
		if r.seq != last+1 || r.data != string(payload(r.seq, 0, sizes[(r.seq-1)%8])) {
			t.Fatalf("%s: batch %d after %d has the wrong content", what, r.seq, last)
		}
		last = r.seq
	}
	if last < acked {
		t.Fatalf("%s: %d was acknowledged, replayed up to %d", what, acked, last)
	}
	// The log goes on, and the next start finds nothing wrong.
	n, err := j.Append(payload(last+1, 1, 5000))
	if err != nil || n != last+1 {
		t.Fatalf("%s: append: %d, %v", what, n, err)
	}
	_, rep, got = replay(t, fs.Reboot(func() bool { return false }), released)
	if rep.Cut || rep.Lost > 0 || len(got) == 0 || got[len(got)-1].data != string(payload(n, 1, 5000)) {
		t.Fatalf("%s: after one more batch: %+v, %d batches", what, rep, len(got))
	}
}

// TestFailedCallsLoseNothing fails the n-th call once, in each way, and goes on.
func TestFailedCallsLoseNothing(t *testing.T) {
	for _, kind := range []faultfs.Kind{faultfs.Fail, faultfs.Torn} {
		for n := 1; n < 140; n++ {
			fs := faultfs.New()
			fs.Plan(n, kind, syscall.EIO)
			j, _, err := journal.Open(fs, small, 0)
			if err != nil {
				if j, _, err = journal.Open(fs, small, 0); err != nil {
					t.Fatalf("call %d: second open: %v", n, err)
				}
			}
			var want []string
			for i := 0; i < 12; i++ {
				for attempt := 0; ; attempt++ {
					p := payload(j.Seq()+1, attempt, sizes[(i+attempt)%len(sizes)])
					if _, err := j.Append(p); err == nil {
						want = append(want, string(p))
						break
					} else if !errors.Is(err, syscall.EIO) || attempt > 1 {
						t.Fatalf("call %d: %v", n, err)
					}
				}
			}
			_, rep, got := replay(t, fs.Reboot(func() bool { return false }), 0)
			if rep.Lost > 0 || !slices.EqualFunc(got, want, func(r replayed, w string) bool { return r.data == w }) {
				t.Fatalf("kind %d call %d: %+v, %d batches of %d", kind, n, rep, len(got), len(want))
			}
		}
	}
}

// TestDamageIsNeverBelieved zeroes and flips sectors and blocks of a log at rest: every batch that is replayed is
// right, and one that is missing is reported.
func TestDamageIsNeverBelieved(t *testing.T) {
	rounds := 400
	if os.Getenv("EVSED_SOAK") != "" {
		rounds = 10000
	}
	base := faultfs.New()
	j, _, _ := replay(t, base, 0)
	last := appendN(t, j, 30)
	repaired, lost, cut := 0, 0, 0
	for round := 0; round < rounds; round++ {
		rng := rand.New(rand.NewPCG(7, uint64(round)))
		fs := base.Reboot(func() bool { return true })
		size := []int{faultfs.SectorSize, journal.BlockSize, 1}[rng.IntN(3)]
		at := rng.IntN(int(small.SegmentSize)/size) * size
		if err := fs.Damage("journal-0", func(b []byte) {
			part := b[at : at+size]
			if size == 1 {
				part[0] ^= 1 << rng.IntN(8)
				return
			}
			clear(part)
		}); err != nil {
			t.Fatal(err)
		}
		_, rep, got := replay(t, fs, 0)
		for _, r := range got {
			if r.data != string(payload(r.seq, 0, sizes[(r.seq-1)%8])) {
				t.Fatalf("round %d: batch %d is wrong", round, r.seq)
			}
		}
		if len(got) < int(last) && rep.Lost == 0 && !rep.Cut {
			t.Fatalf("round %d: %d of %d batches and no word of it: %+v", round, len(got), last, rep)
		}
		repaired += rep.Repaired
		lost += rep.Lost
		if rep.Cut {
			cut++
		}
	}
	if repaired == 0 || lost == 0 {
		t.Errorf("%d repaired, %d lost, %d cut: the test did not reach them", repaired, lost, cut)
	}
}

func TestLyingDeviceIsFound(t *testing.T) {
	for _, kind := range []faultfs.Kind{faultfs.Lost, faultfs.Misplaced} {
		fs := faultfs.New()
		j, _, _ := replay(t, fs, 0)
		appendN(t, j, 5)
		fs.Plan(fs.Calls()+1, kind, nil)
		appendN(t, j, 1)
		appendN(t, j, 5)
		_, rep, got := replay(t, fs.Reboot(func() bool { return true }), 0)
		if rep.Lost != 1 || rep.FirstLost != 6 || len(got) != 10 {
			t.Errorf("kind %d: %+v, %d batches", kind, rep, len(got))
		}
	}
}

func TestOlderIsTheUnbrokenRun(t *testing.T) {
	fs := faultfs.New()
	j, _, _ := replay(t, fs, 0)
	appendN(t, j, 20)
	j, _, err := journal.Open(fs, small, 15)
	if err != nil {
		t.Fatal(err)
	}
	var seqs []string
	if err := j.Older(func(seq uint64, _ []byte) error { seqs = append(seqs, fmt.Sprint(seq)); return nil }); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(seqs, " "); !strings.HasPrefix(got, "1 2 3") || !strings.HasSuffix(got, "14 15") {
		t.Errorf("older: %s", got)
	}
	if _, rep, _ := replay(t, fs, 25); !rep.Missing {
		t.Errorf("log that ends before the checkpoint: %+v", rep)
	}
	if _, rep, got := replay(t, fs, journal.Unknown); rep.First != 1 || len(got) != 20 {
		t.Errorf("unknown checkpoint: %+v, %d batches", rep, len(got))
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, o := range []journal.Options{{Segments: 1}, {Segments: 65}, {SegmentSize: 4096}, {SegmentSize: 1<<20 + 1}} {
		if _, _, err := journal.Open(faultfs.New(), o, 0); err == nil {
			t.Errorf("options %+v are taken", o)
		}
	}
}

func TestDirRefusesPaths(t *testing.T) {
	d := journal.Dir(t.TempDir())
	for _, name := range []string{"", "..", "a/b", "/x"} {
		if _, err := d.Open(name); !errors.Is(err, journal.ErrName) {
			t.Errorf("open %q: %v", name, err)
		}
	}
}

func TestSegmentsThatAreGoneAreReported(t *testing.T) {
	for _, hurt := range []func(fs *faultfs.FS) error{
		func(fs *faultfs.FS) error { return fs.Remove("journal-0") },
		func(fs *faultfs.FS) error {
			f, err := fs.Open("journal-0")
			if err != nil {
				return err
			}
			return f.Truncate(5000)
		},
	} {
		fs := faultfs.New()
		j, _, _ := replay(t, fs, 0)
		appendN(t, j, 3)
		j.Release(j.Seq())
		for j.Seq() < 60 {
			appendN(t, j, 1)
			j.Release(j.Seq())
		}
		if err := hurt(fs); err != nil {
			t.Fatal(err)
		}
		if _, rep, _ := replay(t, fs, 40); rep.Renewed != 1 {
			t.Errorf("report %+v", rep)
		}
		if _, rep, _ := replay(t, fs, 40); rep.Renewed != 0 {
			t.Errorf("second report %+v", rep)
		}
	}
}

func TestDamagedOnlyBatchIsReported(t *testing.T) {
	fs := faultfs.New()
	j, _, _ := replay(t, fs, 0)
	appendN(t, j, 1)
	if err := fs.Damage("journal-0", func(b []byte) { b[100]++; b[2100]++ }); err != nil {
		t.Fatal(err)
	}
	if _, rep, got := replay(t, fs, 0); !rep.Cut || len(got) != 0 {
		t.Errorf("report %+v, %d batches", rep, len(got))
	}
}
