package rpc

import (
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// Str writes a string of at most max characters.
//
//go:noinline
func (w *Writer) Str(key, s string, max int) {
	w.key(key)
	w.str(s, max)
}

// OptStr writes a string of at most max characters if there is one.
//
//go:noinline
func (w *Writer) OptStr(key string, s *Opt[string], max int) {
	if s.Has {
		w.Str(key, s.V, max)
	}
}

// ElemStr writes a string of at most max characters as an element.
//
//go:noinline
func (w *Writer) ElemStr(s string, max int) {
	w.comma()
	w.str(s, max)
}

func (w *Writer) str(s string, max int) {
	if len(s) > max && utf8.RuneCountInString(s) > max {
		w.failN("characters above ", int64(max))
	}
	w.buf = AppendString(w.buf, s)
}

// Int writes an integer of lo to hi.
//
//go:noinline
func (w *Writer) Int(key string, v, lo, hi int) {
	w.key(key)
	w.int(v, lo, hi)
}

// OptInt writes an integer of lo to hi if there is one.
//
//go:noinline
func (w *Writer) OptInt(key string, v *Opt[int], lo, hi int) {
	if v.Has {
		w.Int(key, v.V, lo, hi)
	}
}

// ElemInt writes an integer of lo to hi as an element.
//
//go:noinline
func (w *Writer) ElemInt(v, lo, hi int) {
	w.comma()
	w.int(v, lo, hi)
}

func (w *Writer) int(v, lo, hi int) {
	switch {
	case v < lo:
		w.failN("below ", int64(lo))
	case v > hi:
		w.failN("above ", int64(hi))
	}
	w.buf = strconv.AppendInt(w.buf, int64(v), 10)
}

// Dec writes a decimal of lo to hi.
//
//go:noinline
func (w *Writer) Dec(key string, d *Decimal, lo, hi int64) {
	w.key(key)
	switch {
	case lo != math.MinInt64 && d.Cmp(Int(lo)) < 0:
		w.failN("below ", lo)
	case hi != math.MaxInt64 && d.Cmp(Int(hi)) > 0:
		w.failN("above ", hi)
	}
	w.buf = d.Append(w.buf)
}

// OptDec writes a decimal of lo to hi if there is one.
//
//go:noinline
func (w *Writer) OptDec(key string, d *Opt[Decimal], lo, hi int64) {
	if d.Has {
		w.Dec(key, &d.V, lo, hi)
	}
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
	w.key(key)
	v, exact := d.Int()
	if !exact || v != int64(int32(v)) {
		w.fail("not a 32-bit integer")
	}
	w.buf = strconv.AppendInt(w.buf, v, 10)
}

// OptDecInt is DecInt if there is a value.
//
//go:noinline
func (w *Writer) OptDecInt(key string, d *Opt[Decimal]) {
	if d.Has {
		w.DecInt(key, &d.V)
	}
}

// Bool writes a boolean.
//
//go:noinline
func (w *Writer) Bool(key string, v bool) {
	w.key(key)
	w.buf = strconv.AppendBool(w.buf, v)
}

// OptBool writes a boolean if there is one.
//
//go:noinline
func (w *Writer) OptBool(key string, v *Opt[bool]) {
	if v.Has {
		w.Bool(key, v.V)
	}
}

// Time writes a date-time.
//
//go:noinline
func (w *Writer) Time(key string, t *time.Time) {
	w.key(key)
	w.buf = append(w.buf, '"')
	if year := t.UTC().Year(); year < 1 || year > 9999 {
		w.fail(errYear.Error())
	} else {
		w.buf = AppendTime(w.buf, *t)
	}
	w.buf = append(w.buf, '"')
}

// OptTime writes a date-time if there is one.
//
//go:noinline
func (w *Writer) OptTime(key string, t *Opt[time.Time]) {
	if t.Has {
		w.Time(key, &t.V)
	}
}

// Enum writes a name of e.
//
//go:noinline
func (w *Writer) Enum(key, s string, e *Enum) {
	w.key(key)
	w.enum(s, e)
}

// OptEnum writes a name of e unless it is empty, which is absent.
//
//go:noinline
func (w *Writer) OptEnum(key, s string, e *Enum) {
	if s != "" {
		w.Enum(key, s, e)
	}
}

// ElemEnum writes a name of e as an element.
//
//go:noinline
func (w *Writer) ElemEnum(s string, e *Enum) {
	w.comma()
	w.enum(s, e)
}

func (w *Writer) enum(s string, e *Enum) {
	i := e.find(s)
	switch {
	case s == "":
		w.fail("required and empty")
	case i < 0:
		w.fail("value not in the enumeration")
	case e.Known[w.ed]&(1<<i) == 0:
		w.fail("value unknown in this version: " + s)
	default:
		w.buf = append(append(append(w.buf, '"'), s...), '"')
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

// OptEnumOrStr is EnumOrStr unless s is empty, which is absent.
//
//go:noinline
func (w *Writer) OptEnumOrStr(key, s string, e *Enum, max int) {
	if s != "" {
		w.EnumOrStr(key, s, e, max)
	}
}

// ElemEnumOrStr is EnumOrStr as an element.
//
//go:noinline
func (w *Writer) ElemEnumOrStr(s string, e *Enum, max int) {
	if w.ed == 0 {
		w.ElemEnum(s, e)
		return
	}
	w.ElemStr(s, max)
}

// Raw writes the JSON text of any value unless it is empty, which is absent.
//
//go:noinline
func (w *Writer) Raw(key string, r Raw) {
	if r == "" {
		return
	}
	w.key(key)
	var b Body
	b.Reset(string(r), Limits{})
	b.Begin(V21)
	if b.skip(); b.End() != nil {
		w.fail("not JSON")
		return
	}
	w.buf = append(w.buf, r...)
}

// CustomData writes an open object unless it is empty, which is absent.
//
//go:noinline
func (w *Writer) CustomData(r Raw) {
	if r == "" {
		return
	}
	w.key(`,"customData":`)
	var b Body
	b.Reset(string(r), Limits{})
	b.Begin(V21)
	b.CustomData()
	if err := b.End(); err != nil {
		w.fail(err.Error())
		return
	}
	w.buf = append(w.buf, r...)
}
