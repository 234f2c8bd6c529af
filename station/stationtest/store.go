package stationtest

import (
	"slices"
	"strings"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// store keeps records as storage does: batches that owe no sync are lost with the power.
type store struct {
	durable map[row][]byte
	pending []station.Record
	last    station.ReportID
}

type row struct {
	bucket station.Bucket
	key    string
}

func (s *store) init() { s.durable = map[row][]byte{} }

// write takes the records of one step.
func (s *store) write(rs []station.Record, sync bool) {
	for _, r := range rs {
		s.pending = append(s.pending, station.Record{Bucket: r.Bucket, Key: r.Key, Value: slices.Clone(r.Value)})
	}
	if sync {
		s.sync()
	}
}

func (s *store) noted() bool { return len(s.pending) > 0 }

// sync makes durable what waits.
func (s *store) sync() {
	for _, r := range s.pending {
		k := row{r.Bucket, r.Key}
		if r.Value == nil {
			delete(s.durable, k)
			continue
		}
		s.durable[k] = r.Value
		if r.Bucket == station.BucketOutbox {
			if id, err := station.ParseReportID(r.Key); err == nil {
				s.last = max(s.last, id)
			}
		}
	}
	s.pending = nil
}

// lose forgets what was not synced.
func (s *store) lose() { s.pending = nil }

func (s *store) lastReport() station.ReportID { return s.last }

// load returns the durable records but the outbox, in bucket and key order.
func (s *store) load() []station.Record {
	var rs []station.Record
	for k, v := range s.durable {
		if k.bucket != station.BucketOutbox {
			rs = append(rs, station.Record{Bucket: k.bucket, Key: k.key, Value: v})
		}
	}
	slices.SortFunc(rs, func(a, b station.Record) int {
		if a.Bucket != b.Bucket {
			return int(a.Bucket) - int(b.Bucket)
		}
		return strings.Compare(a.Key, b.Key)
	})
	return rs
}

// head returns the first durable outbox entry behind a key.
func (s *store) head(after string) (key string, value []byte) {
	for k, v := range s.durable {
		if k.bucket == station.BucketOutbox && k.key > after && (key == "" || k.key < key) && !s.deleting(k) {
			key, value = k.key, v
		}
	}
	return key, value
}

// deleting reports whether an entry is acknowledged, though not yet durably so.
func (s *store) deleting(k row) bool {
	return slices.ContainsFunc(s.pending, func(r station.Record) bool {
		return r.Value == nil && r.Bucket == k.bucket && r.Key == k.key
	})
}

// queued reports whether messages of a transaction wait.
func (s *store) queued(tx term.TransactionID) bool {
	match := func(v []byte) bool {
		h, _, err := station.ParseOutboxHeader(v)
		return err == nil && (tx == "" && h.Phase != station.PhaseNone || tx != "" && h.Transaction == tx)
	}
	for k, v := range s.durable {
		if k.bucket == station.BucketOutbox && !s.deleting(k) && match(v) {
			return true
		}
	}
	return slices.ContainsFunc(s.pending, func(r station.Record) bool {
		return r.Bucket == station.BucketOutbox && r.Value != nil && match(r.Value)
	})
}

// count counts the durable records of a bucket.
func (s *store) count(b station.Bucket) int {
	n := 0
	for k := range s.durable {
		if k.bucket == b {
			n++
		}
	}
	return n
}

// outbox counts the messages that wait, durable ones only.
func (s *store) outbox() int {
	n := 0
	for k := range s.durable {
		if k.bucket == station.BucketOutbox && !s.deleting(k) {
			n++
		}
	}
	return n
}
