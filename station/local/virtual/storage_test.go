package virtual

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/guard"
	"github.com/evsed/evsed/station/term"
	"github.com/evsed/evsed/storage"
	"github.com/evsed/evsed/storage/faultfs"
	"github.com/evsed/evsed/storage/journal"
)

// status is what the connector shows.
func (b *bubble) status() station.ConnectorStatus {
	b.t.Helper()
	resp, err := b.station.Ask(b.t.Context(), station.GetDiagnosticState{})
	b.must(err)
	return resp.Body.(station.DiagnosticState).EVSEs[0].Connectors[0].Status
}

func (b *bubble) wantStatus(want station.ConnectorStatus, when string) {
	b.t.Helper()
	if got := b.status(); got != want {
		b.t.Errorf("%s: status %q, want %q", when, got, want)
	}
}

// phases are the phases of the transaction events so far.
func (b *bubble) phases() (all []station.Phase) {
	b.events.mu.Lock()
	defer b.events.mu.Unlock()
	for _, e := range b.events.tx {
		all = append(all, e.Phase)
	}
	return all
}

func (b *bubble) swipe() {
	b.t.Helper()
	b.must(b.station.World().Swipe(halsim.Swipe{Token: term.IdToken{Value: "A", Type: term.TokenISO14443}, EVSEs: []term.EVSEID{1}}))
}

// TestDiskFailsWhileIdle: a station that cannot keep anything offers nothing, and is back by itself.
func TestDiskFailsWhileIdle(t *testing.T) {
	for _, why := range []error{syscall.ENOSPC, syscall.EROFS, syscall.EIO} {
		t.Log(why)
		synctest.Test(t, func(t *testing.T) {
			files := faultfs.New()
			b := newBubble(t, func(o *Options) { o.Storage = storage.Options{Files: files} })
			b.start()
			b.wantStatus(station.StatusAvailable, "well")
			files.Always(why)
			b.station.Post(station.FaultChanged{Fault: term.FaultTamper, Active: true}) // something to keep
			b.after(5 * time.Second)
			b.wantStatus(station.StatusUnavailable, why.Error())
			b.must(b.station.World().Plug(1, 1, halsim.PlugOptions{}))
			b.swipe()
			b.after(time.Minute)
			b.wantRelay(false, why.Error())
			if got := b.phases(); len(got) > 0 {
				t.Errorf("%v: a session was begun: %v", why, got)
			}
			files.Always(nil)
			b.after(3 * time.Minute)
			b.swipe()
			b.after(10 * time.Second)
			b.wantRelay(true, "recovered from "+why.Error())
			b.wantStatus(station.StatusOccupied, "recovered from "+why.Error())
		})
	}
}

// TestDiskFailsWhileCharging: the session ends from the reserve, and what it promised is kept.
func TestDiskFailsWhileCharging(t *testing.T) {
	for _, why := range []error{syscall.ENOSPC, syscall.EIO} {
		synctest.Test(t, func(t *testing.T) {
			files := faultfs.New()
			b := newBubble(t, func(o *Options) { o.Storage = storage.Options{Files: files} })
			b.start()
			b.charge()
			files.Always(why)
			b.swipe() // the driver ends it
			b.after(5 * time.Second)
			b.wantRelay(false, "ended during "+why.Error())
			_, err := b.station.World().Unplug(1, 1, halsim.UnplugOptions{})
			b.must(err)
			b.after(5 * time.Second)
			files.Always(nil)
			b.after(3 * time.Minute)
			got := b.phases()
			if len(got) < 2 || got[0] != station.PhaseStarted || got[len(got)-1] != station.PhaseEnded {
				t.Errorf("%v: events %v", why, got)
			}
			if n := b.station.alive().store.OutboxLen(); n < len(got) {
				t.Errorf("%v: %d messages are kept of %d", why, n, len(got))
			}
			b.wantStatus(station.StatusAvailable, "after all")
		})
	}
}

// stuck is a directory whose files hang in a sync while hang is set: a device that does not answer.
type stuck struct {
	journal.FS
	hang atomic.Bool
	gate chan struct{}
}

