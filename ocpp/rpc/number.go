package rpc

import "math"

// Int pulls an integer: 32 bits by OCPP (part 2, 2.1, integer). 5.0 is one for JSON Schema, 5.5 is not.
//
//go:noinline
func (b *Body) Int() int { return b.IntRange(math.MinInt32, math.MaxInt32) }

// Nat pulls an integer that 2.1 wants to be at least 0. 2.0.1 has no such bound in its schemas, so a negative
// value is let through there: the request is well formed, and its block refuses the value by a status.
//
//go:noinline
func (b *Body) Nat() int { return b.IntRange21(0, math.MaxInt32) }

// IntRange21 is IntRange for bounds that came with 2.1.
//
//go:noinline
func (b *Body) IntRange21(lo, hi int) int {
	if b.ed == 0 {
		return b.Int()
	}
	return b.IntRange(lo, hi)
}

// IntRange pulls an integer of lo to hi.
//
//go:noinline
func (b *Body) IntRange(lo, hi int) int {
	at := b.pos
	v, ok := b.plainInt()
	if !ok {
		d := b.number()
		if b.bad {
			return 0
		}
		if v, ok = d.Int(); !ok {
			b.fail(TypeConstraintViolation, at, "want an integer")
			return 0
		}
	}
	switch {
	case v < int64(lo):
		b.failN(PropertyConstraintViolation, at, "below ", int64(lo))
	case v > int64(hi):
		b.failN(PropertyConstraintViolation, at, "above ", int64(hi))
	}
	return int(v)
}

// plainInt pulls an integer of up to 9 digits without sign, point or exponent, which is nearly every one.
func (b *Body) plainInt() (v int64, ok bool) {
	c := b.peek()
	i := b.pos
	if c == '0' {
		i++
	} else {
		for ; i < len(b.s) && b.s[i]-'0' <= 9 && i < b.pos+9; i++ {
			v = v*10 + int64(b.s[i]-'0')
		}
	}
	if i == b.pos || i < len(b.s) && !endsNumber(b.s[i]) {
		return 0, false
	}
	b.pos = i
	return v, true
}

func endsNumber(c byte) bool {
	return c == ',' || c == '}' || c == ']' || c == ' ' || c == '\n' || c == '\r' || c == '\t'
}

// Dec pulls a decimal.
//
//go:noinline
func (b *Body) Dec() Decimal { return b.number() }

// DecRange pulls a decimal of lo to hi.
//
//go:noinline
func (b *Body) DecRange(lo, hi int64) Decimal {
	at := b.pos
	d := b.number()
	switch {
	case b.bad:
	case d.Cmp(Int(lo)) < 0:
		b.failN(PropertyConstraintViolation, at, "below ", lo)
	case d.Cmp(Int(hi)) > 0:
		b.failN(PropertyConstraintViolation, at, "above ", hi)
	}
	return d
}

// DecInt pulls a number that is a decimal in 2.1 and was an integer before.
//
//go:noinline
func (b *Body) DecInt() Decimal {
	if b.ed == 0 {
		return Int(int64(b.Int()))
	}
	return b.number()
}

func (b *Body) number() Decimal {
	if c := b.peek(); c != '-' && (c < '0' || c > '9') {
		b.wrong("a number")
		return Decimal{}
	}
	d, n, err := scanDecimal(b.s[b.pos:])
	switch {
	case err == errOverflow:
		b.fail(PropertyConstraintViolation, b.pos, err.Error())
	case err != nil:
		b.fail(FormatViolation, b.pos, err.Error())
	default:
		b.pos += n
	}
	return d
}

// scanDecimal reads the JSON number that s begins with; n is its length.
func scanDecimal(s string) (d Decimal, n int, err error) {
	i, negative := 0, false
	if i < len(s) && s[i] == '-' {
		negative = true
		i++
	}
	if i < len(s) && s[i] == '0' && i+1 < len(s) && s[i+1]-'0' <= 9 {
		return d, 0, errNumber
	}
	var a digits
	exp, from := 0, i
	for ; i < len(s) && s[i]-'0' <= 9; i++ {
		if !a.add(s[i]) {
			exp++
		}
	}
	if i == from {
		return d, 0, errNumber
	}
	if i < len(s) && s[i] == '.' {
		i++
		from = i
		for ; i < len(s) && s[i]-'0' <= 9; i++ {
			if a.add(s[i]) {
				exp--
			}
		}
		if i == from {
			return d, 0, errNumber
		}
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		e, end, ok := scanExponent(s, i+1)
		if !ok {
			return d, 0, errNumber
		}
		exp, i = exp+e, end
	}
	d, err = a.settle(exp, negative)
	return d, i, err
}

// digits gathers the leading digits that an int64 can hold.
type digits struct {
	m    uint64
	full bool // a digit was dropped
}

// add appends a digit and tells whether there was room for it.
func (a *digits) add(c byte) bool {
	if digit := uint64(c - '0'); !a.full && a.m <= (math.MaxInt64-digit)/10 {
		a.m = a.m*10 + digit
		return true
	}
	a.full = true
	return false
}

// settle brings exp into -18..0. Only digits behind the point may have been dropped.
func (a *digits) settle(exp int, negative bool) (Decimal, error) {
	m := a.m
	if a.full && exp > 0 {
		return Decimal{}, errOverflow
	}
	for ; m != 0 && exp > 0; exp-- {
		if m > math.MaxInt64/10 {
			return Decimal{}, errOverflow
		}
		m *= 10
	}
	for ; m != 0 && exp < minExp; exp++ {
		m /= 10
	}
	if m == 0 && (exp > 0 || exp < minExp) {
		exp = 0
	}
	d := Decimal{int64(m), int8(exp)}
	if negative {
		d.Mantissa = -d.Mantissa
	}
	return d, nil
}

// scanExponent reads what follows an e. Past four digits the size no longer matters, only the sign.
func scanExponent(s string, i int) (e, end int, ok bool) {
	negative := false
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		negative = s[i] == '-'
		i++
	}
	for ; i < len(s) && s[i]-'0' <= 9; i++ {
		e, ok = min(e*10+int(s[i]-'0'), 9999), true
	}
	if negative {
		e = -e
	}
	return e, i, ok
}
