package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
)

var versions = []rpc.Version{rpc.V16, rpc.V201, rpc.V21}

// folders is where the schemas of a version are, below SCHEMAS/ocpp.
var folders = map[rpc.Version][]string{rpc.V16: {"1.6", "1.6-security"}, rpc.V201: {"2.0.1"}, rpc.V21: {"2.1"}}

// node is one JSON object of a schema, as encoding/json reads it.
type node = map[string]any

// edition is all messages of one version.
type edition struct {
	version  rpc.Version
	messages map[string]*message
	names    []string // sorted
}

// message is one request or response.
type message struct {
	name, action string
	response     bool
	schema       node
	official     *jsonschema.Schema // the second opinion
}

// taken is a message that was read; called it is written, as v says it.
type taken func(v rpc.Version) ([]byte, error)

// valid asks the official schema.
func (m *message) valid(t *testing.T, text []byte) error {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%s: %v in %.2000s", m.name, err, text)
	}
	return m.official.Validate(v)
}

// decode asks msg2, or msg16.
func (m *message) decode(t *testing.T, text []byte, v rpc.Version) (taken, error) {
	t.Helper()
	var b rpc.Body
	b.Reset(string(text), rpc.Limits{})
	if v == rpc.V16 {
		create := msg16.NewRequest
		if m.response {
			create = msg16.NewResponse
		}
		out, ok := create(m.action)
		if !ok {
			t.Fatalf("msg16 has no %s", m.name)
		}
		return func(rpc.Version) ([]byte, error) { return msg16.AppendJSON(nil, out) }, msg16.Decode(&b, out)
	}
	create := msg2.NewRequest
	if m.response {
		create = msg2.NewResponse
	}
	out, ok := create(m.action, v)
	if !ok {
		t.Fatalf("msg2 has no %s in %v", m.name, v)
	}
	return func(v rpc.Version) ([]byte, error) { return msg2.AppendJSON(nil, out, v) }, msg2.Decode(&b, out, v)
}

var editions = map[rpc.Version]*edition{}

// load reads and compiles the schemas of v; the test is skipped where there are none.
func load(t *testing.T, v rpc.Version) *edition {
	t.Helper()
	if e := editions[v]; e != nil {
		return e
	}
	dir := os.Getenv("SCHEMAS")
	if dir == "" {
		t.Skip("SCHEMAS does not name the folder of the OCPP schemas")
	}
	var paths []string
	for _, folder := range folders[v] {
		some, err := filepath.Glob(filepath.Join(dir, "ocpp", folder, "*.json"))
		if err != nil || len(some) == 0 {
			t.Fatalf("no schemas of %v in SCHEMAS, %v", v, err)
		}
		paths = append(paths, some...)
	}
	e := &edition{version: v, messages: map[string]*message{}}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft6)
	compiler.AssertFormat() // date-time
	for _, path := range paths {
		m, err := read(compiler, path)
		if err != nil {
			t.Fatalf("read schema %s of %v: %v", filepath.Base(path), v, err)
		}
		e.messages[m.name] = m
		e.names = append(e.names, m.name)
	}
	sort.Strings(e.names)
	editions[v] = e
	return e
}

func read(compiler *jsonschema.Compiler, path string) (*message, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m := &message{name: strings.TrimSuffix(filepath.Base(path), ".json")}
	if err := json.Unmarshal(text, &m.schema); err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	id, ok := m.schema["$id"].(string)
	if !ok { // draft-04
		id, _ = m.schema["id"].(string)
	}
	if err := compiler.AddResource(id, doc); err != nil {
		return nil, err
	}
	if m.official, err = compiler.Compile(id); err != nil {
		return nil, err
	}
	m.action, m.response = strings.CutSuffix(m.name, "Response")
	if !m.response && !strings.HasSuffix(m.name, "Request") { // requests of 1.6, and the one SEND, have no suffix
		m.name += "Request"
	}
	m.action = strings.TrimSuffix(m.action, "Request")
	return m, nil
}

// each runs f for every message of every version.
func each(t *testing.T, f func(t *testing.T, e *edition, m *message)) {
	for _, v := range versions {
		e := load(t, v)
		for _, name := range e.names {
			t.Run(fmt.Sprintf("%v/%s", v, name), func(t *testing.T) { f(t, e, e.messages[name]) })
		}
	}
}

// TestEveryMessageHasASchema holds the list of actions against the list of files, both ways.
func TestEveryMessageHasASchema(t *testing.T) {
	for _, v := range versions {
		e := load(t, v)
		known := ours(v)
		for _, name := range known {
			if e.messages[name] == nil {
				t.Errorf("%v has no schema of %s", v, name)
			}
		}
		if len(known) != len(e.messages) {
			t.Errorf("%v: we have %d messages, the schemas %d", v, len(known), len(e.messages))
		}
	}
}

// ours is every message of v that msg2, or msg16, has.
func ours(v rpc.Version) (names []string) {
	if v == rpc.V16 {
		for _, a := range msg16.Actions() {
			names = append(names, a.Name+"Request", a.Name+"Response")
		}
		return names
	}
	for _, a := range msg2.Actions() {
		if _, ok := msg2.NewRequest(a.Name, v); ok {
			names = append(names, a.Name+"Request")
		}
		if _, ok := msg2.NewResponse(a.Name, v); ok {
			names = append(names, a.Name+"Response")
		}
	}
	return names
}
