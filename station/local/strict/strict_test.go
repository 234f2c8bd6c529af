package strict

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestParseRefuses(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"nothing", ``, `1:1: want a value, found the end`},
		{"no JSON", `hello`, `1:1: want a value, found 'h'`},
		{"not UTF-8", "{\"a\": \"\xff\"}", `1:8: not UTF-8`},
		{"two documents", "{}\n{}", `2:1: something follows the document: '{'`},
		{"key twice", "{\"a\": 1,\n \"a\": 2}", `2:2: a: given twice: keep one`},
		{"key without quotes", `{a: 1}`, `1:2: want a key in quotes, found 'a'`},
		{"no colon", `{"a" 1}`, `1:6: a: want ':', found '1'`},
		{"no comma", `{"a":[1 2]}`, `1:9: a: want ',' or ']', found '2'`},
		{"comma before the end", `{"a":1,}`, `1:8: want a key in quotes, found '}'`},
		{"open object", `{"a":1`, `1:7: want ',' or '}', found the end`},
		{"open string", `{"a":"b}`, `1:6: a: a string without its closing quote`},
		{"open string that ends in an escape", `"\`, `1:1: a string without its closing quote`},
		{"escape", `["\x"]`, `1:2: [0]: not a JSON string: a control character or an unknown escape`},
		{"line break in a string", "[\"\n\"]", `1:2: [0]: not a JSON string: a control character or an unknown escape`},
		{"half a pair", `["\ud800"]`, `1:2: [0]: half a surrogate pair`},
		{"leading zero", `[01]`, `1:2: [0]: want a value, found '0'`},
		{"not a number", `[NaN]`, `1:2: [0]: want a value, found 'N'`},
		{"long number", `[` + strings.Repeat("1", 65) + `]`, `1:2: [0]: want a value, found '1'`},
		{"comment", "{ // hi\n}", `1:3: want a key in quotes, found '/'`},
		{"too deep", strings.Repeat("[", 20), `1:18: ` + strings.Repeat("[0]", 17) + `: more than 16 levels deep`},
		{"columns are characters", `{"ü": !}`, `1:7: ü: want a value, found '!'`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := Parse([]byte(tt.in))
			if err == nil {
				t.Fatalf("accepted %q as %v", tt.in, v)
			}
			if err.Error() != tt.want {
				t.Errorf("got  %s\nwant %s", err, tt.want)
			}
		})
	}
}

// reading is a decoder that uses every kind of field.
func reading(in string) (got []any, err error) {
	v, err := Parse([]byte(in))
	if err != nil {
		return nil, err
	}
	var r Reader
	o := r.Object(v, "text", "word", "flag", "int", "milli", "time", "list", "pairs", "need")
	got = append(got, Or(Text(o, "text", 3), "?"), Or(Word(o, "word", "yes", "perhaps"), "?"), Or(Flag(o, "flag"), false),
		Or(Int(o, "int", -2, 9), 7), Or(Milli[int64](o, "milli", -1500, 4000), 0), Or(Time(o, "time"), time.Time{}).Unix())
	o.Each("list", 2, func(i int, v *Value) {
		got = append(got, i, Or(IntOf(&r, v, 0, 9), -1), Or(MilliOf[int32](&r, v, 0, 9000), -1))
	})
	o.Pairs("pairs", 2, func(name, value string) { got = append(got, name, value) })
	o.Need("need", "anything")
	return got, r.Err()
}

func TestReaderTakesApart(t *testing.T) {
	got, err := reading(`{"text":"äöü","word":"yes","flag":true,"int":-2,"milli":1.2345,"time":"1970-01-01T01:00:00+00:30",
		"list":[1,2.0],"pairs":{"b":"1","a":"2"},"need":null}`)
	want := []any{"äöü", "yes", true, -2, int64(1235), int64(1800), 0, 1, int32(1000), 1, 2, int32(2000), "b", "1", "a", "2"}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v\nwant %v", got, err, want)
	}
	got, err = reading(`{"need":1}`)
	if want := []any{"?", "?", false, 7, int64(0), int64(-62135596800)}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v\nwant the defaults %v", got, err, want)
	}
}

func TestReaderRefuses(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"not an object", `[]`, `1:1: an array: want an object`},
		{"near key", `{"txet":1}`, `1:2: txet: unknown key: did you mean "text"?`},
		{"key in another case", `{"Flag":true}`, `1:2: Flag: unknown key: did you mean "flag"?`},
		{"key of two lines", `{"a\nb":1}`, `1:2: "a\nb": unknown key: known are text, word, flag, int, milli, time, list, pairs, need`},
		{"long key", `{"` + strings.Repeat("k", 50) + `":1}`, `1:2: "` + strings.Repeat("k", 40) + `"...: unknown key: known are text, word, flag, int, milli, time, list, pairs, need`},
		{"far key", `{"colour":1}`, `1:2: colour: unknown key: known are text, word, flag, int, milli, time, list, pairs, need`},
		{"text of another kind", `{"text":1}`, `1:9: text: 1: want a string`},
		{"null is no text", `{"text":null}`, `1:9: text: null: want a string`},
		{"long text", `{"text":"abcd"}`, `1:9: text: 4 characters: want at most 3`},
		{"near word", `{"word":"Perhap"}`, `1:9: word: "Perhap": want "perhaps"?`},
		{"far word", `{"word":"no"}`, `1:9: word: "no": want one of yes, perhaps`},
		{"number for a flag", `{"flag":0}`, `1:9: flag: 0: want true or false`},
		{"fraction", `{"int":1.5}`, `1:8: int: 1.5: want a whole number from -2 to 9`},
		{"above", `{"int":10}`, `1:8: int: 10: want a whole number from -2 to 9`},
		{"far above", `{"int":1e999}`, `1:8: int: 1e999: want a whole number from -2 to 9`},
		{"below", `{"milli":-1.501}`, `1:10: milli: -1.501: want a number from -1.5 to 4`},
		{"number in quotes", `{"milli":"1"}`, `1:10: milli: "1": want a number`},
		{"time", `{"time":"tomorrow"}`, `1:9: time: "tomorrow": want a time like 2030-01-31T12:00:00Z`},
		{"long list", `{"list":[1,2,3]}`, `1:9: list: 3 items: want at most 2`},
		{"item", `{"list":[{}]}`, `1:10: list[0]: an object: want a number`},
		{"many pairs", `{"pairs":{"a":"","b":"","c":""}}`, `1:10: pairs: 3 members: want at most 2`},
		{"pair", `{"pairs":{"a":1}}`, `1:15: pairs.a: 1: want a string in quotes`},
		{"need", ` {}`, `1:2: need: missing: want anything`},
		{"the first counts", "{\"int\":11,\n\"text\":1}", `2:8: text: 1: want a string`},
		{"long text is cut", `{"int":"` + strings.Repeat("x", 50) + `"}`, `1:8: int: "` + strings.Repeat("x", 40) + `"...: want a number`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := reading(tt.in)
			if err == nil {
				t.Fatalf("accepted as %v", got)
			}
			if err.Error() != tt.want {
				t.Errorf("got  %s\nwant %s", err, tt.want)
			}
		})
	}
}

func TestNearest(t *testing.T) {
	names := []string{"maxCurrentA", "phases", "id", "evseId"}
	for got, want := range map[string]string{
		"maxCurentA": "maxCurrentA", "max_current_a": "maxCurrentA", "Phase": "phases", "ID": "id", "xy": "", "evse": "evseId",
		"": "", strings.Repeat("phases", 20): "",
	} {
		if near := Nearest(got, names); near != want {
			t.Errorf("Nearest(%q) = %q, want %q", got, near, want)
		}
	}
}

// FuzzParse compares with encoding/json, which takes more, but nothing else.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"a":[1,-2.5e3,"x\u00e4\n",true,false,null],"b":{}}`, `[]`, `""`, `1`, `{"a":1,"a":2}`, `["\ud800"]`, `[[[[`, "\ufffd", `"�"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := Parse([]byte(s))
		if err != nil {
			if e, ok := err.(*Error); !ok || e.Line < 1 || e.Col < 1 || e.Text == "" {
				t.Fatalf("error without a place: %#v", err)
			}
			return
		}
		d := json.NewDecoder(strings.NewReader(s))
		d.UseNumber()
		var want any
		if err := d.Decode(&want); err != nil {
			t.Fatalf("accepted what encoding/json refuses: %v", err)
		}
		if got := plain(v); !reflect.DeepEqual(got, want) {
			t.Fatalf("got %#v, want %#v", got, want)
		}
	})
}

// plain turns a Value into what encoding/json makes.
func plain(v *Value) any {
	switch v.Kind {
	case Bool:
		b, _ := strconv.ParseBool(v.Text)
		return b
	case Number:
		return json.Number(v.Text)
	case String:
		return v.Text
	case Array:
		list := []any{}
		for i := range v.Items {
			list = append(list, plain(&v.Items[i]))
		}
		return list
	case Object:
		m := map[string]any{}
		for i := range v.Items {
			m[v.Names[i]] = plain(&v.Items[i])
		}
		return m
	}
	return nil
}
