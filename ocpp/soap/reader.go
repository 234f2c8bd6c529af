package soap

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// token is what reader.next stopped at.
type token uint8

const (
	tokenEnd token = iota // of an element, of the document, or of all because of a fault
	tokenStart
)

type binding struct {
	prefix string
	space  space
	uri    string
}

// tag is an open element.
type tag struct {
	prefix, local string
	bindings      int // in force outside of it
}

type attr struct {
	space space
	local string
	value string
}

// reader pulls elements out of a document, name by name. It resolves prefixes and checks that tags match, which
// RawToken does not; Token does it but reads what we do not want read. The first fault sticks: what is pulled afterwards
// is the end.
type reader struct {
	d        *xml.Decoder
	bindings []binding
	open     []tag
	began    bool // something was read
	rooted   bool // the root has been opened
	err      *Fault

	// Of the element that next stopped at.
	space space
	uri   string
	local string
	attrs []attr
	// text stands in front of where next stopped, since the tag before it.
	text []byte
}

func newReader(raw []byte) *reader {
	return &reader{d: xml.NewDecoder(&source{rest: bytes.TrimPrefix(raw, []byte("\xEF\xBB\xBF"))})}
}

func (r *reader) fail(reason string) { r.fault(protocolError(reason)) }

func (r *reader) fault(f *Fault) {
	if r.err == nil {
		r.err = f
	}
}

// next goes to the next tag.
func (r *reader) next() token {
	r.text = r.text[:0]
	for r.err == nil {
		t, err := r.d.RawToken()
		if err != nil {
			r.ended(err)
			break
		}
		switch t := t.(type) {
		case xml.StartElement:
			r.began = true
			r.push(t)
			return tokenStart
		case xml.EndElement:
			r.pop(t)
			return tokenEnd
		case xml.CharData:
			if r.text = append(r.text, t...); len(r.open) == 0 && !blank(r.text) {
				r.fail("text outside of the document")
			}
		case xml.ProcInst:
			if r.began || t.Target != "xml" {
				r.fail("processing instruction")
			}
		case xml.Directive:
			r.fail("document type declaration")
		}
		r.began = true
	}
	return tokenEnd
}

func (r *reader) ended(err error) {
	var bad *xml.SyntaxError
	switch {
	case errors.Is(err, errAttributes):
		r.fail(err.Error())
	case errors.Is(err, io.EOF) && r.rooted && len(r.open) == 0:
	case errors.Is(err, io.EOF):
		r.fail("not well-formed XML: unexpected end")
	case errors.As(err, &bad):
		r.fail("not well-formed XML: " + quote(bad.Msg))
	default:
		r.fail("not XML 1.0 in UTF-8")
	}
}

// push opens an element.
func (r *reader) push(t xml.StartElement) {
	if len(r.open) == 0 && r.rooted {
		r.fail("a second document")
	}
	r.rooted = true
	if len(r.open) >= maxDepth {
		r.fail("elements nested too deep")
	}
	r.checkName(t.Name)
	r.open = append(r.open, tag{t.Name.Space, t.Name.Local, len(r.bindings)})
	r.attrs = r.attrs[:0]
	for i, a := range t.Attr {
		r.checkName(a.Name)
		for _, b := range t.Attr[:i] {
			if a.Name == b.Name {
				r.fail("attribute given twice")
			}
		}
		r.bind(a)
	}
	if r.err != nil {
		return
	}
	r.space, r.uri = r.resolve(t.Name.Space, true)
	r.local = t.Name.Local
	for _, a := range t.Attr {
		if !declares(a.Name) {
			s, _ := r.resolve(a.Name.Space, false)
			r.attrs = append(r.attrs, attr{s, a.Name.Local, a.Value})
		}
	}
}

func (r *reader) checkName(n xml.Name) {
	switch {
	case len(n.Space) > maxName || len(n.Local) > maxName:
		r.fail("name too long")
	case n.Local == "" || strings.Contains(n.Local, ":"):
		r.fail("not a name: " + quote(n.Space+":"+n.Local))
	}
}

func declares(n xml.Name) bool { return n.Space == "xmlns" || n.Space == "" && n.Local == "xmlns" }

// bind puts a declaration of a name space in force.
func (r *reader) bind(a xml.Attr) {
	if !declares(a.Name) {
		return
	}
	prefix := ""
	if a.Name.Space != "" {
		prefix = a.Name.Local
	}
	switch {
	case prefix == "xml" || prefix == "xmlns" || prefix != "" && a.Value == "":
		r.fail("declaration of prefix " + quote(prefix))
	case len(r.bindings) >= maxBindings:
		r.fail("too many name spaces")
	default:
		r.bindings = append(r.bindings, binding{prefix, spaceOf(a.Value), a.Value})
	}
}

// resolve returns the name space of a prefix. An attribute without prefix has none.
func (r *reader) resolve(prefix string, element bool) (space, string) {
	switch {
	case prefix == "" && !element:
		return spaceNone, ""
	case prefix == "xml":
		return spaceOther, nsXML
	}
	for i := len(r.bindings) - 1; i >= 0; i-- {
		if b := r.bindings[i]; b.prefix == prefix {
			return b.space, b.uri
		}
	}
	if prefix != "" {
		r.fail("prefix " + quote(prefix) + " without a name space")
	}
	return spaceNone, ""
}

// pop closes an element.
func (r *reader) pop(t xml.EndElement) {
	if len(r.open) == 0 {
		r.fail("not well-formed XML: end without begin")
		return
	}
	last := r.open[len(r.open)-1]
	if t.Name.Space != last.prefix || t.Name.Local != last.local {
		r.fail("not well-formed XML: " + quote(last.local) + " closed by " + quote(t.Name.Local))
	}
	r.open, r.bindings = r.open[:len(r.open)-1], r.bindings[:last.bindings]
}

// child goes to the next child element; false: there is none, and the parent has been closed.
func (r *reader) child() bool {
	t := r.next()
	if !blank(r.text) {
		r.fail("text between elements")
	}
	return t == tokenStart && r.err == nil
}

// leaf returns the text of the element that was opened, and closes it.
func (r *reader) leaf() string {
	if r.next() == tokenStart {
		r.fail("element " + quote(r.local) + " where text belongs")
	}
	if r.err != nil {
		return ""
	}
	return string(r.text)
}

// skip closes the element that was opened, whatever it holds.
func (r *reader) skip() {
	for depth := len(r.open); r.err == nil && len(r.open) >= depth; {
		r.next()
	}
}

// attribute returns an attribute of the element that was opened.
func (r *reader) attribute(s space, local string) (string, bool) {
	for _, a := range r.attrs {
		if a.space == s && a.local == local {
			return a.value, true
		}
	}
	return "", false
}

// flag tells whether a boolean attribute is set.
func (r *reader) flag(s space, local string) bool {
	v, _ := r.attribute(s, local)
	v = strings.Trim(v, whitespace)
	return v == "true" || v == "1"
}

const whitespace = " \t\r\n"

func blank(b []byte) bool { return len(bytes.Trim(b, whitespace)) == 0 }

// quote returns s fit for a fault: short.
func quote(s string) string {
	if len(s) > maxQuoted {
		s = strings.ToValidUTF8(s[:maxQuoted], "") + "…"
	}
	return s
}
