package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/storage"
)

// Goals of a durable event: latency against a bare write and fdatasync, and what reaches the device.
const (
	goalDurable      = 1.10
	goalFlushes      = 1.00
	goalDeviceBytes  = 4.3 // kB
	goalLessThanBolt = 5.0
)

const (
	eventSize   = 400 // bytes of a transaction event as it is kept
	blockSize   = 4096
	bareBlocks  = 1024 // 4 MiB that are written before they are measured
	eventsTimed = 1200
	backlog     = 5000 // events that wait already, as after an hour offline
	backlogLap  = 250  // of them at once
	lapEvents   = 100  // events of one writer in a row while the device is watched
)

// keeper makes events durable, one at a time; with each, the oldest that waits is acknowledged.
type keeper interface {
	keep(n int) error
	close() error
}

// bare is the limit: one aligned block into a file that exists already, one fdatasync.
type bare struct {
	f     *os.File
	block []byte
}

func newBare(dir string) (keeper, error) {
	f, err := os.Create(filepath.Join(dir, "bare"))
	if err != nil {
		return nil, err
	}
	if _, err := f.WriteAt(make([]byte, bareBlocks*blockSize), 0); err != nil {
		return nil, err
	}
	return &bare{f, make([]byte, blockSize)}, f.Sync()
}

func (b *bare) keep(n int) error {
	b.block[0] = byte(n)
	if _, err := b.f.WriteAt(b.block, int64(n%bareBlocks)*blockSize); err != nil {
		return err
	}
	return unix.Fdatasync(int(b.f.Fd()))
}

func (b *bare) close() error { return b.f.Close() }

// ours is the product's storage: journal, checkpoints and all.
type ours struct {
	s     *storage.Store
	value []byte
}

func newOurs(dir string) (keeper, error) {
	s, _, err := storage.Open(filepath.Join(dir, "store"), storage.Options{})
	if err != nil {
		return nil, err
	}
	head := station.OutboxHeader{Phase: station.PhaseUpdated, Transaction: callID}
	o := &ours{s, append(head.AppendTo(nil), make([]byte, eventSize)...)}
	for n := 0; n < backlog && err == nil; n += backlogLap {
		var batch []station.Record
		for i := range backlogLap {
			batch = append(batch, station.Record{Bucket: station.BucketOutbox, Key: key(n + i), Value: o.value})
		}
		err = s.Commit(batch)
	}
	return o, err
}

// key is that of the n-th event.
func key(n int) string { return station.ReportID(n + 1).Key() }

func (o *ours) keep(n int) error {
	return o.s.Commit([]station.Record{{Bucket: station.BucketOutbox, Key: key(n + backlog), Value: o.value},
		{Bucket: station.BucketOutbox, Key: key(n)}})
}

func (o *ours) close() error { return o.s.Close() }

// bolt is a bbolt update: put the event, delete the oldest.
type bolt struct {
	db    *bbolt.DB
	value []byte
}

var outbox = []byte("outbox")

func newBolt(dir string) (keeper, error) {
	db, err := bbolt.Open(filepath.Join(dir, "bolt"), 0o600, nil)
	if err != nil {
		return nil, err
	}
	b := &bolt{db, make([]byte, eventSize)}
	return b, db.Update(func(tx *bbolt.Tx) error {
		bucket, err := tx.CreateBucket(outbox)
		for n := 0; n < backlog && err == nil; n++ {
			err = bucket.Put([]byte(key(n)), b.value)
		}
		return err
	})
}

func (b *bolt) keep(n int) error {
	return b.db.Update(func(tx *bbolt.Tx) error {
		bucket := tx.Bucket(outbox)
		if err := bucket.Delete([]byte(key(n))); err != nil {
			return err
		}
		return bucket.Put([]byte(key(n+backlog)), b.value)
	})
}

func (b *bolt) close() error { return b.db.Close() }

// rival is a keeper under measurement.
type rival struct {
	name   string
	open   func(dir string) (keeper, error)
	keeper keeper
	n      int
	took   []time.Duration
	device deviceCount
}

func rivals(dir string) ([]*rival, error) {
	rs := []*rival{{name: "bare write + fdatasync", open: newBare}, {name: "evsed storage", open: newOurs}, {name: "bbolt update", open: newBolt}}
	for _, r := range rs {
		var err error
		if r.keeper, err = r.open(dir); err != nil {
			return nil, fmt.Errorf("%s: %w", r.name, err)
		}
	}
	return rs, nil
}

func (r *rival) one() error {
	start := time.Now()
	err := r.keeper.keep(r.n)
	r.took = append(r.took, time.Since(start))
	r.n++
	return err
}

func (r *rival) mean() time.Duration {
	var sum time.Duration
	for _, d := range r.took {
		sum += d
	}
	return sum / time.Duration(len(r.took))
}

// durableSection compares the ways to make an event durable.
func durableSection(o options) (*section, error) {
	s := &section{
		title: fmt.Sprintf("A durable event of %d bytes, one at a time", eventSize),
		about: fmt.Sprintf("Each is durable before the next begins, and acknowledges the oldest of %d that wait; the writers take turns, event by\n"+
			"event. Checkpoints of the storage are in its mean, its flushes and its device bytes. Those are the counters of a block\n"+
			"device with an ext4 of its own, journal included.", backlog),
		head: []string{"writer", "min", "median", "p99", "mean", "ratio", "device bytes", "flushes"},
	}
	rs, err := rivals(o.work)
	if err != nil {
		return nil, err
	}
	for range eventsTimed {
		for _, r := range rs {
			if err := r.one(); err != nil {
				return nil, fmt.Errorf("%s: %w", r.name, err)
			}
		}
	}
	for _, r := range rs {
		if err := r.keeper.close(); err != nil {
			return nil, err
		}
	}
	counted, why := countDevice(o.work)
	limit := rs[0]
	for i, r := range rs {
		bytes, flushes := "-", "-"
		if counted != nil {
			bytes, flushes = fmt.Sprintf("%.0f", counted[i].bytes), fmt.Sprintf("%.2f", counted[i].flushes)
		}
		s.row(r.name, short(percentile(r.took, 0)), short(median(r.took)), short(percentile(r.took, 99)), short(r.mean()),
			fmt.Sprintf("%.2f", ratio(median(r.took), median(limit.took))), bytes, flushes)
	}
	got := ratio(median(rs[1].took), median(limit.took))
	s.goal(got <= goalDurable, "durable event, median", fmt.Sprintf("<= %.2f x limit", goalDurable), "%.2f x", got)
	if counted == nil {
		s.note("Device counters were not read: %s", why)
		return s, nil
	}
	s.goal(counted[1].flushes < goalFlushes+0.005, "durable event, flushes", fmt.Sprintf("<= %.2f", goalFlushes), "%.2f", counted[1].flushes)
	s.goal(counted[1].bytes/1000 < goalDeviceBytes+0.05, "durable event, device bytes", fmt.Sprintf("<= %.1f kB", goalDeviceBytes),
		"%.1f kB", counted[1].bytes/1000)
	less := counted[2].bytes / counted[1].bytes
	s.goal(less >= goalLessThanBolt, "durable event, device bytes", fmt.Sprintf(">= %.0f x less than bbolt", goalLessThanBolt), "%.1f x", less)
	return s, nil
}
