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
