package rpc

import (
	"errors"
	"math"
	"math/bits"
	"strconv"
)

// Decimal is the number Mantissa * 10^Exp. The zero value is 0. A decoded one has -18 <= Exp <= 0 and keeps
// the digits it was sent with: a station must not lose the resolution of its source (part 2, 2.1, decimal).
type Decimal struct {
	Mantissa int64
	Exp      int8
}

const minExp = -18 // 10^18 is the largest power of ten in an int64

var (
	errNumber   = errors.New("not a number")
	errOverflow = errors.New("number too large")
)

// Int returns v.
func Int(v int64) Decimal { return Decimal{Mantissa: v} }

// Milli returns v/1000 without trailing zeros: Milli(230150) is 230.15.
func Milli(v int64) Decimal { return Decimal{v, -3}.trim() }

// Scaled returns v * 10^exp and keeps trailing zeros, which tell the resolution of the source.
func Scaled(v int64, exp int8) Decimal { return Decimal{v, exp} }

func (d Decimal) trim() Decimal {
	for d.Exp < 0 && d.Mantissa%10 == 0 {
		d.Mantissa /= 10
		d.Exp++
	}
	return d
}

// Milli returns 1000*d toward zero: a limit never grows by conversion. ok is false on overflow.
func (d Decimal) Milli() (v int64, ok bool) { return d.Units(3) }

// Units returns d * 10^digits toward zero. ok is false on overflow.
func (d Decimal) Units(digits int) (v int64, ok bool) {
	v = d.Mantissa
	for e := int(d.Exp) + digits; e > 0 && v != 0; e-- {
		if v > math.MaxInt64/10 || v < math.MinInt64/10 {
			return 0, false
		}
		v *= 10
	}
	for e := int(d.Exp) + digits; e < 0 && v != 0; e++ {
		v /= 10
	}
	return v, true
}

// Sign returns -1, 0 or 1.
func (d Decimal) Sign() int {
	switch {
	case d.Mantissa < 0:
		return -1
	case d.Mantissa > 0:
		return 1
	}
	return 0
}

// Int returns the whole part and whether there is nothing else. It is not exact on overflow.
func (d Decimal) Int() (v int64, exact bool) {
	v, ok := d.Units(0)
	if !ok {
		return 0, false
	}
	return v, d.Cmp(Int(v)) == 0
}

// Cmp returns -1, 0 or 1 as d is below, equal to or above e, exactly.
func (d Decimal) Cmp(e Decimal) int {
	switch {
	case d.Sign() != e.Sign() || d.Sign() == 0:
		return sign(d.Sign() - e.Sign())
	case d.Exp < e.Exp:
		return -e.Cmp(d)
	}
	// Same sign, and d has the coarser step: widen d's mantissa by the difference. Once it leaves 64 bits it
	// is larger than any mantissa of e.
	wide, other := magnitude(d.Mantissa), magnitude(e.Mantissa)
	for range int(d.Exp) - int(e.Exp) {
		over, low := bits.Mul64(wide, 10)
		if over != 0 {
			return d.Sign()
		}
		wide = low
	}
	switch {
	case wide > other:
		return d.Sign()
	case wide < other:
		return -d.Sign()
	}
	return 0
}

func magnitude(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}

func sign(v int) int { return min(max(v, -1), 1) }

// String returns d in plain notation.
func (d Decimal) String() string { return string(d.Append(nil)) }

// Append appends d in plain notation, never with an exponent.
func (d Decimal) Append(dst []byte) []byte {
	if d.Exp == 0 || d.Mantissa == 0 && d.Exp > 0 {
		return strconv.AppendInt(dst, d.Mantissa, 10)
	}
	if d.Mantissa < 0 {
		dst = append(dst, '-')
	}
	if d.Exp > 0 {
		dst = strconv.AppendUint(dst, magnitude(d.Mantissa), 10)
		for range d.Exp {
			dst = append(dst, '0')
		}
		return dst
	}
	var digits [20]byte
	text := strconv.AppendUint(digits[:0], magnitude(d.Mantissa), 10)
	whole := len(text) + int(d.Exp)
	if whole <= 0 {
		dst = append(dst, '0', '.')
		for range -whole {
			dst = append(dst, '0')
		}
		return append(dst, text...)
	}
	dst = append(dst, text[:whole]...)
	dst = append(dst, '.')
	return append(dst, text[whole:]...)
}

// ParseDecimal reads a JSON number. Digits behind the point that no int64 can hold are dropped, at least
// 18 significant ones stay; a whole part above int64 is an error.
func ParseDecimal(s string) (Decimal, error) {
	d, n, err := scanDecimal(s)
	if err == nil && n != len(s) {
		err = errNumber
	}
	return d, err
}
