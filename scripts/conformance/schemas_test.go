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

	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
)

var versions = []rpc.Version{rpc.V201, rpc.V21}

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

// fresh makes the message as msg2 has it.
func (m *message) fresh(t *testing.T, v rpc.Version) msg2.Message {
	t.Helper()
	create := msg2.NewRequest
	if m.response {
		create = msg2.NewResponse
	}
	out, ok := create(m.action, v)
	if !ok {
		t.Fatalf("msg2 has no %s in %v", m.name, v)
	}
	return out
}

// valid asks the official schema.
func (m *message) valid(t *testing.T, text []byte) error {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%s: %v in %.2000s", m.name, err, text)
	}
	return m.official.Validate(v)
}

// decode asks msg2.
func (m *message) decode(t *testing.T, text []byte, v rpc.Version) (msg2.Message, error) {
	t.Helper()
	out := m.fresh(t, v)
	var b rpc.Body
	b.Reset(string(text), rpc.Limits{})
	return out, out.Decode(&b, v)
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
	paths, err := filepath.Glob(filepath.Join(dir, "ocpp", v.String(), "*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no schemas of %v in SCHEMAS, %v", v, err)
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
	id, _ := m.schema["$id"].(string)
	if err := compiler.AddResource(id, doc); err != nil {
		return nil, err
	}
	if m.official, err = compiler.Compile(id); err != nil {
		return nil, err
	}
	if m.name == "NotifyPeriodicEventStream" { // a SEND: it has no response, and its file no suffix
		m.name += "Request"
	}
	m.action, m.response = strings.CutSuffix(m.name, "Response")
	m.action = strings.TrimSuffix(m.action, "Request")
	return m, nil
}

// each runs f for every message of both versions.
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
		known := 0
		for _, a := range msg2.Actions() {
			if _, ok := msg2.NewRequest(a.Name, v); ok {
				known++
				if e.messages[a.Name+"Request"] == nil {
					t.Errorf("%v has no schema of %s request", v, a.Name)
				}
			}
			if _, ok := msg2.NewResponse(a.Name, v); ok {
				known++
				if e.messages[a.Name+"Response"] == nil {
					t.Errorf("%v has no schema of %s response", v, a.Name)
				}
			}
		}
		if known != len(e.messages) {
			t.Errorf("%v: msg2 has %d messages, the schemas %d", v, known, len(e.messages))
		}
	}
}
