package storage

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/storage/faultfs"
)

func TestWriterSaysWhatIsDurable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fs, dir := faultfs.New(), t.TempDir()
		s, _, err := Open(dir, Options{Files: fs})
		must(t, err)
		w := s.Start()
		w.Tick(time.Now())
		synctest.Wait()
		calls := fs.Calls()
		n, err := w.Append([]station.Record{set(station.BucketMeta, "a", "1")}, false)
		must(t, err)
		synctest.Wait()
		if w.DurableTo() != 0 || fs.Calls() != calls {
			t.Errorf("a batch that owes no sync was written: durable %d", w.DurableTo())
		}
		m, err := w.Append([]station.Record{set(station.BucketMeta, "b", "1")}, true)
		must(t, err)
		synctest.Wait()
		if got := <-w.Durable(); m <= n || got != m || w.DurableTo() != m {
			t.Errorf("durable %d, want %d", got, m)
		}
		if fs.Calls() != calls+2 {
			t.Errorf("%d calls for two batches", fs.Calls()-calls)
		}
		must(t, w.Close())
		if _, err := w.Append(nil, true); !errors.Is(err, ErrClosed) {
			t.Errorf("append after close: %v", err)
		}
		s, _ = mustOpen(t, dir, Options{Files: fs})
		if got := dump(t, s); got != "meta/a=1\nmeta/b=1\n" {
			t.Errorf("content %s", got)
		}
	})
}

func TestWriterRidesOutAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fs, dir := faultfs.New(), t.TempDir()
		s, _, err := Open(dir, Options{Files: fs})
		must(t, err)
		w := s.Start()
		w.Tick(time.Now())
		synctest.Wait()
		fs.Always(syscall.ENOSPC)
		taken := 0
		for ; taken < 2*maxPendingRecords; taken++ {
			if _, err = w.Append([]station.Record{set(station.BucketMeta, fmt.Sprint(taken), "1")}, true); err != nil {
				break
			}
		}
		if !errors.Is(err, ErrBacklog) || taken != maxPendingRecords {
			t.Errorf("%d batches taken, then %v", taken, err)
		}
		synctest.Wait()
		if st := <-w.States(); st.Code != CodeFull {
			t.Errorf("state %+v", st)
		}
		fs.Always(nil)
		time.Sleep(time.Until(w.Deadline()))
		w.Tick(time.Now())
		synctest.Wait()
		if st := <-w.States(); st.Code != "" {
			t.Errorf("state %+v", st)
		}
		if w.DurableTo() != uint64(taken) {
			t.Errorf("durable to %d of %d", w.DurableTo(), taken)
		}
		must(t, w.Close())
		s, _ = mustOpen(t, dir, Options{Files: fs})
		if got := strings.Count(dump(t, s), "\n"); got != taken {
			t.Errorf("%d records of %d", got, taken)
		}
	})
}

// TestLoopAndLinkAtOnce lets a loop append and a link read and acknowledge at the same time: every entry is delivered
// once, in order.
func TestLoopAndLinkAtOnce(t *testing.T) {
	const entries = 1500
	s, _, err := Open(t.TempDir(), Options{CheckpointRecords: 100})
	must(t, err)
	w := s.Start()
	failed := make(chan error, 1)
	go func() {
		for id := uint64(1); id <= entries; {
			_, err := w.Append([]station.Record{event(id, station.PhaseUpdated, "t", int(id))}, id%7 == 0 || id == entries)
			if errors.Is(err, ErrBacklog) {
				continue
			}
			if err != nil {
				failed <- err
				return
			}
			id++
			w.Tick(epoch.Add(time.Duration(id) * time.Second))
		}
		failed <- nil
	}()
	got := uint64(0)
	for got < entries {
		es, err := s.Head("", 4)
		must(t, err)
		if len(es) == 0 {
			<-w.Durable()
			continue
		}
		for _, e := range es {
			if got++; e.Key != station.ReportID(got).Key() {
				t.Fatalf("entry %s, want number %d", e.Key, got)
			}
			_, err := w.Append([]station.Record{del(station.BucketOutbox, e.Key)}, false)
			must(t, err)
		}
	}
	must(t, <-failed)
	must(t, w.Close())
	if s.OutboxLen() != 0 || s.Queued("t") {
		t.Errorf("%d entries left", s.OutboxLen())
	}
}

// TestDurableIsToldBeforeTheCheckpoint: a checkpoint takes its time, and nobody waits for it.
func TestDurableIsToldBeforeTheCheckpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w *Writer
		var told []uint64
		opts := Options{Files: faultfs.New(), CheckpointRecords: 2}
		opts.paged = func(string, bool) error {
			if w != nil {
				told = append(told, w.DurableTo())
			}
			return nil
		}
		s, _, err := Open(t.TempDir(), opts)
		must(t, err)
		w = s.Start()
		n, err := w.Append([]station.Record{set(station.BucketMeta, "a", "1"), set(station.BucketMeta, "b", "1")}, true)
		must(t, err)
		synctest.Wait()
		if len(told) == 0 || told[0] != n {
			t.Errorf("durable as the checkpoint went on: %d, want %d from the beginning", told, n)
		}
		if got := <-w.Durable(); got != n {
			t.Errorf("durable %d, want %d", got, n)
		}
		must(t, w.Close())
	})
}
