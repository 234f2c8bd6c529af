package storage

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"

	"github.com/evsed/evsed/station"
)

// Names of the two databases.
const (
	settingsName = "settings.db"
	stateName    = "state.db"
)

// inSettings says which of the two files a bucket lives in: what is configured, or what happens.
func inSettings(b station.Bucket) bool {
	return b == station.BucketVariable || b == station.BucketLocalList || b == station.BucketNetwork
}

// growBytes is the step in which a large file grows.
const growBytes = 1 << 20

// Keys of storage's own bucket.
const (
	ownSchema = "schema"
	ownSeq    = "seq"
	ownTally  = "tally/" // + bucket, one byte
)

// file is one of the two databases, checked and open.
type file struct {
	path, name string
	maxSize    int
	bolt       *bbolt.DB
	fd         *os.File // bolt's
	schema     uint16
	seq        uint64 // the last batch of the journal that it contains
	tallies    [256]tally
	suspect    atomic.Bool // an update or a read failed: check and open again before the next write
	broken     atomic.Bool // bbolt panicked: its locks may be held for ever
	paged      func(path string, written bool) error
}

// bucketName is the bbolt name of a bucket: its number, because names may change and numbers may not.
func bucketName(b station.Bucket) []byte { return []byte{byte(b)} }

// guarded runs fn and turns a panic of bbolt, or a fault in its mapping, into an error.
func (f *file) guarded(fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			f.broken.Store(true)
			err = fmt.Errorf("%w: %v", errDamaged, p)
		}
	}()
	return fn()
}

// errDamaged marks what bbolt could not bear.
var errDamaged = errors.New("database is damaged")

// open opens a file that has been checked, or makes an empty one.
func (f *file) open() error {
	err := f.guarded(func() (err error) {
		f.bolt, err = bbolt.Open(f.path, 0o600, &bbolt.Options{
			Timeout:      time.Second,
			PageSize:     pageSize,
			FreelistType: bbolt.FreelistMapType,
			MaxSize:      f.maxSize,
			NoStatistics: true,
			OpenFile: func(name string, flag int, mode os.FileMode) (*os.File, error) {
				fd, err := os.OpenFile(name, flag, mode)
				f.fd = fd
				return fd, err
			},
		})
		return err
	})
	if err != nil {
		f.bolt = nil
		if f.broken.Load() {
			err = firstError(err, f.fd.Close())
		}
		return fmt.Errorf("open %s: %w", f.name, err)
	}
	f.bolt.AllocSize = growBytes
	return nil
}

// change is one row to write; a nil value deletes.
type change struct {
	bucket station.Bucket
	key    string
	value  []byte
}

func (c change) record() station.Record {
	return station.Record{Bucket: c.bucket, Key: c.key, Value: c.value}
}

// update writes changes, which are sorted by bucket and key, and the number of the batch they reach up to. All or
// nothing; after an error the file is suspect, because bbolt may have left a half-written transaction in its mapping.
//
// bbolt's two meta pages take turns. The second transaction has nothing in it, and after it both lead to the same rows:
// the loss of the newer page cannot bring an old value back.
func (f *file) update(seq uint64, changes []change) error {
	if err := f.write(seq, changes); err != nil {
		return err
	}
	return f.twin()
}

// twin makes the older meta page lead to the newest rows.
func (f *file) twin() error {
	err := f.watched(func() error { return f.bolt.Update(func(*bbolt.Tx) error { return nil }) })
	if err != nil {
		f.suspect.Store(true)
		return fmt.Errorf("update %s: %w", f.name, err)
	}
	return nil
}

// write is one transaction.
func (f *file) write(seq uint64, changes []change) error {
	tallies := f.tallies
	err := f.watched(func() error {
		return f.bolt.Update(func(tx *bbolt.Tx) error {
			var touched [256]bool
			for len(changes) > 0 {
				b := changes[0].bucket
				bucket, err := tx.CreateBucketIfNotExists(bucketName(b))
				if err != nil {
					return err
				}
				if b == station.BucketOutbox {
					bucket.FillPercent = 1 // entries only come in behind the last one: a page that is full stays so
				}
				for ; len(changes) > 0 && changes[0].bucket == b; changes = changes[1:] {
					if err := f.put(bucket, &tallies[b], changes[0]); err != nil {
						return err
					}
				}
				touched[b] = true
			}
			return f.putOwn(tx, seq, &tallies, &touched)
		})
	})
	if err != nil {
		f.suspect.Store(true)
		return fmt.Errorf("update %s: %w", f.name, err)
	}
	f.seq, f.tallies = seq, tallies
	return nil
}

