package auth

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/evsed/evsed/station/term"
)

// entryVersion begins every stored entry.
const entryVersion = 1

// maxEntryEVSEs bounds the EVSEs of one entry; a token that is valid at more of them is stored with the first ones.
const maxEntryEVSEs = 64

// statuses numbers the token statuses in the store: append only.
var statuses = [...]term.TokenStatus{
	term.TokenAccepted, term.TokenBlocked, term.TokenConcurrentTx, term.TokenExpired, term.TokenInvalid,
	term.TokenNoCredit, term.TokenNotAllowedTypeEVSE, term.TokenNotAtThisLocation, term.TokenNotAtThisTime, term.TokenUnknown,
}

var errEntry = errors.New("damaged")

// seal encodes the entry, notes its size and that it is now written. Layout: version, status, flags, then as
// varints updated and expiry (Unix seconds), added, used, uses, priority, group type and value, EVSEs, message.
func (e *entry) seal() []byte {
	e.info.EVSEs = e.info.EVSEs[:min(len(e.info.EVSEs), maxEntryEVSEs)]
	b := make([]byte, 0, 64)
	b = append(b, entryVersion, statusNumber(e.info.Status), flags(e.info))
	b = binary.AppendVarint(b, e.updated.Unix())
	if !e.info.Expiry.IsZero() {
		b = binary.AppendVarint(b, e.info.Expiry.Unix())
	}
	b = binary.AppendUvarint(b, e.added)
	b = binary.AppendUvarint(b, e.used)
	b = binary.AppendUvarint(b, e.uses)
	b = binary.AppendVarint(b, int64(e.info.Priority))
	b = appendText(b, string(e.info.Group.Type))
	b = appendText(b, e.info.Group.Value)
	b = binary.AppendUvarint(b, uint64(len(e.info.EVSEs)))
	for _, id := range e.info.EVSEs {
		b = binary.AppendVarint(b, int64(id))
	}
	b = appendText(b, e.info.Message)
	e.written, e.size = e.updated, len(e.key)+len(b)
	return b
}

func flags(info term.TokenInfo) byte {
	var f byte
	if info.HasPriority {
		f |= 1
	}
	if !info.Expiry.IsZero() {
		f |= 2
	}
	return f
}

// openEntry is the inverse of seal.
func openEntry(key string, value []byte) (entry, error) {
	r := reader{b: value}
	version, status, flags := r.byte(), r.byte(), r.byte()
	if r.bad || version != entryVersion || int(status) >= len(statuses) || flags > 3 {
		return entry{}, errEntry
	}
	e := entry{key: key, size: len(key) + len(value)}
	e.info.Status, e.info.HasPriority = statuses[status], flags&1 != 0
	e.updated = time.Unix(r.varint(), 0).UTC()
	e.written = e.updated
	if flags&2 != 0 {
		e.info.Expiry = time.Unix(r.varint(), 0).UTC()
	}
	e.added, e.used, e.uses = r.uvarint(), r.uvarint(), r.uvarint()
	e.info.Priority = int(int32(r.varint()))
	e.info.Group.Type = term.IdTokenType(r.text())
	e.info.Group.Value = r.text()
	n := r.uvarint()
	if n > maxEntryEVSEs {
		return entry{}, errEntry
	}
	for ; n > 0; n-- {
		e.info.EVSEs = append(e.info.EVSEs, term.EVSEID(r.varint()))
	}
	e.info.Message = r.text()
	if r.bad || len(r.b) != 0 {
		return entry{}, errEntry
	}
	return e, nil
}

// statusNumber returns the number of a status; one that OCPP does not know is stored as Invalid.
func statusNumber(s term.TokenStatus) byte {
	for i, t := range statuses {
		if t == s {
			return byte(i)
		}
	}
	return statusNumber(term.TokenInvalid)
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// reader takes fields from the front of b; bad stays set once one was missing.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.bad = true
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	return v & r.skip(n)
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	return v & int64(r.skip(n))
}

// skip drops n bytes and returns all ones, or zero and bad where n tells a damaged number.
func (r *reader) skip(n int) uint64 {
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return ^uint64(0)
}

func (r *reader) text() string {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return ""
	}
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}
