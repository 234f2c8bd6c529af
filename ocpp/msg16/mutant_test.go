package msg16

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/ocpp/rpc/layout"
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

func (x *mutants) object(o object, p *layout.Part, path string) {
	below := func(name string) string { return strings.TrimPrefix(path+"."+name, ".") }
	o["bogus"] = true
	x.check(below("bogus"), formation, "unknown")
	delete(o, "bogus")
	for i, name := range p.Fields.Names {
		v, at := o[name], below(name)
		if p.Fields.Required[0]>>i&1 != 0 {
			delete(o, name)
			x.check(at, occurrence, "missing")
			o[name] = v
		}
		x.member(v, &p.Members[i], at, func(v any) { o[name] = v })
	}
}

func (x *mutants) member(v any, m *layout.Member, path string, set func(any)) {
	try := func(bad any, code rpc.ErrorCode, what string) {
		set(bad)
		x.check(path, code, what)
		set(v)
	}
	try(nil, wrongType, "null")
	if m.Rule&layout.List != 0 {
		try(object{}, wrongType, "an object")
		if m.Least > 0 {
			try([]any{}, occurrence, "too few")
		}
		elements := v.([]any)
		last := len(elements) - 1
		inner := *m
		inner.Rule &^= layout.List
		x.member(elements[last], &inner, fmt.Sprintf("%s[%d]", path, last), func(v any) { elements[last] = v })
		return
	}
	number := json.Number("1")
	switch m.Kind {
	case layout.Text:
		try(number, wrongType, "a number")
		try(object{}, wrongType, "an object")
		try(strings.Repeat("é", int(m.High)+1), property, "too long")
	case layout.Whole:
		try("1", wrongType, "a text")
		try(json.Number("1.5"), wrongType, "broken")
		try(json.Number("2147483648"), property, "beyond 32 bits")
	case layout.Tenths:
		try("1", wrongType, "a text")
		try(json.Number("0.25"), property, "two digits")
	case layout.Truth:
		try("true", wrongType, "a text")
		try(json.Number("0"), wrongType, "a number")
	case layout.Instant:
		try(number, wrongType, "a number")
		try("soon", property, "no time")
	case layout.Name:
		try(number, wrongType, "a number")
		for _, bad := range []string{"Bogus", "", strings.ToLower(m.Enum.Names[0]) + "x"} {
			try(bad, property, "of no enumeration")
		}
	case layout.Nested:
		try([]any{}, wrongType, "a list")
		x.object(v.(object), m.Part, path)
	}
}