func (s *stuck) Open(name string) (journal.File, error) {
	f, err := s.FS.Open(name)
	return stuckFile{f, s}, err
}

type stuckFile struct {
	journal.File
	dir *stuck
}

func (f stuckFile) SyncData() error {
	if f.dir.hang.Load() {
		<-f.dir.gate
	}
	return f.File.SyncData()
}

// TestDiskHangs: what takes power away waits for no disk.
func TestDiskHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := &stuck{FS: faultfs.New(), gate: make(chan struct{})}
		b := newBubble(t, func(o *Options) { o.Storage = storage.Options{Files: dir} })
		b.start()
		b.charge()
		dir.hang.Store(true)
		b.swipe()
		b.after(500 * time.Millisecond)
		if d := b.duty(); d {
			t.Error("the car is still offered current")
		}
		b.after(4 * time.Second)
		b.wantRelay(false, "the disk hangs")
		dir.hang.Store(false)
		close(dir.gate)
		b.after(time.Minute)
		if got := b.phases(); !slices.Contains(got, station.PhaseEnded) {
			t.Errorf("events %v", got)
		}
	})
}

// duty reports whether the pilot offers current.
func (b *bubble) duty() bool {
	s, _ := b.station.alive().guard.Status(term.Ref{EVSE: 1, Connector: 1})
	return s.Offered > 0
}

// hung is a watcher that holds the loop up.
type hung struct {
	*watched
	gate chan struct{}
}

func (h hung) Event(ev station.Event) {
	if _, stop := ev.(station.BayChanged); stop {
		<-h.gate
	}
	h.watched.Event(ev)
}

// TestLoopHangs: the guard opens within its patience, whatever the loop does.
func TestLoopHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		b := newBubble(t, nil)
		b.station.o.Watch = hung{&b.events, gate}
		b.start()
		b.charge()
		b.station.Post(station.BayChanged{EVSE: 1, Occupied: true})
		b.after(4 * time.Second)
		b.wantRelay(true, "the loop hangs for a moment")
		b.after(guard.DefaultSilence) // a vehicle has 3 s to end its current by itself
		b.wantRelay(false, "the loop hangs")
		close(gate)
		b.after(time.Minute)
		b.wantRelay(true, "the loop moves again")
	})
}

// TestExitOpensFirst: the contactor is open before the station ends, and storage is whole.
func TestExitOpensFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, nil)
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- b.station.Run(ctx) }()
		b.after(time.Second)
		b.charge()
		start := time.Now()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took > 100*time.Millisecond {
			t.Errorf("took %v", took)
		}
		time.Sleep(50 * time.Millisecond) // the contact's travel
		b.wantRelay(false, "after the end")
		store, rep, err := storage.Open(b.station.o.Dir, storage.Options{})
		b.must(err)
		defer store.Close()
		if rep.Replayed > 0 || len(rep.Findings) > 0 {
			t.Errorf("not flushed: %+v", rep)
		}
	})
}

// TestDamageWhileRunning: a database that goes bad under a running station is rebuilt, and that is told.
func TestDamageWhileRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, func(o *Options) {
			o.Storage = storage.Options{CheckpointRecords: 4}
			o.Settings = append(o.Settings, setting("SampledDataCtrlr", "TxUpdatedInterval", "5"))
		})
		b.start()
		b.charge()
		f, err := os.OpenFile(filepath.Join(b.station.o.Dir, "state.db"), os.O_RDWR, 0)
		b.must(err)
		defer f.Close()
		info, err := f.Stat()
		b.must(err)
		for at := int64(2 * 4096); at < info.Size(); at += 4096 { // the meta pages stay
			_, err := f.WriteAt(make([]byte, 2048), at)
			b.must(err)
		}
		b.after(5 * time.Minute)
		b.wantRelay(true, "while the database is rebuilt")
		b.events.mu.Lock()
		defer b.events.mu.Unlock()
		if !slices.ContainsFunc(b.events.security, func(e station.SecurityEvent) bool { return e.Type == station.StorageDamaged }) {
			t.Errorf("security events %+v", b.events.security)
		}
	})
}
