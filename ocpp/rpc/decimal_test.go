package rpc

import (
	"math"
	"math/big"
	"testing"
)

func TestParseDecimal(t *testing.T) {
	tests := []struct {
		in    string
		want  Decimal
		write string
	}{
		{"0", Decimal{}, "0"},
		{"-0", Decimal{}, "0"},
		{"-0.00", Decimal{0, -2}, "0.00"},
		{"230.10", Decimal{23010, -2}, "230.10"},
		{"-0.5", Decimal{-5, -1}, "-0.5"},
		{"1e3", Decimal{1000, 0}, "1000"},
		{"1.5E+2", Decimal{150, 0}, "150"},
		{"25e-1", Decimal{25, -1}, "2.5"},
		{"5e-3", Decimal{5, -3}, "0.005"},
		{"9223372036854775807", Decimal{math.MaxInt64, 0}, "9223372036854775807"},
		{"0.30000000000000004", Decimal{30000000000000004, -17}, "0.30000000000000004"},
		{"3.14159265358979323846264338327950288", Decimal{3141592653589793238, -18}, "3.141592653589793238"},
		{"123456789.123456789123456789", Decimal{1234567891234567891, -10}, "123456789.1234567891"},
		{"1e-30", Decimal{}, "0"},
		{"0e999999999999", Decimal{}, "0"},
		{"1e-999999999999", Decimal{}, "0"},
		{"100000000000000000000e-5", Decimal{1000000000000000000, -3}, "1000000000000000.000"},
	}
	for _, tt := range tests {
		got, err := ParseDecimal(tt.in)
		if err != nil || got != tt.want || got.String() != tt.write {
			t.Errorf("%s: got %+v %s, %v; want %+v %s", tt.in, got, got, err, tt.want, tt.write)
		}
	}
	for _, in := range []string{"", "-", "+1", "01", "-01", ".5", "1.", "1e", "1e+", "1x", "0x1", "NaN", "Infinity", "1 ", " 1", "1e400", "9223372036854775808", "-99999999999999999999"} {
		if d, err := ParseDecimal(in); err == nil {
			t.Errorf("%q: got %+v, want an error", in, d)
		}
	}
}

func TestDecimalUnits(t *testing.T) {
	tests := []struct {
		d    Decimal
		want int64
		ok   bool
	}{
		{Decimal{16, 0}, 16000, true},
		{Decimal{230154, -3}, 230154, true},
		{Decimal{2301549, -4}, 230154, true},
		{Decimal{-2301549, -4}, -230154, true},
		{Decimal{5, -18}, 0, true},
		{Decimal{5, 2}, 500000, true},
		{Decimal{math.MaxInt64 / 1000, 0}, math.MaxInt64 / 1000 * 1000, true},
		{Decimal{math.MaxInt64/1000 + 1, 0}, 0, false},
		{Decimal{math.MinInt64, 0}, 0, false},
		{Decimal{0, 127}, 0, true},
		{Decimal{1, 127}, 0, false},
	}
	for _, tt := range tests {
		if got, ok := tt.d.Milli(); ok != tt.ok || ok && got != tt.want {
			t.Errorf("%+v: got %d %t, want %d %t", tt.d, got, ok, tt.want, tt.ok)
		}
	}
	for v, want := range map[int64]string{16000: "16", 230150: "230.15", -5: "-0.005", 0: "0", 1: "0.001", math.MinInt64: "-9223372036854775.808"} {
		if got := Milli(v).String(); got != want {
			t.Errorf("Milli(%d) = %s, want %s", v, got, want)
		}
	}
	if got := Scaled(23000, -3).String(); got != "23.000" {
		t.Errorf("Scaled keeps no zeros: %s", got)
	}
	if got := Scaled(-23, 3).String(); got != "-23000" {
		t.Errorf("Scaled(-23, 3) = %s", got)
	}
}

// TestDecimalCmp compares with arbitrary precision.
func TestDecimalCmp(t *testing.T) {
	var all []Decimal
	for _, m := range []int64{0, 1, -1, 9, 10, 99, 100, 12345, -12345, math.MaxInt64, math.MinInt64, math.MaxInt64 / 10} {
		for _, e := range []int8{-128, -40, -18, -3, -1, 0, 1, 5, 18, 127} {
			all = append(all, Decimal{m, e})
		}
	}
	exact := func(d Decimal) *big.Int {
		p := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(d.Exp)+128), nil)
		return p.Mul(p, big.NewInt(d.Mantissa))
	}
	for _, a := range all {
		for _, b := range all {
			if got, want := a.Cmp(b), exact(a).Cmp(exact(b)); got != want {
				t.Fatalf("%+v against %+v: got %d, want %d", a, b, got, want)
			}
		}
	}
}

func TestDecimalInt(t *testing.T) {
	for _, tt := range []struct {
		d     Decimal
		v     int64
		exact bool
	}{{Decimal{50, -1}, 5, true}, {Decimal{55, -1}, 5, false}, {Decimal{5, 1}, 50, true}, {Decimal{5, 100}, 0, false}} {
		if v, exact := tt.d.Int(); v != tt.v || exact != tt.exact {
			t.Errorf("%+v: got %d %t", tt.d, v, exact)
		}
	}
}