// watched runs a transaction before the eyes of whoever asked for it.
func (f *file) watched(transaction func() error) error {
	if f.paged == nil {
		return f.guarded(transaction)
	}
	if err := f.paged(f.path, false); err != nil {
		return err
	}
	return firstError(f.guarded(transaction), f.paged(f.path, true))
}

func (f *file) put(bucket *bbolt.Bucket, t *tally, c change) error {
	key := []byte(c.key)
	if old := bucket.Get(key); old != nil {
		if _, _, ok := parseRow(c.bucket, key, old); !ok {
			return fmt.Errorf("row %v/%q: %w", c.bucket, c.key, errDamaged)
		}
		t.sub(old)
	}
	if c.value == nil {
		return bucket.Delete(key)
	}
	row := makeRow(c.bucket, key, f.schema, c.value)
	t.add(row)
	return bucket.Put(key, row)
}

func (f *file) putOwn(tx *bbolt.Tx, seq uint64, tallies *[256]tally, touched *[256]bool) error {
	own, err := tx.CreateBucketIfNotExists(bucketName(bucketOwn))
	if err != nil {
		return err
	}
	put := func(key string, value []byte) {
		if err == nil {
			err = own.Put([]byte(key), makeRow(bucketOwn, []byte(key), f.schema, value))
		}
	}
	put(ownSchema, binary.LittleEndian.AppendUint16(nil, f.schema))
	put(ownSeq, binary.LittleEndian.AppendUint64(nil, seq))
	for b := range touched {
		if touched[b] {
			put(ownTally+string([]byte{byte(b)}), tallies[b].encode())
		}
	}
	return err
}

// get returns a copy of one value.
func (f *file) get(b station.Bucket, key string) (value []byte, found bool, err error) {
	err = f.guarded(func() error {
		return f.bolt.View(func(tx *bbolt.Tx) error {
			bucket := tx.Bucket(bucketName(b))
			if bucket == nil {
				return nil
			}
			row := bucket.Get([]byte(key))
			if row == nil {
				return nil
			}
			v, _, ok := parseRow(b, []byte(key), row)
			if !ok {
				return fmt.Errorf("row %v/%q: %w", b, key, errDamaged)
			}
			value, found = append([]byte{}, v...), true
			return nil
		})
	})
	return value, found, f.readError(err)
}

// scan hands out rows of a bucket from the first key >= from on, in order, until fn returns false. The value is
// valid during the call.
func (f *file) scan(b station.Bucket, from string, fn func(key, value []byte) bool) error {
	err := f.guarded(func() error {
		return f.bolt.View(func(tx *bbolt.Tx) error {
			bucket := tx.Bucket(bucketName(b))
			if bucket == nil {
				return nil
			}
			c := bucket.Cursor()
			for k, row := c.Seek([]byte(from)); k != nil; k, row = c.Next() {
				v, _, ok := parseRow(b, k, row)
				if !ok {
					return fmt.Errorf("row %v/%q: %w", b, k, errDamaged)
				}
				if !fn(k, v) {
					return nil
				}
			}
			return nil
		})
	})
	return f.readError(err)
}

func (f *file) readError(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("read %s: %w", f.name, err)
}

// close lets go of the file. After a panic bbolt would wait for its own locks: only the descriptor is closed, which
// frees the lock on the file, and the mapping stays until the process ends.
func (f *file) close() error {
	if f.bolt == nil {
		return nil
	}
	db := f.bolt
	f.bolt = nil
	if f.broken.Load() {
		return f.fd.Close()
	}
	return f.guarded(db.Close)
}

// syncDir makes renames in a real directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func compareChange(a, b change) int {
	if a.bucket != b.bucket {
		return int(a.bucket) - int(b.bucket)
	}
	return bytes.Compare([]byte(a.key), []byte(b.key))
}
