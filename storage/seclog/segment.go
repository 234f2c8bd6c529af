package seclog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/evsed/evsed/storage/journal"
)

// headerSize is what the first line of a segment takes: a sector, which a device writes as a whole.
const headerSize = 512

// header is the first line of a segment: its anchor.
type header struct {
	segment uint64 // from 1
	after   uint64 // number of the entry before its first; 0: there is none
	prev    hash   // of that
}

// format is the first word of a header: the version of what follows.
const format = "evsed security log 1"

// text is a header as a line of JSON that fills its sector.
func (h header) text() []byte {
	b := fmt.Appendf(make([]byte, 0, headerSize), `{"log":"%s","segment":%d,"after":%d,"hash":"%s"}`, format, h.segment, h.after, h.prev)
	for len(b) < headerSize-1 {
		b = append(b, ' ')
	}
	return append(b, '\n')
}

// parseHeader is the inverse of text.
func parseHeader(b []byte) (h header, ok bool) {
	rest, ok := bytes.CutPrefix(b, []byte(`{"log":"`+format+`","segment":`))
	if !ok {
		return h, false
	}
	number, rest, _ := bytes.Cut(rest, []byte(`,"after":`))
	after, rest, _ := bytes.Cut(rest, []byte(`,"hash":"`))
	sum, _, _ := bytes.Cut(rest, []byte(`"}`))
	var err error
	if h.segment, err = strconv.ParseUint(string(number), 10, 63); err != nil {
		return h, false
	}
	if h.after, err = strconv.ParseUint(string(after), 10, 63); err != nil {
		return h, false
	}
	h.prev, ok = parseHash(sum)
	return h, ok && h.segment > 0 && bytes.Equal(h.text(), b)
}

// segment is one file of the log.
type segment struct {
	name string
	file journal.File
	src  io.ReaderAt // the same, to read; nil: there is no file
	header
	whole bool // the header can be read
}

// segmentName names the file of a place in the ring.
func segmentName(place int) string { return fmt.Sprintf("seclog-%d", place) }

// prepare makes a file of the whole size, all of it durable, so that no later write needs room. fresh says that it was not
// there, or too short.
func (s *segment) prepare(size int64) (fresh bool, err error) {
	have, err := s.file.Size()
	if err != nil {
		return false, fmt.Errorf("size of %s: %w", s.name, err)
	}
	if have >= size {
		return false, nil
	}
	if err := s.file.Allocate(size); err != nil {
		return true, fmt.Errorf("allocate %s: %w", s.name, err)
	}
	if _, err := s.file.WriteAt(make([]byte, size-have), have); err != nil {
		return true, fmt.Errorf("prepare %s: %w", s.name, err)
	}
	if err := s.file.SyncData(); err != nil {
		return true, fmt.Errorf("sync %s: %w", s.name, err)
	}
	return true, nil
}

// read reads a segment into buf. What cannot be read counts as empty.
func (s *segment) read(buf []byte) {
	clear(buf)
	if s.src == nil {
		return
	}
	for at := 0; at < len(buf); at += journal.BlockSize {
		part := buf[at:min(at+journal.BlockSize, len(buf))]
		if n, err := s.src.ReadAt(part, int64(at)); err != nil && !errors.Is(err, io.EOF) {
			clear(part[n:])
		}
	}
}

// lines calls fn with each whole line of a segment's content, in its order. The bytes of a line are those of content.
func lines(content []byte, segment uint64, fn func(line)) {
	for at := headerSize; at < len(content); {
		start := bytes.Index(content[at:], []byte(lineStart))
		if start < 0 {
			return
		}
		start += at
		end := bytes.IndexByte(content[start:], '\n')
		if end < 0 {
			return
		}
		// The text of an entry holds no other beginning: one that does is damaged, and the other may be whole.
		if inner := bytes.LastIndex(content[start:start+end], []byte(lineStart)); inner > 0 {
			start, end = start+inner, end-inner
		}
		l, ok := parseLine(content[start : start+end])
		if !ok {
			at = start + len(lineStart)
			continue
		}
		l.segment, l.end = segment, int64(start+end+1)
		at = start + end + 1
		fn(l)
	}
}
