package conformance

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/evsed/evsed/ocpp/rpc"
)

// size tells how much of what a schema allows is in a sample.
type size int

const (
	least    size = iota // required members, shortest lists and texts, lowest numbers
	ordinary             // all members, texts and numbers well inside their bounds
	most                 // all members, longest lists and texts, highest numbers
)

func (s size) String() string { return [...]string{"least", "ordinary", "most"}[s] }

// maxListed bounds the elements of one list in the largest sample: a few lists may hold 1024 and would nest.
const maxListed = 3

// ownTextLimit is what msg2 takes of a text that a schema leaves without a length: times of day in the tariffs of 2.1.
// msg16 takes more: data, signed values and addresses; none above ownTextLimit16.
const (
	ownTextLimit   = 64
	ownTextLimit16 = 65535
)

// resolve follows a reference into the definitions of the same file.
func (m *message) resolve(s node) node {
	if ref, ok := s["$ref"].(string); ok {
		return m.schema["definitions"].(node)[strings.TrimPrefix(ref, "#/definitions/")].(node)
	}
	return s
}

// sample makes a value that s allows.
func (m *message) sample(s node, n size) any {
	s = m.resolve(s)
	if enum, ok := s["enum"].([]any); ok {
		return enum[[...]int{0, len(enum) / 2, len(enum) - 1}[n]]
	}
	switch s["type"] {
	case "object":
		return m.sampleObject(s, n)
	case "array":
		return m.sampleList(s, n)
	case "string":
		return sampleText(s, n)
	case "integer":
		low, high := bound(s, "minimum", math.MinInt32), bound(s, "maximum", math.MaxInt32)
		return number([...]int64{low, max(low, min(high, 1)), high}[n])
	case "number":
		return sampleNumber(s, n)
	case "boolean":
		return n == most
	}
	return node{"free": []any{"data", number(1)}} // the data of DataTransfer
}

func (m *message) sampleObject(s node, n size) any {
	o := node{}
	properties, _ := s["properties"].(node)
	for name, p := range properties {
		if n != least || required(s, name) {
			o[name] = m.sample(p.(node), n)
		}
	}
	if open(s) && n != least {
		o["ours"] = []any{number(1), nil, node{"a": "b"}}
	}
	return o
}

func (m *message) sampleList(s node, n size) any {
	count := bound(s, "minItems", 0)
	if n != least {
		count = max(count, 1)
	}
	if n == most {
		count = max(count, min(bound(s, "maxItems", maxListed), maxListed))
	}
	list := []any{}
	for range count {
		list = append(list, m.sample(s["items"].(node), n))
	}
	return list
}

func sampleText(s node, n size) string {
	switch {
	case s["format"] == "date-time":
		return [...]string{"1970-01-01T00:00:00Z", "2026-11-22T07:01:35.120Z", "2038-02-28T23:59:59.999+14:00"}[n]
	case s["format"] == "uri":
		return [...]string{"x:", "ftp://host/file", "https://user:pass@host.example:8443/a/b?c=d&e=%20"}[n]
	case n == least:
		return ""
	case n == most: // a character of two bytes: lengths count characters
		return strings.Repeat("ß", int(bound(s, "maxLength", ownTextLimit)))
	}
	return "t"
}

func sampleNumber(s node, n size) json.Number {
	low, hasLow := s["minimum"].(float64)
	high, hasHigh := s["maximum"].(float64)
	switch {
	case s["multipleOf"] != nil:
		return [...]json.Number{"-0.1", "1.5", "123456789.1"}[n]
	case n == least && hasLow, n != most && hasHigh && high <= 0:
		return json.Number(fmt.Sprint(low))
	case n == most && hasHigh:
		return json.Number(fmt.Sprint(high))
	case n == most:
		return "123456789.125"
	case n == least:
		return "-0.125"
	}
	return "1.5"
}

func number(v int64) json.Number { return json.Number(fmt.Sprint(v)) }

func bound(s node, key string, otherwise int64) int64 {
	if v, ok := s[key].(float64); ok {
		return int64(v)
	}
	return otherwise
}

func required(s node, name string) bool {
	list, _ := s["required"].([]any)
	for _, r := range list {
		if r == name {
			return true
		}
	}
	return false
}

// open says whether an object takes members that its schema does not name (customData alone does).
func open(s node) bool { return s["type"] == "object" && s["additionalProperties"] != false }

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestSamples takes what a schema allows into msg2, or msg16, and writes it again.
func TestSamples(t *testing.T) {
	each(t, func(t *testing.T, e *edition, m *message) {
		for n := least; n <= most; n++ {
			text := marshal(t, m.sample(m.schema, n))
			if err := m.valid(t, text); err != nil {
				t.Fatalf("%v: the sample itself is not valid: %v\n%.3000s", n, err, text)
			}
			got, err := m.decode(t, text, e.version)
			if err != nil {
				t.Errorf("%v: our package refuses what the schema allows: %v\n%.3000s", n, err, text)
				continue
			}
			out, err := got(e.version)
			if e.version == rpc.V201 && ofALaterBound(err) {
				continue
			}
			if err != nil {
				t.Errorf("%v: our package does not write what it has read: %v", n, err)
				continue
			}
			if err := m.valid(t, out); err != nil {
				t.Errorf("%v: our package writes what the schema refuses: %v\n%.3000s", n, err, out)
			}
		}
	})
}

// ofALaterBound says whether a number was not sent because it is outside the range that 2.1 gives it: 2.0.1 states the
// same ranges in its text, and its schemas have none. We send only what both take.
func ofALaterBound(err error) bool {
	var e *rpc.EncodeError
	return errors.As(err, &e) && (strings.HasPrefix(e.Reason, "below ") || strings.HasPrefix(e.Reason, "above "))
}

// TestDowngrade says full messages of 2.1 in 2.0.1: what comes out is valid there, or refused by name.
func TestDowngrade(t *testing.T) {
	old, now := load(t, rpc.V201), load(t, rpc.V21)
	said := 0
	for _, name := range old.names {
		text := marshal(t, now.messages[name].sample(now.messages[name].schema, ordinary))
		m, err := now.messages[name].decode(t, text, rpc.V21)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		out, err := m(rpc.V201)
		var refused *rpc.EncodeError
		switch {
		case errors.As(err, &refused) && refused.Path != "":
			continue
		case err != nil:
			t.Errorf("%s: %v, want the message or the member that it cannot carry", name, err)
			continue
		}
		said++
		if err := old.messages[name].valid(t, out); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	if said < len(old.names)*2/3 {
		t.Errorf("only %d of %d messages could be said in 2.0.1", said, len(old.names))
	}
}
