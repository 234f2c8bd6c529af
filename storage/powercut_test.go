package storage

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/storage/faultfs"
)

// smallLog keeps the images of the power-cut tests small.
func smallLog(fs *faultfs.FS) Options {
	return Options{Files: fs, Segments: 2, SegmentSize: 68 * 4096}
}

// op is one step of a script.
type op struct {
	commit, note []station.Record
	checkpoint   bool
}

// twentyOps is a life in twenty operations: settings, a transaction, its acknowledgements, checkpoints in between.
func twentyOps() []op {
	key := func(id uint64) string { return station.ReportID(id).Key() }
	big := strings.Repeat("certificate ", 700)
	return []op{
		{commit: []station.Record{set(station.BucketVariable, "HeartbeatInterval", "60"), set(station.BucketMeta, "boots", "1")}},
		{commit: []station.Record{set(station.BucketTransaction, "t1", "started"), event(1, station.PhaseStarted, "t1", 0)}},
		{checkpoint: true},
		{commit: []station.Record{set(station.BucketTransaction, "t1", "charging"), event(2, station.PhaseUpdated, "t1", 1)}},
		{note: []station.Record{del(station.BucketOutbox, key(1))}},
		{note: []station.Record{event(3, station.PhaseUpdated, "t1", 2)}},
		{commit: []station.Record{set(station.BucketVariable, "HeartbeatInterval", "30"), event(4, station.PhaseUpdated, "t1", 3)}},
		{commit: []station.Record{set(station.BucketNetwork, "slot1", big), set(station.BucketReservation, "7", "promised")}},
		{checkpoint: true},
		{note: []station.Record{del(station.BucketOutbox, key(2)), set(station.BucketDialect, "t1", "77")}},
		{commit: []station.Record{del(station.BucketTransaction, "t1"), event(5, station.PhaseEnded, "t1", 4)}},
		{commit: []station.Record{del(station.BucketOutbox, key(3)), {Bucket: station.BucketDeadLetter, Key: key(3), Value: event(3, station.PhaseUpdated, "t1", 2).Value}}},
		{note: []station.Record{del(station.BucketOutbox, key(4))}},
		{checkpoint: true},
		{commit: []station.Record{set(station.BucketNetwork, "slot1", "small"), set(station.BucketAuthCache, "aa", "ok")}},
		{commit: []station.Record{del(station.BucketNetwork, "slot1"), del(station.BucketReservation, "7")}},
		{commit: []station.Record{set(station.BucketTransaction, "t2", "started"), event(6, station.PhaseStarted, "t2", 0)}},
		{note: []station.Record{del(station.BucketOutbox, key(5))}},
		{checkpoint: true},
		{commit: []station.Record{event(7, station.PhaseEnded, "t2", 1), del(station.BucketTransaction, "t2")}},
	}
}

// model is the plain map that the store must equal.
type model map[string]string

func (m model) apply(batch []station.Record) {
	for _, r := range batch {
		line := fmt.Sprintf("%v/%s=", r.Bucket, r.Key)
		delete(m, line)
		if r.Value != nil {
			m[line] = string(r.Value)
		}
	}
}

// states returns the dump after each operation, the empty one first.
func states(ops []op) []string {
	m := model{}
	out := []string{m.dump()}
	for _, o := range ops {
		m.apply(o.commit)
		m.apply(o.note)
		out = append(out, m.dump())
	}
	return out
}

func (m model) dump() string {
	var plain, outbox []string
	for k, v := range m {
		if strings.HasPrefix(k, "outbox/") {
			outbox = append(outbox, fmt.Sprintf("%s%q\n", k, v))
		} else {
			plain = append(plain, k+v+"\n")
		}
	}
	slices.Sort(outbox)
	slices.Sort(plain)
	return strings.Join(plain, "") + strings.Join(outbox, "")
}

// sorted makes two dumps comparable: buckets come in the order of their numbers, the model's in that of their names.
func sortedLines(dump string) string {
	lines := strings.SplitAfter(dump, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "")
}

func (o op) run(s *Store) error {
	switch {
	case o.checkpoint:
		return s.Checkpoint()
	case o.note != nil:
		return s.Note(o.note)
	}
	return s.Commit(o.commit)
}

// images are the two database files.
type images [2][]byte

func readImages(t *testing.T, dir string) (im images) {
	t.Helper()
	for i, name := range []string{settingsName, stateName} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		im[i] = b
	}
	return im
}

func (im images) write(t *testing.T, dir string) {
	t.Helper()
	for i, name := range []string{settingsName, stateName} {
		if im[i] == nil {
			continue
		}
		must(t, os.WriteFile(filepath.Join(dir, name), im[i], 0o600))
	}
}

