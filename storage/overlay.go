package storage

import (
	"slices"

	"github.com/evsed/evsed/station"
)

// overlay holds the durable records that are in the journal and not yet in bbolt. A nil value is a delete.
type overlay struct {
	buckets [256]*layer
	records int // rows that the next checkpoint writes or deletes
}

type layer struct {
	keys   []string // sorted
	values map[string][]byte
}

func (o *overlay) put(r station.Record) {
	l := o.buckets[r.Bucket]
	if l == nil {
		l = &layer{values: map[string][]byte{}}
		o.buckets[r.Bucket] = l
	}
	if _, ok := l.values[r.Key]; !ok {
		i, _ := slices.BinarySearch(l.keys, r.Key)
		l.keys = slices.Insert(l.keys, i, r.Key)
		o.records++
	}
	l.values[r.Key] = r.Value
}

// get returns what the overlay says about a key; known is false when it says nothing.
func (o *overlay) get(b station.Bucket, key string) (value []byte, known bool) {
	if l := o.buckets[b]; l != nil {
		value, known = l.values[key]
	}
	return value, known
}

// from returns the keys of a bucket from the first one >= key on.
func (o *overlay) from(b station.Bucket, key string) []string {
	l := o.buckets[b]
	if l == nil {
		return nil
	}
	i, _ := slices.BinarySearch(l.keys, key)
	return l.keys[i:]
}

// changes lists what belongs into one of the files, sorted.
func (o *overlay) changes(settings bool) []change {
	var out []change
	for b, l := range o.buckets {
		if l == nil || inSettings(station.Bucket(b)) != settings {
			continue
		}
		for _, k := range l.keys {
			out = append(out, change{station.Bucket(b), k, l.values[k]})
		}
	}
	return out
}
