package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/simlines"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/guard"
	"github.com/evsed/evsed/station/guard/realtime"
	"github.com/evsed/evsed/station/local/virtual"
	"github.com/evsed/evsed/station/term"
)

// watched is a guard process that the test keeps, on a simulated board whose watchdog has a fast clock.
type watched struct {
	t     *testing.T
	world *halsim.World
	lines *simlines.Lines
	*realtime.Keeper
	log   log
	pid   atomic.Int64
	none  atomic.Bool // no guard can be started
	alive atomic.Bool // the station's loop moves
}

// hurry is how much faster the world of a watched guard goes: its watchdog waits for 30 s.
const hurry = 40

func newWatched(t *testing.T) *watched {
	t.Helper()
	w := &watched{t: t}
	start := time.Now()
	evses := []station.EVSE{{ID: 1, Phases: 3, MaxCurrent: 32 * unit.Ampere, Connectors: []station.Connector{{ID: 1, Tethered: true}}}}
	var err error
	w.world, err = halsim.New(halsim.Config{Clock: func() time.Time { return start.Add(hurry * time.Since(start)) },
		EVSEs: []halsim.EVSE{{ID: 1, Phases: 3, MaxCurrent: 32 * unit.Ampere, Connectors: []halsim.Connector{{ID: 1}}}}}, nil)
	w.ok(err)
	w.lines, err = simlines.New()
	w.ok(err)
	dev, err := w.world.Devices(guardRef)
	w.ok(err)
	server, err := w.lines.World([]hal.Devices{dev}, w.world.Watchdog())
	w.ok(err)
	table := simTable(virtual.Connectors(station.Config{EVSEs: evses}), realtime.DeviceFD, minSilence, 0)
	begin := realtime.ByStarting(os.Args[0], []string{"guard"}, table, []*os.File{w.lines.File()}, guardEnv(), &w.log)
	reach := func() (*realtime.Peer, error) {
		if w.none.Load() {
			return nil, errors.New("no guard today")
		}
		p, err := begin()
		if err == nil {
			w.pid.Store(int64(p.PID))
		}
		return p, err
	}
	w.Keeper = realtime.Keep(guard.NewRemote([]term.Ref{guardRef}, time.Now), reach, realtime.RetryStart, slog.New(slog.NewTextHandler(&w.log, nil)))
	w.alive.Store(true)
	ctx, cancel := context.WithCancel(context.Background())
	served, kept := make(chan struct{}), make(chan struct{})
	go func() { defer close(served); server.Run(ctx) }()
	go func() { defer close(kept); _ = w.Run(ctx) }()
	go func() {
		for ; ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
			if w.alive.Load() {
				w.Heartbeat()
			}
		}
	}()
	t.Cleanup(func() { cancel(); <-served; <-kept; w.lines.Close() })
	return w
}

func (w *watched) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *watched) relay() bool { return w.world.State().EVSEs[0].Relay }

func (w *watched) until(what string, is func() bool) {
	w.t.Helper()
	for end := time.Now().Add(30 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			s, _ := w.Status(guardRef)
			w.t.Fatalf("waited in vain until %s: %+v; relay %v, coil %v; it was said: %s", what, s, w.relay(), w.lines.Energised(0), w.log.String())
		}
	}
}

func (w *watched) faulty() bool {
	s, ok := w.Status(guardRef)
	return ok && s.Faults.Has(term.FaultInternal) && !s.Closed
}

// TestWatchdogOpensForAKilledGuard: between a killed guard and the next one that can be started the board's watchdog is all
// there is. It opens what the guard has left closed; the station counts it as open and faulty at once; and it comes back.
func TestWatchdogOpensForAKilledGuard(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	w.ok(w.world.Plug(1, 1, halsim.PlugOptions{}))
	w.Permit(term.Permit{Ref: guardRef, Close: true, Max: 16 * unit.Ampere})
	w.until("the car charges", w.relay)
	time.Sleep(time.Second) // longer than the watchdog waits: it is fed
	if !w.relay() {
		t.Fatal("the watchdog has opened under a guard that lives")
	}
	w.none.Store(true)
	w.ok(unix.Kill(int(w.pid.Load()), unix.SIGKILL))
	w.until("the station knows", w.faulty)
	w.until("the watchdog opens", func() bool { return !w.relay() })
	if !w.lines.Energised(0) {
		t.Error("the coil's line is off: it was not the watchdog that opened")
	}
	w.none.Store(false)
	w.until("the car charges again", func() bool { s, _ := w.Status(guardRef); return w.relay() && s.Closed && s.Faults == 0 })
}

// TestWatchdogOpensForAStoppedGuard: the same for a guard that hangs, which the agent ends on top of it.
func TestWatchdogOpensForAStoppedGuard(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	w.ok(w.world.Plug(1, 1, halsim.PlugOptions{}))
	w.Permit(term.Permit{Ref: guardRef, Close: true, Max: 16 * unit.Ampere})
	w.until("the car charges", w.relay)
	w.none.Store(true)
	stopped := int(w.pid.Load())
	w.ok(unix.Kill(stopped, unix.SIGSTOP))
	w.until("the watchdog opens", func() bool { return !w.relay() })
	w.until("the station knows", w.faulty)
	w.until("the guard is ended", func() bool { return unix.Kill(stopped, 0) != nil })
	w.none.Store(false)
	w.until("the car charges again", func() bool { s, _ := w.Status(guardRef); return w.relay() && s.Closed && s.Faults == 0 })
}
