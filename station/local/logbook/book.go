package logbook

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"time"
)

// Bounds of what is kept.
const (
	MaxBytes = 256 << 10 // of all lines, each with its overhead
	MaxLine  = 2 << 10   // bytes of one; the rest is cut off

	overhead = 48 // bytes that a line costs beside its text
)

// Book keeps the newest lines of a log. Its methods may be called from any goroutine.
type Book struct {
	now func() time.Time

	mu    sync.Mutex // everything below
	lines []line     // in the order in which they came
	bytes int
	lost  int // lines that had to go
}

// line is a line without its time, and when it was written on the clock of the book.
type line struct {
	at   time.Time
	text string
}

// New returns an empty book. now is a clock that never jumps: what the time of day was, is known when the log is read.
func New(now func() time.Time) *Book { return &Book{now: now} }

// Write keeps one line; it is what a handler of log/slog calls for each record.
func (b *Book) Write(p []byte) (int, error) {
	text := bytes.TrimRight(p, "\n")
	text = text[:min(len(text), MaxLine)]
	l := line{b.now(), string(text)}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = append(b.lines, l)
	b.bytes += l.size()
	gone := 0
	for ; b.bytes > MaxBytes; gone++ {
		b.bytes -= b.lines[gone].size()
		b.lines[gone] = line{}
	}
	b.lines, b.lost = b.lines[gone:], b.lost+gone
	return len(p), nil
}

func (l line) size() int { return len(l.text) + overhead }

// between calls fn with each line that was written from oldest to latest; a zero time is no bound. It returns how many lines
// had to go.
func (b *Book) between(oldest, latest time.Time, fn func(at time.Time, text string)) int {
	b.mu.Lock()
	lines, lost := append([]line(nil), b.lines...), b.lost
	b.mu.Unlock()
	for _, l := range lines {
		if (oldest.IsZero() || !l.at.Before(oldest)) && (latest.IsZero() || !l.at.After(latest)) {
			fn(l.at, l.text)
		}
	}
	return lost
}

// Handler returns a handler that hands each record to next, and keeps those of level Info and above.
func (b *Book) Handler(next slog.Handler) slog.Handler {
	return tee{next, slog.NewTextHandler(b, nil)}
}

// tee is a handler that feeds two.
type tee struct{ next, book slog.Handler }

// Enabled reports whether either wants a level.
func (t tee) Enabled(ctx context.Context, l slog.Level) bool {
	return t.book.Enabled(ctx, l) || t.next.Enabled(ctx, l)
}

// Handle feeds those that want it. In the book a line has no time of its own.
func (t tee) Handle(ctx context.Context, r slog.Record) error {
	if t.book.Enabled(ctx, r.Level) {
		timeless := r.Clone()
		timeless.Time = time.Time{}
		_ = t.book.Handle(ctx, timeless) // memory does not fail
	}
	if t.next.Enabled(ctx, r.Level) {
		return t.next.Handle(ctx, r)
	}
	return nil
}

// WithAttrs gives both the same attributes.
func (t tee) WithAttrs(as []slog.Attr) slog.Handler {
	return tee{t.next.WithAttrs(as), t.book.WithAttrs(as)}
}

// WithGroup gives both the same group.
func (t tee) WithGroup(name string) slog.Handler {
	return tee{t.next.WithGroup(name), t.book.WithGroup(name)}
}
