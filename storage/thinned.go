package storage

import (
	"cmp"
	"encoding/binary"
	"errors"
	"maps"
	"slices"

	"github.com/evsed/evsed/station"
)

// errThinned says that a value is not a set of thinned numbers.
var errThinned = errors.New("not a set of thinned sequence numbers")

// thinnedRow is the value of a BucketThinned record: which sequence numbers of a transaction were dropped, as a
// bitmap. On flash: outbox number of the newest one u64, first number of the bitmap as uvarint, bits.
type thinnedRow struct {
	newest uint64
	base   int // a multiple of 8
	bits   []byte
}

func (t *thinnedRow) encode() []byte {
	b := binary.LittleEndian.AppendUint64(nil, t.newest)
	b = binary.AppendUvarint(b, uint64(t.base))
	return append(b, t.bits...)
}

func parseThinned(b []byte) (t thinnedRow, ok bool) {
	if len(b) < 9 {
		return t, false
	}
	base, w := binary.Uvarint(b[8:])
	bits := b[8+max(w, 0):]
	if w <= 0 || base > maxThinnedSeq || base%8 != 0 || len(bits) > maxThinnedSeq/8+1 {
		return t, false
	}
	return thinnedRow{binary.LittleEndian.Uint64(b), int(base), slices.Clone(bits)}, true
}

// set adds a number and returns by how many bytes the bitmap grew.
func (t *thinnedRow) set(seq int) (grown int) {
	before := len(t.bits)
	if before == 0 {
		t.base = seq &^ 7
	}
	if lower := t.base - seq&^7; lower > 0 {
		t.bits = append(make([]byte, lower/8), t.bits...)
		t.base -= lower
	}
	at := (seq - t.base) / 8
	for len(t.bits) <= at {
		t.bits = append(t.bits, 0)
	}
	t.bits[at] |= 1 << (seq % 8)
	return len(t.bits) - before
}

// ParseThinned returns the sequence numbers in the value of a BucketThinned record, ascending. The record's key is
// the transaction's id.
func ParseThinned(value []byte) ([]int, error) {
	t, ok := parseThinned(value)
	if !ok {
		return nil, errThinned
	}
	var out []int
	for i, b := range t.bits {
		for bit := 0; bit < 8; bit++ {
			if b&(1<<bit) != 0 {
				out = append(out, t.base+8*i+bit)
			}
		}
	}
	return out, nil
}

// Thinned returns the sequence numbers of a transaction that were dropped to keep the outbox in its bounds, ascending.
func (s *Store) Thinned(txID string) ([]int, error) {
	v, found, err := s.Get(station.BucketThinned, txID)
	if err != nil || !found {
		return nil, err
	}
	return ParseThinned(v)
}

// ThinnedTransactions returns the transactions with dropped numbers, sorted. The newest maxThinned are remembered.
func (s *Store) ThinnedTransactions() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Sorted(maps.Keys(s.index.thinned))
}

// thinnedRow returns the row of a transaction, an empty one if it has none; mu is held.
func (s *Store) thinnedRow(tx string) *thinnedRow {
	t, ok := parseThinned(s.newest(station.BucketThinned, tx))
	if !ok {
		return &thinnedRow{}
	}
	return &t
}

// forgetThinned makes the records that drop the oldest rows, so that those in rows find room.
func (s *Store) forgetThinned(rows map[string]*thinnedRow) []station.Record {
	fresh := 0
	for tx := range rows {
		if _, ok := s.index.thinned[tx]; !ok {
			fresh++
		}
	}
	over := len(s.index.thinned) + fresh - maxThinned
	if over <= 0 {
		return nil
	}
	old := slices.SortedFunc(maps.Keys(s.index.thinned), func(a, b string) int {
		return cmp.Or(cmp.Compare(s.index.thinned[a], s.index.thinned[b]), cmp.Compare(a, b))
	})
	var out []station.Record
	for _, tx := range old {
		if len(out) < over && rows[tx] == nil {
			out = append(out, station.Record{Bucket: station.BucketThinned, Key: tx})
		}
	}
	return out
}
