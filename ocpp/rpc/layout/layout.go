// Package layout reads and writes messages of OCPP along tables: a tenth of the machine code that straight lines for
// each message take, at twice the time. The packages of messages are generated with a table for each struct.
//
// Offsets are constants of the compiler and each member says what lies there, so a pointer is only ever read as what
// it points to; package layouttest compares the tables with the types.
package layout

import (
	"unsafe"

	"github.com/evsed/evsed/ocpp/rpc"
)

// Kind is what lies at a member's offset, or in a list there.
type Kind uint8

// The kinds. Names, Raw and Custom say absent by "".
const (
	Text       Kind = iota // string
	Whole                  // int
	Number                 // rpc.Decimal
	NumberEd               // rpc.Decimal, whole before 2.1
	Tenths                 // rpc.Decimal
	Truth                  // bool
	Instant                // time.Time
	Name                   // a string type of its own: an enumeration
	NameOrText             // the same, free text of High characters since 2.1
	Raw                    // rpc.Raw
	Custom                 // rpc.Raw: customData
	Nested                 // a struct
)

// Rule is what holds for a member. It is a set.
type Rule uint8

// The rules.
const (
	List     Rule = 1 << iota // a list of the kind; empty is absent
	Required                  // in every version that has it
	Missed                    // required before 2.1 and no longer
	Since21                   // toward older versions it is left out
	Bounds21                  // its bounds came with 2.1: older versions are read without
)

// Member is one field of a struct.
type Member struct {
	Kind        Kind
	Rule        Rule
	At          uint16 // offset of the field; of its V, where it is an Opt
	Has         uint16 // offset of the Has of an Opt, 0 where it is none
	Least, Most uint16 // elements; Most 0 is unbounded
	Low, High   int32  // the bounds of a number; the most characters before 2.1 and since
	Enum        *rpc.Enum
	Part        *Part
}

// Part is one struct type.
type Part struct {
	Action  string      // of a message
	Fields  *rpc.Fields // in the order of Members
	Members []Member
	Size    uintptr                   // of an element of a list
	Grow    func(list unsafe.Pointer) // lengthens a list by one element
}

// absent tells whether there is nothing to write.
func (m *Member) absent(p unsafe.Pointer) bool {
	at := unsafe.Add(p, m.At)
	switch {
	case m.Has != 0:
		return !*(*bool)(unsafe.Add(p, m.Has))
	case m.Kind == Raw || m.Kind == Custom:
		return *(*string)(at) == ""
	case m.Rule&Required != 0:
		return false
	case m.Rule&List != 0:
		return length(at) == 0
	}
	return *(*string)(at) == "" // only enumerations are left
}

// length returns the number of elements of any list.
func length(list unsafe.Pointer) int { return len(*(*[]struct{})(list)) }

// element returns the address of an element of any list.
func element(list unsafe.Pointer, i int, size uintptr) unsafe.Pointer {
	return unsafe.Add(unsafe.Pointer(unsafe.SliceData(*(*[]struct{})(list))), uintptr(i)*size)
}

// size is that of an element.
func (m *Member) size() uintptr {
	switch m.Kind {
	case Nested:
		return m.Part.Size
	case Whole:
		return unsafe.Sizeof(0)
	case Number, NumberEd, Tenths:
		return unsafe.Sizeof(rpc.Decimal{})
	}
	return unsafe.Sizeof("")
}

// lengthen makes a list longer by one element and returns it. The element may hold what it held before.
func (m *Member) lengthen(list unsafe.Pointer) unsafe.Pointer {
	n := length(list)
	if to := (*[]struct{})(list); n < cap(*to) {
		*to = (*to)[:n+1]
	} else {
		m.grow(list)
	}
	return element(list, n, m.size())
}

func (m *Member) grow(list unsafe.Pointer) {
	switch m.Kind {
	case Nested:
		m.Part.Grow(list)
	case Whole:
		grow[int](list)
	case Number, NumberEd, Tenths:
		grow[rpc.Decimal](list)
	default:
		grow[string](list)
	}
}

func grow[T any](list unsafe.Pointer) {
	var zero T
	*(*[]T)(list) = append(*(*[]T)(list), zero)
}

// Reset empties a struct and keeps the capacity of its lists.
func Reset(p unsafe.Pointer, t *Part) {
	for i := range t.Members {
		m := &t.Members[i]
		if m.Has != 0 {
			*(*bool)(unsafe.Add(p, m.Has)) = false
		}
		m.reset(unsafe.Add(p, m.At))
	}
}
