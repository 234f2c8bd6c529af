package station

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/evsed/evsed/station/term"
)

// Bucket is a kind of Record.
type Bucket uint8

// The buckets of the store. Their numbers are on flash: append only.
const (
	BucketMeta        Bucket = 1 + iota // counters, boots, clock
	BucketVariable                      // device-model values that differ from the defaults
	BucketEVSE                          // availability, scheduled changes, last status
	BucketTransaction                   // one record per running transaction
	BucketOutbox                        // reports of class Kept that the CSMS has not acknowledged
	BucketDeadLetter                    // reports that the CSMS refused to the last attempt (E13.FR.04)
	BucketThinned                       // sequence numbers that were dropped to save room (E04.FR.08)
	BucketAuthCache                     // authorization cache entries
	BucketLocalList                     // local list entries and its version
	BucketNetwork                       // network connection profiles (B09)
	BucketDialect                       // side tables of dialects
	BucketProfile                       // charging profiles (K01)
	BucketReservation                   // reservations that nobody has used yet (block H)
	BucketCertificate                   // roots and the station's own certificates (block M, A02); never a private key
	BucketUpdate                        // the firmware update that was asked for last (L01)
	BucketEnd
)

var bucketNames = [BucketEnd]string{"", "meta", "variable", "evse", "transaction", "outbox", "dead-letter", "thinned",
	"auth-cache", "local-list", "network", "dialect", "profile", "reservation", "certificate", "update"}

func (b Bucket) String() string {
	if b == 0 || b >= BucketEnd {
		return fmt.Sprintf("bucket(%d)", uint8(b))
	}
	return bucketNames[b]
}

// Record is an idempotent upsert, or with a nil Value a delete, of one key in one bucket.
// Keys are at most MaxRecordKey bytes; outbox keys are ReportID.Key, so byte order is sending order.
type Record struct {
	Bucket Bucket
	Key    string
	Value  []byte
}

// MaxRecordKey bounds a key in bytes: a token of 255 characters of up to 4 bytes with its type fits.
const MaxRecordKey = 1100

// Phase says which part of a transaction's life an outbox value tells.
type Phase uint8

// Phases; PhaseNone is a report that is no TransactionEvent.
const (
	PhaseNone Phase = iota
	PhaseStarted
	PhaseUpdated
	PhaseEnded
)

// OutboxHeader stands at the start of every outbox value, so that storage can thin and count without knowing more.
type OutboxHeader struct {
	Phase       Phase
	Transaction term.TransactionID // "" unless a TransactionEvent
	SeqNo       int
}

// ErrOutboxHeader says that an outbox value does not begin with a header.
var ErrOutboxHeader = errors.New("outbox value has no header")

// AppendTo appends the header's wire form: phase, length of the id, id, seqNo as uvarint.
func (h OutboxHeader) AppendTo(dst []byte) []byte {
	dst = append(dst, byte(h.Phase), byte(len(h.Transaction)))
	dst = append(dst, h.Transaction...)
	return binary.AppendUvarint(dst, uint64(h.SeqNo))
}

// ParseOutboxHeader reads the header of an outbox value and returns what follows it.
func ParseOutboxHeader(value []byte) (h OutboxHeader, rest []byte, err error) {
	id, seq, rest, err := splitOutboxHeader(value)
	if err != nil {
		return h, nil, err
	}
	return OutboxHeader{Phase(value[0]), term.TransactionID(id), seq}, rest, nil
}

// OutboxTransaction returns the transaction that an outbox value is about, as bytes of the value; nil for none.
func OutboxTransaction(value []byte) []byte {
	id, _, _, err := splitOutboxHeader(value)
	if err != nil || len(id) == 0 {
		return nil
	}
	return id
}

func splitOutboxHeader(value []byte) (id []byte, seq int, rest []byte, err error) {
	if len(value) < 3 || Phase(value[0]) > PhaseEnded || len(value) < 2+int(value[1])+1 {
		return nil, 0, nil, ErrOutboxHeader
	}
	n := 2 + int(value[1])
	number, w := binary.Uvarint(value[n:])
	if w <= 0 || number > 1<<31-1 {
		return nil, 0, nil, ErrOutboxHeader
	}
	return value[2:n], int(number), value[n+w:], nil
}

// ReportID numbers reports in the order in which they came to be; it grows over restarts.
type ReportID uint64

// Key returns the outbox key of the report: 16 hex digits.
func (id ReportID) Key() string { return fmt.Sprintf("%016x", uint64(id)) }

// ParseReportID is the inverse of ReportID.Key.
func ParseReportID(key string) (ReportID, error) {
	var id uint64
	if len(key) != 16 {
		return 0, fmt.Errorf("report id %q: want 16 hex digits", key)
	}
	for i := 0; i < 16; i++ {
		c := key[i]
		switch {
		case '0' <= c && c <= '9':
			id = id<<4 | uint64(c-'0')
		case 'a' <= c && c <= 'f':
			id = id<<4 | uint64(c-'a'+10)
		default:
			return 0, fmt.Errorf("report id %q: want 16 hex digits", key)
		}
	}
	return ReportID(id), nil
}
