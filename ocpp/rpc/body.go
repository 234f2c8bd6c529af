package rpc

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Body is a pull cursor over one JSON value. The first fault sticks: what is pulled afterwards is zero,
// loops end, and End returns it. A Body is reused with Reset; it belongs to one goroutine.
//
// The grammar is RFC 8259 to the letter: no comments, no trailing commas, no leading zeros, no raw
// control characters, no lone surrogates, valid UTF-8 only.
type Body struct {
	s     string
	pos   int
	depth int
	ed    uint8
	bad   bool
	lim   Limits
	arena strings.Builder // unescaped strings; grown once, so that one message costs one allocation

	code    ErrorCode
	at      int
	missing string
	reason  string
	foreign error
}

// Reset puts the cursor before the value in window. The strings pulled later are parts of window.
func (b *Body) Reset(window string, lim Limits) {
	*b = Body{s: window, lim: lim.filled()}
}

// Begin rewinds to the start of the window and reads as v. Decode of a message calls it.
//
//go:noinline
func (b *Body) Begin(v Version) {
	*b = Body{s: b.s, lim: b.lim.filled(), ed: v.edition()}
	if !utf8.ValidString(b.s) {
		b.fail(FormatViolation, 0, "not valid UTF-8")
	}
}

// End checks that nothing follows the value and returns the first fault as a *DecodeError, or what was
// handed to Stop.
//
//go:noinline
func (b *Body) End() error {
	if !b.bad && b.peek() != 0 || b.pos < len(b.s) {
		b.fail(FormatViolation, b.pos, "data after the end")
	}
	if !b.bad {
		return nil
	}
	if b.foreign != nil {
		return b.foreign
	}
	return &DecodeError{Code: b.code, Path: pathAt(b.s[:b.at], b.missing), Reason: b.reason}
}

// Failed tells whether a fault was found.
func (b *Body) Failed() bool { return b.bad }

// Stop ends the decoding with an error that is not the sender's; End returns it unchanged.
func (b *Body) Stop(err error) {
	if !b.bad {
		b.foreign = err
		b.fail(GenericError, b.pos, "stopped")
	}
}

// fail records the first fault and moves the cursor to the end, where nothing more can be pulled.
//
//go:noinline
func (b *Body) fail(code ErrorCode, at int, reason string) {
	if !b.bad {
		b.bad, b.code, b.at, b.reason = true, code, min(at, len(b.s)), reason
	}
	b.pos = len(b.s)
}

//go:noinline
func (b *Body) failN(code ErrorCode, at int, reason string, n int64) {
	b.fail(code, at, reason+strconv.FormatInt(n, 10))
}

// wrong reports a value that is not of the wanted type, or no value at all.
//
//go:noinline
func (b *Body) wrong(want string) {
	switch c := b.peek(); {
	case c == 0 && b.pos >= len(b.s):
		b.fail(FormatViolation, b.pos, "unexpected end")
	case c == '"' || c == '{' || c == '[' || c == '-' || c >= '0' && c <= '9':
		b.fail(TypeConstraintViolation, b.pos, "want "+want)
	default:
		for _, word := range [...]string{"true", "false", "null"} {
			if strings.HasPrefix(b.s[b.pos:], word) {
				b.fail(TypeConstraintViolation, b.pos, "want "+want+", not "+word)
			}
		}
		b.fail(FormatViolation, b.pos, "not JSON")
	}
}

// peek skips white space and returns the next byte, 0 at the end.
func (b *Body) peek() byte {
	if i := b.pos; i < len(b.s) && b.s[i] > ' ' {
		return b.s[i]
	}
	return b.space()
}

func (b *Body) space() byte {
	for b.pos < len(b.s) {
		c := b.s[b.pos]
		if c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			return c
		}
		b.pos++
	}
	return 0
}

// Str pulls a string of at most max characters (not bytes: JSON Schema maxLength).
//
//go:noinline
func (b *Body) Str(max int) string {
	if b.peek() != '"' {
		b.wrong("a string")
		return ""
	}
	at := b.pos
	s := b.text()
	if len(s) > max && utf8.RuneCountInString(s) > max {
		b.failN(PropertyConstraintViolation, at, "characters above ", int64(max))
	}
	return s
}

// StrEd is Str whose limit grew with 2.1.
//
//go:noinline
func (b *Body) StrEd(old, now int) string {
	if b.ed == 0 {
		return b.Str(old)
	}
	return b.Str(now)
}

// Bool pulls true or false.
//
//go:noinline
func (b *Body) Bool() bool {
	b.peek()
	switch {
	case strings.HasPrefix(b.s[b.pos:], "true"):
		b.pos += len("true")
		return true
	case strings.HasPrefix(b.s[b.pos:], "false"):
		b.pos += len("false")
		return false
	}
	b.wrong("a boolean")
	return false
}

// Time pulls an RFC 3339 date-time and returns it in UTC.
//
//go:noinline
func (b *Body) Time() time.Time {
	if b.peek() != '"' {
		b.wrong("a date-time")
		return time.Time{}
	}
	at := b.pos
	s := b.text()
	if b.bad {
		return time.Time{}
	}
	t, err := ParseTime(s)
	if err != nil {
		b.fail(PropertyConstraintViolation, at, err.Error())
	}
	return t
}

// Raw pulls any value as its JSON text.
func (b *Body) Raw() Raw {
	b.peek()
	from := b.pos
	b.skip()
	if b.bad {
		return ""
	}
	return Raw(b.s[from:b.pos])
}
