package rpc

import "strings"

// skip steps over any value, checking its grammar and depth. Members of what is skipped may repeat:
// nobody reads them here.
func (b *Body) skip() {
	switch c := b.peek(); {
	case c == '"':
		b.skipText()
	case c == '{':
		b.skipObject()
	case c == '[':
		b.enter()
		for l := (List{max: len(b.s)}); l.More(b); {
			b.skip()
		}
	case c == '-' || c >= '0' && c <= '9':
		b.skipNumber()
	default:
		b.word()
	}
}

// skipNumber steps over a number of any size: what no int64 holds is JSON all the same.
func (b *Body) skipNumber() {
	_, n, err := scanDecimal(b.s[b.pos:])
	if err == errNumber {
		b.fail(FormatViolation, b.pos, err.Error())
		return
	}
	b.pos += n
}

func (b *Body) word() {
	for _, word := range [...]string{"true", "false", "null"} {
		if strings.HasPrefix(b.s[b.pos:], word) {
			b.pos += len(word)
			return
		}
	}
	if b.pos >= len(b.s) {
		b.fail(FormatViolation, b.pos, "unexpected end")
		return
	}
	b.fail(FormatViolation, b.pos, "not JSON")
}

func (b *Body) skipObject() {
	b.enter()
	for first := true; ; first = false {
		switch c := b.peek(); {
		case c == '}':
			b.pos++
			b.depth--
			return
		case first:
		case c == ',':
			b.pos++
		default:
			b.fail(FormatViolation, b.pos, "want , or }")
			return
		}
		b.skipKey()
		if b.skip(); b.bad {
			return
		}
	}
}

func (b *Body) skipKey() {
	if b.peek() != '"' {
		b.fail(FormatViolation, b.pos, "want a member name")
		return
	}
	b.skipText()
	if b.peek() != ':' {
		b.fail(FormatViolation, b.pos, "want :")
		return
	}
	b.pos++
}

// skipText is text for a string that nobody wants: nothing is copied.
func (b *Body) skipText() {
	s := b.s
	for i := b.pos + 1; i < len(s); i++ {
		c := s[i]
		if !special[c] {
			continue
		}
		switch c {
		case '"':
			b.pos = i + 1
			return
		case '\\':
			_, n := escape(s[i:])
			if n == 0 {
				b.fail(FormatViolation, i, "bad escape in a string")
				return
			}
			i += n - 1
		default:
			b.fail(FormatViolation, i, "control character in a string")
			return
		}
	}
	b.fail(FormatViolation, len(s), "string without end")
}
