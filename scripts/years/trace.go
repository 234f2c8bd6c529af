package main

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"strconv"
	"strings"
	"time"
)

// ringLines is how many of the last lines of the trace are kept to be shown when something breaks.
const ringLines = 400

// trace is the story of a run: one line for each thing that happened. Its hash tells two stories apart.
type trace struct {
	sum   hash.Hash
	out   *bufio.Writer // into sum
	file  io.Writer     // nil: the story is only hashed
	ring  [ringLines][]byte
	lines int
	buf   []byte
}

func newTrace(file io.Writer) *trace {
	t := &trace{sum: sha256.New(), file: file}
	t.out = bufio.NewWriterSize(t.sum, 1<<16)
	return t
}

// begin opens a line: seconds since the begin of the story, and what it tells.
func (t *trace) begin(at time.Duration, what string) {
	t.buf = strconv.AppendInt(t.buf[:0], int64(at/time.Millisecond), 10)
	t.buf = append(t.buf, ' ')
	t.buf = append(t.buf, what...)
}

func (t *trace) str(s string)   { t.buf = append(append(t.buf, ' '), s...) }
func (t *trace) raw(b []byte)   { t.buf = append(append(t.buf, ' '), b...) }
func (t *trace) num(n int64)    { t.buf = strconv.AppendInt(append(t.buf, ' '), n, 10) }
func (t *trace) flag(b bool)    { t.buf = strconv.AppendBool(append(t.buf, ' '), b) }
func (t *trace) ref(e, c int64) { t.num(e); t.buf = strconv.AppendInt(append(t.buf, '.'), c, 10) }

// end closes the line.
func (t *trace) end() {
	t.buf = append(t.buf, '\n')
	_, _ = t.out.Write(t.buf) // a hash takes everything
	if t.file != nil {
		_, _ = t.file.Write(t.buf) // the story goes on without its copy
	}
	slot := &t.ring[t.lines%ringLines]
	*slot = append((*slot)[:0], t.buf...)
	t.lines++
}

// say writes a line that is too rare to be written by hand.
func (t *trace) say(at time.Duration, format string, args ...any) {
	t.begin(at, "")
	t.buf = fmt.Appendf(t.buf, format, args...)
	t.end()
}

// hash returns the hash of the story so far.
func (t *trace) hash() string {
	_ = t.out.Flush()
	return fmt.Sprintf("%x", t.sum.Sum(nil)[:16])
}

// tail returns the last n lines.
func (t *trace) tail(n int) string {
	var b strings.Builder
	for i := max(t.lines-min(n, ringLines), 0); i < t.lines; i++ {
		b.Write(t.ring[i%ringLines])
	}
	return b.String()
}
