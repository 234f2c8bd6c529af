package conformance

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/evsed/evsed/ocpp/rpc"
)

// breach is one way to break a rule.
type breach string

const (
	missingMember breach = "required member missing"
	unknownMember breach = "unknown member"
	nullMember    breach = "null"
	wrongType     breach = "wrong type"
	notInEnum     breach = "not in the enumeration"
	textTooLong   breach = "text longer than maxLength"
	noTime        breach = "not a date-time"
	broken        breach = "broken number for an integer"
	belowMinimum  breach = "below minimum"
	aboveMaximum  breach = "above maximum"
	noMultiple    breach = "not a multiple"
	tooFew        breach = "fewer than minItems"
	tooMany       breach = "more than maxItems"

	// What no schema bounds, and a station must.
	beyondInt32 breach = "integer beyond 32 bits"
	unboundText breach = "text without maxLength, longer than ours"
	longCustom  breach = "long customData"
)

// differences says where msg2, or msg16, refuses what a schema allows, and why. The other way there is one: what format
// an address has (uri in 1.6) is for those to find who go there. A row that no message shows any more is an error.
var differences = map[breach]string{
	beyondInt32: "OCPP 2.x defines integer as 32 bits (part 2, data types), SOAP 1.6 as xs:int; JSON Schema cannot say it in passing",
	unboundText: "2.1 gives times of day in tariffs as free text, 1.6 data and values; what a peer may make us keep is bounded",
	longCustom:  "customData is open to further members without end; what a peer may make us keep is bounded",
}

// mutation is a walk over one message, breaking it at every place in turn.
type mutation struct {
	t    *testing.T
	e    *edition
	m    *message
	root any
	seen map[breach]int // how often each was tried, over all messages
}

// TestMutants: what breaks one rule is refused by msg2, or msg16, and by the schema.
func TestMutants(t *testing.T) {
	seen := map[breach]int{}
	each(t, func(t *testing.T, e *edition, m *message) {
		x := &mutation{t: t, e: e, m: m, root: m.sample(m.schema, ordinary), seen: seen}
		if _, err := m.decode(t, marshal(t, x.root), e.version); err != nil {
			t.Fatalf("the message is broken before anything is done to it: %v", err)
		}
		x.value(m.schema, x.root, "", nil)
	})
	if t.Failed() || len(seen) == 0 {
		return
	}
	for _, b := range []breach{missingMember, unknownMember, nullMember, wrongType, notInEnum, textTooLong, noTime,
		broken, belowMinimum, aboveMaximum, noMultiple, tooFew, tooMany, beyondInt32, unboundText, longCustom} {
		t.Logf("%5d x %s", seen[b], b)
		if seen[b] == 0 {
			t.Errorf("no message shows %q", b)
		}
	}
}

// check holds the verdicts on the message as it stands against each other.
func (x *mutation) check(path string, b breach) {
	x.t.Helper()
	x.seen[b]++
	text := marshal(x.t, x.root)
	_, ours := x.m.decode(x.t, text, x.e.version)
	official := x.m.valid(x.t, text)
	_, listed := differences[b]
	switch {
	case ours == nil && official == nil:
		x.t.Errorf("%s, %s: nobody refuses it", path, b)
	case ours == nil:
		x.t.Errorf("%s, %s: we take what the schema refuses: %v", path, b, official)
	case official == nil && !listed:
		x.t.Errorf("%s, %s: the schema takes what we refuse: %v", path, b, ours)
	case official != nil && listed:
		x.t.Errorf("%s, %s: no difference, yet there is a row for it", path, b)
	}
}

// put tries bad in the place of a value.
func (x *mutation) put(path string, set func(any), old, bad any, b breach) {
	x.t.Helper()
	if set == nil { // the message as a whole
		return
	}
	set(bad)
	x.check(path, b)
	set(old)
}

// value breaks v, which s describes and set replaces, and what is below it.
func (x *mutation) value(s node, v any, path string, set func(any)) {
	s = x.m.resolve(s)
	try := func(bad any, b breach) { x.t.Helper(); x.put(path, set, v, bad, b) }
	if s["type"] == nil && s["enum"] == nil {
		return // DataTransfer carries anything
	}
	try(nil, nullMember)
	if s["enum"] != nil {
		try("Bogus", notInEnum)
		try(number(1), wrongType)
		return
	}
	switch s["type"] {
	case "object":
		try("x", wrongType)
		x.object(s, v.(node), path, set)
	case "array":
		try(node{}, wrongType)
		x.list(s, v.([]any), path, set)
	case "string":
		x.text(s, try)
	case "boolean":
		try(number(1), wrongType)
	default:
		x.number(s, try)
	}
}

func (x *mutation) object(s, o node, path string, set func(any)) {
	if open(s) {
		x.put(path, set, o, node{"vendorId": "v", "ours": strings.Repeat("x", rpc.MaxCustomData)}, longCustom)
	} else {
		o["bogus"] = true
		x.check(path, unknownMember)
		delete(o, "bogus")
	}
	properties, _ := s["properties"].(node)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		v, below := o[name], strings.TrimPrefix(path+"."+name, ".")
		if required(s, name) {
			delete(o, name)
			x.check(below, missingMember)
			o[name] = v
		}
		x.value(properties[name].(node), v, below, func(bad any) { o[name] = bad })
	}
}

func (x *mutation) list(s node, list []any, path string, set func(any)) {
	if low := bound(s, "minItems", 0); low > 0 {
		x.put(path, set, list, list[:low-1], tooFew)
	}
	if high := bound(s, "maxItems", 0); high > 0 {
		x.put(path, set, list, slices.Repeat(list[:1], int(high)+1), tooMany)
	}
	x.value(s["items"].(node), list[0], path+"[0]", func(bad any) { list[0] = bad })
}

func (x *mutation) text(s node, try func(any, breach)) {
	try(number(1), wrongType)
	switch max := bound(s, "maxLength", 0); {
	case s["format"] == "date-time":
		for _, bad := range []string{"soon", "", "2026-11-22", "2026-02-30T00:00:00Z", "2026-11-22T07:01:35"} {
			try(bad, noTime)
		}
	case s["format"] == "uri":
	case max > 0:
		try(strings.Repeat("ß", int(max)+1), textTooLong)
	default:
		limit := ownTextLimit
		if x.e.version == rpc.V16 {
			limit = ownTextLimit16
		}
		try(strings.Repeat("ß", limit+1), unboundText)
	}
}

func (x *mutation) number(s node, try func(any, breach)) {
	try("1", wrongType)
	if low, ok := s["minimum"].(float64); ok {
		try(json.Number(fmt.Sprint(low-1)), belowMinimum)
	}
	if high, ok := s["maximum"].(float64); ok {
		try(json.Number(fmt.Sprint(high+1)), aboveMaximum)
	}
	if s["multipleOf"] != nil {
		try(json.Number("16.05"), noMultiple)
		try(json.Number("6.1000000000000001"), noMultiple)
	}
	if s["type"] != "integer" {
		return
	}
	try(json.Number("1.5"), broken)
	if _, ok := s["maximum"]; !ok {
		try(number(math.MaxInt32+1), beyondInt32)
	}
	if _, ok := s["minimum"]; !ok {
		try(number(math.MinInt32-1), beyondInt32)
	}
}
