package meter

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// format is how a number lies in registers.
type format struct {
	words    int
	signed   bool
	float    bool
	exponent bool // the highest byte is a decimal exponent
}

var formats = map[string]format{
	"u16": {words: 1}, "s16": {words: 1, signed: true},
	"u32": {words: 2}, "s32": {words: 2, signed: true},
	"u64": {words: 4}, "s64": {words: 4, signed: true},
	"f32": {words: 2, float: true},
	"t5":  {words: 2, exponent: true}, // exponent of 8 bits, mantissa of 24
	"t6":  {words: 2, exponent: true, signed: true},
}

// errNumber is what a register shows that is no quantity.
var errNumber = errors.New("register shows no number")

// join puts registers together, the highest word first or last.
func join(words []uint16, little bool) uint64 {
	var raw uint64
	for i := range words {
		w := words[i]
		if little {
			w = words[len(words)-1-i]
		}
		raw = raw<<16 | uint64(w)
	}
	return raw
}

// split is the inverse of join.
func split(raw uint64, words int, little bool) []uint16 {
	ws := make([]uint16, words)
	for i := range ws {
		at := words - 1 - i
		if little {
			at = i
		}
		ws[at] = uint16(raw >> (16 * i))
	}
	return ws
}

// decode returns the mantissa and the decimal exponent that raw stands for. A float has been turned into thousandths of
// base units already, by the caller's scale; see milli.
func (f format) decode(raw uint64) (mantissa int64, exponent int, err error) {
	width := 16 * f.words
	if f.exponent {
		width, exponent = 24, int(int8(raw>>24))
		raw &= 1<<24 - 1
	}
	if f.signed {
		shift := 64 - width
		return int64(raw<<shift) >> shift, exponent, nil
	}
	if raw > math.MaxInt64 {
		return 0, 0, errNumber
	}
	return int64(raw), exponent, nil
}

// encode is the inverse of decode for exponent 0 and for the formats that carry none; ok is false if v does not fit.
func (f format) encode(v int64) (raw uint64, ok bool) {
	width := 16 * f.words
	if f.exponent {
		width = 24
	}
	if f.signed {
		limit := int64(1) << (width - 1)
		if width < 64 && (v < -limit || v >= limit) {
			return 0, false
		}
		return uint64(v) & (1<<(width-1)<<1 - 1), true
	}
	if v < 0 || width < 63 && v >= 1<<width {
		return 0, false
	}
	return uint64(v), true
}

// fixed is a decimal number: digits * 10^-places.
type fixed struct {
	digits int64
	places int
}

// parseFixed parses a plain decimal like "0.01" or "-10".
func parseFixed(s string) (fixed, error) {
	var d fixed
	body, negative := strings.CutPrefix(s, "-")
	whole, fraction, dot := strings.Cut(body, ".")
	if whole == "" || dot && fraction == "" || len(body) > 18 {
		return d, fmt.Errorf("%q: want a decimal number like 0.1", s)
	}
	for _, c := range whole + fraction {
		if c < '0' || c > '9' {
			return d, fmt.Errorf("%q: want a decimal number like 0.1", s)
		}
		d.digits = 10*d.digits + int64(c-'0')
	}
	if negative {
		d.digits = -d.digits
	}
	d.places = len(fraction)
	return d, nil
}

// thousandths returns v * d * 10^exponent in thousandths, rounded half away from zero; false if that passes 64 bits.
func (d fixed) thousandths(v int64, exponent int) (int64, bool) {
	n, ok := multiply(v, d.digits)
	if !ok {
		return 0, false
	}
	return shift(n, 3+exponent-d.places)
}

// invert returns the v for which thousandths(v, exponent) is nearest to t.
func (d fixed) invert(t int64, exponent int) (int64, bool) {
	n, ok := shift(t, d.places-3-exponent+extra)
	if !ok {
		n, ok = shift(t, d.places-3-exponent)
		if !ok {
			return 0, false
		}
		return divide(n, d.digits), true
	}
	return shift(divide(n, d.digits), -extra)
}

// extra is how many more places invert works with, so that a scale that is no power of ten does not round twice.
const extra = 2

// shift returns v * 10^n, rounded half away from zero.
func shift(v int64, n int) (int64, bool) {
	for ; n > 0 && v != 0; n-- {
		var ok bool
		if v, ok = multiply(v, 10); !ok {
			return 0, false
		}
	}
	if n < -18 {
		return 0, true
	}
	power := int64(1)
	for ; n < 0; n++ {
		power *= 10
	}
	return divide(v, power), true
}

// divide returns v/by, rounded half away from zero.
func divide(v, by int64) int64 {
	if by < 0 {
		v, by = -v, -by
	}
	q, r := v/by, v%by
	switch {
	case r >= by-r:
		q++
	case -r >= by+r:
		q--
	}
	return q
}

func multiply(a, b int64) (int64, bool) {
	hi, lo := bits.Mul64(magnitude(a), magnitude(b))
	if hi != 0 || lo > math.MaxInt64 {
		return 0, false
	}
	if (a < 0) != (b < 0) {
		return -int64(lo), true
	}
	return int64(lo), true
}

func magnitude(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}

// milliFloat returns a float of the wire in thousandths, times d. It is taken for the shortest decimal that the float
// stands for, which is what the meter's display shows: 1234.9 kWh, and not 1234.900024. From there on there is no
// floating point. What is no number, or too large for a quantity, is refused.
func (d fixed) milliFloat(raw uint32) (int64, error) {
	v := float64(math.Float32frombits(raw))
	if math.IsNaN(v) || math.Abs(v) > maxMilli {
		return 0, errNumber
	}
	digits, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'e', -1, 32), "e")
	f, err := parseFixed(digits)
	if err != nil {
		return 0, err
	}
	e, err := strconv.Atoi(exponent)
	if err != nil {
		return 0, err
	}
	t, ok := d.thousandths(f.digits, e-f.places)
	if !ok || t > maxMilli || t < -maxMilli {
		return 0, errNumber
	}
	return t, nil
}

// maxMilli bounds a quantity in thousandths: 10 GWh in mWh is a thousandth of it.
const maxMilli = 1e16

// floatBits is the inverse of milliFloat.
func (d fixed) floatBits(t int64) uint32 {
	return math.Float32bits(float32(float64(t) * math.Pow10(d.places) / float64(d.digits) / 1000))
}
