package storage

import (
	"encoding/binary"

	"github.com/evsed/evsed/station"
)

// index is what storage knows by heart about its rows: how full the outbox is and whose messages are in it, which
// transactions were thinned, how many letters are dead. It is rebuilt at the start, in the pass that checks the file.
type index struct {
	entries int
	bytes   int64
	last    string            // highest outbox key ever seen
	queued  map[uint64]uint32 // hash of a transaction's id -> its messages in the outbox
	thinned map[string]uint64 // transaction -> outbox number of the last one that was thinned
	dead    int
	cursor  string // where thinning goes on
	list    uint64 // highest number of a list
	lastRow []byte // while rows come in: the newest outbox key
}

func newIndex() *index { return &index{queued: map[uint64]uint32{}, thinned: map[string]uint64{}} }

// Keys of storage's own rows that are about the outbox.
const (
	ownThin = "thin" // where thinning goes on
	ownLast = "last" // highest outbox key ever stored
	ownList = "list" // highest number of a list
)

// row takes in one row that was not there before. A bucket's rows come in the order of their keys.
func (x *index) row(b station.Bucket, key, value []byte, _ uint16) {
	switch b {
	case station.BucketOutbox:
		x.lastRow = append(x.lastRow[:0], key...)
		x.count(len(key), value, +1)
	case station.BucketDeadLetter, station.BucketThinned, bucketOwn:
		x.put(station.Record{Bucket: b, Key: string(key), Value: value}, nil)
	}
}

// rowsDone ends the rows of a file.
func (x *index) rowsDone() { x.last = max(x.last, string(x.lastRow)) }

// put takes in a record that replaces old, nil = nothing.
func (x *index) put(r station.Record, old []byte) {
	switch r.Bucket {
	case station.BucketOutbox:
		x.last = max(x.last, r.Key)
		x.count(len(r.Key), old, -1)
		x.count(len(r.Key), r.Value, +1)
	case station.BucketDeadLetter:
		x.dead += present(r.Value) - present(old)
	case station.BucketThinned:
		if t, ok := parseThinned(r.Value); ok {
			x.thinned[r.Key] = t.newest
		} else {
			delete(x.thinned, r.Key)
		}
	case bucketOwn:
		switch r.Key {
		case ownThin:
			x.cursor = string(r.Value)
		case ownLast:
			x.last = max(x.last, string(r.Value))
		case ownList:
			if len(r.Value) == 8 {
				x.list = max(x.list, binary.LittleEndian.Uint64(r.Value))
			}
		}
	}
}

func present(value []byte) int {
	if value == nil {
		return 0
	}
	return 1
}

func (x *index) count(key int, value []byte, by int) {
	if value == nil {
		return
	}
	x.entries += by
	x.bytes += int64(by) * int64(key+len(value))
	tx := station.OutboxTransaction(value)
	if tx == nil {
		return
	}
	id := hashID(tx)
	if n := x.queued[id] + uint32(by); n == 0 {
		delete(x.queued, id)
	} else {
		x.queued[id] = n
	}
}

// hashID is FNV-1a. Two transactions that share a hash could only make one of them seem queued for too long.
func hashID[T ~string | ~[]byte](id T) uint64 {
	h := uint64(14695981039346656037)
	for i := 0; i < len(id); i++ {
		h = (h ^ uint64(id[i])) * 1099511628211
	}
	return h
}

// needsOld reports whether put must be told what the record replaces.
func (x *index) needsOld(r station.Record) bool {
	switch r.Bucket {
	case station.BucketOutbox:
		return r.Value == nil || r.Key <= x.last
	case station.BucketDeadLetter:
		return true
	}
	return false
}
