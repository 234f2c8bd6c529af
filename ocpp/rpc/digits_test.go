package rpc

import (
	"math"
	"strconv"
	"testing"
)

// TestWriterNumbers compares with the standard library and with Decimal.Append, from an empty buffer and into one that
// has just the room.
func TestWriterNumbers(t *testing.T) {
	values := []int64{math.MinInt64, math.MinInt64 + 1, math.MaxInt64, math.MaxInt32, math.MaxInt32 + 1, math.MinInt32, math.MaxUint32, math.MaxUint32 + 1}
	for v := int64(1); v < math.MaxInt64/10; v *= 10 {
		values = append(values, v-1, v, v+1, -v, v*7, -v*9)
	}
	for _, v := range values {
		if int64(int(v)) == v {
			same(t, strconv.FormatInt(v, 10), func(w *Writer) { w.Int("", int(v), math.MinInt, math.MaxInt) })
		}
		for exp := int8(-20); exp <= 3; exp++ {
			d := Decimal{v, exp}
			same(t, d.String(), func(w *Writer) { w.Dec("", &d, math.MinInt64, math.MaxInt64) })
		}
	}
}

func same(t *testing.T, want string, write func(*Writer)) {
	t.Helper()
	want = "{" + want + "}"
	for _, dst := range [][]byte{nil, make([]byte, 0, len(want))} {
		var w Writer
		w.Begin(dst, V21)
		write(&w)
		if got, err := w.End(); err != nil || string(got) != want || dst != nil && &got[0] != &dst[:1][0] {
			t.Fatalf("got %s, %v, want %s", got, err, want)
		}
	}
}
