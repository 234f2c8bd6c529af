// Package layouttest compares the tables of a generated package with the types that they describe.
package layouttest

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/ocpp/rpc/layout"
)

// Tables is what a package knows of its types, by Go name.
type Tables struct {
	Fields map[string]*rpc.Fields
	Enums  map[string]*rpc.Enum
	Before int // fields of each struct that are no members

	seen map[*layout.Part]bool
}

// Seen is how many types were compared.
func (x *Tables) Seen() int { return len(x.seen) }

// Check compares the table of typ, and of its parts, with the type. What was compared once is not compared again.
func (x *Tables) Check(t *testing.T, typ reflect.Type, p *layout.Part) {
	t.Helper()
	if x.seen[p] {
		return
	}
	if x.seen == nil {
		x.seen = map[*layout.Part]bool{}
	}
	x.seen[p] = true
	if x.Fields[typ.Name()] != p.Fields {
		t.Errorf("%s has the table of another type", typ)
	}
	if n := typ.NumField() - x.Before; n != len(p.Members) || n != len(p.Fields.Names) {
		t.Fatalf("%s: %d fields, %d members, %d names", typ, n, len(p.Members), len(p.Fields.Names))
	}
	for i := range p.Members {
		x.member(t, typ, typ.Field(x.Before+i), &p.Members[i])
	}
}

func (x *Tables) member(t *testing.T, owner reflect.Type, f reflect.StructField, m *layout.Member) {
	at, typ := f.Offset, f.Type
	if typ.Kind() == reflect.Struct && strings.HasPrefix(typ.Name(), "Opt[") {
		v, has := typ.Field(0), typ.Field(1)
		if uintptr(m.Has) != f.Offset+has.Offset || m.Rule&layout.Required != 0 {
			t.Errorf("%s.%s: Has is at %d, not %d", owner, f.Name, f.Offset+has.Offset, m.Has)
		}
		at, typ = at+v.Offset, v.Type
	} else if m.Has != 0 {
		t.Errorf("%s.%s is no Opt", owner, f.Name)
	}
	list := typ.Kind() == reflect.Slice
	if at != uintptr(m.At) || list != (m.Rule&layout.List != 0) {
		t.Errorf("%s.%s: at %d, list %t, want %d, %t", owner, f.Name, m.At, !list, at, list)
	}
	element := typ
	if list {
		element = typ.Elem()
	}
	if !x.fits(element, m.Kind) {
		t.Errorf("%s.%s: kind %d of %s", owner, f.Name, m.Kind, element)
	}
	absence := m.Has != 0 || list || m.Kind == layout.Raw || m.Kind == layout.Custom || m.Kind == layout.Name || m.Kind == layout.NameOrText
	if !absence && m.Rule&layout.Required == 0 {
		t.Errorf("%s.%s cannot say that it is absent", owner, f.Name)
	}
	switch m.Kind {
	case layout.Name, layout.NameOrText:
		if m.Enum == nil || m.Enum != x.Enums[element.Name()] {
			t.Errorf("%s has the names of another type", element)
		}
	case layout.Nested:
		if list {
			grows(t, typ, m.Part)
		}
		x.Check(t, element, m.Part)
	}
}

// grows tells whether a list can be lengthened and its elements are found.
func grows(t *testing.T, list reflect.Type, p *layout.Part) {
	t.Helper()
	if p.Size != list.Elem().Size() {
		t.Errorf("%s: size %d, want %d", list, p.Size, list.Elem().Size())
	}
	l := reflect.New(list)
	p.Grow(l.UnsafePointer())
	p.Grow(l.UnsafePointer())
	if l.Elem().Len() != 2 {
		t.Errorf("%s: grew to %d elements, not 2", list, l.Elem().Len())
	}
}

// fits tells whether a value of typ can be of kind k.
func (x *Tables) fits(typ reflect.Type, k layout.Kind) bool {
	switch typ {
	case reflect.TypeFor[string]():
		return k == layout.Text
	case reflect.TypeFor[int]():
		return k == layout.Whole
	case reflect.TypeFor[rpc.Decimal]():
		return k == layout.Number || k == layout.NumberEd || k == layout.Tenths
	case reflect.TypeFor[bool]():
		return k == layout.Truth
	case reflect.TypeFor[time.Time]():
		return k == layout.Instant
	case reflect.TypeFor[rpc.Raw]():
		return k == layout.Raw || k == layout.Custom
	}
	if typ.Kind() == reflect.String {
		return k == layout.Name || k == layout.NameOrText
	}
	return typ.Kind() == reflect.Struct && k == layout.Nested
}
