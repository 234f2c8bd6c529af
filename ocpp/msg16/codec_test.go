package msg16

import (
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/evsed/evsed/ocpp/rpc"
)

// TestLayout compares the tables with the types that they describe, down to the parts.
func TestLayout(t *testing.T) {
	seen := map[*part]bool{}
	kinds(func(name string, fresh func() Message) {
		m := fresh()
		p, table := m.layout()
		v := reflect.ValueOf(m)
		if p != v.UnsafePointer() || name != v.Elem().Type().Name() {
			t.Errorf("%s: %T", name, m)
		}
		checkPart(t, v.Elem().Type(), table, seen)
	})
	if len(seen) != len(fieldTables) {
		t.Errorf("%d types seen, want %d", len(seen), len(fieldTables))
	}
}

func checkPart(t *testing.T, typ reflect.Type, p *part, seen map[*part]bool) {
	if seen[p] {
		return
	}
	seen[p] = true
	if fieldTables[typ.Name()] != &p.fields {
		t.Errorf("%s has the table of another type", typ)
	}
	if n := typ.NumField() - firstField; n != len(p.members) || n != len(p.fields.Names) {
		t.Fatalf("%s: %d fields, %d members, %d names", typ, n, len(p.members), len(p.fields.Names))
	}
	for i := range p.members {
		m, f := &p.members[i], typ.Field(firstField+i)
		at, inner := f.Offset, f.Type
		if inner.Kind() == reflect.Struct && strings.HasPrefix(inner.Name(), "Opt[") {
			v, has := inner.Field(0), inner.Field(1)
			inner = v.Type
			if m.has != f.Offset+has.Offset || p.required(i) {
				t.Errorf("%s.%s: Has is at %d, not %d", typ, f.Name, f.Offset+has.Offset, m.has)
			}
			at += v.Offset
		} else if m.has != 0 {
			t.Errorf("%s.%s is no Opt", typ, f.Name)
		}
		if at != m.at || kindOf(inner) != m.kind {
			t.Errorf("%s.%s: kind %d at %d, want %d at %d", typ, f.Name, m.kind, m.at, kindOf(inner), at)
		}
		checkMember(t, inner, m, seen)
	}
}

func checkMember(t *testing.T, typ reflect.Type, m *member, seen map[*part]bool) {
	switch m.kind {
	case name:
		if m.enum != enumTables[typ.Name()] {
			t.Errorf("%s has the names of another type", typ)
		}
	case nested:
		checkPart(t, typ, m.part, seen)
	case list:
		e := typ.Elem()
		if m.part.size != e.Size() {
			t.Errorf("%s: size %d, want %d", e, m.part.size, e.Size())
		}
		l := reflect.New(typ)
		if got := m.part.grow(l.UnsafePointer()); l.Elem().Len() != 1 || got != l.Elem().Index(0).Addr().UnsafePointer() {
			t.Errorf("%s: grow", e)
		}
		checkPart(t, e, m.part, seen)
	}
}

func kindOf(typ reflect.Type) kind {
	switch typ {
	case reflect.TypeFor[string]():
		return text
	case reflect.TypeFor[int]():
		return whole
	case reflect.TypeFor[rpc.Decimal]():
		return tenths
	case reflect.TypeFor[bool]():
		return truth
	case reflect.TypeFor[time.Time]():
		return instant
	case reflect.TypeFor[[]string]():
		return texts
	}
	switch typ.Kind() {
	case reflect.String:
		return name
	case reflect.Slice:
		return list
	}
	return nested
}

// TestLists: what reads the head of any list sees what the compiler sees.
func TestLists(t *testing.T) {
	x := make([]SampledValue, 3, 5)
	p := unsafe.Pointer(&x)
	if length(p) != 3 || element(p, 2, tableSampledValue.size) != unsafe.Pointer(&x[2]) {
		t.Errorf("length %d, element 2 at %p, want %p", length(p), element(p, 2, tableSampledValue.size), &x[2])
	}
	if e := grow(&x); len(x) != 4 || e != unsafe.Pointer(&x[3]) {
		t.Error("grow within the capacity")
	}
}
