package main

import (
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/storage"
)

const (
	eventSize  = 400 // bytes of a transaction event as it is kept
	blockSize  = 4096
	bareBlocks = 1024 // 4 MiB that are written before they are measured
	backlog    = 5000 // events that wait already, as after an hour offline
	backlogLap = 250  // of them at once
	unlimited  = 1 << 20
)

// keeper makes events durable, one at a time; with each, the oldest that waits is acknowledged.
type keeper interface {
	keep(n int) error
	close() error
}

// bare is the limit: one aligned block into a file that exists already, one fdatasync. The file was written block by block:
// where it was written at once the kernel holds it in large pieces, and looks through one for every block that has changed.
type bare struct {
	f     *os.File
	block []byte
}

func newBare(dir string, _ int) (keeper, error) {
	f, err := os.Create(filepath.Join(dir, "bare"))
	if err != nil {
		return nil, err
	}
	for i := range int64(bareBlocks) {
		if _, err := f.WriteAt(make([]byte, blockSize), i*blockSize); err != nil {
			return nil, err
		}
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

// ours is the product's storage. Its checkpoints come when the product's come, but on request, so that they are told apart.
type ours struct {
	s       *storage.Store
	value   []byte
	waiting int
	next    int // number of the next event
	settled int // those before it are in the database
	rows    int // that the next checkpoint writes
}

func newOurs(dir string, waiting int) (keeper, error) {
	return openOurs(dir, waiting, storage.Options{CheckpointRecords: unlimited})
}

func openOurs(dir string, waiting int, opts storage.Options) (*ours, error) {
	s, _, err := storage.Open(dir, opts)
	if err != nil {
		return nil, err
	}
	head := station.OutboxHeader{Phase: station.PhaseUpdated, Transaction: callID}
	value := head.AppendTo(nil)
	o := &ours{s: s, value: append(value, make([]byte, eventSize-len(value))...), waiting: waiting, next: waiting, settled: waiting}
	for n := 0; n < waiting && err == nil; n += backlogLap {
		var batch []station.Record
		for i := range backlogLap {
			batch = append(batch, station.Record{Bucket: station.BucketOutbox, Key: key(n + i), Value: o.value})
		}
		err = s.Commit(batch)
	}
	if err != nil {
		return nil, err
	}
	return o, s.Checkpoint()
}

// key is that of the n-th event.
func key(n int) string { return station.ReportID(n + 1).Key() }

// keep with nothing waiting acknowledges the event before: it was sent and answered meanwhile.
func (o *ours) keep(n int) error {
	batch := []station.Record{{Bucket: station.BucketOutbox, Key: key(o.next), Value: o.value}}
	o.next++
	o.rows++
	oldest := n
	if o.waiting == 0 {
		oldest--
	}
	if oldest >= 0 {
		batch = append(batch, station.Record{Bucket: station.BucketOutbox, Key: key(oldest)})
		if oldest < o.settled {
			o.rows++
		}
	}
	return o.s.Commit(batch)
}

// due says whether the rows of a checkpoint have come together: an event is one, and so is the acknowledgement of an event
// that is in the database already.
func (o *ours) due() bool { return o.rows >= storage.DefaultCheckpointRecords }

func (o *ours) settle() error {
	o.rows, o.settled = 0, o.next
	return o.s.Checkpoint()
}

func (o *ours) close() error { return o.s.Close() }

// bolt is a bbolt update: put the event, delete the oldest.
type bolt struct {
	db      *bbolt.DB
	value   []byte
	waiting int
}

var outbox = []byte("outbox")

func newBolt(dir string, waiting int) (keeper, error) {
	db, err := bbolt.Open(filepath.Join(dir, "bolt"), 0o600, nil)
	if err != nil {
		return nil, err
	}
	b := &bolt{db, make([]byte, eventSize), waiting}
	return b, db.Update(func(tx *bbolt.Tx) error {
		bucket, err := tx.CreateBucket(outbox)
		for n := 0; n < waiting && err == nil; n++ {
			err = bucket.Put([]byte(key(n)), b.value)
		}
		return err
	})
}

func (b *bolt) keep(n int) error {
	oldest := n
	if b.waiting == 0 {
		oldest = n - 1
	}
	return b.db.Update(func(tx *bbolt.Tx) error {
		bucket := tx.Bucket(outbox)
		if oldest >= 0 {
			if err := bucket.Delete([]byte(key(oldest))); err != nil {
				return err
			}
		}
		return bucket.Put([]byte(key(n+b.waiting)), b.value)
	})
}

func (b *bolt) close() error { return b.db.Close() }
