package rpc

import (
	"math"
	"strings"
)

// Enum is a closed set of names. Names are at most 64; bit n of Known is Names[n]; column 0 is for
// versions before 2.1, column 1 for 2.1. Slots and Hash are what Slots returns for Names.
type Enum struct {
	Names []string
	Known [2]uint64
	Slots string
	Hash  Hash
}

// Hash is how the names of one Enum are spread over its slots: by their length and the bytes at A and B, and at C from
// the end, times Mul.
type Hash struct {
	Mul     uint32
	A, B, C uint8
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
	for i := e.Hash.slot(s) & mask; e.Slots[i] != 0; i = (i + 1) & mask {
		if n := int(e.Slots[i] - 1); e.Names[n] == s {
			return n
		}
	}
	return -1
}

// guess returns the only index that s, which is not empty, can have unless names share a slot, or one out of range.
func (e *Enum) guess(s string) uint {
	return uint(e.Slots[e.Hash.slot(s)&(len(e.Slots)-1)]) - 1
}

// slot hashes a name, which is not empty. In a short one the byte at its end stands in for what it lacks.
func (h *Hash) slot(s string) int {
	last := uint(len(s) - 1)
	x := uint32(last) | uint32(s[min(uint(h.A), last)])<<8 | uint32(s[min(uint(h.B), last)])<<16 | uint32(s[last-min(uint(h.C), last)])<<24
	return int(x * h.Mul >> 24)
}

// Slots returns the lookup table of names: an open-addressed hash table at most half full, one byte a slot, which
// holds index+1; and its hash, by which no two names fall on one slot if that can be had, or else none of those that
// common has a bit of. Generators call it, so that a program starts without building tables.
func Slots(names []string, common uint64) (slots string, h Hash) {
	size := 4
	for size < 2*len(names) {
		size *= 2
	}
	least := math.MaxInt
	for ; least > 0 && size <= 256; size *= 2 {
		for try := uint32(0); try < 1<<16 && least > 0; try++ {
			mul := (2*try + 1) * 0x9E3779B1
			with := Hash{Mul: mul, A: uint8(mul >> 8 & 15), B: uint8(mul >> 16 & 31), C: uint8(mul >> 24 & 7)}
			if table, clashes := slotTable(names, common, size, with); clashes < least {
				slots, h, least = string(table), with, clashes
			}
		}
	}
	return slots, h
}

// slotTable fills a table, the common names first, and counts the names whose slot another one had. A common one
// counts for more than all others.
func slotTable(names []string, common uint64, size int, h Hash) (table []byte, clashes int) {
	table = make([]byte, size)
	for turn, weight := range []int{64, 1} {
		for n, s := range names {
			if common>>n&1 == uint64(turn) {
				continue
			}
			i := h.slot(s) & (size - 1)
			if table[i] != 0 {
				clashes += weight
			}
			for table[i] != 0 {
				i = (i + 1) & (size - 1)
			}
			table[i] = byte(n + 1)
		}
	}
	return table, clashes
}
