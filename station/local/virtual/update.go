package virtual

import (
	"context"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"github.com/evsed/evsed/ocpp/transfer"
	"github.com/evsed/evsed/station"
)

// updater carries out the orders of the core about firmware, one step at a time. The loop owns it; a step is a goroutine that
// the life waits for.
type updater struct {
	l      *life
	to     firmware
	wg     sync.WaitGroup
	number uint64 // of the step that was begun last
	cancel context.CancelFunc
	done   chan struct{} // closed at its end
}

// firmware is what an update writes to, and what runs.
type firmware interface {
	running() station.Image
	fetch(ctx context.Context, c station.Fetch, from *transfer.Client, moved func()) station.FetchEnded
	install(ctx context.Context, c station.Install) station.InstallEnded
	activate(ctx context.Context, c station.Activate) station.Activated
}

// Fetch begins an attempt to download.
func (u *updater) Fetch(c station.Fetch) {
	from := u.l.transfers()
	u.begin(c.Number, func(ctx context.Context) station.Event {
		last := time.Now()
		return u.to.fetch(ctx, c, from, func() {
			if now := time.Now(); now.Sub(last) >= progressEvery {
				last = now
				_ = u.l.loop.Post(ctx, station.FetchProgress{Number: c.Number})
			}
		})
	})
}

// progressEvery is how often a download that moves says so.
const progressEvery = 10 * time.Second

// Install begins the check of an image.
func (u *updater) Install(c station.Install) {
	u.begin(c.Number, func(ctx context.Context) station.Event { return u.to.install(ctx, c) })
}

// Activate begins to make an image the one that starts next.
func (u *updater) Activate(c station.Activate) {
	u.begin(c.Number, func(ctx context.Context) station.Event { return u.to.activate(ctx, c) })
}

// CancelFetch ends a step.
func (u *updater) CancelFetch(number uint64) {
	if u.number == number && u.cancel != nil {
		u.cancel()
	}
}

// begin begins a step behind the one before, and tells what came of it unless it was cancelled.
func (u *updater) begin(number uint64, step func(context.Context) station.Event) {
	ctx, cancel := context.WithCancel(u.l.ctx)
	before, done := u.done, make(chan struct{})
	u.number, u.cancel, u.done = number, cancel, done
	u.wg.Go(func() {
		defer close(done)
		defer cancel()
		if before != nil {
			<-before
		}
		if ctx.Err() != nil {
			return
		}
		ev := step(ctx)
		if ctx.Err() != nil {
			return
		}
		u.l.s.o.Log.Info("firmware", append([]any{"number", number}, outcome(ev)...)...)
		_ = u.l.loop.Post(ctx, ev)
	})
}

// outcome is what came of a step, for the log.
func outcome(ev station.Event) []any {
	switch e := ev.(type) {
	case station.FetchEnded:
		return []any{"step", "download", "bytes", e.Size, "sha256", hex.EncodeToString(e.Digest), "code", e.Code}
	case station.InstallEnded:
		return []any{"step", "install", "version", e.Version, "code", e.Code}
	case station.Activated:
		return []any{"step", "activate", "live", e.Live, "code", e.Code}
	}
	return []any{"step", fmt.Sprintf("%T", ev)}
}

// provedTick is how often a trial is asked whether it is over.
const provedTick = time.Second

// prove tells the core when the image that runs on trial is kept.
func (u *updater) prove() {
	if !u.to.running().Trial {
		return
	}
	tick := time.NewTicker(provedTick)
	defer tick.Stop()
	for {
		select {
		case <-u.l.ctx.Done():
			return
		case <-tick.C:
			if !u.to.running().Trial {
				_ = u.l.loop.Post(u.l.ctx, station.ImageProved{})
				return
			}
		}
	}
}

// wait waits as long as a step of a simulated update takes by the station's clock.
func (s *Station) wait(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(s.clock.Real(d))
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
