package storage

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/storage/journal"
)

// BenchmarkDurable makes one event of 400 bytes durable in four ways, in turn in one run: a bare write and fdatasync
// of a block in a file that is all written already (the limit), the journal, the store with its checkpoints, and a
// bbolt update. It reports medians and the ratios to the limit.
func BenchmarkDurable(b *testing.B) {
	dir := b.TempDir()
	bare, err := os.Create(filepath.Join(dir, "bare"))
	fail(b, err)
	const blocks = 512
	_, err = bare.WriteAt(make([]byte, blocks*journal.BlockSize), 0)
	fail(b, err)
	fail(b, bare.Sync())
	block := make([]byte, journal.BlockSize)

	jdir := filepath.Join(dir, "journal")
	fail(b, os.Mkdir(jdir, 0o700))
	j, _, err := journal.Open(journal.Dir(jdir), journal.Options{}, 0)
	fail(b, err)

	s, _, err := Open(filepath.Join(dir, "store"), Options{})
	fail(b, err)
	defer s.Abandon()

	db, err := bbolt.Open(filepath.Join(dir, "bolt"), 0o600, &bbolt.Options{PageSize: pageSize, FreelistType: bbolt.FreelistMapType})
	fail(b, err)
	defer db.Close()

	value := make([]byte, 400)
	ways := []struct {
		name string
		do   func(n int) error
		took []time.Duration
	}{
		{name: "limit", do: func(n int) error {
			if _, err := bare.WriteAt(block, int64(n%blocks)*journal.BlockSize); err != nil {
				return err
			}
			return unix.Fdatasync(int(bare.Fd()))
		}},
		{name: "journal", do: func(int) error {
			n, err := j.Append(value)
			j.Release(n)
			return err
		}},
		{name: "store", do: func(n int) error {
			r := event(uint64(n+1), station.PhaseUpdated, "7b1d7b4e-6a1c-4a52-9d3b-2f2f9c1f0b11", n)
			r.Value = append(r.Value, value...)
			batch := []station.Record{r}
			if n > 8 {
				batch = append(batch, del(station.BucketOutbox, station.ReportID(n-8).Key()))
			}
			return s.Commit(batch)
		}},
		{name: "bbolt", do: func(n int) error {
			return db.Update(func(tx *bbolt.Tx) error {
				bucket, err := tx.CreateBucketIfNotExists([]byte("outbox"))
				if err != nil {
					return err
				}
				return bucket.Put([]byte(fmt.Sprintf("%016x", n)), value)
			})
		}},
	}
	b.ResetTimer()
	for n := 0; n < b.N; n++ {
		for i := range ways {
			start := time.Now()
			fail(b, ways[i].do(n))
			ways[i].took = append(ways[i].took, time.Since(start))
		}
	}
	b.StopTimer()
	limit := time.Duration(0)
	for _, w := range ways {
		slices.Sort(w.took)
		median := w.took[len(w.took)/2]
		if w.name == "limit" {
			limit = max(median, 1)
		}
		b.ReportMetric(float64(median.Nanoseconds()), w.name+"-p50-ns")
		b.ReportMetric(float64(median)/float64(limit), w.name+"/limit")
	}
}

func fail(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// BenchmarkOpenFullOutbox starts a store whose outbox holds 100,000 events of 400 bytes, and reads the head.
func BenchmarkOpenFullOutbox(b *testing.B) {
	dir := b.TempDir()
	s, _, err := Open(dir, Options{CheckpointRecords: 4096})
	fail(b, err)
	for id := uint64(1); id <= 100_000; {
		var batch []station.Record
		for i := 0; i < 256; i++ {
			r := event(id, station.PhaseUpdated, fmt.Sprintf("transaction-%06d", id/100), int(id%100))
			r.Value = append(r.Value, make([]byte, 400)...)
			batch = append(batch, r)
			id++
		}
		fail(b, s.Commit(batch))
	}
	fail(b, s.Close())
	b.ResetTimer()
	for n := 0; n < b.N; n++ {
		s, rep, err := Open(dir, Options{})
		fail(b, err)
		if head, err := s.Head("", HeadWindow); err != nil || len(head) != HeadWindow || len(rep.Findings) > 0 {
			b.Fatalf("head of %d, %v, %v", len(head), err, rep.Findings)
		}
		s.Abandon()
	}
}

// BenchmarkHead reads the next entry of an outbox of 10,000.
func BenchmarkHead(b *testing.B) {
	s, _, err := Open(b.TempDir(), Options{})
	fail(b, err)
	defer s.Abandon()
	for id := uint64(1); id <= 10_000; id++ {
		fail(b, s.Note([]station.Record{event(id, station.PhaseUpdated, "t", int(id))}))
	}
	fail(b, s.Commit(nil))
	after := ""
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n++ {
		es, err := s.Head(after, 1)
		fail(b, err)
		if after = ""; len(es) > 0 {
			after = es[0].Key
		}
	}
}
