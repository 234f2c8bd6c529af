package seclog

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/evsed/evsed/station"
)

// hash is the end of a chain. The zero hash is the beginning of one whose past is not known.
type hash [sha256.Size]byte

func (h hash) String() string { return hex.EncodeToString(h[:]) }

func parseHash(text []byte) (h hash, ok bool) {
	if len(text) != 2*len(h) {
		return h, false
	}
	_, err := hex.Decode(h[:], text)
	return h, err == nil && h.String() == string(text) // there is one way to write it
}

// MaxLine bounds an entry in bytes: its info has at most 255, each of which may take six.
const MaxLine = 2048

// stamp is how times are written.
const stamp = "2006-01-02T15:04:05.000Z"

// Every entry begins and ends with these.
const (
	lineStart = `{"n":`
	hashStart = `,"hash":"`
	lineEnd   = `"}`
	tailSize  = len(hashStart) + 2*sha256.Size + len(lineEnd)
)

// entry is how an entry is written, without its hash.
type entry struct {
	Number uint64 `json:"n"`
	Time   string `json:"time"`
	Sure   bool   `json:"sure"`
	Boot   int    `json:"boot"`
	Uptime string `json:"up"`
	Type   string `json:"type"`
	Info   string `json:"info,omitempty"`
}

// appendEntry appends the line of an entry that follows prev, and returns its hash.
func appendEntry(dst []byte, e station.LogSecurity, prev hash) ([]byte, hash, error) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	err := enc.Encode(entry{e.Number, e.At.UTC().Format(stamp), e.Sure, e.Boot, e.Uptime.String(), e.Type, e.Info})
	if err != nil {
		return nil, prev, err
	}
	body := bytes.TrimSuffix(text.Bytes(), []byte("}\n"))
	if len(body)+tailSize+1 > MaxLine {
		return nil, prev, fmt.Errorf("entry %d of the security log has %d bytes: want at most %d", e.Number, len(body)+tailSize+1, MaxLine)
	}
	sum := chained(prev, body)
	dst = append(dst, body...)
	return append(dst, hashStart+sum.String()+lineEnd+"\n"...), sum, nil
}

// chained is the hash of an entry with this text behind prev.
func chained(prev hash, body []byte) (h hash) {
	s := sha256.New()
	s.Write(prev[:])
	s.Write(body)
	s.Sum(h[:0])
	return h
}

// line is an entry as it stands in the log: whole, but not yet verified.
type line struct {
	number uint64
	body   []byte // what is hashed
	sum    hash   // as it says
	text   []byte // all of it, without the end of the line

	segment uint64 // where it was found
	end     int64  // behind it
}

// parseLine reads a line without its end; ok is false for anything that is no whole entry.
func parseLine(text []byte) (l line, ok bool) {
	if len(text) > MaxLine || len(text) < len(lineStart)+tailSize || !bytes.HasPrefix(text, []byte(lineStart)) || !bytes.HasSuffix(text, []byte(lineEnd)) {
		return l, false
	}
	l.text, l.body = text, text[:len(text)-tailSize]
	tail := text[len(l.body):]
	if !bytes.HasPrefix(tail, []byte(hashStart)) {
		return l, false
	}
	if l.sum, ok = parseHash(tail[len(hashStart) : len(tail)-len(lineEnd)]); !ok {
		return l, false
	}
	digits := l.body[len(lineStart):]
	end := bytes.IndexByte(digits, ',')
	if end < 0 {
		return l, false
	}
	n, err := strconv.ParseUint(string(digits[:end]), 10, 62)
	l.number = n
	return l, err == nil && n > 0
}

// time is when the entry came to be, as it says.
func (l line) time() time.Time {
	var e entry
	if json.Unmarshal(l.text, &e) != nil {
		return time.Time{}
	}
	t, _ := time.Parse(stamp, e.Time) // zero: an entry without a time is of no time that is asked for
	return t
}
