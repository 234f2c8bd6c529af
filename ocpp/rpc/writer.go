package rpc

import "strconv"

// Writer appends one JSON object member by member and checks each value on the way. A key comes with what
// stands around it, as in `,"evseId":`; the comma is left out before the first member. The first fault
// sticks and is what End returns. What 2.1 bounds is bounded toward every version: 2.0.1 says the same in its
// text. The methods are kept out of line, as the generated code calls them 1500 times.
type Writer struct {
	buf    []byte
	start  int
	ed     uint8
	bad    bool
	at     int
	reason string
}

// Begin starts after dst, for version v.
//
//go:noinline
func (w *Writer) Begin(dst []byte, v Version) {
	*w = Writer{buf: dst, start: len(dst), ed: v.edition()}
}

// End returns dst with the object appended, or dst alone and an *EncodeError.
//
//go:noinline
func (w *Writer) End() ([]byte, error) {
	if w.bad {
		return w.buf[:w.start], &EncodeError{Path: pathAt(w.buf[w.start:w.at], ""), Reason: w.reason}
	}
	return w.buf, nil
}

// V21 tells whether members that came with 2.1 may be written.
func (w *Writer) V21() bool { return w.ed != 0 }

// Pick returns the limit of the version that is written.
func (w *Writer) Pick(old, now int) int {
	if w.ed == 0 {
		return old
	}
	return now
}

//go:noinline
func (w *Writer) fail(reason string) {
	if !w.bad {
		w.bad, w.at, w.reason = true, len(w.buf), reason
	}
}

//go:noinline
func (w *Writer) failN(reason string, n int64) { w.fail(reason + strconv.FormatInt(n, 10)) }

// Missing reports a member without which this version knows no such object.
//
//go:noinline
func (w *Writer) Missing(key string) {
	w.key(key)
	w.fail("required in this version")
}

// Open begins an object: the message, the value of a member (after Key) or an element of a list.
//
//go:noinline
func (w *Writer) Open() {
	if n := len(w.buf); n > w.start && w.buf[n-1] == '}' {
		w.buf = append(w.buf, ',')
	}
	w.buf = append(w.buf, '{')
}

// Close ends an object.
//
//go:noinline
func (w *Writer) Close() { w.buf = append(w.buf, '}') }

// Key writes the key of an object that follows.
//
//go:noinline
func (w *Writer) Key(key string) { w.key(key) }

func (w *Writer) key(key string) {
	if w.buf[len(w.buf)-1] == '{' {
		key = key[1:]
	}
	w.buf = append(w.buf, key...)
}

// List begins a list of n elements, which must be at least min and, unless max is 0, at most max.
//
//go:noinline
func (w *Writer) List(key string, n, min, max int) {
	w.key(key)
	switch {
	case n < min:
		w.failN("elements below ", int64(min))
	case max > 0 && n > max:
		w.failN("elements above ", int64(max))
	}
	w.buf = append(w.buf, '[')
}

// CloseList ends a list.
//
//go:noinline
func (w *Writer) CloseList() { w.buf = append(w.buf, ']') }

func (w *Writer) comma() {
	if w.buf[len(w.buf)-1] != '[' {
		w.buf = append(w.buf, ',')
	}
}