// checkReopened opens what a power cut left and compares: the content is that after one of the operations from acked
// on up to the one that was cut.
func checkReopened(t *testing.T, what string, im images, fs *faultfs.FS, want []string) {
	t.Helper()
	dir := t.TempDir()
	im.write(t, dir)
	s, rep, err := Open(dir, smallLog(fs))
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	defer s.Abandon()
	if rep.Damaged() {
		t.Fatalf("%s: a power cut was taken for damage: %v", what, rep.Findings)
	}
	got := sortedLines(dump(t, s))
	if !slices.ContainsFunc(want, func(w string) bool { return sortedLines(w) == got }) {
		t.Fatalf("%s: got\n%s\nwant one of\n%s", what, got, strings.Join(want, "---\n"))
	}
	must(t, s.Commit([]station.Record{set(station.BucketMeta, "after", "cut")}))
}

// TestPowerCutAtEveryJournalWrite cuts the power in every call of the script, with all kinds of subsets of what was
// not synced.
func TestPowerCutAtEveryJournalWrite(t *testing.T) {
	rounds := 8
	if os.Getenv("EVSED_SOAK") != "" {
		rounds = 1000
	}
	ops := twentyOps()
	want := states(ops)
	cuts := 0
	for n := 1; ; n++ {
		fs := faultfs.New()
		fs.Plan(n, faultfs.Cut, nil)
		dir := t.TempDir()
		acked, at := runOps(dir, fs, ops)
		if !fs.Off() {
			break
		}
		im := readImages(t, dir)
		for round := 0; round < rounds; round++ {
			rng := rand.New(rand.NewPCG(uint64(n), uint64(round)))
			keep := func() bool { return round == 1 || round > 1 && rng.IntN(2) == 0 }
			cuts++
			checkReopened(t, fmt.Sprintf("call %d, operation %d, round %d", n, at, round), im, fs.Reboot(keep), want[acked:at+1])
			if fs.Unsynced() == 0 && round == 1 {
				break // nothing to choose
			}
		}
	}
	t.Logf("%d power cuts", cuts)
	if cuts < 300 {
		t.Errorf("only %d power cuts", cuts)
	}
}

// runOps runs the script until an error. acked is the number of operations that are durable for sure, at that of the
// one that was cut.
func runOps(dir string, fs *faultfs.FS, ops []op) (acked, at int) {
	s, _, err := Open(dir, smallLog(fs))
	if err != nil {
		return 0, 0
	}
	defer s.Abandon()
	for i, o := range ops {
		if err := o.run(s); err != nil {
			return acked, i + 1
		}
		if o.note == nil {
			acked = i + 1
		}
	}
	return acked, len(ops)
}

// TestPowerCutInCheckpoint goes through every checkpoint of the script one transaction at a time and builds images of
// the databases from subsets of the pages that each changed: bbolt writes data pages, syncs, writes one meta page,
// syncs.
func TestPowerCutInCheckpoint(t *testing.T) {
	rounds := 20
	if os.Getenv("EVSED_SOAK") != "" {
		rounds = 1000
	}
	ops := twentyOps()
	want := states(ops)
	fs, dir := faultfs.New(), t.TempDir()
	s, _ := mustOpen(t, dir, smallLog(fs))
	cuts := 0
	for i, o := range ops {
		if !o.checkpoint {
			must(t, o.run(s))
			continue
		}
		must(t, s.flush())
		seq, before := s.journal.Seq(), readImages(t, dir)
		settings, state := s.overlay.changes(true), s.overlay.changes(false)
		for n, step := range []func() error{
			func() error { return s.settings.write(seq, settings) },
			func() error { return s.settings.write(seq, nil) },
			func() error { return s.state.write(seq, state) },
			func() error { return s.state.write(seq, nil) },
		} {
			must(t, step())
			after := readImages(t, dir)
			for round := 0; round < rounds; round++ {
				rng := rand.New(rand.NewPCG(uint64(i*4+n), uint64(round)))
				im := images{torn(rng, before[0], after[0]), torn(rng, before[1], after[1])}
				cuts++
				checkReopened(t, fmt.Sprintf("checkpoint %d, step %d, round %d", i, n, round), im, fs.Reboot(func() bool { return false }), want[i+1:i+2])
			}
			before = after
		}
		must(t, s.Checkpoint()) // the same once more
	}
	t.Logf("%d power cuts", cuts)
}

// torn is a database file in the middle of an update.
func torn(rng *rand.Rand, before, after []byte) []byte {
	out := make([]byte, len(after)) // growing is synced before anything is written
	copy(out, before)
	metas := rng.IntN(3) == 0 // the data pages are all there, the meta page is being written
	for at := 0; at < len(after); at += pageSize {
		page := after[at : at+pageSize]
		switch {
		case bytes.Equal(out[at:at+pageSize], page):
		case at >= 2*pageSize && (metas || rng.IntN(2) == 0):
			copy(out[at:], page)
		case at < 2*pageSize && metas:
			for sector := 0; sector < pageSize; sector += faultfs.SectorSize {
				if rng.IntN(2) == 0 {
					copy(out[at+sector:at+sector+faultfs.SectorSize], page[sector:])
				}
			}
		}
	}
	return out
}
