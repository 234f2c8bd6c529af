package rpc

import "math"

// Int pulls an integer: 32 bits by OCPP (part 2, 2.1, integer). 5.0 is one for JSON Schema, 5.5 is not.
func (b *Body) Int() int { return b.IntRange(math.MinInt32, math.MaxInt32) }

// Nat pulls an integer that 2.1 wants to be at least 0. 2.0.1 has no such bound in its schemas, so a negative
// value is let through there: the request is well formed, and its block refuses the value by a status.
func (b *Body) Nat() int { return b.IntRange21(0, math.MaxInt32) }

// IntRange21 is IntRange for bounds that came with 2.1.
func (b *Body) IntRange21(lo, hi int) int {
	if b.ed == 0 {
		return b.Int()
	}
	return b.IntRange(lo, hi)
}

// IntRange pulls an integer of lo to hi.
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
func (b *Body) Dec() Decimal { return b.number() }

// DecRange pulls a decimal of lo to hi.
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
	var m uint64
	exp, from := 0, i
	for ; i < len(s) && s[i]-'0' <= 9; i++ {
		if m, exp = shift(m, exp, s[i]); exp > math.MaxInt16 {
			return d, 0, errOverflow
		}
	}
	if i == from {
		return d, 0, errNumber
	}
	if i < len(s) && s[i] == '.' {
		i++
		from = i
		for ; i < len(s) && s[i]-'0' <= 9; i++ {
			if m, n = shift(m, 0, s[i]); n == 0 {
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
	d, err = settle(m, exp, negative)
	return d, i, err
}

// shift appends one digit to m. Where there is no room it drops the digit and raises exp instead.
func shift(m uint64, exp int, digit byte) (uint64, int) {
	if m > (math.MaxInt64-9)/10 || exp > 0 {
		return m, exp + 1
	}
	return m*10 + uint64(digit-'0'), exp
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

// settle brings exp into -18..0.
func settle(m uint64, exp int, negative bool) (Decimal, error) {
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
