package run

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/storage"
)

// idle is a guard and a journal of whom nobody hears anything.
type idle struct {
	*bench
	beats []time.Time
}

func (i *idle) Heartbeat()                                           { i.beats = append(i.beats, time.Now()) }
func (i *idle) Wake() <-chan struct{}                                { return nil }
func (i *idle) Take(n []iec61851.Notice) []iec61851.Notice           { return n }
func (i *idle) Durable() <-chan uint64                               { return nil }
func (i *idle) States() <-chan storage.State                         { return nil }
func (i *idle) Tick(time.Time)                                       {}
func (i *idle) Deadline() time.Time                                  { return time.Time{} }
func (i *idle) Now() time.Time                                       { return time.Now() }
func (i *idle) Real(d time.Duration) time.Duration                   { return d }
func (i *idle) Append(b []station.Record, sync bool) (uint64, error) { return 0, nil }

// TestGuardHearsOfAnIdleLoop: the guard feeds the board's watchdog only when it has heard that the loop moves, so it does
// whether energy may flow or not; and it hears it more often while energy may flow.
func TestGuardHearsOfAnIdleLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &idle{bench: newBench(t)}
		i.r.ports.Guard, i.r.permits.guard, i.r.ports.Journal = i, i, i
		l := NewLoop(i, i, i)
		l.Attach(i.r)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); l.Run(ctx, time.Now()) }()
		hears := func(what string, every, during time.Duration) {
			t.Helper()
			i.beats = nil
			from := time.Now()
			time.Sleep(during)
			synctest.Wait()
			for _, b := range i.beats {
				if gap := b.Sub(from); gap > every {
					t.Fatalf("%s: %v without a heartbeat, want at most %v", what, gap, every)
				}
				from = b
			}
			if n, want := len(i.beats), int(during/every); n < want-1 || n > want+1 {
				t.Fatalf("%s: %d heartbeats in %v, want %d", what, n, during, want)
			}
		}
		hears("idle", idleBeatEvery, 10*time.Minute)
		i.r.permits.slot(ref).applied.Close = true
		if err := l.Post(ctx, nil); err != nil {
			t.Fatal(err)
		}
		hears("energised", heartbeatEvery, time.Minute)
		i.r.permits.slot(ref).applied.Close = false
		hears("idle again", idleBeatEvery, 10*time.Minute)
		cancel()
		<-ended
	})
}
