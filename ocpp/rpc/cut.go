package rpc

import "bytes"

// What a Cutter holds of a frame, in bytes.
const (
	cutBatch   = 16 << 10 // whole elements that are handed on together
	cutElement = 32 << 10 // one element; the longest of 2.1 that says anything needs far less
	cutRest    = 64 << 10 // everything but the list
)

// Cutter takes a CALL apart that is too long to keep, while it arrives. One list of its payload is handed on in pieces;
// the rest stays, with the first element of the list, and is a frame of its own for Parse. White space is shortened on
// the way, so that it costs nothing.
//
// A Cutter only finds where elements end. Whether they, and the rest, are sound is for those to find who read them:
// what is cut at a wrong place, because its brackets do not match, is not sound.
type Cutter struct {
	member string
	each   func(list []byte) error

	rest  []byte
	batch []byte // [ and the elements since the last piece
	at    int    // bytes that came
	from  int    // of these, before the payload
	depth int
	arg   int // element of the frame
	name  [2]int
	named bool // name in rest is that of the list

	list    bool // within the list
	element int  // of the list
	text    bool // within a string
	escaped bool
	space   bool
	err     error
}

// NewCutter returns a Cutter that calls each for pieces of the list called member: JSON lists of at least one element,
// in order, valid during the call. An error of each ends the cutting.
func NewCutter(member string, each func(list []byte) error) *Cutter {
	return &Cutter{member: member, each: each, batch: []byte{'['}}
}

// Peek reads id and action of the CALL that begins with prefix; false: it is no CALL, or they are not all there.
func Peek(prefix []byte, v Version) (Frame, bool) {
	p := parser{v: v}
	p.b.Reset(string(prefix), Limits{})
	if p.head() != nil || p.f.Type != Call || !p.comma() || p.b.peek() != '"' {
		return Frame{}, false
	}
	p.f.Action = p.b.text()
	return p.f, !p.b.bad
}

// Write takes the next part of the frame. Errors are those of each, or a *DecodeError; they stay.
func (c *Cutter) Write(window []byte) error {
	for len(window) > 0 && c.err == nil {
		n := 1
		if c.text {
			n = c.string(window)
		} else {
			c.byte(window[0])
		}
		c.at += n
		window = window[n:]
	}
	return c.err
}

const payloadArg = 3 // the payload's place in a CALL

// Rest returns the frame without what was handed on; Parse tells whether it is sound.
func (c *Cutter) Rest() []byte { return c.rest }

// Size returns the bytes from the payload on.
func (c *Cutter) Size() int { return c.at - c.from }

// string takes what is within a string, up to and with its end or a backslash, and returns how much that was.
func (c *Cutter) string(window []byte) int {
	n := 0
	if !c.escaped {
		if n = bytes.IndexAny(window, `"\`); n < 0 {
			n = len(window) - 1
		}
	}
	last := window[n]
	c.put(window[:n+1])
	switch {
	case c.escaped:
		c.escaped = false
	case last == '\\':
		c.escaped = true
	case last == '"':
		c.text = false
		if !c.passing() {
			c.name[1] = len(c.rest) - 1
		}
	}
	return n + 1
}

// byte takes a byte that is not within a string.
func (c *Cutter) byte(b byte) {
	if b == ' ' || b == '\n' || b == '\r' || b == '\t' {
		if !c.space {
			c.put([]byte{' '})
		}
		c.space = true
		return
	}
	c.space = false
	if c.list && c.depth == listDepth && (b == ',' || b == ']' || b == '}') {
		c.between(b)
		return
	}
	c.put([]byte{b})
	switch b {
	case '"':
		c.text = true
		if !c.passing() {
			c.name[0] = len(c.rest)
		}
	case '[', '{':
		c.depth++
		if b == '[' && c.named && c.depth == listDepth {
			c.list, c.element = true, 0
		}
		c.named = false
	case ']', '}':
		c.depth--
	case ':':
		c.named = c.depth == listDepth-1 && c.arg == payloadArg && string(c.rest[c.name[0]:c.name[1]]) == c.member
	case ',':
		c.named = false
		if c.depth == 1 {
			if c.arg++; c.arg == payloadArg {
				c.from = c.at + 1
			}
		}
	default:
		c.named = false
	}
}

const listDepth = 3 // brackets that are open within the list: of the frame, the payload and the list

// between ends an element, and perhaps the list.
func (c *Cutter) between(b byte) {
	if b == ',' {
		if c.element > 0 {
			c.put([]byte{','})
		} else if bytes.HasSuffix(bytes.TrimRight(c.rest, " "), []byte{'['}) {
			c.err = &DecodeError{Code: FormatViolation, Path: c.member, Reason: "not JSON"}
			return
		}
		c.element++
		if len(c.batch) > cutBatch {
			c.batch = c.batch[:len(c.batch)-1] // the comma
			c.pass()
		}
		return
	}
	if c.element > 0 {
		if last := bytes.TrimRight(c.batch, " "); last[len(last)-1] == ',' || len(last) == 1 {
			c.err = &DecodeError{Code: FormatViolation, Path: c.member, Reason: "not JSON"}
			return
		}
		if c.pass(); c.err != nil {
			return
		}
	}
	c.list = false
	c.put([]byte{b})
	c.depth--
}

// pass hands the batch on.
func (c *Cutter) pass() {
	c.err = c.each(append(c.batch, ']'))
	c.batch = c.batch[:1]
}

// passing tells whether what comes now is handed on.
func (c *Cutter) passing() bool { return c.list && c.element > 0 }

func (c *Cutter) put(b []byte) {
	if c.passing() {
		if c.batch = append(c.batch, b...); len(c.batch) > cutBatch+cutElement {
			c.err = &DecodeError{Code: FormatViolation, Path: c.member, Reason: "element too long"}
		}
		return
	}
	if c.rest = append(c.rest, b...); len(c.rest) > cutRest {
		c.err = &DecodeError{Code: FormatViolation, Reason: "frame too long"}
	}
}
