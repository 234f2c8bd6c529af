package storage

import (
	"fmt"

	"github.com/evsed/evsed/station"
)

// DeadLetters returns what the CSMS refused to the last attempt (E13.FR.04), oldest key first; at most
// MaxDeadLetters.
func (s *Store) DeadLetters() ([]Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	var out []Entry
	err := s.each(station.BucketDeadLetter, "", func(key string, value []byte) bool {
		out = append(out, Entry{key, append([]byte{}, value...)})
		return true
	})
	return out, err
}

// Resend returns the records that move a dead letter back into the outbox, for the caller to commit in one batch.
// newKey is the caller's next outbox key, so the letter goes to the tail: the messages that came after it have been
// delivered, its place in the order is lost already, and a place at the front would hold up those that wait. Its
// content stays as it was, so for the CSMS it is a repetition.
func (s *Store) Resend(key, newKey string) ([]station.Record, error) {
	v, found, err := s.Get(station.BucketDeadLetter, key)
	switch {
	case err != nil:
		return nil, err
	case !found:
		return nil, fmt.Errorf("dead letter %q: there is none", key)
	case newKey <= s.OutboxLast():
		return nil, fmt.Errorf("dead letter %q: outbox key %q is not behind %q", key, newKey, s.OutboxLast())
	}
	return []station.Record{
		{Bucket: station.BucketDeadLetter, Key: key},
		{Bucket: station.BucketOutbox, Key: newKey, Value: v},
	}, nil
}
