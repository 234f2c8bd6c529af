package strict

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Reader takes Values apart. It keeps the first error; what is read after one is absent.
type Reader struct{ err *Error }

// Err returns the first error, as an *Error, or nil.
func (r *Reader) Err() error {
	if r.err == nil {
		return nil
	}
	return r.err
}

// Fail refuses v: text says what would be right.
func (r *Reader) Fail(v *Value, text string) {
	if r.err == nil {
		r.err = newError(*v.doc, v.offset, v.path, text)
	}
}

// Members is an object that is being read. The nil Members has no members.
type Members struct {
	r *Reader
	v *Value
}

// Object reads v as an object that may have these names. After an error it returns an empty one.
func (r *Reader) Object(v *Value, names ...string) *Members {
	if r.err != nil || v == nil {
		return nil
	}
	if v.Kind != Object {
		r.Fail(v, show(v)+": want an object")
		return nil
	}
	for i, name := range v.Names {
		if slices.Contains(names, name) {
			continue
		}
		text := "unknown key: leave it out"
		if near := Nearest(name, names); near != "" {
			text = fmt.Sprintf("unknown key: did you mean %q?", near)
		} else if len(names) > 0 {
			text = "unknown key: known are " + strings.Join(names, ", ")
		}
		r.err = newError(*v.doc, v.places[i], join(v.path, name), text)
		return nil
	}
	return &Members{r, v}
}

// Value returns the member of that name, nil if there is none.
func (o *Members) Value(name string) *Value {
	if o == nil || o.r.err != nil {
		return nil
	}
	if i := slices.Index(o.v.Names, name); i >= 0 {
		return &o.v.Items[i]
	}
	return nil
}

// Fail refuses the member of that name, or its absence.
func (o *Members) Fail(name, text string) {
	if o == nil || o.r.err != nil {
		return
	}
	if v := o.Value(name); v != nil {
		o.r.Fail(v, text)
		return
	}
	o.r.err = newError(*o.v.doc, o.v.offset, join(o.v.path, name), text)
}

// Need refuses an object without that member: want says what it has to be.
func (o *Members) Need(name, want string) {
	if o != nil && o.r.err == nil && o.Value(name) == nil {
		o.Fail(name, "missing: want "+want)
	}
}

// IsNull reports whether the member is there and null.
func (o *Members) IsNull(name string) bool {
	v := o.Value(name)
	return v != nil && v.Kind == Null
}

// member returns the member if it has the kind; otherwise nil, with an error if it is there.
func (o *Members) member(name string, kind Kind) *Value {
	v := o.Value(name)
	if v != nil && v.Kind != kind {
		o.r.Fail(v, show(v)+": want "+kind.String())
		return nil
	}
	return v
}

// Each reads the member as an array of at most most items; nothing happens where it is absent.
func (o *Members) Each(name string, most int, item func(i int, v *Value)) {
	v := o.member(name, Array)
	if v == nil {
		return
	}
	if len(v.Items) > most {
		o.r.Fail(v, fmt.Sprintf("%d items: want at most %d", len(v.Items), most))
		return
	}
	for i := range v.Items {
		if o.r.err == nil {
			item(i, &v.Items[i])
		}
	}
}

// Pairs reads the member as an object of any names with strings, in the order of the document.
func (o *Members) Pairs(name string, most int, pair func(name, value string)) {
	v := o.member(name, Object)
	if v == nil {
		return
	}
	if len(v.Items) > most {
		o.r.Fail(v, fmt.Sprintf("%d members: want at most %d", len(v.Items), most))
		return
	}
	for i := range v.Items {
		it := &v.Items[i]
		if it.Kind != String {
			o.r.Fail(it, show(it)+": want a string in quotes")
			return
		}
		pair(v.Names[i], it.Text)
	}
}

// Text reads a string of at most most characters; nil where it is absent.
func Text(o *Members, name string, most int) *string {
	v := o.member(name, String)
	if v == nil {
		return nil
	}
	if n := utf8.RuneCountInString(v.Text); n > most {
		o.r.Fail(v, fmt.Sprintf("%d characters: want at most %d", n, most))
		return nil
	}
	return &v.Text
}

