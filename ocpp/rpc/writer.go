package rpc

import "strconv"

// Writer appends one JSON object member by member and checks each value on the way. A key comes with what
// stands around it up to the value: `"evseId":` before a number, `"unit":"` before text, `"evse":{` before an
// object; an element of a list has `"`, `{` or nothing for its key. Each value ends with a comma, and the bracket
// that closes takes the place of the last one. The first fault sticks and is what End returns. What 2.1 bounds is
// bounded toward every version: 2.0.1 says the same in its text. What is absent is not written: the caller looks.
// The methods are kept out of line, as the generated code calls them 1500 times.
type Writer struct {
	buf    []byte // all of the capacity
	n      int    // bytes of buf that are written
	start  int
	ed     uint8
	bad    bool
	at     int
	reason string
}

// Begin opens the object after dst, for version v.
//
//go:noinline
func (w *Writer) Begin(dst []byte, v Version) {
	*w = Writer{buf: dst[:cap(dst)], n: len(dst), start: len(dst), ed: v.edition()}
	w.Open()
}

// End closes the object and returns dst with it appended, or dst alone and an *EncodeError.
//
//go:noinline
func (w *Writer) End() ([]byte, error) {
	if w.bad {
		return w.buf[:w.start], &EncodeError{Path: pathAt(w.buf[w.start:w.at], ""), Reason: w.reason}
	}
	w.back()
	w.put('}')
	return w.buf[:w.n], nil
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
		w.bad, w.at, w.reason = true, w.n, reason
	}
}

//go:noinline
func (w *Writer) failN(reason string, n int64) { w.fail(reason + strconv.FormatInt(n, 10)) }

// grow makes room for n more bytes.
//
//go:noinline
func (w *Writer) grow(n int) {
	more := append(w.buf[:w.n], make([]byte, n)...)
	w.buf = more[:cap(more)]
}

// Missing reports a member without which this version knows no such object.
//
//go:noinline
func (w *Writer) Missing(key string) {
	w.Key(key)
	w.fail("required in this version")
}

// Key writes the key of an object that follows, with its bracket, or of any value.
//
//go:noinline
func (w *Writer) Key(key string) {
	if len(w.buf)-w.n < len(key) {
		w.grow(len(key))
	}
	copyKey(w.buf[w.n:], key)
	w.n += len(key)
}

// Name writes a member's name and colon: what follows has only the rest for its key, `"` or nothing.
//
//go:noinline
func (w *Writer) Name(name string) {
	size := len(`"":`) + len(name)
	if len(w.buf)-w.n < size {
		w.grow(size)
	}
	b := w.buf[w.n : w.n+size]
	b[0] = '"'
	copy(b[1:], name)
	b[size-2], b[size-1] = '"', ':'
	w.n += size
}

// Open begins an object that is an element of a list.
//
//go:noinline
func (w *Writer) Open() { w.put('{') }

// Close ends an object.
//
//go:noinline
func (w *Writer) Close() { w.close('}') }

// List begins a list of n elements, which must be at least min and, unless max is 0, at most max.
//
//go:noinline
func (w *Writer) List(key string, n, min, max int) {
	w.Key(key)
	switch {
	case n < min:
		w.failN("elements below ", int64(min))
	case max > 0 && n > max:
		w.failN("elements above ", int64(max))
	}
	w.put('[')
}

// CloseList ends a list.
//
//go:noinline
func (w *Writer) CloseList() { w.close(']') }

// close writes a closing bracket in place of the last comma, if there is one, and a comma.
func (w *Writer) close(bracket byte) {
	w.back()
	if len(w.buf)-w.n < 2 {
		w.grow(2)
	}
	b := w.buf[w.n : w.n+2]
	b[0], b[1] = bracket, ','
	w.n += 2
}

// back steps over the last comma, if there is one.
func (w *Writer) back() {
	if w.buf[w.n-1] == ',' {
		w.n--
	}
}

func (w *Writer) put(c byte) {
	if w.n == len(w.buf) {
		w.grow(1)
	}
	w.buf[w.n] = c
	w.n++
}
