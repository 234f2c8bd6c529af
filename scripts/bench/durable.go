package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Goals of a durable event: latency against a bare write and fdatasync, and what reaches the device.
const (
	goalDurable      = 1.10
	goalFlushes      = 1.00
	goalDeviceBytes  = 4.3 // kB
	goalLessThanBolt = 5.0
)

const (
	eventsWarm  = 256 // before anything is counted
	eventsTimed = 2560
)

// rival is a keeper under measurement, on a volume of its own where the machine allows it.
type rival struct {
	name    string
	key     string // in file names and figures
	open    func(dir string, waiting int) (keeper, error)
	waiting int

	keeper keeper
	volume *volume // nil: it shares a disk, and nothing is counted
	n      int
	took   []time.Duration // events alone
	whole  deviceCount     // all that its device did, ext4's own writes and checkpoints included

	checkpoints []time.Duration
	settled     deviceCount // what the device did for them
}

// settler is a keeper with checkpoints.
type settler interface {
	due() bool
	settle() error
}

func rivals() []*rival {
	return []*rival{
		{name: "bare write + fdatasync", key: "bare", open: newBare},
		{name: "evsed storage, online", key: "online", open: newOurs},
		{name: fmt.Sprintf("evsed storage, %d wait", backlog), key: "backlog", open: newOurs, waiting: backlog},
		{name: "bbolt update, online", key: "bbolt", open: newBolt},
		{name: fmt.Sprintf("bbolt update, %d wait", backlog), key: "bbolt-backlog", open: newBolt, waiting: backlog},
	}
}

// one makes the next event durable, and then does the checkpoint that is due.
func (r *rival) one() error {
	start := time.Now()
	if err := r.keeper.keep(r.n); err != nil {
		return err
	}
	r.took = append(r.took, time.Since(start))
	r.n++
	s, ok := r.keeper.(settler)
	if !ok || !s.due() {
		return nil
	}
	return r.settle(s)
}

func (r *rival) settle(s settler) error {
	used, err := r.volume.watch(func() error {
		start := time.Now()
		err := s.settle()
		r.checkpoints = append(r.checkpoints, time.Since(start))
		return err
	})
	r.settled = r.settled.plus(used)
	return err
}

// reset forgets the warming up.
func (r *rival) reset() error {
	r.took, r.checkpoints, r.settled = nil, nil, deviceCount{}
	if err := r.volume.sync(); err != nil {
		return err
	}
	var err error
	r.whole, err = r.volume.counters()
	return err
}

// finish ends the counting: what ext4 still has to write for these events is theirs.
func (r *rival) finish() error {
	if err := r.volume.sync(); err != nil {
		return err
	}
	end, err := r.volume.counters()
	r.whole = end.minus(r.whole)
	return errors.Join(err, r.keeper.close())
}

// alone is what one event cost without checkpoints.
func (r *rival) alone() deviceCount { return r.whole.minus(r.settled).of(len(r.took)) }

// amortised is what one event cost, all in all.
func (r *rival) amortised() deviceCount { return r.whole.of(len(r.took)) }

// durableSection compares the ways to make an event durable.
func durableSection(o options) (*section, error) {
	rs := rivals()
	var names []string
	for _, r := range rs {
		names = append(names, r.key)
	}
	volumes, why := mountVolumes(o.work, "defaults", names...)
	err := contest(o, rs, volumes, eventsTimed)
	if err := errors.Join(err, unmountAll(volumes)); err != nil {
		return nil, err
	}
	return durableReport(o, rs, why)
}

// contest lets the rivals make their events durable, event by event in turn. Who comes first changes: what one leaves to do
// in the background falls on the next.
func contest(o options, rs []*rival, volumes []*volume, events int) error {
	for i, r := range rs {
		dir := o.work
		if volumes != nil {
			r.volume = volumes[i]
			dir = r.volume.mount
		}
		dir = filepath.Join(dir, r.key)
		err := os.Mkdir(dir, 0o700)
		if err == nil {
			r.keeper, err = r.open(dir, r.waiting)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
	}
	for n := range eventsWarm + events {
		for i := range rs {
			r := rs[(i+n)%len(rs)]
			if n == eventsWarm {
				if err := r.reset(); err != nil {
					return fmt.Errorf("%s: %w", r.name, err)
				}
			}
			if err := r.one(); err != nil {
				return fmt.Errorf("%s: %w", r.name, err)
			}
		}
	}
	for _, r := range rs {
		if err := r.finish(); err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
	}
	return nil
}
