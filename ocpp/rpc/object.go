package rpc

import "math/bits"

// Fields describes the members of one kind of object. At most 64; bit n of a mask is Names[n].
// Column 0 is for versions before 2.1, column 1 for 2.1.
type Fields struct {
	Names    []string
	Known    [2]uint64
	Required [2]uint64
}

// Object is the cursor within one object.
type Object struct {
	fields *Fields
	seen   uint64
	next   int // members mostly come in schema order: where to look first
	some   bool
}

// Object enters an object whose members f describes.
//
//go:noinline
func (b *Body) Object(f *Fields) Object {
	if b.peek() != '{' {
		b.wrong("an object")
	} else {
		b.enter()
	}
	return Object{fields: f}
}

// enter steps over the opening bracket of an object or a list.
func (b *Body) enter() {
	if b.depth++; b.depth > b.lim.Depth {
		b.failN(FormatViolation, b.pos, "nested deeper than ", int64(b.lim.Depth))
		return
	}
	b.pos++
}

// Next steps to the value of the next member and returns the member's index, or -1 after the last one or
// a fault. A member that is unknown in this version or comes twice is refused: of two values nobody can
// tell which one the sender meant, and two readers of one message must not disagree.
func (b *Body) Next(o *Object) int {
	switch c := b.peek(); {
	case c == '}':
		b.close(o)
		return -1
	case !o.some:
		o.some = true
	case c == ',':
		b.pos++
	default:
		b.fail(FormatViolation, b.pos, "want , or }")
		return -1
	}
	i := o.expected(b)
	if i < 0 {
		key := b.key()
		if b.bad {
			return -1
		}
		i = o.find(key)
	}
	switch {
	case i < 0 || o.fields.Known[b.ed]&(1<<i) == 0:
		b.fail(FormatViolation, b.pos, "unknown member")
		return -1
	case o.seen&(1<<i) != 0:
		b.fail(FormatViolation, b.pos, "member given twice")
		return -1
	}
	o.seen |= 1 << i
	o.next = i + 1
	return i
}

func (b *Body) close(o *Object) {
	if missing := o.fields.Required[b.ed] &^ o.seen; missing != 0 {
		b.fail(OccurrenceConstraintViolation, b.pos, "required member missing")
		b.missing = o.fields.Names[bits.TrailingZeros64(missing)]
		return
	}
	b.pos++
	b.depth--
}

// key pulls a member's name and the colon after it.
func (b *Body) key() string {
	if b.peek() != '"' {
		b.fail(FormatViolation, b.pos, "want a member name")
		return ""
	}
	key := b.text()
	if b.peek() != ':' {
		b.fail(FormatViolation, b.pos, "want :")
		return ""
	}
	b.pos++
	b.peek()
	return key
}

// expected pulls the key of the next few members in schema order if one of them stands here as it is usually
// written, and returns its index, or -1. It only saves time: key and find read any key.
func (o *Object) expected(b *Body) int {
	const few = 4
	s := b.s[b.pos:]
	names := o.fields.Names
	for i := o.next; i < min(o.next+few, len(names)); i++ {
		n := len(names[i])
		if len(s) > n+3 && s[n+1] == '"' && s[n+2] == ':' && s[0] == '"' && s[1:n+1] == names[i] {
			b.pos += n + 3
			b.peek()
			return i
		}
	}
	return -1
}

func (o *Object) find(key string) int {
	names := o.fields.Names
	for i := o.next; i < len(names); i++ {
		if names[i] == key {
			return i
		}
	}
	for i := 0; i < o.next; i++ {
		if names[i] == key {
			return i
		}
	}
	return -1
}

// List is the cursor within one list.
type List struct {
	n, min, max, at int
}

// List enters a list of min to max elements; max 0 is unbounded by the schema. Limits.List applies too.
//
//go:noinline
func (b *Body) List(min, max int) List { return b.list(min, max, b.lim.List) }

// Stream is List for elements that are not kept: Limits.Stream applies.
//
//go:noinline
func (b *Body) Stream(min, max int) List { return b.list(min, max, b.lim.Stream) }

func (b *Body) list(min, max, limit int) List {
	c, at := b.peek(), b.pos
	if c != '[' {
		b.wrong("a list")
	} else {
		b.enter()
	}
	if max == 0 || max > limit {
		max = limit
	}
	return List{min: min, max: max, at: at}
}

// More steps to the next element. After the last one, or a fault, it returns false.
func (l *List) More(b *Body) bool {
	switch c := b.peek(); {
	case c == ']':
		if l.n < l.min {
			b.failN(OccurrenceConstraintViolation, l.at, "elements below ", int64(l.min))
			return false
		}
		b.pos++
		b.depth--
		return false
	case l.n == 0:
	case c == ',':
		b.pos++
	default:
		b.fail(FormatViolation, b.pos, "want , or ]")
		return false
	}
	if b.bad {
		return false
	}
	if l.n++; l.n > l.max {
		b.failN(OccurrenceConstraintViolation, l.at, "elements above ", int64(l.max))
		return false
	}
	return true
}
