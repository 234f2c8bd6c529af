package main

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/run"
	"github.com/evsed/evsed/storage/slot"
)

// trial is the health gate: what is on trial becomes good once it has shown that it is a charging station. It has when the
// storage is open and the guard answers for every connector without a fault of its own, and the CSMS has accepted it. A
// station whose CSMS was away before the update already waits for it no longer than aloneTrial.
type trial struct {
	slots interface {
		Good() error
		Return(code, why string) error
	}
	time    time.Duration // in which it has to show it
	alone   bool
	guard   func() bool
	proved  func() // tells the station
	restart func()
	log     *slog.Logger

	accepted atomic.Bool // by the CSMS, since the process began
	failed   atomic.Bool
}

// trialTick is how often the gate looks.
const trialTick = 200 * time.Millisecond

// run ends when the trial has; at once where there is none.
func (t *trial) run(ctx context.Context) {
	if t == nil {
		return
	}
	begin := time.Now()
	tick := time.NewTicker(trialTick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		code, missing := t.missing(time.Since(begin))
		if code == "" {
			err := t.slots.Good()
			if err == nil {
				t.log.Info("trial", "good", true)
				t.proved()
				return
			}
			code, missing = slot.CodeKept, err.Error() // the next look may find the device well
		}
		if time.Since(begin) < t.time+trialTick {
			continue
		}
		t.log.Error("trial", "good", false, "code", code, "why", missing)
		t.failed.Store(true)
		if err := t.slots.Return(code, missing); err != nil {
			t.log.Error("trial", "return", err)
		}
		t.restart()
		return
	}
}

// missing says what still speaks against the binary on trial; "" for nothing.
func (t *trial) missing(age time.Duration) (code, why string) {
	switch {
	case !t.guard():
		return slot.CodeGuard, "the guard does not answer for every connector"
	case t.accepted.Load():
		return "", ""
	case t.alone && age >= t.time:
		return "", ""
	}
	return slot.CodeCSMS, "the CSMS has not accepted the station"
}

// witness sees the CSMS accept the station.
type witness struct {
	run.Watcher
	t *trial
}

// Output implements run.Watcher.
func (w witness) Output(o *station.Output) {
	for _, c := range o.Commands {
		if g, ok := c.(station.Gate); ok && g.Status == station.RegistrationAccepted {
			w.t.accepted.Store(true)
		}
	}
	w.Watcher.Output(o)
}
