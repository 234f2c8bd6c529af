package rpc

import (
	"encoding/binary"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// Str writes a string of at most max characters. The key ends with the opening quote.
//
//go:noinline
func (w *Writer) Str(key, s string, max int) {
	if size := len(key) + len(s) + len(`",`); len(w.buf)-w.n < size {
		w.grow(size)
	}
	b := w.buf[w.n:]
	copyKey(b, key)
	b = b[len(key):]
	if len(s) > max || !copyPlain(b, s) {
		w.oddStr(key, s, max)
		return
	}
	b = b[len(s):]
	b[0], b[1] = '"', ','
	w.n += len(key) + len(s) + len(`",`)
}

// oddStr is Str for text that is long, or not plain. The key is written, not counted.
//
//go:noinline
func (w *Writer) oddStr(key, s string, max int) {
	w.n += len(key)
	if len(s) > max && utf8.RuneCountInString(s) > max {
		w.failN("characters above ", int64(max))
	}
	w.take(append(appendText(w.buf[:w.n], s), `",`...))
}

// take goes on after b, which is what was written and more.
func (w *Writer) take(b []byte) { w.buf, w.n = b[:cap(b)], len(b) }

// Int writes an integer of lo to hi.
//
//go:noinline
func (w *Writer) Int(key string, v, lo, hi int) {
	switch {
	case v < lo:
		w.failAfter(key, "below ", int64(lo))
		return
	case v > hi:
		w.failAfter(key, "above ", int64(hi))
		return
	}
	digits, sign := uint(v), 0
	if v < 0 {
		digits, sign = -digits, 1
	}
	size := len(key) + sign + digitCount(digits) + len(",")
	if len(w.buf)-w.n < size {
		w.grow(size)
	}
	b := w.buf[w.n : w.n+size]
	copyKey(b, key)
	b[len(key)] = '-'
	putDigits(b[len(key)+sign:size-1], digits)
	b[size-1] = ','
	w.n += size
}

// failAfter writes the key and reports its value.
//
//go:noinline
func (w *Writer) failAfter(key, reason string, n int64) {
	w.Key(key)
	w.failN(reason, n)
}

// Dec writes a decimal of lo to hi.
//
//go:noinline
func (w *Writer) Dec(key string, d *Decimal, lo, hi int64) {
	switch {
	case lo != math.MinInt64 && d.Cmp(Int(lo)) < 0:
		w.failAfter(key, "below ", lo)
		return
	case hi != math.MaxInt64 && d.Cmp(Int(hi)) > 0:
		w.failAfter(key, "above ", hi)
		return
	}
	m := magnitude(d.Mantissa)
	digits := uint(m)
	if uint64(digits) != m || d.Exp > 0 || d.Exp < minExp {
		w.Key(key)
		w.take(append(d.Append(w.buf[:w.n]), ','))
		return
	}
	sign, places := 0, -int(d.Exp)
	if d.Mantissa < 0 {
		sign = 1
	}
	count := max(digitCount(digits), places+1)
	size := len(key) + sign + count + len(",")
	if places > 0 {
		size++
	}
	if len(w.buf)-w.n < size {
		w.grow(size)
	}
	b := w.buf[w.n : w.n+size]
	w.n += size
	copyKey(b, key)
	b[len(key)] = '-'
	b = b[len(key)+sign:]
	putDigits(b[:count], digits)
	if places > 0 {
		whole := count - places
		for i := count; i > whole; i-- {
			b[i] = b[i-1]
		}
		b[whole] = '.'
	}
	b[len(b)-1] = ','
}

// DecInt writes what is a decimal in 2.1 and was an integer before.
//
//go:noinline
func (w *Writer) DecInt(key string, d *Decimal) {
	if w.ed == 0 {
		w.wholeDec(key, d)
		return
	}
	w.Dec(key, d, math.MinInt64, math.MaxInt64)
}

func (w *Writer) wholeDec(key string, d *Decimal) {
	v, exact := d.Int()
	if !exact || v != int64(int32(v)) {
		w.Key(key)
		w.fail("not a 32-bit integer")
		return
	}
	w.Int(key, int(v), math.MinInt32, math.MaxInt32)
}

// Bool writes a boolean.
//
//go:noinline
func (w *Writer) Bool(key string, v bool) {
	w.Key(key)
	w.take(append(strconv.AppendBool(w.buf[:w.n], v), ','))
}

// Time writes a date-time. The key ends with the opening quote.
//
//go:noinline
func (w *Writer) Time(key string, t *time.Time) {
	utc := t.UTC()
	year, month, day := utc.Date()
	if year < 1 || year > 9999 {
		w.Key(key)
		w.fail(errYear.Error())
		return
	}
	const rest = timeForm + `",`
	size := len(key) + len(rest)
	if len(w.buf)-w.n < size {
		w.grow(size)
	}
	b := w.buf[w.n : w.n+size]
	b = b[copy(b, key):]
	copy(b, rest)
	putTime(b, year, int(month), day, utc)
	w.n += size
}

// Enum writes a name of e. The key ends with the opening quote.
//
//go:noinline
func (w *Writer) Enum(key, s string, e *Enum) {
	if size := len(key) + len(s) + len(`",`); len(w.buf)-w.n < size {
		w.grow(size)
	}
	b := w.buf[w.n:]
	copyKey(b, key)
	w.name(b[len(key):], s, e)
}

// name writes a name of e, its closing quote and a comma to the front of b, which is the end of buf.
//
//go:noinline
func (w *Writer) name(b []byte, s string, e *Enum) {
	w.n = len(w.buf) - len(b)
	if s == "" {
		w.fail("required and empty")
		return
	}
	i, n := e.guess(s), len(s)
	if i >= uint(len(e.Names)) || e.Known[w.ed&1]>>(i&63)&1 == 0 || n != len(e.Names[i]) {
		w.oddName(s, e)
		return
	}
	odd, t := uint64(0), e.Names[i]
	switch { // copy and compare at once; the last eight, or four, may lie over what is copied already
	case wide && n >= 8:
		for i := 0; i < n-8; i += 8 {
			x := eight(s[i:])
			odd |= x ^ eight(t[i:])
			binary.LittleEndian.PutUint64(b[i:], x)
		}
		x := eight(s[n-8:])
		odd |= x ^ eight(t[n-8:])
		binary.LittleEndian.PutUint64(b[n-8:], x)
	case wide && n >= 4:
		x, y := four(s), four(s[n-4:])
		binary.LittleEndian.PutUint32(b, x)
		binary.LittleEndian.PutUint32(b[n-4:], y)
		odd = uint64((x ^ four(t)) | (y ^ four(t[n-4:])))
	default:
		for i := range n {
			b[i] = s[i]
			odd |= uint64(s[i] ^ t[i])
		}
	}
	if odd != 0 {
		w.oddName(s, e)
		return
	}
	b = b[n:]
	b[0], b[1] = '"', ','
	w.n += n + len(`",`)
}

// oddName is name for what is no name of e, or one that shares its slot.
//
//go:noinline
func (w *Writer) oddName(s string, e *Enum) {
	i := e.find(s)
	switch {
	case i < 0:
		w.fail("value not in the enumeration")
	case e.Known[w.ed]&(1<<i) == 0:
		w.fail("value unknown in this version: " + s)
	default:
		w.take(append(append(w.buf[:w.n], s...), `",`...))
	}
}

// EnumOrStr writes what was an enumeration before 2.1 and is free text of at most max characters since.
//
//go:noinline
func (w *Writer) EnumOrStr(key, s string, e *Enum, max int) {
	if w.ed == 0 {
		w.Enum(key, s, e)
		return
	}
	w.Str(key, s, max)
}

// Raw writes the JSON text of any value.
//
//go:noinline
func (w *Writer) Raw(key string, r Raw) {
	w.Key(key)
	var b Body
	b.Reset(string(r), Limits{})
	b.Begin(V21)
	if b.skip(); b.End() != nil {
		w.fail("not JSON")
		return
	}
	w.take(append(append(w.buf[:w.n], r...), ','))
}

// CustomData writes an open object.
//
//go:noinline
func (w *Writer) CustomData(r Raw) {
	w.Key(`"customData":`)
	var b Body
	b.Reset(string(r), Limits{})
	b.Begin(V21)
	b.CustomData()
	if err := b.End(); err != nil {
		w.fail(err.Error())
		return
	}
	w.take(append(append(w.buf[:w.n], r...), ','))
}
