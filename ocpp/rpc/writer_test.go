package rpc

import (
	"encoding/json"
	"errors"
	"math"
	"testing"
	"time"
)

func TestWriter(t *testing.T) {
	at := time.Date(2024, 1, 2, 3, 4, 5, 678_900_000, time.UTC)
	var w Writer
	w.Begin([]byte(`{"before":{}}`), V21)
	w.Str(`"s":"`, "a\"b", 3)
	w.Int(`"i":`, -5, math.MinInt32, math.MaxInt32)
	w.Dec(`"d":`, &Decimal{2301, -1}, math.MinInt64, math.MaxInt64)
	w.Bool(`"b":`, true)
	w.Time(`"t":"`, &at)
	w.Enum(`"e":"`, "New", &testEnum)
	w.Key(`"o":{`)
	w.Int(`"x":`, 1, 0, 1)
	w.Close()
	w.List(`"l":`, 2, 1, 2)
	for range 2 {
		w.Open()
		w.Close()
	}
	w.CloseList()
	w.List(`"n":`, 2, 1, 0)
	w.Int(``, 1, 0, 9)
	w.Int(``, 2, 0, 9)
	w.CloseList()
	w.CustomData(`{"vendorId":"v","x":[1]}`)
	got, err := w.End()
	want := `{"before":{}}{"s":"a\"b","i":-5,"d":230.1,"b":true,"t":"2024-01-02T03:04:05.678Z","e":"New","o":{"x":1},` +
		`"l":[{},{}],"n":[1,2],"customData":{"vendorId":"v","x":[1]}}`
	if err != nil || string(got) != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
}

func TestWriterRefuses(t *testing.T) {
	tests := []struct {
		name  string
		v     Version
		write func(*Writer)
		want  string
	}{
		{"text too long", V21, func(w *Writer) { w.Str(`"s":"`, "éèê", 2) }, "s: characters above 2"},
		{"below", V201, func(w *Writer) { w.Int(`"i":`, -1, 0, 9) }, "i: below 0"},
		{"above", V201, func(w *Writer) { w.Int(`"i":`, 10, 0, 9) }, "i: above 9"},
		{"decimal above", V201, func(w *Writer) { w.Dec(`"d":`, &Decimal{1, -3}, math.MinInt64, 0) }, "d: above 0"},
		{"decimal below", V201, func(w *Writer) { w.Dec(`"d":`, &Decimal{-1, -3}, 0, 100) }, "d: below 0"},
		{"no integer in 2.0.1", V201, func(w *Writer) { w.DecInt(`"d":`, &Decimal{15, -1}) }, "d: not a 32-bit integer"},
		{"no 32 bits in 2.0.1", V201, func(w *Writer) { w.DecInt(`"d":`, &Decimal{1 << 31, 0}) }, "d: not a 32-bit integer"},
		{"year", V21, func(w *Writer) { at := time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC); w.Time(`"t":"`, &at) }, "t: year not within 0001 to 9999"},
		{"name empty", V21, func(w *Writer) { w.Enum(`"e":"`, "", &testEnum) }, "e: required and empty"},
		{"name unknown", V21, func(w *Writer) { w.Enum(`"e":"`, "Own", &testEnum) }, "e: value not in the enumeration"},
		{"name of 2.1", V201, func(w *Writer) { w.Enum(`"e":"`, "New", &testEnum) }, "e: value unknown in this version: New"},
		{"closed in 2.0.1", V201, func(w *Writer) { w.EnumOrStr(`"e":"`, "Own", &testEnum, 20) }, "e: value not in the enumeration"},
		{"missing", V201, func(w *Writer) { w.Missing(`"m":`) }, "m: required in this version"},
		{"list too short", V21, func(w *Writer) { w.List(`"l":`, 0, 1, 2) }, "l: elements below 1"},
		{"list too long", V21, func(w *Writer) { w.List(`"l":`, 3, 1, 2) }, "l: elements above 2"},
		{"custom without vendor", V21, func(w *Writer) { w.CustomData(`{}`) }, "customData: vendorId: required member missing"},
		{"raw broken", V21, func(w *Writer) { w.Raw(`"data":`, `{"a":`) }, "data: not JSON"},
		{"raw two values", V21, func(w *Writer) { w.Raw(`"data":`, `1,2`) }, "data: not JSON"},
		{"within", V21, func(w *Writer) {
			w.List(`"l":`, 2, 1, 2)
			for _, v := range []int{1, 10} {
				w.Open()
				w.Int(`"x":`, v, 0, 9)
				w.Close()
			}
			w.CloseList()
		}, "l[1].x: above 9"},
		{"the first counts", V21, func(w *Writer) { w.Int(`"i":`, 10, 0, 9); w.Int(`"j":`, 10, 0, 8) }, "i: above 9"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var w Writer
			w.Begin([]byte("["), tt.v)
			tt.write(&w)
			got, err := w.End()
			var e *EncodeError
			if !errors.As(err, &e) || e.Error() != tt.want || string(got) != "[" {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

// FuzzString compares with the standard library's reader.
func FuzzString(f *testing.F) {
	for _, s := range []string{"", "a\"\\\n\r\t\x00\x1f\x7f", "é€😀", "\xff\xc3(", "\u2028<&>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text := AppendString(nil, s)
		var want string
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatalf("%q: %s: %v", s, text, err)
		}
		var b Body
		b.Reset(string(text), Limits{})
		b.Begin(V21)
		if got := b.Str(len(s) * 3); b.End() != nil || got != want {
			t.Fatalf("%s: got %q, %v, want %q", text, got, b.End(), want)
		}
	})
}

// FuzzRaw accepts exactly what the standard library calls valid, where depth and UTF-8 allow it.
func FuzzRaw(f *testing.F) {
	for _, s := range []string{`{"a":[1,-2.5e+3,true,false,null,"x\u00e9"],"a":{}}`, `[`, `01`, `"\x"`, ` 1 `, `1 2`, `-`, `tru`, `[1e400,123456789012345678901]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var b Body
		b.Reset(s, Limits{Depth: 10000})
		b.Begin(V21)
		b.Raw()
		err := b.End()
		if err == nil && !json.Valid([]byte(s)) {
			t.Fatalf("%q is not JSON", s)
		}
		var e *DecodeError
		if errors.As(err, &e) && json.Valid([]byte(s)) {
			switch e.Reason { // what we refuse beyond the grammar
			case "not valid UTF-8", "bad escape in a string", "nested deeper than 10000":
			default:
				t.Fatalf("%q: %v", s, err)
			}
		}
	})
}
