package rpc

import (
	"errors"
	"strings"
	"testing"
)

var testFields = Fields{
	Names:    []string{"a", "b", "new", "must"},
	Known:    [2]uint64{0b1011, 0b1111},
	Required: [2]uint64{0, 0b1000},
}

var testEnum = func() Enum {
	e := Enum{Names: []string{"One", "Two", "Three", "New"}, Known: [2]uint64{0b0111, 0b1111}}
	e.Slots, e.Hash = Slots(e.Names, e.Known[0])
	return e
}()

// object pulls one object whose members all hold any JSON.
func object(b *Body) {
	for o := b.Object(&testFields); b.Next(&o) >= 0; {
		b.Raw()
	}
}

func ints(b *Body) {
	for l := b.List(1, 3); l.More(b); {
		b.Int()
	}
}

// nested pulls {"a":[{"b":1},...]}.
func nested(b *Body) {
	for o := b.Object(&testFields); b.Next(&o) >= 0; {
		for l := b.List(1, 0); l.More(b); {
			for o := b.Object(&testFields); b.Next(&o) >= 0; {
				b.Int()
			}
		}
	}
}

func TestBodyRefuses(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 33) + "1" + strings.Repeat("}", 33)
	tests := []struct {
		name, in string
		pull     func(*Body)
		code     ErrorCode
		text     string
	}{
		{"nothing", "", object, FormatViolation, "unexpected end"},
		{"not an object", "[]", object, TypeConstraintViolation, "want an object"},
		{"null", "null", object, TypeConstraintViolation, "want an object, not null"},
		{"cut off", `{"a":1`, object, FormatViolation, "a: want , or }"},
		{"comma at the end", `{"a":1,}`, object, FormatViolation, "want a member name"},
		{"comma at the start", `{,"a":1}`, object, FormatViolation, "want a member name"},
		{"no colon", `{"a" 1}`, object, FormatViolation, "a: want :"},
		{"data after", `{"must":1} x`, object, FormatViolation, "data after the end"},
		{"unknown member", `{"a":1,"zz":2}`, object, FormatViolation, "zz: unknown member"},
		{"member twice", `{"a":1,"b":2,"a":1}`, object, FormatViolation, "a: member given twice"},
		{"member twice, escaped", `{"a":1,"\u0061":1}`, object, FormatViolation, `\u0061: member given twice`},
		{"member missing", `{"a":1}`, object, OccurrenceConstraintViolation, "must: required member missing"},
		{"member missing below", `{"a":[{"must":1},{"b":1}],"must":1}`, nested, OccurrenceConstraintViolation, "a[1].must: required member missing"},
		{"too deep", deep, func(b *Body) { b.Raw() }, FormatViolation, strings.Repeat("a.", 31) + "a: nested deeper than 32"},
		{"not UTF-8", "{\"a\":\"\xff\"}", object, FormatViolation, "not valid UTF-8"},
		{"comment", `{"a":1/*x*/}`, object, FormatViolation, "a: want , or }"},
		{"single quotes", `{'a':1}`, object, FormatViolation, "want a member name"},
		{"NaN", `{"a":NaN}`, object, FormatViolation, "a: not JSON"},
		{"True", `{"a":True}`, object, FormatViolation, "a: not JSON"},
		{"leading zero", `{"a":01}`, object, FormatViolation, "a: not a number"},
		{"leading plus", `{"a":+1}`, object, FormatViolation, "a: not JSON"},
		{"point without digits", `{"a":1.}`, object, FormatViolation, "a: not a number"},
		{"control character", "{\"a\":\"\n\"}", object, FormatViolation, "a: control character in a string"},
		{"bad escape", `{"a":"\x"}`, object, FormatViolation, "a: bad escape in a string"},
		{"half a pair", `{"a":"\ud83d"}`, object, FormatViolation, "a: bad escape in a string"},
		{"second half first", `{"a":"\ude00\ud83d"}`, object, FormatViolation, "a: bad escape in a string"},
		{"no list", `{}`, ints, TypeConstraintViolation, "want a list"},
		{"list too short", `[]`, ints, OccurrenceConstraintViolation, "elements below 1"},
		{"list too long", `[1,2,3,4]`, ints, OccurrenceConstraintViolation, "elements above 3"},
		{"list with comma at the end", `[1,]`, ints, FormatViolation, "[1]: not JSON"},
		{"list without comma", `[1 2]`, ints, FormatViolation, "[0]: want , or ]"},
		{"text for integer", `["1"]`, ints, TypeConstraintViolation, "[0]: want a number"},
		{"null for integer", `[null]`, ints, TypeConstraintViolation, "[0]: want a number, not null"},
		{"broken integer", `[1.5]`, ints, TypeConstraintViolation, "[0]: want an integer"},
		{"integer above 32 bits", `[2147483648]`, ints, PropertyConstraintViolation, "[0]: above 2147483647"},
		{"integer below 32 bits", `[-2147483649]`, ints, PropertyConstraintViolation, "[0]: below -2147483648"},
		{"integer beyond all", `[1e400]`, ints, PropertyConstraintViolation, "[0]: number too large"},
		{"below", `-1`, func(b *Body) { b.IntRange(0, 3) }, PropertyConstraintViolation, "below 0"},
		{"above", `4`, func(b *Body) { b.IntRange(0, 3) }, PropertyConstraintViolation, "above 3"},
		{"decimal below", `-0.001`, func(b *Body) { b.DecRange(0, 100) }, PropertyConstraintViolation, "below 0"},
		{"decimal above", `100.1`, func(b *Body) { b.DecRange(0, 100) }, PropertyConstraintViolation, "above 100"},
		{"decimal beyond", `9223372036854775808`, func(b *Body) { b.Dec() }, PropertyConstraintViolation, "number too large"},
		{"negative", `-1`, func(b *Body) { b.Nat() }, PropertyConstraintViolation, "below 0"},
		{"text too long", `"abcd"`, func(b *Body) { b.Str(3) }, PropertyConstraintViolation, "characters above 3"},
		{"number for text", `12`, func(b *Body) { b.Str(3) }, TypeConstraintViolation, "want a string"},
		{"text for boolean", `"true"`, func(b *Body) { b.Bool() }, TypeConstraintViolation, "want a boolean"},
		{"number for time", `12`, func(b *Body) { b.Time() }, TypeConstraintViolation, "want a date-time"},
		{"no time", `"yesterday"`, func(b *Body) { b.Time() }, PropertyConstraintViolation, "not an RFC 3339 date-time"},
		{"year of nine digits", `"222222017-01-01T00:00:00Z"`, func(b *Body) { b.Time() }, PropertyConstraintViolation, "year not within 0001 to 9999"},
		{"name unknown", `"one"`, func(b *Body) { b.Enum(&testEnum) }, PropertyConstraintViolation, "value not in the enumeration"},
		{"name empty", `""`, func(b *Body) { b.Enum(&testEnum) }, PropertyConstraintViolation, "value not in the enumeration"},
		{"custom without vendor", `{"x":1}`, func(b *Body) { b.CustomData() }, OccurrenceConstraintViolation, "vendorId: required member missing"},
		{"custom vendor a number", `{"vendorId":1}`, func(b *Body) { b.CustomData() }, TypeConstraintViolation, "vendorId: want a string"},
		{"custom vendor too long", `{"vendorId":"` + strings.Repeat("v", 256) + `"}`, func(b *Body) { b.CustomData() }, PropertyConstraintViolation, "vendorId: characters above 255"},
		{"custom vendor twice", `{"vendorId":"a","vendorId":"b"}`, func(b *Body) { b.CustomData() }, FormatViolation, "vendorId: member given twice"},
		{"custom too long", `{"vendorId":"a","x":"` + strings.Repeat("v", MaxCustomData) + `"}`, func(b *Body) { b.CustomData() }, PropertyConstraintViolation, "bytes above 4096"},
		{"custom broken", `{"vendorId":"a","x":[}`, func(b *Body) { b.CustomData() }, FormatViolation, "x[0]: not JSON"},
		{"custom a list", `[]`, func(b *Body) { b.CustomData() }, TypeConstraintViolation, "want an object"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b Body
			b.Reset(tt.in, Limits{})
			b.Begin(V21)
			tt.pull(&b)
			err := b.End()
			var e *DecodeError
			if !errors.As(err, &e) {
				t.Fatalf("got %v, want a DecodeError", err)
			}
			if e.Code != tt.code || e.Error() != tt.text {
				t.Errorf("got %s %q, want %s %q", e.Code, e, tt.code, tt.text)
			}
		})
	}
}

