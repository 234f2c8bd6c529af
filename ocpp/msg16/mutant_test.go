package msg16

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/evsed/evsed/ocpp/rpc"
)

type object = map[string]any

// mutants breaks one rule at a time, at every member of a message and of its parts, and looks for code and path. The
// rules are those of the tables; scripts/conformance holds them against the schemas.
type mutants struct {
	t     *testing.T
	fresh func() Message
	root  object
	count int
}

func TestMutants(t *testing.T) {
	total := 0
	kinds(func(name string, fresh func() Message) {
		m := fresh()
		_, table := m.layout()
		x := mutants{t: t, fresh: fresh}
		d := json.NewDecoder(strings.NewReader(encoded(t, sample(m, true))))
		d.UseNumber()
		if err := d.Decode(&x.root); err != nil {
			t.Fatal(err)
		}
		x.object(x.root, table, "")
		total += x.count
	})
	if total < 1000 {
		t.Errorf("%d mutants", total)
	}
}

func (x *mutants) check(path string, code rpc.ErrorCode, what string) {
	x.t.Helper()
	x.count++
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(x.root); err != nil {
		x.t.Fatal(err)
	}
	err := decodeText(x.fresh(), b.String())
	var e *rpc.DecodeError
	if !errors.As(err, &e) || e.Code.In(rpc.V16) != code || e.Path != path {
		x.t.Errorf("%T %s %s: got %+v, want %s", x.fresh(), path, what, err, code)
	}
}

// The codes as 1.6 spells them.
const (
	formation  rpc.ErrorCode = "FormationViolation"
	occurrence rpc.ErrorCode = "OccurenceConstraintViolation"
	wrongType  rpc.ErrorCode = "TypeConstraintViolation"
	property   rpc.ErrorCode = "PropertyConstraintViolation"
)

func (x *mutants) object(o object, p *part, path string) {
	below := func(name string) string { return strings.TrimPrefix(path+"."+name, ".") }
	o["bogus"] = true
	x.check(below("bogus"), formation, "unknown")
	delete(o, "bogus")
	for i, name := range p.fields.Names {
		v, at := o[name], below(name)
		if p.required(i) {
			delete(o, name)
			x.check(at, occurrence, "missing")
			o[name] = v
		}
		x.member(v, &p.members[i], at, func(v any) { o[name] = v })
	}
}

func (x *mutants) member(v any, m *member, path string, set func(any)) {
	try := func(bad any, code rpc.ErrorCode, what string) {
		set(bad)
		x.check(path, code, what)
		set(v)
	}
	try(nil, wrongType, "null")
	number, long := json.Number("1"), strings.Repeat("é", int(m.max)+1)
	switch m.kind {
	case text:
		try(number, wrongType, "a number")
		try(object{}, wrongType, "an object")
		try(long, property, "too long")
	case whole:
		try("1", wrongType, "a text")
		try(json.Number("1.5"), wrongType, "broken")
		try(json.Number("2147483648"), property, "beyond 32 bits")
	case tenths:
		try("1", wrongType, "a text")
		try(json.Number("0.25"), property, "two digits")
	case truth:
		try("true", wrongType, "a text")
		try(json.Number("0"), wrongType, "a number")
	case instant:
		try(number, wrongType, "a number")
		try("soon", property, "no time")
	case name:
		try(number, wrongType, "a number")
		for _, bad := range []string{"Bogus", "", strings.ToLower(m.enum.Names[0]) + "x"} {
			try(bad, property, "of no enumeration")
		}
	case nested:
		try([]any{}, wrongType, "a list")
		x.object(v.(object), m.part, path)
	case texts, list:
		try(object{}, wrongType, "an object")
		if m.least > 0 {
			try([]any{}, occurrence, "too few")
		}
		elements := v.([]any)
		last := len(elements) - 1
		inner := *m
		inner.kind = map[kind]kind{texts: text, list: nested}[m.kind]
		x.member(elements[last], &inner, fmt.Sprintf("%s[%d]", path, last), func(v any) { elements[last] = v })
	}
}
