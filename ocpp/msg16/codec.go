package msg16

import (
	"math"
	"time"
	"unsafe"

	"github.com/evsed/evsed/ocpp/rpc"
)

// Messages are read and written by one codec that walks along a table of members: a tenth of the machine code that
// straight lines for each message would take. Offsets are constants of the compiler and each member says what lies
// there, so a pointer is only ever read as what it points to; a test compares the tables with the types.

// kind is what lies at a member's offset.
type kind uint8

const (
	text    kind = iota // string
	whole               // int
	tenths              // rpc.Decimal
	truth               // bool
	instant             // time.Time
	name                // a string type of its own: an enumeration, "" is absent
	nested              // a struct
	texts               // []string
	list                // a list of structs
)

// member is one field of a struct.
type member struct {
	kind  kind
	least uint8   // elements
	max   uint16  // characters
	at    uintptr // offset of the field; of its V, where it is an Opt
	has   uintptr // offset of the Has of an Opt, 0 where it is none
	enum  *rpc.Enum
	part  *part
}

// part is one struct type.
type part struct {
	action  string     // of a message
	fields  rpc.Fields // in the order of members
	members []member
	size    uintptr                                  // of an element of a list
	grow    func(list unsafe.Pointer) unsafe.Pointer // lengthens a list by one element and returns it
}

func (t *part) required(i int) bool { return t.fields.Required[0]>>i&1 != 0 }

// absent tells whether there is nothing to write.
func (t *part) absent(i int, p unsafe.Pointer) bool {
	m := &t.members[i]
	switch {
	case m.has != 0:
		return !*(*bool)(unsafe.Add(p, m.has))
	case t.required(i):
		return false
	case m.kind == name:
		return *(*string)(unsafe.Add(p, m.at)) == ""
	}
	return length(unsafe.Add(p, m.at)) == 0 // only lists are left
}

// length returns the number of elements of any list.
func length(list unsafe.Pointer) int { return len(*(*[]struct{})(list)) }

// element returns the address of an element of any list.
func element(list unsafe.Pointer, i int, size uintptr) unsafe.Pointer {
	return unsafe.Add(unsafe.Pointer(unsafe.SliceData(*(*[]struct{})(list))), uintptr(i)*size)
}

func encode(w *rpc.Writer, p unsafe.Pointer, t *part) {
	for i := range t.members {
		if t.absent(i, p) {
			continue
		}
		w.Name(t.fields.Names[i])
		m := &t.members[i]
		at := unsafe.Add(p, m.at)
		switch m.kind {
		case text:
			w.Str(`"`, *(*string)(at), int(m.max))
		case whole:
			w.Int("", *(*int)(at), math.MinInt32, math.MaxInt32)
		case tenths:
			w.Tenths("", (*rpc.Decimal)(at))
		case truth:
			w.Bool("", *(*bool)(at))
		case instant:
			w.Time(`"`, (*time.Time)(at))
		case name:
			w.Enum(`"`, *(*string)(at), m.enum)
		case nested:
			w.Open()
			encode(w, at, m.part)
			w.Close()
		case texts:
			encodeTexts(w, *(*[]string)(at), m)
		case list:
			encodeList(w, at, m)
		}
	}
}

func encodeTexts(w *rpc.Writer, texts []string, m *member) {
	w.List("", len(texts), int(m.least), 0)
	for _, s := range texts {
		w.Str(`"`, s, int(m.max))
	}
	w.CloseList()
}

func encodeList(w *rpc.Writer, list unsafe.Pointer, m *member) {
	n := length(list)
	w.List("", n, int(m.least), 0)
	for i := range n {
		w.Open()
		encode(w, element(list, i, m.part.size), m.part)
		w.Close()
	}
	w.CloseList()
}

// stream hands on the elements of one list.
type stream struct {
	list *part          // of the elements; only one list of a message has them
	item unsafe.Pointer // where an element is put
	each func() error
}

func decodeMessage(b *rpc.Body, m Message, s *stream) error {
	b.Begin(rpc.V16)
	p, t := m.layout()
	reset(p, t)
	decode(b, p, t, s)
	return b.End()
}

func decode(b *rpc.Body, p unsafe.Pointer, t *part, s *stream) {
	o := b.Object(&t.fields)
	for i := b.Next(&o); i >= 0; i = b.Next(&o) {
		m := &t.members[i]
		at := unsafe.Add(p, m.at)
		if m.has != 0 {
			*(*bool)(unsafe.Add(p, m.has)) = true
		}
		switch m.kind {
		case text:
			*(*string)(at) = b.Str(int(m.max))
		case whole:
			*(*int)(at) = b.Int()
		case tenths:
			*(*rpc.Decimal)(at) = b.Tenths()
		case truth:
			*(*bool)(at) = b.Bool()
		case instant:
			*(*time.Time)(at) = b.Time()
		case name:
			*(*string)(at) = b.Enum(m.enum)
		case nested:
			decode(b, at, m.part, nil)
		case texts:
			to := (*[]string)(at)
			for l := b.List(int(m.least), 0); l.More(b); {
				*to = append(*to, b.Str(int(m.max)))
			}
		case list:
			if s != nil && s.list == m.part {
				s.decode(b, m)
				continue
			}
			for l := b.List(int(m.least), 0); l.More(b); {
				e := m.part.grow(at)
				reset(e, m.part)
				decode(b, e, m.part, nil)
			}
		}
	}
}

func (s *stream) decode(b *rpc.Body, m *member) {
	for l := b.Stream(int(m.least), 0); l.More(b); {
		reset(s.item, s.list)
		decode(b, s.item, s.list, nil)
		if b.Failed() {
			return
		}
		if err := s.each(); err != nil {
			b.Stop(err)
			return
		}
	}
}

// reset empties a struct and keeps the capacity of its lists.
func reset(p unsafe.Pointer, t *part) {
	for i := range t.members {
		m := &t.members[i]
		at := unsafe.Add(p, m.at)
		if m.has != 0 {
			*(*bool)(unsafe.Add(p, m.has)) = false
		}
		switch m.kind {
		case text, name:
			*(*string)(at) = ""
		case whole:
			*(*int)(at) = 0
		case tenths:
			*(*rpc.Decimal)(at) = rpc.Decimal{}
		case truth:
			*(*bool)(at) = false
		case instant:
			*(*time.Time)(at) = time.Time{}
		case nested:
			reset(at, m.part)
		case texts:
			to := (*[]string)(at)
			*to = (*to)[:0]
		case list:
			to := (*[]struct{})(at)
			*to = (*to)[:0]
		}
	}
}

// grow lengthens s by one element and returns it. The element may hold what it held before.
func grow[T any](s *[]T) unsafe.Pointer {
	if n := len(*s); n < cap(*s) {
		*s = (*s)[:n+1]
	} else {
		var zero T
		*s = append(*s, zero)
	}
	return unsafe.Pointer(&(*s)[len(*s)-1])
}
