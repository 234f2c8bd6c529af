package rpc

import "unicode/utf16"

// special marks the bytes that a string does not simply go on over.
var special = [256]bool{
	'"': true, '\\': true,
	0: true, 1: true, 2: true, 3: true, 4: true, 5: true, 6: true, 7: true,
	8: true, 9: true, 10: true, 11: true, 12: true, 13: true, 14: true, 15: true,
	16: true, 17: true, 18: true, 19: true, 20: true, 21: true, 22: true, 23: true,
	24: true, 25: true, 26: true, 27: true, 28: true, 29: true, 30: true, 31: true,
}

// text pulls the string whose opening quote is at the cursor. Without escapes it is a part of the window.
func (b *Body) text() string {
	from := b.pos + 1
	s := b.s[from:]
	for i := range len(s) {
		c := s[i]
		if !special[c] {
			continue
		}
		switch c {
		case '"':
			b.pos = from + i + 1
			return s[:i]
		case '\\':
			return b.unescape(from, from+i)
		}
		b.fail(FormatViolation, from+i, "control character in a string")
		return ""
	}
	b.fail(FormatViolation, len(b.s), "string without end")
	return ""
}

// unescape continues text at the first backslash, i. The text goes into the arena, which takes the rest of
// the window at once: unescaped text is never longer, so no later string of this message allocates.
func (b *Body) unescape(from, i int) string {
	start := b.arena.Len()
	if start == 0 {
		b.arena.Grow(len(b.s) - from)
	}
	b.arena.WriteString(b.s[from:i])
	for i < len(b.s) {
		switch c := b.s[i]; {
		case c == '"':
			b.pos = i + 1
			return b.arena.String()[start:]
		case c == '\\':
			r, n := escape(b.s[i:])
			if n == 0 {
				b.fail(FormatViolation, i, "bad escape in a string")
				return ""
			}
			b.arena.WriteRune(r)
			i += n
		case c < ' ':
			b.fail(FormatViolation, i, "control character in a string")
			return ""
		default:
			b.arena.WriteByte(c)
			i++
		}
	}
	b.fail(FormatViolation, len(b.s), "string without end")
	return ""
}

// escape reads one escape sequence, or a pair of them for a character beyond the first plane. n is its
// length, 0 where it is malformed or half a pair.
func escape(s string) (r rune, n int) {
	if len(s) < 2 {
		return 0, 0
	}
	switch s[1] {
	case '"', '\\', '/':
		return rune(s[1]), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
	default:
		return 0, 0
	}
	r, ok := hex4(s[2:])
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if len(s) < 12 || s[6] != '\\' || s[7] != 'u' {
		return 0, 0
	}
	low, ok := hex4(s[8:])
	if r = utf16.DecodeRune(r, low); !ok || r == '\uFFFD' {
		return 0, 0
	}
	return r, 12
}

func hex4(s string) (r rune, ok bool) {
	if len(s) < 4 {
		return 0, false
	}
	for i := range 4 {
		c := rune(s[i])
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | c
	}
	return r, true
}
