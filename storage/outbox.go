package storage

import (
	"github.com/evsed/evsed/station"
)

// Entry is one value with its key.
type Entry struct {
	Key   string
	Value []byte
}

// each hands out the durable records of a bucket in key order, from the first key >= from on, until fn returns
// false; mu is held. A value is valid during the call.
func (s *Store) each(b station.Bucket, from string, fn func(key string, value []byte) bool) error {
	over := s.overlay.from(b, from)
	layer := s.overlay.buckets[b]
	more := true
	emit := func(upTo string, all bool) {
		for more && len(over) > 0 && (all || over[0] < upTo) {
			if v := layer.values[over[0]]; v != nil {
				more = fn(over[0], v)
			}
			over = over[1:]
		}
	}
	f := s.fileOf(b)
	err := f.scan(b, from, func(key, value []byte) bool {
		k := string(key)
		emit(k, false)
		if !more {
			return false
		}
		if len(over) > 0 && over[0] == k { // the overlay's value is the newer one
			emit(k+"\x00", false)
			return more
		}
		more = fn(k, value)
		return more
	})
	if err != nil {
		f.suspect.Store(true)
		s.fail(err)
		return err
	}
	emit("", true)
	return nil
}

// Load hands out every durable record but the outbox's, in order of bucket and key. The values are the caller's; fn
// must not call the store. A record whose secret does not open comes without it (see Findings); nil is then a value, not a
// delete.
func (s *Store) Load(fn func(station.Record) error) error {
	open, err := s.load(fn)
	if err != nil {
		return err
	}
	return s.reveil(open)
}

// load returns the records whose secrets lie open.
func (s *Store) load(fn func(station.Record) error) (open []station.Record, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	for b := station.Bucket(1); b < bucketOwn; b++ {
		if b == station.BucketOutbox {
			continue
		}
		var stop error
		err := s.each(b, "", func(key string, value []byte) bool {
			r := station.Record{Bucket: b, Key: key, Value: append([]byte{}, value...)}
			if veiled(value) && station.HoldsSecrets(b) {
				r = s.unveil(r)
			} else if _, secret := station.SplitSecret(r); secret != nil && s.opts.Sealer != nil {
				open = append(open, r)
			}
			stop = fn(r)
			return stop == nil
		})
		if err := firstError(stop, err); err != nil {
			return nil, err
		}
	}
	return open, nil
}

// Head returns up to max, at most HeadWindow, durable outbox entries behind key after ("" = from the front), in
// sending order. An entry whose delete was handed over is not among them. What Head hands out is never thinned.
func (s *Store) Head(after string, max int) ([]Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	max = min(max, HeadWindow)
	var out []Entry
	if max <= 0 {
		return nil, nil
	}
	from := ""
	if after != "" {
		from = after + "\x00"
	}
	err := s.each(station.BucketOutbox, from, func(key string, value []byte) bool {
		if w, ok := s.waiting[recordKey{station.BucketOutbox, key}]; !ok || w.value != nil {
			out = append(out, Entry{key, append([]byte{}, value...)})
		}
		return len(out) < max
	})
	if len(out) > 0 && out[len(out)-1].Key > s.handed {
		s.handed = out[len(out)-1].Key
	}
	return out, err
}

// OutboxLen returns the number of messages in the outbox, those handed over and not yet durable included.
func (s *Store) OutboxLen() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.index.entries
}

// OutboxLast returns the highest key that the outbox ever had, "" for none: numbers go on behind it.
func (s *Store) OutboxLast() string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.index.last
}

// Queued reports whether a message of the transaction is still in the outbox.
func (s *Store) Queued(txID string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.index.queued[hashID(txID)] > 0
}

// outboxRefuses reports whether a batch adds to an outbox that is over its bound by the reserve already; mu is held.
func (s *Store) outboxRefuses(batch []station.Record) bool {
	if s.index.entries < s.opts.MaxOutboxEntries+outboxReserve && s.index.bytes < s.opts.MaxOutboxBytes+outboxReserve<<10 {
		return false
	}
	for _, r := range batch {
		if r.Bucket == station.BucketOutbox && r.Value != nil {
			return true
		}
	}
	return false
}
