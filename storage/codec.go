package storage

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/evsed/evsed/station"
)

// bucketOwn holds what storage writes for itself; it never leaves the package.
const bucketOwn station.Bucket = 255

// emptyGroup is the length of a group without a record: the schema's number.
const emptyGroup = 2

// errCodec says that bytes with a good checksum are not a batch: written by something else.
var errCodec = errors.New("not a batch of records")

// appendRecord appends the journal's form of a record: bucket, length of the key, key, 0 for a delete or the length
// of the value + 1, value.
func appendRecord(dst []byte, r station.Record) []byte {
	dst = append(dst, byte(r.Bucket))
	dst = binary.AppendUvarint(dst, uint64(len(r.Key)))
	dst = append(dst, r.Key...)
	if r.Value == nil {
		return append(dst, 0)
	}
	dst = binary.AppendUvarint(dst, uint64(len(r.Value))+1)
	return append(dst, r.Value...)
}

// recordSize bounds the size of a record in the journal.
func recordSize(r station.Record) int { return 1 + 3 + len(r.Key) + 3 + len(r.Value) }

// decodeBatch reads what appendRecord wrote, behind the schema's number. Keys and values are copied.
func decodeBatch(b []byte) (schema uint16, records []station.Record, err error) {
	if len(b) < emptyGroup {
		return 0, nil, errCodec
	}
	schema, b = binary.LittleEndian.Uint16(b), b[2:]
	for len(b) > 0 {
		var r station.Record
		if r, b, err = decodeRecord(b); err != nil {
			return schema, nil, err
		}
		records = append(records, r)
	}
	return schema, records, nil
}

func decodeRecord(b []byte) (r station.Record, rest []byte, err error) {
	r.Bucket = station.Bucket(b[0])
	key, b, ok := cutLength(b[1:], 0, MaxKey)
	if !ok {
		return r, nil, errCodec
	}
	r.Key = string(key)
	if len(b) > 0 && b[0] == 0 {
		return r, b[1:], nil
	}
	value, b, ok := cutLength(b, 1, MaxValue)
	if !ok {
		return r, nil, errCodec
	}
	r.Value = append(make([]byte, 0, len(value)), value...)
	return r, b, nil
}

// cutLength cuts off a uvarint length, which is less bias, and that many bytes.
func cutLength(b []byte, bias, limit uint64) (part, rest []byte, ok bool) {
	n, w := binary.Uvarint(b)
	if w <= 0 || n < bias || n-bias > limit || n-bias > uint64(len(b)-w) {
		return nil, nil, false
	}
	b = b[w:]
	return b[:n-bias], b[n-bias:], true
}

// ErrTooLarge is returned for a record or batch over the bounds; it would never fit.
var ErrTooLarge = errors.New("larger than storage takes")

// checkBatch refuses what can never be stored.
func checkBatch(batch []station.Record) (size int, err error) {
	size = emptyGroup
	for _, r := range batch {
		switch {
		case r.Bucket == 0 || r.Bucket == bucketOwn:
			return 0, fmt.Errorf("record %q: bucket %d is not for use", r.Key, r.Bucket)
		case r.Key == "":
			return 0, fmt.Errorf("record in bucket %v without a key", r.Bucket)
		case len(r.Key) > MaxKey:
			return 0, fmt.Errorf("key of %d bytes in bucket %v: %w", len(r.Key), r.Bucket, ErrTooLarge)
		case len(r.Value) > MaxValue:
			return 0, fmt.Errorf("value of %d bytes at %v/%q: %w", len(r.Value), r.Bucket, r.Key, ErrTooLarge)
		}
		if r.Bucket == station.BucketOutbox && r.Value != nil {
			if _, _, err := station.ParseOutboxHeader(r.Value); err != nil {
				return 0, fmt.Errorf("outbox entry %q: %w", r.Key, err)
			}
		}
		size += recordSize(r)
	}
	if size > MaxBatch {
		return 0, fmt.Errorf("batch of %d bytes: %w", size, ErrTooLarge)
	}
	return size, nil
}