func TestBodyVersions(t *testing.T) {
	tests := []struct {
		name, in string
		v        Version
		pull     func(*Body)
		ok       bool
	}{
		{"member of 2.1 in 2.0.1", `{"new":1}`, V201, object, false},
		{"member of 2.1 in 2.1", `{"new":1,"must":1}`, V21, object, true},
		{"required since 2.1", `{}`, V201, object, true},
		{"name of 2.1 in 2.0.1", `"New"`, V201, func(b *Body) { b.Enum(&testEnum) }, false},
		{"name of 2.1 in 2.1", `"New"`, V21, func(b *Body) { b.Enum(&testEnum) }, true},
		{"closed in 2.0.1", `"Own"`, V201, func(b *Body) { b.EnumOrStr(&testEnum, 3) }, false},
		{"open in 2.1", `"Own"`, V21, func(b *Body) { b.EnumOrStr(&testEnum, 3) }, true},
		{"negative in 2.0.1", `-1`, V201, func(b *Body) { b.Nat() }, true},
		{"range since 2.1", `7`, V201, func(b *Body) { b.IntRange21(0, 3) }, true},
		{"range in 2.1", `7`, V21, func(b *Body) { b.IntRange21(0, 3) }, false},
		{"length in 2.0.1", `"abcd"`, V201, func(b *Body) { b.StrEd(3, 4) }, false},
		{"length in 2.1", `"abcd"`, V21, func(b *Body) { b.StrEd(3, 4) }, true},
		{"integer in 2.0.1", `1.5`, V201, func(b *Body) { b.DecInt() }, false},
		{"number in 2.1", `1.5`, V21, func(b *Body) { b.DecInt() }, true},
	}
	for _, tt := range tests {
		var b Body
		b.Reset(tt.in, Limits{})
		b.Begin(tt.v)
		tt.pull(&b)
		if err := b.End(); (err == nil) != tt.ok {
			t.Errorf("%s: got %v", tt.name, err)
		}
	}
}

