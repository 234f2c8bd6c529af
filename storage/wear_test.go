package storage

import (
	"fmt"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/storage/faultfs"
)

// TestRowsThatChangeOftenAreOne: a row that is written over and over waits for a checkpoint once, until the journal
// needs its room.
func TestRowsThatChangeOftenAreOne(t *testing.T) {
	s, _ := mustOpen(t, t.TempDir(), Options{Files: faultfs.New()})
	n := 0
	for ; s.state.seq == 0 && n < 1000; n++ {
		must(t, s.Commit([]station.Record{set(station.BucketMeta, "a", fmt.Sprint(n))}))
	}
	if blocks := int(s.journal.Blocks()); n <= blocks/2 || n > blocks*3/4+1 || s.overlay.records != 0 {
		t.Errorf("checkpoint after %d batches of a journal of %d blocks, %d rows left", n, blocks, s.overlay.records)
	}
}

// TestGroupHasLastValues: what is superseded by a later batch of the same group does not reach the device.
func TestGroupHasLastValues(t *testing.T) {
	dir, fs := t.TempDir(), faultfs.New()
	s, _ := mustOpen(t, dir, Options{Files: fs})
	for i := range 10 {
		must(t, s.Note([]station.Record{event(uint64(i+1), station.PhaseUpdated, "t", i), set(station.BucketTransaction, "t", fmt.Sprint(i))}))
	}
	must(t, s.Note([]station.Record{set(station.BucketMeta, "a", "1"), set(station.BucketMeta, "a", "2")}))
	must(t, s.Note([]station.Record{del(station.BucketOutbox, station.ReportID(3).Key())}))
	must(t, s.Commit(nil))
	want := dump(t, s)
	s.Abandon()
	s, rep := mustOpen(t, dir, Options{Files: fs})
	if got := dump(t, s); got != want || rep.Replayed != 10+1+2 {
		t.Errorf("%d records replayed, content\n%swant\n%s", rep.Replayed, got, want)
	}
	if s.OutboxLen() != 9 || s.OutboxLast() != station.ReportID(10).Key() {
		t.Errorf("outbox of %d up to %s", s.OutboxLen(), s.OutboxLast())
	}
}

// TestOutboxPagesAreFull: entries come in at the end only, so no page need keep room.
func TestOutboxPagesAreFull(t *testing.T) {
	s, _ := mustOpen(t, t.TempDir(), Options{Files: faultfs.New()})
	for i := range 2000 {
		r := event(uint64(i+1), station.PhaseUpdated, "t", i)
		r.Value = append(r.Value, make([]byte, 400)...)
		must(t, s.Commit([]station.Record{r}))
	}
	must(t, s.Checkpoint())
	must(t, s.state.bolt.View(func(tx *bbolt.Tx) error {
		st := tx.Bucket(bucketName(station.BucketOutbox)).Stats()
		if used := 100 * st.LeafInuse / st.LeafAlloc; used < 85 {
			t.Errorf("%d%% of %d leaf pages are in use", used, st.LeafPageN)
		}
		return nil
	}))
}

// TestBothMetaPagesLeadToTheSameRows: losing the newer one brings nothing old back.
func TestBothMetaPagesLeadToTheSameRows(t *testing.T) {
	for newer := range 2 {
		dir := t.TempDir()
		s, _ := mustOpen(t, dir, Options{Files: faultfs.New()})
		must(t, s.Commit([]station.Record{set(station.BucketMeta, "a", "1")}))
		must(t, s.Checkpoint())
		must(t, s.Commit([]station.Record{set(station.BucketMeta, "a", "2")}))
		must(t, s.Checkpoint())
		want := dump(t, s)
		if _, err := s.state.fd.WriteAt(make([]byte, 64), int64(newer)*pageSize+16); err != nil {
			t.Fatal(err)
		}
		s.Abandon()
		s, _ = mustOpen(t, dir, Options{Files: faultfs.New()})
		if got := dump(t, s); got != want {
			t.Errorf("without meta page %d: %s, want %s", newer, got, want)
		}
	}
}
