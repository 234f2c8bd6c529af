package rpc

import (
	"encoding/binary"
	"math/bits"
)

// copyPlain copies s to the front of b, which is long enough, and returns true if all of s is ASCII that needs no
// escape. Else what b holds is of no use. It looks at eight bytes at a time; the last eight, or four, may lie over
// what is copied already.
func copyPlain(b []byte, s string) bool {
	n := len(s)
	b = b[:n]
	switch {
	case n >= 8:
		odd := uint64(0)
		for i := 0; i < n-8; i += 8 {
			x := eight(s[i:])
			odd |= oddBytes(x)
			binary.LittleEndian.PutUint64(b[i:], x)
		}
		x := eight(s[n-8:])
		binary.LittleEndian.PutUint64(b[n-8:], x)
		return (odd|oddBytes(x))&(eachByte<<7) == 0
	case n >= 4:
		x, y := four(s), four(s[n-4:])
		binary.LittleEndian.PutUint32(b, x)
		binary.LittleEndian.PutUint32(b[n-4:], y)
		return oddBytes(uint64(x)|uint64(y)<<32)&(eachByte<<7) == 0
	case n > 0:
		first, middle, last := s[0], s[n/2], s[n-1]
		b[0], b[n/2], b[n-1] = first, middle, last
		return !(oddByte(first) || oddByte(middle) || oddByte(last))
	}
	return true
}

func oddByte(c byte) bool { return c >= 0x80 || special[c] }

const eachByte = 0x0101010101010101

// oddBytes has a byte's highest bit set if that byte of x is a control character, a quote, a backslash or not ASCII,
// and perhaps in a byte above such a one, but never without one.
func oddBytes(x uint64) uint64 {
	return x | (x - ' '*eachByte) | ((x ^ '"'*eachByte) - eachByte) | ((x ^ '\\'*eachByte) - eachByte)
}

func eight(s string) uint64 {
	return uint64(four(s)) | uint64(four(s[4:]))<<32
}

func four(s string) uint32 {
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

// copyKey copies key to the front of b, which is long enough. Most keys are two words that may overlap.
func copyKey(b []byte, key string) {
	if n := len(key); wide && uint(n-8) <= 8 {
		copy(b[:8], key[:8])
		copy(b[n-8:n], key[n-8:])
		return
	}
	copy(b, key)
}

// wide is true where the processor moves eight bytes at once.
const wide = bits.UintSize == 64
