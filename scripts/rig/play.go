package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/evsed/evsed/hal/rig"
	"github.com/evsed/evsed/station/guard"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

// tick is how often the rig looks at its wires.
const tick = time.Millisecond

// A vehicle charges for between these times before it leaves C: long enough for the closing to be over, and at no fixed
// place between two of the guard's samples.
const (
	chargeLeast = 60 * time.Millisecond
	chargeMore  = 200 * time.Millisecond
)

// back is how long a vehicle waits in B: the guard does not close a contactor again before.
const back = iec61851.RecloseDelay - iec61851.PilotDebounce

// lostAfter is when a decision counts as not taken.
const lostAfter = 10 * time.Second

// vehicle is at one wire.
type vehicle struct {
	w      *rig.World
	n      int
	stage  stage
	next   int64 // when the stage ends
	seen   int64 // count that the stage waits to change
	flip   int64
	kind   *samples
	unlike bool // the contactor has moved by itself
}

type stage uint8

const (
	away    stage = iota // until next, then C
	closing              // until the contactor closes
	charges              // until next, then B
	opening              // until the contactor opens
)

// samples are the decisions of one kind of guard.
type samples struct {
	late  []int64 // from the due end of the debounce to the command
	whole []int64 // from the vehicle's change to the command
	cycle []int64 // from the sample that completed the debounce to the command
}

func newSamples(n int) *samples {
	return &samples{late: make([]int64, 0, n), whole: make([]int64, 0, n), cycle: make([]int64, 0, n)}
}

func (s *samples) full() bool { return len(s.late) == cap(s.late) }

// play lets vehicles come and go until there are enough decisions of both kinds.
func play(o options, own, within []*rig.World) (a, b *samples, err error) {
	a, b = newSamples(o.decisions), newSamples(o.decisions)
	rng := rand.New(rand.NewPCG(o.seed, 0))
	var vehicles []vehicle
	for i := range own {
		for n := range rig.MaxWires {
			vehicles = append(vehicles, vehicle{w: own[i], n: n, kind: a}, vehicle{w: within[i], n: n, kind: b})
		}
	}
	start := rig.Now()
	for i := range vehicles { // both kinds see the same spread of beginnings
		vehicles[i].w.SetPilot(vehicles[i].n, term.StateB)
		vehicles[i].next = start + rng.Int64N(int64(iec61851.RecloseDelay)) + int64(time.Second)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	limit := o.limit
	if limit == 0 {
		limit = 20*time.Second + 4*iec61851.RecloseDelay*time.Duration(o.decisions/(o.guards*rig.MaxWires)+1)
	}
	for !a.full() || !b.full() {
		now := rig.Now()
		if now-start > int64(limit) {
			return a, b, fmt.Errorf("after %v only %d and %d decisions", limit, len(a.late), len(b.late))
		}
		for i := range vehicles {
			v := &vehicles[i]
			v.step(now, rng)
			if v.unlike {
				return a, b, errors.New("a contactor moved without reason")
			}
		}
		nap()
	}
	return a, b, nil
}

func (v *vehicle) step(now int64, rng *rand.Rand) {
	switch v.stage {
	case away:
		if now >= v.next {
			v.seen = v.w.Closes(v.n)
			v.w.SetPilot(v.n, term.StateC)
			v.stage = closing
		}
	case closing:
		if v.w.Closes(v.n) != v.seen {
			v.seen = v.w.Opens(v.n)
			v.next = now + int64(chargeLeast) + rng.Int64N(int64(chargeMore-chargeLeast))
			v.stage = charges
		}
	case charges:
		v.unlike = v.w.Opens(v.n) != v.seen
		if now >= v.next {
			v.flip = rig.Now()
			v.w.SetPilot(v.n, term.StateB)
			v.stage = opening
		}
	case opening:
		switch {
		case v.w.Opens(v.n) != v.seen:
			v.record()
			v.next = v.w.Opened(v.n).Commanded.Load() + int64(back)
			v.stage = away
		case now-v.flip > int64(lostAfter):
			v.unlike = true
		}
	}
}

// record measures a decision. The guard's last sample of C tells its timetable: the next sample was due PollPlugged later,
// or at the vehicle's change if the guard was late for that already, and the debounce by then was complete after
// PilotOpenDelay less what one sample may count. Whatever the command came later is the reaction: a late sample, a late
// cycle, the cycle's own time.
func (v *vehicle) record() {
	const most = int64(10 * time.Millisecond) // that a sample adds to the time out of C
	s := v.kind
	if s.full() {
		return
	}
	o := v.w.Opened(v.n)
	ready, commanded := o.Ready.Load(), o.Commanded.Load()
	sample := max(ready+int64(guard.DefaultPollPlugged), v.flip)
	due := sample + int64(iec61851.PilotOpenDelay) - min(sample-ready, most)
	s.late = append(s.late, max(commanded-due, 0))
	s.whole = append(s.whole, commanded-v.flip)
	s.cycle = append(s.cycle, commanded-o.Sampled.Load())
}
