package seclog

import (
	"errors"
	"fmt"
	"sync"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/storage/journal"
)

// Size of the log: half a megabyte, which holds some two thousand entries.
const (
	DefaultSegments    = 8
	DefaultSegmentSize = 64 << 10
)

// Options of a log. The zero value is the product's.
type Options struct {
	Segments    int   // 0: DefaultSegments; at least 2
	SegmentSize int64 // 0: DefaultSegmentSize
}

// Report is what Open found.
type Report struct {
	Entries int
	Last    uint64   // number of the newest entry; 0: none
	Breaks  []string // where the log cannot be verified, at most station.MaxBreaks
	Torn    bool     // an entry at its end was never whole
}

// Log is an open log. Its methods may be called from several goroutines.
type Log struct {
	fs   journal.FS
	size int64

	mu     sync.Mutex // everything below, over the write of an entry
	ring   ring
	newest uint64 // number of the newest segment; 0: the log is empty
	end    int64  // of what is written in it
	head   hash   // of the newest entry
	last   uint64
}

// ErrClosed is returned by a log that is closed.
var ErrClosed = errors.New("the security log is closed")

// Open opens the log in fs, makes it if it is not there, and finds its end.
func Open(fs journal.FS, o Options) (*Log, Report, error) {
	l := &Log{fs: fs, size: o.SegmentSize}
	if l.size == 0 {
		l.size = DefaultSegmentSize
	}
	if o.Segments == 0 {
		o.Segments = DefaultSegments
	}
	if o.Segments < 2 || l.size < headerSize+MaxLine {
		return nil, Report{}, fmt.Errorf("security log of %d segments of %d bytes: want at least 2 of %d", o.Segments, l.size, headerSize+MaxLine)
	}
	if err := l.openFiles(o.Segments); err != nil {
		_ = l.Close()
		return nil, Report{}, fmt.Errorf("open the security log: %w", err)
	}
	w := l.ring.walk(l.size, nil)
	l.head, l.last, l.newest, l.end = w.prev, w.last, w.newest, w.end
	return l, w.report(), nil
}

// openFiles opens every file of the ring.
func (l *Log) openFiles(n int) error {
	made := false
	for i := range n {
		s := segment{name: segmentName(i)}
		var err error
		if s.file, err = l.fs.Open(s.name); err != nil {
			return err
		}
		s.src = s.file
		l.ring = append(l.ring, s)
		fresh, err := l.ring[i].prepare(l.size)
		if err != nil {
			return err
		}
		made = made || fresh
	}
	if made {
		return l.fs.SyncDir()
	}
	return nil
}

// Append writes an entry, and returns when it is there for good. One whose number is not above the last is there already.
func (l *Log) Append(e station.LogSecurity) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ring == nil {
		return ErrClosed
	}
	if e.Number <= l.last {
		return nil
	}
	text, sum, err := appendEntry(nil, e, l.head)
	if err != nil {
		return err
	}
	if err := l.room(int64(len(text)), e.Number); err != nil {
		return fmt.Errorf("begin a segment of the security log: %w", err)
	}
	f := l.ring.of(l.newest).file
	if _, err := f.WriteAt(text, l.end); err != nil {
		return fmt.Errorf("write the security log: %w", err)
	}
	if err := f.SyncData(); err != nil {
		return fmt.Errorf("sync the security log: %w", err)
	}
	l.end, l.head, l.last = l.end+int64(len(text)), sum, e.Number
	return nil
}

// room begins the next segment, in place of the oldest, if the newest has no room for n bytes. An empty log begins with the
// entry first.
func (l *Log) room(n int64, first uint64) error {
	next := header{segment: 1, after: first - 1}
	if l.newest > 0 {
		if l.end+n <= l.size {
			return nil
		}
		next = header{segment: l.newest + 1, after: l.last, prev: l.head}
	}
	s := l.ring.of(next.segment)
	if _, err := s.file.WriteAt(next.text(), 0); err != nil {
		return err
	}
	if err := s.file.SyncData(); err != nil {
		return err
	}
	s.header, s.whole = next, true
	l.newest, l.end = next.segment, headerSize
	return nil
}

// Last is the number of the newest entry; 0: none.
func (l *Log) Last() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

// Close lets go of the files.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var errs []error
	for i := range l.ring {
		errs = append(errs, l.ring[i].file.Close())
	}
	l.ring = nil
	return errors.Join(errs...)
}
