package strict

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxDepth bounds arrays and objects within each other: no file of ours has more than five.
const maxDepth = 16

// Kind is the kind of a Value.
type Kind uint8

// Kinds of values.
const (
	Null Kind = iota
	Bool
	Number
	String
	Array
	Object
)

var kindNames = [...]string{"null", "true or false", "a number", "a string", "an array", "an object"}

func (k Kind) String() string { return kindNames[k] }

// Value is one value of a document with its place.
type Value struct {
	Kind   Kind
	Text   string // of a string: what it says; of a number, true or false: as written
	Items  []Value
	Names  []string // of an object, beside Items; each once
	path   string
	offset int
	places []int // of the names
	doc    *string
}

// Path is the field's name from the document's top, like evses[0].phases; "" for the document itself.
func (v *Value) Path() string { return v.path }

// Offset is where the value begins in the document, in bytes.
func (v *Value) Offset() int { return v.offset }

// Error is a finding in a document: where, what was found, what would be right.
type Error struct {
	Line, Col int // from 1; a column is a character
	Field     string
	Text      string
}

func (e *Error) Error() string {
	if e.Field == "" {
		return fmt.Sprintf("%d:%d: %s", e.Line, e.Col, e.Text)
	}
	return fmt.Sprintf("%d:%d: %s: %s", e.Line, e.Col, e.Field, e.Text)
}

// Parse reads one document. The error is an *Error.
func Parse(data []byte) (*Value, error) {
	p := &parser{s: string(data)}
	if i := badUTF8(p.s); i >= 0 {
		return nil, p.at(i, "", "not UTF-8")
	}
	v := new(Value)
	if err := p.value(v, "", 0); err != nil {
		return nil, err
	}
	if p.space(); p.i < len(p.s) {
		return nil, p.at(p.i, "", "something follows the document: "+p.found())
	}
	return v, nil
}

// badUTF8 returns where s stops being UTF-8, or -1.
func badUTF8(s string) int {
	for i, r := range s {
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD") {
			return i
		}
	}
	return -1
}

type parser struct {
	s string
	i int
}

// at makes an error at an offset.
func (p *parser) at(offset int, field, text string) *Error { return newError(p.s, offset, field, text) }

func newError(doc string, offset int, field, text string) *Error {
	before := doc[:offset]
	start := strings.LastIndexByte(before, '\n') + 1
	return &Error{
		Line: 1 + strings.Count(before, "\n"), Col: 1 + utf8.RuneCountInString(before[start:]), Field: field, Text: text,
	}
}

func (p *parser) space() {
	for p.i < len(p.s) && strings.IndexByte(" \t\r\n", p.s[p.i]) >= 0 {
		p.i++
	}
}

// found describes what stands at the cursor.
func (p *parser) found() string {
	if p.i >= len(p.s) {
		return "the end"
	}
	r, _ := utf8.DecodeRuneInString(p.s[p.i:])
	return fmt.Sprintf("%q", r)
}

// take steps over c, after white space, if it stands there.
func (p *parser) take(c byte) bool {
	p.space()
	if p.i < len(p.s) && p.s[p.i] == c {
		p.i++
		return true
	}
	return false
}

func (p *parser) value(v *Value, path string, depth int) *Error {
	p.space()
	v.path, v.offset, v.doc = path, p.i, &p.s
	if p.i == len(p.s) {
		return p.at(p.i, path, "want a value, found the end")
	}
	if depth > maxDepth {
		return p.at(p.i, path, fmt.Sprintf("more than %d levels deep", maxDepth))
	}
	switch c := p.s[p.i]; {
	case c == '{':
		v.Kind = Object
		return p.object(v, depth)
	case c == '[':
		v.Kind = Array
		return p.array(v, depth)
	case c == '"':
		v.Kind = String
		var err *Error
		v.Text, err = p.text(path)
		return err
	default:
		return p.word(v)
	}
}

func (p *parser) object(v *Value, depth int) *Error {
	p.i++
	if p.take('}') {
		return nil
	}
	seen := map[string]bool{}
	for {
		p.space()
		place := p.i
		if p.i == len(p.s) || p.s[p.i] != '"' {
			return p.at(p.i, v.path, "want a key in quotes, found "+p.found())
		}
		name, err := p.text(v.path)
		if err != nil {
			return err
		}
		path := join(v.path, name)
		if seen[name] {
			return p.at(place, path, "given twice: keep one")
		}
		seen[name] = true
		if !p.take(':') {
			return p.at(p.i, path, "want ':', found "+p.found())
		}
		var item Value
		if err := p.value(&item, path, depth+1); err != nil {
			return err
		}
		v.Names, v.places, v.Items = append(v.Names, name), append(v.places, place), append(v.Items, item)
		switch {
		case p.take('}'):
			return nil
		case !p.take(','):
			return p.at(p.i, v.path, "want ',' or '}', found "+p.found())
		}
	}
}

// join names a member. A name that is not printable or long is quoted and cut, so that an error stays one line.
func join(path, name string) string {
	if r := []rune(name); len(r) > maxShown {
		name = strconv.Quote(string(r[:maxShown])) + "..."
	} else if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		name = strconv.Quote(name)
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

func (p *parser) array(v *Value, depth int) *Error {
	p.i++
	if p.take(']') {
		return nil
	}
	for {
		var item Value
		if err := p.value(&item, fmt.Sprintf("%s[%d]", v.path, len(v.Items)), depth+1); err != nil {
			return err
		}
		v.Items = append(v.Items, item)
		switch {
		case p.take(']'):
			return nil
		case !p.take(','):
			return p.at(p.i, v.path, "want ',' or ']', found "+p.found())
		}
	}
}

// text reads a string.
func (p *parser) text(path string) (string, *Error) {
	start := p.i
	for p.i++; p.i < len(p.s) && p.s[p.i] != '"'; p.i++ {
		if p.s[p.i] == '\\' {
			p.i++
		}
	}
	if p.i >= len(p.s) {
		p.i = len(p.s)
		return "", p.at(start, path, "a string without its closing quote")
	}
	p.i++
	raw := p.s[start:p.i]
	var text string
	if err := json.Unmarshal([]byte(raw), &text); err != nil {
		return "", p.at(start, path, "not a JSON string: a control character or an unknown escape")
	}
	// encoding/json puts U+FFFD where an escape names half a surrogate pair.
	if strings.ContainsRune(text, utf8.RuneError) && !strings.ContainsRune(raw, utf8.RuneError) && !strings.Contains(strings.ToLower(raw), `\ufffd`) {
		return "", p.at(start, path, "half a surrogate pair")
	}
	return text, nil
}

// word reads a number, true, false or null.
func (p *parser) word(v *Value) *Error {
	start := p.i
	for p.i < len(p.s) && strings.IndexByte(" \t\r\n,]}:\"[{", p.s[p.i]) < 0 {
		p.i++
	}
	v.Text = p.s[start:p.i]
	switch {
	case v.Text == "null":
		v.Kind = Null
	case v.Text == "true" || v.Text == "false":
		v.Kind = Bool
	case v.Text != "" && len(v.Text) <= maxNumber && json.Valid([]byte(v.Text)):
		v.Kind = Number
	default:
		p.i = start
		return p.at(start, v.path, "want a value, found "+p.found())
	}
	return nil
}

// maxNumber bounds the digits of a number.
const maxNumber = 64

// Place returns where the value begins, from 1.
func (v *Value) Place() (line, col int) {
	e := newError(*v.doc, v.offset, "", "")
	return e.Line, e.Col
}
