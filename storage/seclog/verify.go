package seclog

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Verified is what became of the check of a log.
type Verified struct {
	Station     string // "" for files of a state directory
	First, Last uint64 // numbers
	Entries     int
	Omitted     int      // entries of which only the hash is there
	Breaks      []string // where the chain does not hold, at most station.MaxBreaks
	Told        []string // breaks that the station itself told in an export
	Torn        bool     // of files: an entry at the end was never whole
	Head        string   // hash of the last entry
}

// Whole reports whether the chain holds from its beginning to its end.
func (v Verified) Whole() bool { return len(v.Breaks) == 0 }

// ErrNoLog says that what was to be verified is no security log.
var ErrNoLog = errors.New("this is no security log of evsed")

// Verify checks an exported log.
func Verify(r io.Reader) (Verified, error) {
	var v Verified
	in := bufio.NewScanner(r)
	in.Buffer(nil, maxExportLine)
	if !in.Scan() {
		return v, errors.Join(ErrNoLog, in.Err())
	}
	var begin exportHeader
	if json.Unmarshal(in.Bytes(), &begin) != nil || begin.Log != format {
		return v, ErrNoLog
	}
	v.Station = begin.Station
	c := &chain{last: begin.After}
	var ok bool
	if c.prev, ok = parseHash([]byte(begin.Hash)); !ok {
		return v, fmt.Errorf("%w: its first line has no hash", ErrNoLog)
	}
	c.took = func(e line) { v.take(e) }
	ended := false
	for n := 2; in.Scan(); n++ {
		if ended {
			c.broken("line %d stands behind the end", n)
			break
		}
		ended = v.line(c, in.Bytes(), n)
	}
	if err := in.Err(); err != nil {
		return v, fmt.Errorf("read a security log: %w", err)
	}
	if !ended {
		c.finish()
		c.broken("the end is missing behind %d", c.last)
	}
	v.Last, v.Breaks, v.Head = c.last, c.breaks, c.prev.String()
	return v, nil
}

// maxExportLine bounds a line of an export: the last one holds the breaks.
const maxExportLine = 64 << 10

// line takes one line of an export; it reports the end.
func (v *Verified) line(c *chain, text []byte, n int) (ended bool) {
	if e, ok := parseLine(text); ok {
		if o := fmt.Sprintf(omitted, e.number, e.sum); o == string(text)+"\n" {
			c.omit(e)
			v.Omitted++
			return false
		}
		if e.number <= c.last || c.suspect != nil && e.number <= c.suspect.number {
			c.broken("line %d: %d stands behind %d", n, e.number, c.last)
		}
		c.next(e)
		return false
	}
	var end exportEnd
	if bytes.HasPrefix(text, []byte(`{"end":`)) && json.Unmarshal(text, &end) == nil {
		c.settle()
		if end.End != c.last || end.Hash != c.prev.String() || end.Entries != v.Entries {
			c.broken("the end tells of %d entries up to %d: there are %d up to %d", end.Entries, end.End, v.Entries, c.last)
		}
		v.Told = end.Breaks
		return true
	}
	c.broken("line %d is no entry", n)
	return false
}

func (v *Verified) take(e line) {
	if v.Entries == 0 {
		v.First = e.number
	}
	v.Entries++
}

// omit goes on with an entry of which there is only the hash.
func (c *chain) omit(e line) {
	c.settle()
	if e.number != c.last+1 {
		c.broken("%d does not follow %d", e.number, c.last)
	}
	c.prev, c.last = e.sum, max(e.number, c.last)
}

// VerifyDir checks the files of a log where the station keeps them, and changes nothing there.
func VerifyDir(dir string) (Verified, error) {
	var r ring
	found := 0
	for i := range DefaultSegments {
		s := segment{name: segmentName(i)}
		b, err := os.ReadFile(filepath.Join(dir, s.name))
		switch {
		case err == nil:
			s.src = bytes.NewReader(b)
			found++
		case !errors.Is(err, fs.ErrNotExist):
			return Verified{}, err
		}
		r = append(r, s)
	}
	if found == 0 {
		return Verified{}, fmt.Errorf("%s: %w", dir, ErrNoLog)
	}
	var v Verified
	w := r.walk(DefaultSegmentSize, v.take)
	v.Last, v.Breaks, v.Torn, v.Head = w.last, w.breaks, w.torn, w.prev.String()
	return v, nil
}
