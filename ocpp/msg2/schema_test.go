package msg2

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/evsed/evsed/ocpp/rpc"
)

// The tests of this file hold the generated code against the schemas themselves, read by a second, much dumber
// reader. SCHEMAS is the folder that the code was generated from.

type node = map[string]any

type schemas struct {
	v        Version
	messages map[string]node
	defs     node
}

func readSchemas(t *testing.T, v Version) *schemas {
	dir := os.Getenv("SCHEMAS")
	if dir == "" {
		t.Skip("SCHEMAS does not name the folder of the OCPP schemas")
	}
	paths, _ := filepath.Glob(filepath.Join(dir, "ocpp", v.String(), "*.json"))
	if len(paths) == 0 {
		t.Fatalf("no schemas of %s in %s", v, dir)
	}
	all := &schemas{v, map[string]node{}, node{}}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var s node
		if err := json.Unmarshal(text, &s); err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		if name == "NotifyPeriodicEventStream" {
			name += "Request"
		}
		all.messages[name] = s
		if defs, ok := s["definitions"].(node); ok {
			for k, d := range defs {
				all.defs[k] = d
			}
		}
	}
	return all
}

// each calls f for every message of both versions.
func each(t *testing.T, f func(t *testing.T, all *schemas, s node, fresh func() Message)) {
	for _, v := range []Version{V201, V21} {
		all := readSchemas(t, v)
		names := make([]string, 0, len(all.messages))
		for name := range all.messages {
			names = append(names, name)
		}
		sort.Strings(names)
		for _, name := range names {
			t.Run(v.String()+"/"+name, func(t *testing.T) {
				make := NewRequest
				action, isResponse := strings.CutSuffix(name, "Response")
				if isResponse {
					make = NewResponse
				}
				action = strings.TrimSuffix(action, "Request")
				if _, ok := make(action, v); !ok {
					t.Fatal("no such message")
				}
				f(t, all, all.messages[name], func() Message { m, _ := make(action, v); return m })
			})
		}
	}
}

func (all *schemas) resolve(s node) node {
	if ref, ok := s["$ref"].(string); ok {
		return all.defs[strings.TrimPrefix(ref, "#/definitions/")].(node)
	}
	return s
}

// size tells how large a sample is.
type size int

const (
	smallest size = iota // required members, shortest texts, lowest numbers
	ordinary             // all members, short texts
	largest              // all members, longest texts, highest numbers
)

func (all *schemas) sample(s node, n size) any {
	s = all.resolve(s)
	if enum, ok := s["enum"].([]any); ok {
		return enum[int(n)%len(enum)]
	}
	switch s["type"] {
	case "object":
		return all.sampleObject(s, n)
	case "array":
		count := limit(s, "minItems", 0)
		if n != smallest {
			count = min(limit(s, "maxItems", 3), 3)
		}
		list := []any{}
		for range count {
			list = append(list, all.sample(s["items"].(node), n))
		}
		return list
	case "string":
		return sampleText(s, n)
	case "integer":
		return json.Number(fmt.Sprint(sampleInt(s, n)))
	case "number":
		return sampleNumber(s, n)
	case "boolean":
		return n == largest
	}
	return "any"
}

func (all *schemas) sampleObject(s node, n size) any {
	o := node{}
	for name, p := range s["properties"].(node) {
		if n != smallest || required(s, name) {
			o[name] = all.sample(p.(node), n)
		}
	}
	if s["additionalProperties"] == nil { // customData
		o["own"] = []any{json.Number("1.50"), nil, node{"a": "b"}}
	}
	return o
}

func sampleText(s node, n size) string {
	max := limit(s, "maxLength", 10)
	switch {
	case s["format"] == "date-time":
		return "2024-02-29T12:34:56.789Z"
	case n == smallest:
		return ""
	case n == largest && max <= 2500:
		return strings.Repeat("é", max)
	case n == largest:
		return strings.Repeat("x", max)
	}
	return "t"
}

func sampleInt(s node, n size) int {
	switch n {
	case smallest:
		return limit(s, "minimum", 0)
	case ordinary:
		return max(1, limit(s, "minimum", 0))
	}
	return limit(s, "maximum", 1<<31-1)
}

