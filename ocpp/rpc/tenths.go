package rpc

import "math"

// A number of 1.6 that is a multiple of 0.1: limits of a charging schedule have at most one digit behind the point
// (1.6, 7.13 and 7.14; multipleOf in the schemas). Binary fractions cannot tell; decimals can.

// whole10 tells whether 10*d is a whole number.
func (d Decimal) whole10() bool {
	m := d.Mantissa
	for e := d.Exp; e < -1 && m != 0; e++ {
		if m%10 != 0 {
			return false
		}
		m /= 10
	}
	return true
}

// Tenths pulls a multiple of 0.1.
//
//go:noinline
func (b *Body) Tenths() Decimal {
	at := b.pos
	d := b.number()
	if !b.bad && !d.whole10() {
		b.fail(PropertyConstraintViolation, at, "not a multiple of 0.1")
	}
	return d
}

// Tenths writes a multiple of 0.1.
//
//go:noinline
func (w *Writer) Tenths(key string, d *Decimal) {
	if !d.whole10() {
		w.Key(key)
		w.fail("not a multiple of 0.1")
		return
	}
	w.Dec(key, d, math.MinInt64, math.MaxInt64)
}
