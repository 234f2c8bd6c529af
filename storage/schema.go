package storage

import (
	"fmt"

	"github.com/evsed/evsed/station"
)

// step brings one record from a schema to the next one. It may return it unchanged, changed or elsewhere, several, or
// none.
type step func(station.Record) ([]station.Record, error)

// schema is the version of the records' content that this program writes, and the way to it from older ones.
type schema struct {
	version uint16
	oldest  uint16
	steps   map[uint16]step // from version n to n+1, for every n from oldest to version-1
}

// current is the product's schema. Version 1 is the first.
var current = schema{version: 1, oldest: 1}

// SchemaError refuses a file that a newer program wrote, or one that is too old to be brought forward. Nothing has
// been changed.
type SchemaError struct {
	File              string
	Found             uint16
	Oldest, Supported uint16
}

func (e *SchemaError) Error() string {
	if e.Found > e.Supported {
		return fmt.Sprintf("%s: written with schema %d, this program knows up to %d: install the newer evsed again, or empty the state directory to begin afresh",
			e.File, e.Found, e.Supported)
	}
	return fmt.Sprintf("%s: written with schema %d, this program reads from %d on: start a release in between once",
		e.File, e.Found, e.Oldest)
}

func (s schema) check(file string, found uint16) error {
	if found > s.version || found < s.oldest {
		return &SchemaError{File: file, Found: found, Oldest: s.oldest, Supported: s.version}
	}
	return nil
}

// forward brings a record from schema v to the current one.
func (s schema) forward(v uint16, r station.Record) ([]station.Record, error) {
	records := []station.Record{r}
	for ; v < s.version; v++ {
		var next []station.Record
		for _, r := range records {
			out, err := s.steps[v](r)
			if err != nil {
				return nil, fmt.Errorf("bring %v/%q from schema %d to %d: %w", r.Bucket, r.Key, v, v+1, err)
			}
			next = append(next, out...)
		}
		records = next
	}
	return records, nil
}
