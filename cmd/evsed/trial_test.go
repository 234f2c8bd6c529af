package main

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// ledger is what becomes of a trial.
type ledger struct {
	good, broken int
	told         bool // the station heard of it
	why          string
}

func (l *ledger) Good() error {
	if l.broken > 0 {
		l.broken--
		return errors.New("read-only")
	}
	l.good++
	return nil
}

func (l *ledger) Return(code, why string) error { l.why = why; return nil }

func TestTrialGate(t *testing.T) {
	for _, test := range []struct {
		name            string
		accepted, guard time.Duration // when they come; < 0: never
		alone           bool
		broken          int // times that the device takes no Good
		want            time.Duration
		why             string
	}{
		{"all is well", time.Second, 2 * time.Second, false, 0, 2 * time.Second, ""},
		{"the CSMS takes its time", 9 * time.Minute, 0, false, 0, 9 * time.Minute, ""},
		{"the CSMS does not accept it", -1, 0, false, 0, 10 * time.Minute, "the CSMS has not accepted the station"},
		{"the guard does not answer", 0, -1, false, 0, 10 * time.Minute, "the guard does not answer for every connector"},
		{"no CSMS before either", -1, 0, true, 0, time.Hour, ""},
		{"no CSMS before either, and no guard", -1, -1, true, 0, time.Hour, "the guard does not answer for every connector"},
		{"no CSMS before, and now there is one", time.Minute, 0, true, 0, time.Minute, ""},
		{"a device that is ill for a while", 0, 0, false, 20, 4 * time.Second, ""},
		{"a device that stays ill", 0, 0, false, 1 << 30, 10 * time.Minute, "read-only"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var guard atomic.Bool
				l, restarts := &ledger{broken: test.broken}, 0
				g := &trial{slots: l, time: launched{Trial: defaultTrial}.duration(), alone: test.alone, guard: guard.Load, proved: func() { l.told = true }, restart: func() { restarts++ }, log: slog.New(slog.DiscardHandler)}
				if test.alone {
					g.time = aloneTrial
				}
				after := func(d time.Duration, b *atomic.Bool) {
					if d >= 0 {
						time.AfterFunc(d, func() { b.Store(true) })
					}
				}
				after(test.accepted, &g.accepted)
				after(test.guard, &guard)
				begin := time.Now()
				g.run(t.Context())
				if took := time.Since(begin); took < test.want || took > test.want+3*trialTick {
					t.Errorf("after %v, want %v", took, test.want)
				}
				if failed := test.why != ""; l.why != test.why || (l.good == 0) != failed || g.failed.Load() != failed || l.told == failed || (restarts > 0) != failed {
					t.Errorf("good %d times, returned because of %q, %d restarts", l.good, l.why, restarts)
				}
			})
		})
	}
}

func TestTrialEndsWithItsStation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		l := &ledger{}
		g := &trial{slots: l, time: time.Hour, guard: func() bool { return false }, log: slog.New(slog.DiscardHandler)}
		time.AfterFunc(time.Minute, cancel)
		g.run(ctx)
		if l.good != 0 || l.why != "" {
			t.Errorf("%+v: the next start goes on with the trial", l)
		}
	})
}