func sampleNumber(s node, n size) json.Number {
	switch {
	case s["maximum"] == float64(0):
		return "-1.25"
	case n == largest:
		return json.Number(fmt.Sprint(limit(s, "maximum", 123456789)))
	}
	return json.Number(fmt.Sprint(limit(s, "minimum", 7)) + ".125")
}

func limit(s node, key string, def int) int {
	if v, ok := s[key].(float64); ok {
		return int(v)
	}
	return def
}

func required(s node, name string) bool {
	list, _ := s["required"].([]any)
	return slices.Contains(list, any(name))
}

func marshal(t *testing.T, v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func unmarshal(t *testing.T, text []byte) (v any) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// TestSchemaSamples decodes what the schemas allow, from the least to the most, and writes it back.
func TestSchemaSamples(t *testing.T) {
	each(t, func(t *testing.T, all *schemas, s node, fresh func() Message) {
		for n := smallest; n <= largest; n++ {
			want := all.sample(s, n)
			text := marshal(t, want)
			m := fresh()
			if err := decode(m, text, all.v); err != nil {
				t.Fatalf("%.2000s: %v", text, err)
			}
			again, err := AppendJSON(nil, m, all.v)
			if bounded(err) && all.v == V201 {
				continue // we send only what 2.1 bounds, too
			}
			if err != nil {
				t.Fatalf("%.2000s: %v", text, err)
			}
			if !reflect.DeepEqual(unmarshal(t, again), unmarshal(t, text)) {
				t.Errorf("%.2000s\nbecame %.2000s", text, again)
			}
		}
	})
}

func bounded(err error) bool {
	var e *rpc.EncodeError
	return errors.As(err, &e) && (strings.HasPrefix(e.Reason, "below ") || strings.HasPrefix(e.Reason, "above "))
}

// TestSchemaMutants breaks one rule of the schemas at a time, at every place of every message.
func TestSchemaMutants(t *testing.T) {
	each(t, func(t *testing.T, all *schemas, s node, fresh func() Message) {
		root := all.sample(s, ordinary)
		m := fresh()
		check := func(path string, code rpc.ErrorCode, what string) {
			t.Helper()
			err := decode(m, marshal(t, root), all.v)
			var e *rpc.DecodeError
			if !errors.As(err, &e) || e.Code != code || e.Path != path {
				t.Errorf("%s %s: got %+v, want %s", path, what, err, code)
			}
		}
		all.mutate(s, root, "", func(any) {}, check)
	})
}

// mutate walks along v, which stands at path and is replaced by set.
func (all *schemas) mutate(s node, v any, path string, set func(any), check func(string, rpc.ErrorCode, string)) {
	s = all.resolve(s)
	try := func(bad any, code rpc.ErrorCode, what string) {
		if path == "" {
			return
		}
		set(bad)
		check(path, code, what)
		set(v)
	}
	if s["enum"] != nil {
		try("Bogus", rpc.PropertyConstraintViolation, "of no enumeration")
		try(json.Number("1"), rpc.TypeConstraintViolation, "a number")
		return
	}
	if s["type"] == nil { // DataTransfer takes any data
		return
	}
	try(nil, rpc.TypeConstraintViolation, "null")
	switch s["type"] {
	case "object":
		try("x", rpc.TypeConstraintViolation, "a text")
		all.mutateObject(s, v.(node), path, check)
	case "array":
		all.mutateList(s, v.([]any), path, set, check, try)
	case "string":
		try(json.Number("1"), rpc.TypeConstraintViolation, "a number")
		if s["format"] == "date-time" {
			try("soon", rpc.PropertyConstraintViolation, "no time")
		} else if max, ok := s["maxLength"].(float64); ok {
			try(strings.Repeat("é", int(max)+1), rpc.PropertyConstraintViolation, "too long")
		}
	case "boolean":
		try("true", rpc.TypeConstraintViolation, "a text")
	default:
		try("1", rpc.TypeConstraintViolation, "a text")
		mutateNumber(s, try)
	}
}

func mutateNumber(s node, try func(any, rpc.ErrorCode, string)) {
	if s["type"] == "integer" {
		try(json.Number("1.5"), rpc.TypeConstraintViolation, "broken")
		try(json.Number("2147483648"), rpc.PropertyConstraintViolation, "too large")
	}
	if min, ok := s["minimum"].(float64); ok {
		try(json.Number(fmt.Sprint(int(min)-1)), rpc.PropertyConstraintViolation, "below")
	}
	if max, ok := s["maximum"].(float64); ok {
		try(json.Number(fmt.Sprint(int(max)+1)), rpc.PropertyConstraintViolation, "above")
	}
}

func (all *schemas) mutateObject(s, o node, path string, check func(string, rpc.ErrorCode, string)) {
	below := func(name string) string { return strings.TrimPrefix(path+"."+name, ".") }
	if s["additionalProperties"] == false {
		o["bogus"] = true
		check(below("bogus"), rpc.FormatViolation, "unknown")
		delete(o, "bogus")
	}
	for name, p := range s["properties"].(node) {
		v := o[name]
		if required(s, name) {
			delete(o, name)
			check(below(name), rpc.OccurrenceConstraintViolation, "missing")
			o[name] = v
		}
		all.mutate(p.(node), v, below(name), func(v any) { o[name] = v }, check)
	}
}

func (all *schemas) mutateList(s node, list []any, path string, set func(any), check func(string, rpc.ErrorCode, string), try func(any, rpc.ErrorCode, string)) {
	try("x", rpc.TypeConstraintViolation, "a text")
	try([]any{}, rpc.OccurrenceConstraintViolation, "empty")
	if max, ok := s["maxItems"].(float64); ok {
		long := []any{}
		for range int(max) + 1 {
			long = append(long, list[0])
		}
		try(long, rpc.OccurrenceConstraintViolation, "too long")
	}
	last := len(list) - 1
	all.mutate(s["items"].(node), list[last], fmt.Sprintf("%s[%d]", path, last), func(v any) { list[last] = v }, check)
}

// TestSchemaEnums compares the tables with the lists, name by name.
func TestSchemaEnums(t *testing.T) {
	for column, v := range []Version{V201, V21} {
		all := readSchemas(t, v)
		for goName, table := range enumTables {
			def, ok := all.defs[schemaNames[goName]].(node)
			if !ok {
				continue
			}
			var want, got []string
			for _, name := range def["enum"].([]any) {
				want = append(want, name.(string))
			}
			for i, name := range table.Names {
				if table.Known[column]&(1<<i) != 0 {
					got = append(got, name)
				}
			}
			sort.Strings(want)
			sort.Strings(got)
			if !slices.Equal(got, want) {
				t.Errorf("%s %s: got %v, want %v", v, goName, got, want)
			}
		}
	}
}

// TestSchemaDowngrade says messages of 2.1 in 2.0.1: what comes out must be valid there.
func TestSchemaDowngrade(t *testing.T) {
	old, now := readSchemas(t, V201), readSchemas(t, V21)
	said := 0
	for name, s := range old.messages {
		make := NewRequest
		action, isResponse := strings.CutSuffix(name, "Response")
		if isResponse {
			make = NewResponse
		}
		m, _ := make(strings.TrimSuffix(action, "Request"), V21)
		if err := decode(m, marshal(t, now.sample(now.messages[name], ordinary)), V21); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		text, err := AppendJSON(nil, m, V201)
		if err != nil {
			var e *rpc.EncodeError
			if !errors.As(err, &e) || e.Path == "" {
				t.Errorf("%s: got %v, want the name of the member", name, err)
			}
			continue
		}
		said++
		if fault := old.valid(s, unmarshal(t, text)); fault != "" {
			t.Errorf("%s: %s in %s", name, fault, text)
		}
	}
	if said < 90 {
		t.Errorf("only %d of %d messages could be said", said, len(old.messages))
	}
}

// valid returns the first fault of v, as far as members and enumerations go.
func (all *schemas) valid(s node, v any) string {
	s = all.resolve(s)
	switch v := v.(type) {
	case node:
		for name, member := range v {
			p, ok := s["properties"].(node)[name].(node)
			if !ok && s["additionalProperties"] == false {
				return "unknown member " + name
			}
			if ok {
				if fault := all.valid(p, member); fault != "" {
					return name + ": " + fault
				}
			}
		}
		for name := range s["properties"].(node) {
			if _, ok := v[name]; !ok && required(s, name) {
				return "missing member " + name
			}
		}
	case []any:
		for _, element := range v {
			if fault := all.valid(s["items"].(node), element); fault != "" {
				return fault
			}
		}
	case string:
		if enum, ok := s["enum"].([]any); ok && !slices.Contains(enum, any(v)) {
			return v + " is not in the enumeration"
		}
	}
	return ""
}
