package storage

import (
	"maps"
	"slices"

	"github.com/evsed/evsed/station"
)

// Bounds of one step of thinning: one atomic batch.
const (
	thinWindow = 1024     // entries that are looked at
	thinBytes  = 96 << 10 // of rows with thinned numbers
	maxParity  = 1024     // transactions whose turn is remembered from one step to the next
)

// trim keeps outbox and dead letters in their bounds: it hands over the records that do so, and returns how many
// batches; write is held.
func (s *Store) trim() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if batch := s.trimDead(); len(batch) > 0 {
		s.handOver(batch)
		return 1
	}
	if !s.crowded() {
		s.full = false
		return 0
	}
	if s.full && s.index.entries < s.fullAt+protectedHead {
		return 0 // nothing to drop a moment ago
	}
	// One pass may end in the middle of the queue, the next one begins at the front: after two without a find
	// there is nothing to drop.
	for passes := 0; passes < 2; {
		batch, ended, err := s.thin()
		if err != nil {
			return 0 // noted; the file is checked with the next retry
		}
		if len(batch) > 0 {
			s.handOver(batch)
			return 1
		}
		if ended {
			passes++
		}
	}
	s.full, s.fullAt = true, s.index.entries
	return 0
}

func (s *Store) crowded() bool {
	return s.index.entries > s.opts.MaxOutboxEntries || s.index.bytes > s.opts.MaxOutboxBytes
}

// handOver puts a batch of storage's own making behind what waits.
func (s *Store) handOver(batch []station.Record) {
	size := 2
	for _, r := range batch {
		size += recordSize(r)
	}
	s.take(batch, size, false)
}

// thin makes the records of one step. Of the Updated events of a transaction it drops the first, third, fifth … of
// those that wait (E04.FR.08): never Started, never Ended, nothing near the head, where the CSMS may have seen it
// already. The numbers that are dropped are written down in the same batch. ended is true when the step reached the
// end of the queue; the next one begins at the front.
func (s *Store) thin() (batch []station.Record, ended bool, err error) {
	from, err := s.thinFrom()
	if err != nil {
		return nil, false, err
	}
	drop := thinStep{store: s, rows: map[string]*thinnedRow{}}
	ended = true
	looked := 0
	err = s.each(station.BucketOutbox, from, func(key string, value []byte) bool {
		if looked++; looked > thinWindow || drop.size > thinBytes {
			ended = false
			return false
		}
		drop.look(key, value)
		drop.cursor = key
		return true
	})
	if err != nil {
		return nil, false, err
	}
	s.index.cursor = drop.cursor
	if ended {
		s.index.cursor = ""
		clear(s.parity)
	}
	return drop.batch(s.index.cursor), ended, nil
}

// thinFrom returns the first key that may be dropped in this step.
func (s *Store) thinFrom() (string, error) {
	n, behind := 0, ""
	err := s.each(station.BucketOutbox, "", func(key string, _ []byte) bool {
		n, behind = n+1, key
		return n < protectedHead
	})
	return max(behind, s.handed, s.index.cursor) + "\x00", err
}

// thinStep gathers what one step drops.
type thinStep struct {
	store  *Store
	keys   []string
	rows   map[string]*thinnedRow // by transaction
	size   int
	cursor string
}

func (d *thinStep) look(key string, value []byte) {
	h, _, err := station.ParseOutboxHeader(value)
	if err != nil || h.Phase != station.PhaseUpdated || h.SeqNo > maxThinnedSeq {
		return
	}
	if w, ok := d.store.waiting[recordKey{station.BucketOutbox, key}]; ok && w.value == nil {
		return // acknowledged meanwhile
	}
	tx := string(h.Transaction)
	parity := d.store.parity
	if _, known := parity[tx]; !known && len(parity) >= maxParity {
		clear(parity)
	}
	even := parity[tx]
	parity[tx] = !even
	if even {
		return
	}
	row := d.rows[tx]
	if row == nil {
		row = d.store.thinnedRow(tx)
		d.rows[tx] = row
		d.size += len(tx) + len(row.bits)
	}
	id, err := station.ParseReportID(key)
	if err == nil {
		row.newest = max(row.newest, uint64(id))
	}
	d.size += row.set(h.SeqNo)
	d.keys = append(d.keys, key)
}

func (d *thinStep) batch(cursor string) []station.Record {
	if len(d.keys) == 0 {
		return nil
	}
	var out []station.Record
	for _, key := range d.keys {
		out = append(out, station.Record{Bucket: station.BucketOutbox, Key: key})
	}
	out = append(out, d.store.forgetThinned(d.rows)...)
	for _, tx := range slices.Sorted(maps.Keys(d.rows)) {
		out = append(out, station.Record{Bucket: station.BucketThinned, Key: tx, Value: d.rows[tx].encode()})
	}
	return append(out, station.Record{Bucket: bucketOwn, Key: ownThin, Value: []byte(cursor)})
}

// trimDead makes the records that drop the oldest dead letters above the bound.
func (s *Store) trimDead() []station.Record {
	over := s.index.dead - s.opts.MaxDeadLetters
	if over <= 0 {
		return nil
	}
	var out []station.Record
	err := s.each(station.BucketDeadLetter, "", func(key string, _ []byte) bool {
		if w, ok := s.waiting[recordKey{station.BucketDeadLetter, key}]; !ok || w.value != nil {
			out = append(out, station.Record{Bucket: station.BucketDeadLetter, Key: key})
		}
		return len(out) < min(over, thinWindow)
	})
	if err != nil {
		return nil
	}
	return out
}