// Word reads a string that is one of words; nil where it is absent.
func Word(o *Members, name string, words ...string) *string {
	v := o.member(name, String)
	if v == nil {
		return nil
	}
	if !slices.Contains(words, v.Text) {
		o.r.Fail(v, fmt.Sprintf("%q: want %s", v.Text, Words(v.Text, words)))
		return nil
	}
	return &v.Text
}

// Words tells which words would be right: the nearest one to got, or all.
func Words(got string, words []string) string {
	if len(words) == 0 {
		return "none"
	}
	if near := Nearest(got, words); near != "" {
		return strconv.Quote(near) + "?"
	}
	return "one of " + strings.Join(words, ", ")
}

// Flag reads true or false; nil where it is absent.
func Flag(o *Members, name string) *bool {
	v := o.member(name, Bool)
	if v == nil {
		return nil
	}
	b := v.Text == "true"
	return &b
}

// Int reads a whole number from least to most; nil where it is absent.
func Int[T ~int | ~int32 | ~int64 | ~uint8](o *Members, name string, least, most T) *T {
	v := o.member(name, Number)
	if v == nil {
		return nil
	}
	return IntOf(o.r, v, least, most)
}

// IntOf is Int for an item of an array.
func IntOf[T ~int | ~int32 | ~int64 | ~uint8](r *Reader, v *Value, least, most T) *T {
	if v.Kind != Number {
		r.Fail(v, show(v)+": want a number")
		return nil
	}
	f, err := strconv.ParseFloat(v.Text, 64)
	if err != nil || f != math.Trunc(f) || f < float64(least) || f > float64(most) {
		r.Fail(v, fmt.Sprintf("%s: want a whole number from %d to %d", v.Text, least, most))
		return nil
	}
	n := T(f)
	return &n
}

// Milli reads a number from least to most, which are thousandths of the unit in which it is written, and rounds it to
// a thousandth; nil where it is absent.
func Milli[T ~int32 | ~int64](o *Members, name string, least, most T) *T {
	v := o.member(name, Number)
	if v == nil {
		return nil
	}
	return MilliOf(o.r, v, least, most)
}

// MilliOf is Milli for an item of an array.
func MilliOf[T ~int32 | ~int64](r *Reader, v *Value, least, most T) *T {
	if v.Kind != Number {
		r.Fail(v, show(v)+": want a number")
		return nil
	}
	f, err := strconv.ParseFloat(v.Text, 64)
	f = math.Round(f * 1000)
	if err != nil || f < float64(least) || f > float64(most) {
		r.Fail(v, fmt.Sprintf("%s: want a number from %s to %s", v.Text, milli(int64(least)), milli(int64(most))))
		return nil
	}
	n := T(f)
	return &n
}

func milli(n int64) string { return strconv.FormatFloat(float64(n)/1000, 'f', -1, 64) }

// Time reads an instant as RFC 3339 writes it; nil where it is absent.
func Time(o *Members, name string) *time.Time {
	v := o.member(name, String)
	if v == nil {
		return nil
	}
	t, err := time.Parse(time.RFC3339, v.Text)
	if err != nil {
		o.r.Fail(v, fmt.Sprintf("%q: want a time like 2030-01-31T12:00:00Z", v.Text))
		return nil
	}
	t = t.UTC()
	return &t
}

// Or returns what p points to, or def where it points to nothing.
func Or[T any](p *T, def T) T {
	if p == nil {
		return def
	}
	return *p
}

// maxShown bounds what of a value an error repeats, in characters.
const maxShown = 40

// show describes a value for an error.
func show(v *Value) string {
	switch v.Kind {
	case String:
		text := []rune(v.Text)
		if len(text) > maxShown {
			return strconv.Quote(string(text[:maxShown])) + "..."
		}
		return strconv.Quote(v.Text)
	case Array, Object:
		return v.Kind.String()
	}
	return v.Text
}