func TestBodyText(t *testing.T) {
	tests := []struct{ in, want string }{
		{`""`, ""},
		{`"abc"`, "abc"},
		{`"\"\\\/\b\f\n\r\t"`, "\"\\/\b\f\n\r\t"},
		{`"\u00e9\u20AC"`, "é€"},
		{`"\ud83d\ude00!"`, "😀!"},
		{`"x\u0000y"`, "x\x00y"},
		{`"é\n€"`, "é\n€"},
	}
	for _, tt := range tests {
		var b Body
		b.Reset(tt.in, Limits{})
		b.Begin(V21)
		got := b.Str(20)
		if err := b.End(); err != nil || got != tt.want {
			t.Errorf("%s: got %q, %v", tt.in, got, err)
		}
	}
}

// TestBodyManyEscapes checks that texts unescaped earlier stay whole when later ones are added.
func TestBodyManyEscapes(t *testing.T) {
	var b Body
	b.Reset(`["\u0061one","\u0062two","three","\u0063\n"]`, Limits{})
	b.Begin(V21)
	var got []string
	for l := b.List(0, 0); l.More(&b); {
		got = append(got, b.Str(10))
	}
	if err := b.End(); err != nil || strings.Join(got, "|") != "aone|btwo|three|c\n" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestBodyLimits(t *testing.T) {
	long := "[" + strings.Repeat("1,", 9) + "1]"
	tests := []struct {
		name string
		lim  Limits
		list func(*Body) List
		ok   bool
	}{
		{"kept", Limits{List: 9}, func(b *Body) List { return b.List(0, 0) }, false},
		{"kept, enough", Limits{List: 10}, func(b *Body) List { return b.List(0, 0) }, true},
		{"kept, schema says more", Limits{List: 9}, func(b *Body) List { return b.List(0, 100) }, false},
		{"streamed", Limits{List: 1, Stream: 10}, func(b *Body) List { return b.Stream(0, 0) }, true},
		{"streamed too long", Limits{Stream: 9}, func(b *Body) List { return b.Stream(0, 0) }, false},
	}
	for _, tt := range tests {
		var b Body
		b.Reset(long, tt.lim)
		b.Begin(V21)
		for l := tt.list(&b); l.More(&b); {
			b.Int()
		}
		if err := b.End(); (err == nil) != tt.ok {
			t.Errorf("%s: got %v", tt.name, err)
		}
	}
}

func TestBodyStop(t *testing.T) {
	own := errors.New("disk full")
	var b Body
	b.Reset(`[1,2,3]`, Limits{})
	b.Begin(V21)
	n := 0
	for l := b.List(0, 0); l.More(&b); n++ {
		b.Int()
		b.Stop(own)
	}
	if err := b.End(); err != own || n != 1 {
		t.Errorf("got %v after %d elements", err, n)
	}
}

func TestSlots(t *testing.T) {
	for i, name := range testEnum.Names {
		if got := testEnum.find(name); got != i {
			t.Errorf("find(%s) = %d, want %d", name, got, i)
		}
	}
	for _, name := range []string{"", "O", "one", "Four", "Onee"} {
		if got := testEnum.find(name); got != -1 {
			t.Errorf("find(%q) = %d", name, got)
		}
	}
}
