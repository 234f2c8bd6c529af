package run

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
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
	for _, tt := range []struct {
		energised bool
		every     time.Duration
	}{{false, idleBeatEvery}, {true, heartbeatEvery}} {
		synctest.Test(t, func(t *testing.T) {
			const during = 10 * time.Minute
			i := &idle{bench: newBench(t)}
			i.r.ports.Guard, i.r.permits.guard, i.r.ports.Journal = i, i, i
			i.r.permits.slot(term.Ref{EVSE: 9, Connector: 1}).applied.Close = tt.energised
			l := NewLoop(i, i, i)
			l.Attach(i.r)
			ctx, cancel := context.WithTimeout(t.Context(), during)
			defer cancel()
			from := time.Now()
			l.Run(ctx, from)
			if n, want := len(i.beats), int(during/tt.every); n < want-1 || n > want {
				t.Errorf("energised %v: %d heartbeats in %v, want %d", tt.energised, n, during, want)
			}
			for _, b := range i.beats {
				if gap := b.Sub(from); gap > tt.every {
					t.Errorf("energised %v: %v without a heartbeat, want at most %v", tt.energised, gap, tt.every)
				}
				from = b
			}
		})
	}
}
