package storage

import (
	"fmt"
	"strings"
	"testing"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// dump is the whole durable content of a store, one line a record, the outbox included.
func dump(t *testing.T, s *Store) string {
	t.Helper()
	var b strings.Builder
	err := s.Load(func(r station.Record) error {
		fmt.Fprintf(&b, "%v/%s=%s\n", r.Bucket, r.Key, r.Value)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for after := ""; ; {
		es, err := s.Head(after, HeadWindow)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range es {
			fmt.Fprintf(&b, "outbox/%s=%q\n", e.Key, e.Value)
			after = e.Key
		}
		if len(es) == 0 {
			return b.String()
		}
	}
}

func mustOpen(t *testing.T, dir string, o Options) (*Store, Report) {
	t.Helper()
	s, rep, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Abandon)
	return s, rep
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func set(b station.Bucket, key, value string) station.Record {
	return station.Record{Bucket: b, Key: key, Value: []byte(value)}
}

func del(b station.Bucket, key string) station.Record { return station.Record{Bucket: b, Key: key} }

// event is an outbox entry that tells a phase of a transaction.
func event(id uint64, phase station.Phase, tx string, seq int) station.Record {
	v := station.OutboxHeader{Phase: phase, Transaction: term.TransactionID(tx), SeqNo: seq}.AppendTo(nil)
	return station.Record{Bucket: station.BucketOutbox, Key: station.ReportID(id).Key(), Value: append(v, "body"...)}
}

func TestCommitSurvivesRestart(t *testing.T) {
	for _, end := range []string{"abandon", "close", "checkpoint"} {
		t.Run(end, func(t *testing.T) {
			dir := t.TempDir()
			s, rep := mustOpen(t, dir, Options{})
			if !rep.Fresh || len(rep.Findings) > 0 {
				t.Errorf("first open: %+v", rep)
			}
			must(t, s.Commit([]station.Record{set(station.BucketVariable, "a", "1"), set(station.BucketEVSE, "1", "x"), event(1, station.PhaseStarted, "t", 0)}))
			must(t, s.Commit([]station.Record{set(station.BucketVariable, "a", "2"), del(station.BucketEVSE, "1"), event(2, station.PhaseEnded, "t", 1)}))
			if end == "checkpoint" {
				must(t, s.Checkpoint())
			}
			must(t, s.Commit([]station.Record{set(station.BucketNetwork, "n", "")}))
			want := dump(t, s)
			if end == "close" {
				must(t, s.Close())
			}
			s.Abandon()
			s, rep = mustOpen(t, dir, Options{})
			if rep.Fresh || len(rep.Findings) > 0 {
				t.Errorf("second open: %+v", rep)
			}
			if got := dump(t, s); got != want || !strings.Contains(got, "variable/a=2\nnetwork/n=\n") {
				t.Errorf("got\n%swant\n%s", got, want)
			}
			if !s.Queued("t") || s.Queued("u") || s.OutboxLen() != 2 || s.OutboxLast() != station.ReportID(2).Key() {
				t.Errorf("outbox: queued %v, len %d, last %s", s.Queued("t"), s.OutboxLen(), s.OutboxLast())
			}
			must(t, s.Commit([]station.Record{del(station.BucketOutbox, station.ReportID(1).Key()), del(station.BucketOutbox, station.ReportID(2).Key())}))
			if s.Queued("t") || s.OutboxLen() != 0 {
				t.Errorf("outbox after the acknowledgements: queued %v, len %d", s.Queued("t"), s.OutboxLen())
			}
			must(t, s.Close())
			s, _ = mustOpen(t, dir, Options{})
			if s.OutboxLast() != station.ReportID(2).Key() {
				t.Errorf("highest key of an empty outbox is %q", s.OutboxLast())
			}
		})
	}
}

func TestSecondProcessIsRefused(t *testing.T) {
	dir := t.TempDir()
	mustOpen(t, dir, Options{})
	if _, _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("second open: %v", err)
	}
}
