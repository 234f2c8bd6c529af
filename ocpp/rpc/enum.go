package rpc

import "strings"

// Enum is a closed set of names. Names are at most 64; bit n of Known is Names[n]; column 0 is for
// versions before 2.1, column 1 for 2.1. Slots is what Slots returns for Names.
type Enum struct {
	Names []string
	Known [2]uint64
	Slots string
}

// Enum pulls a name of e. The result is e's own string: nothing is allocated and no frame is kept by it.
//
//go:noinline
func (b *Body) Enum(e *Enum) string {
	if b.peek() != '"' {
		b.wrong("a string")
		return ""
	}
	at := b.pos
	if n := strings.IndexByte(b.s[at+1:], '"'); n > 0 {
		if i := e.find(b.s[at+1 : at+1+n]); i >= 0 && e.Known[b.ed]&(1<<i) != 0 { // no escapes in it, then
			b.pos = at + n + 2
			return e.Names[i]
		}
	}
	s := b.text()
	if i := e.find(s); i >= 0 && e.Known[b.ed]&(1<<i) != 0 {
		return e.Names[i]
	}
	b.fail(PropertyConstraintViolation, at, "value not in the enumeration")
	return ""
}

// EnumOrStr pulls what was an enumeration before 2.1 and is free text of at most max characters since.
//
//go:noinline
func (b *Body) EnumOrStr(e *Enum, max int) string {
	if b.ed == 0 {
		return b.Enum(e)
	}
	s := b.Str(max)
	if i := e.find(s); i >= 0 {
		return e.Names[i]
	}
	return s
}

// find returns the index of s in e.Names, -1 if it is not there.
func (e *Enum) find(s string) int {
	if s == "" {
		return -1
	}
	mask := len(e.Slots) - 1
	for i := slot(s) & mask; e.Slots[i] != 0; i = (i + 1) & mask {
		if n := int(e.Slots[i] - 1); e.Names[n] == s {
			return n
		}
	}
	return -1
}

// slot hashes a name by its length and three of its bytes.
func slot(s string) int {
	return len(s)*7 + int(s[0])*3 + int(s[len(s)/2])*5 + int(s[len(s)-1])
}

// Slots returns the lookup table of names: an open-addressed hash table at most half full, one byte a
// slot, which holds index+1. Generators call it, so that a program starts without building tables.
func Slots(names []string) string {
	size := 4
	for size < 2*len(names) {
		size *= 2
	}
	slots := make([]byte, size)
	for n, s := range names {
		i := slot(s) & (size - 1)
		for slots[i] != 0 {
			i = (i + 1) & (size - 1)
		}
		slots[i] = byte(n + 1)
	}
	return string(slots)
}
