package guard_test

import (
	"errors"
	"testing"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/station/guard"
	"github.com/evsed/evsed/station/term"
)

// late is a pilot behind a wire that answers after a while, or never.
type late struct {
	hal.ControlPilot
	b     *bench
	after time.Duration
	err   error
	asked []time.Duration
}

func (d *late) Settle(limit time.Duration) error {
	d.asked = append(d.asked, limit)
	d.b.now = d.b.now.Add(min(limit, d.after))
	if d.after > limit {
		return d.err
	}
	return nil
}

// told counts what a fitter's word reaches.
type told struct {
	hal.Diagnosis
	n int
}

func (d *told) Acknowledge() { d.n++ }

// TestSettle: all devices together have the limit, and one cause is told once.
func TestSettle(t *testing.T) {
	dead := errors.New("the controller says nothing")
	var devices []*late
	b := newBench(t, func(c *guard.Config) {
		for i := range c.Connectors {
			d := &late{ControlPilot: c.Connectors[i].Pilot, err: dead, after: []time.Duration{time.Hour, time.Hour, time.Millisecond}[i]}
			devices = append(devices, d)
			c.Connectors[i].Pilot = d
		}
	})
	for _, d := range devices {
		d.b = b
	}
	start := b.now
	if errs := b.g.Settle(300 * time.Millisecond); len(errs) != 1 || !errors.Is(errs[0], dead) {
		t.Errorf("%v", errs)
	}
	if took := b.now.Sub(start); took != 300*time.Millisecond {
		t.Errorf("%v", took)
	}
	for i, want := range []time.Duration{300 * time.Millisecond, 0, 0} {
		if d := devices[i]; len(d.asked) != 1 || d.asked[0] != want {
			t.Errorf("device %d was given %v, want %v", i, d.asked, want)
		}
	}
}

// TestAcknowledgementReachesDevices: a fitter's word goes to what keeps faults by itself, at the connectors that it covers.
func TestAcknowledgementReachesDevices(t *testing.T) {
	var all []*told
	b := newBench(t, func(c *guard.Config) {
		for i := range c.Connectors {
			d := &told{Diagnosis: c.Connectors[i].Diagnosis}
			all = append(all, d)
			c.Connectors[i].Diagnosis = d
		}
	})
	b.pipe.Service(term.Ref{EVSE: 2})
	b.run(time.Second)
	for i, want := range []int{0, 1, 1} {
		if all[i].n != want {
			t.Errorf("connector %d heard it %d times, want %d", i, all[i].n, want)
		}
	}
}
