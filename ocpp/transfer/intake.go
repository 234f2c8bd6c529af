package transfer

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
)

// intake is what a sink takes of one file, within bounds.
type intake struct {
	w    *watch
	sink Sink
	max  int64 // bytes that the file may have
}

// held is what a sink holds of a file.
type held struct {
	size int64
	tag  tag
}

// tag tells a file from another at the same address.
type tag struct {
	size      int64  // -1: the server did not say it
	validator string // "": nothing tells it
}

// String is the tag as a sink keeps it; "" for what cannot be told from another.
func (t tag) String() string {
	if t.validator == "" {
		return ""
	}
	return fmt.Sprintf("%d %s", t.size, t.validator)
}

func parseTag(s string) (tag, bool) {
	size, v, ok := strings.Cut(s, " ")
	if size == "-1" {
		return tag{-1, v}, ok && v != ""
	}
	n, fits := position(size)
	return tag{n, v}, ok && fits && v != ""
}

// held returns what the sink holds and can go on with. What cannot be told from another file, or is more than the file had, is
// forgotten.
func (in *intake) held() (held, error) {
	n := in.sink.Offset()
	if n == 0 {
		return held{}, nil
	}
	if t, ok := in.sink.(Tagger); ok && n > 0 && n <= in.max {
		if tag, ok := parseTag(t.Tag()); ok && (tag.size < 0 || n <= tag.size) {
			return held{n, tag}, nil
		}
	}
	return held{}, in.forget()
}

// forget empties the sink.
func (in *intake) forget() error {
	if err := in.sink.Truncate(0); err != nil {
		return fmt.Errorf("%w: begin anew: %w", ErrSink, err)
	}
	return in.mark("")
}

// anew empties the sink for another request.
func (in *intake) anew() error {
	if err := in.forget(); err != nil {
		return err
	}
	return errAnew
}

func (in *intake) mark(s string) error {
	t, ok := in.sink.(Tagger)
	if !ok {
		return nil
	}
	if len(s) > MaxTag {
		s = ""
	}
	if err := t.SetTag(s); err != nil {
		return fmt.Errorf("%w: note its tag: %w", ErrSink, err)
	}
	return nil
}

// start prepares the sink for a file's first byte.
func (in *intake) start(t tag) error {
	if err := in.fits(t.size); err != nil {
		return err
	}
	if in.sink.Offset() != 0 {
		if err := in.forget(); err != nil {
			return err
		}
	}
	return in.mark(t.String())
}

// fits says whether a file may be that large.
func (in *intake) fits(size int64) error {
	if size > in.max {
		return fmt.Errorf("%w: %d bytes, and %d are allowed", ErrTooLarge, size, in.max)
	}
	return nil
}

// take writes what comes to the sink until the file has size bytes; -1: until it ends.
func (in *intake) take(u *url.URL, from io.Reader, size int64) error {
	buf := make([]byte, chunk)
	for {
		n, err := from.Read(buf)
		in.w.pause()
		held := in.sink.Offset() + int64(n)
		switch {
		case size >= 0 && held > size:
			return fmt.Errorf("get from %s: %w: more comes than was said", u.Host, ErrAnswer)
		case held > in.max:
			return in.fits(held)
		}
		if n > 0 {
			if _, err := in.sink.Write(buf[:n]); err != nil {
				return fmt.Errorf("%w: %w", ErrSink, err)
			}
		}
		in.w.moved()
		switch {
		case in.w.ctx.Err() != nil:
			return in.w.reason("get from", u, in.w.ctx.Err())
		case errors.Is(err, io.EOF) && (size < 0 || held == size):
			return nil
		case errors.Is(err, io.EOF):
			return fmt.Errorf("get from %s: %w", u.Host, ErrCut)
		case err != nil:
			return in.w.reason("get from", u, fmt.Errorf("%w: %w", ErrCut, err))
		}
	}
}
