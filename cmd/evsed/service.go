package main

import (
	"context"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/evsed/evsed/station/local/virtual"
)

// Times within which a station that is well has moved: an idle loop turns every 20 s, for the sake of the board's watchdog; a
// guard in another process speaks every second, and one within cycles at least as often.
const (
	loopMoves  = 30 * time.Second
	guardMoves = 10 * time.Second
)

// heart judges what it feels of a station.
type heart struct {
	turns uint64
	moved time.Time
}

// well reports whether the loop and the guard have moved of late; so does the board's own watchdog judge. A station without
// power has nothing that could hang.
func (h *heart) well(now time.Time, p virtual.Pulse) bool {
	if !p.On || p.Turns != h.turns || h.moved.IsZero() {
		h.turns, h.moved = p.Turns, now
	}
	return !p.On || now.Sub(h.moved) <= loopMoves && now.Sub(p.Guard) <= guardMoves
}

// service tells the init system that the station works, for as long as it does: READY when loop and guard move for the
// first time, then WATCHDOG a few times in each period, STOPPING at the end. Without one (no NOTIFY_SOCKET) it does nothing.
func (a *agent) service(ctx context.Context) {
	if ready, err := daemon.SdNotify(false, "STATUS=starts"); !ready {
		if err != nil {
			a.log.Warn("service", "err", err)
		}
		return
	}
	period, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		a.log.Warn("service", "err", err)
	}
	a.beat(ctx, period)
	a.tellInit("STATUS=ends\n" + daemon.SdNotifyStopping)
}

// readyEvery is how often a station that starts is felt.
const readyEvery = 20 * time.Millisecond

// beat tells of each moment in which the station is well, until ctx ends. period 0: nobody watches.
func (a *agent) beat(ctx context.Context, period time.Duration) {
	var h heart
	every := readyEvery
	for ready := false; ; {
		select {
		case <-ctx.Done():
			return
		case <-time.After(every):
		}
		p := a.station.Pulse()
		switch well := h.well(time.Now(), p); {
		case !ready && well && p.Turns > 0:
			a.tellInit("STATUS=works\n" + daemon.SdNotifyReady)
			ready = true
			if period == 0 {
				<-ctx.Done()
				return
			}
			every = period / 4
		case ready && well:
			a.tellInit(daemon.SdNotifyWatchdog)
		case ready:
			a.log.Error("watchdog", "text", "loop or guard do not move: the init system is not told that they do")
		}
	}
}

func (a *agent) tellInit(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		a.log.Warn("service", "err", err)
	}
}
