package rpc

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// cut runs frame through a Cutter in windows of n bytes and returns the rest and the elements that were handed on.
func cutUp(frame string, n int) (string, []string, *Cutter, error) {
	var elements []string
	c := NewCutter("list", func(list []byte) error {
		var part []json.RawMessage
		if err := json.Unmarshal(list, &part); err != nil || len(part) == 0 {
			return fmt.Errorf("%q: %w", list, errors.Join(err, errors.New("no list of elements")))
		}
		for _, p := range part {
			elements = append(elements, string(p))
		}
		return nil
	})
	for len(frame) > 0 {
		n := min(n, len(frame))
		if err := c.Write([]byte(frame[:n])); err != nil {
			return "", elements, c, err
		}
		frame = frame[n:]
	}
	return string(c.Rest()), elements, c, nil
}

func TestCutter(t *testing.T) {
	for _, c := range []struct{ name, frame, rest, elements string }{
		{"list first", `[2,"i","A",{"list":[1,2,3],"x":4}]`, `[2,"i","A",{"list":[1],"x":4}]`, "2 3"},
		{"list last", `[2,"i","A",{"x":[7,8],"list":[{"a":[1,2]},{"b":{"list":[3,4]}}]}]`, `[2,"i","A",{"x":[7,8],"list":[{"a":[1,2]}]}]`, `{"b":{"list":[3,4]}}`},
		{"one element", `[2,"i","A",{"list":[1]}]`, `[2,"i","A",{"list":[1]}]`, ""},
		{"no element", `[2,"i","A",{"list":[]}]`, `[2,"i","A",{"list":[]}]`, ""},
		{"no list", `[2,"i","A",{"list":"[1,2]"}]`, `[2,"i","A",{"list":"[1,2]"}]`, ""},
		{"list of another object", `[2,"i","A",{"x":{"list":[1,2]}}]`, `[2,"i","A",{"x":{"list":[1,2]}}]`, ""},
		{"name as a value", `[2,"i","A",{"x":"list","y":[1,2]}]`, `[2,"i","A",{"x":"list","y":[1,2]}]`, ""},
		{"brackets in strings", `[2,"i","A",{"list":["],","\"]\\",","]}]`, `[2,"i","A",{"list":["],"]}]`, `"\"]\\" ","`},
		{"white space", "[2,\"i\", \"A\",{ \"list\"  : [\n\n1 ,\t\t2  , \"  \"]   }]", `[2,"i", "A",{ "list" : [ 1 ] }]`, `2 "  "`},
		{"twice", `[2,"i","A",{"list":[1,2],"list":[3,4]}]`, `[2,"i","A",{"list":[1],"list":[3]}]`, "2 4"},
	} {
		for n := 1; n <= len(c.frame); n++ {
			rest, elements, cutter, err := cutUp(c.frame, n)
			if err != nil || rest != c.rest || strings.Join(elements, " ") != c.elements {
				t.Errorf("%s by %d: rest %s, elements %q, %v", c.name, n, rest, elements, err)
			}
			if want := len(c.frame) - strings.Index(c.frame, "{"); cutter.Size() != want {
				t.Errorf("%s by %d: size %d, want %d", c.name, n, cutter.Size(), want)
			}
		}
	}
}

func TestCutterLeavesNothingUnseen(t *testing.T) {
	for _, frame := range []string{
		`[2,"i","A",{"list":[1,]}]`, `[2,"i","A",{"list":[1,,2]}]`, `[2,"i","A",{"list":[,1]}]`, `[2,"i","A",{"list":[1,2},"x":1]}`, `[2,"i","A",{"list":[1 2,3]}]`,
		`[2,"i","A",{"list":[1,{]]}]`, `[2,"i","A",{"list":[1,2]`, `[2,"i","A",{"list":[1,"2]}]`, `[2,"i","A",{"list":[1,2]}]]`, `[2,"i","A",{"list":[tr ue,2]}]`, `[2,"i","A",{"list":[1,tr ue]}]`,
	} {
		rest, _, _, err := cutUp(frame, 3)
		if err == nil {
			_, err = Parse([]byte(rest), V21, Limits{})
		}
		if err == nil {
			t.Errorf("%s passes", frame)
		}
	}
}

func TestCutterIsBounded(t *testing.T) {
	for name, frame := range map[string]string{
		"element":     `[2,"i","A",{"list":[1,"` + strings.Repeat("x", 1<<20) + `"]}]`,
		"nesting":     `[2,"i","A",{"list":[1,` + strings.Repeat("[", 1<<20),
		"first":       `[2,"i","A",{"list":["` + strings.Repeat("x", 1<<20) + `",1]}]`,
		"other":       `[2,"i","A",{"x":[` + strings.Repeat("1,", 1<<20) + `1],"list":[1,2]}]`,
		"many closed": `[2,"i","A",{"list":[1,2]` + strings.Repeat("]", 1<<20),
	} {
		_, _, c, err := cutUp(frame, 4096)
		var bad *DecodeError
		if !errors.As(err, &bad) || bad.Code != FormatViolation {
			t.Errorf("%s: %v", name, err)
		}
		if held := cap(c.rest) + cap(c.batch); held > 4*(cutRest+cutBatch+cutElement) {
			t.Errorf("%s: %d bytes held", name, held)
		}
	}
	n := 0
	c := NewCutter("list", func(list []byte) error {
		n++
		if len(list) > cutBatch+100 {
			t.Fatalf("piece of %d bytes", len(list))
		}
		return nil
	})
	if err := c.Write([]byte(`[2,"i","A",{"list":[1` + strings.Repeat(`,{"a":"bcdefghijk"}`, 100_000) + strings.Repeat(" ", 1<<20) + `]}]`)); err != nil || n < 100 {
		t.Errorf("%d pieces, %v", n, err)
	}
	if string(c.Rest()) != `[2,"i","A",{"list":[1]}]` {
		t.Errorf("rest %s", c.Rest())
	}
}

func FuzzCutter(f *testing.F) {
	f.Add(`[2,"i","A",{"list":[1,{"a":"\"]"},3],"x":[4]}]`, 3)
	f.Add(`[2,"i","A",{"list":[1,{]},3},"list":[]}]`, 1)
	f.Fuzz(func(t *testing.T, frame string, n int) {
		rest, elements, _, err := cutUp(frame, max(n, 1))
		if err != nil {
			return
		}
		parsed, err := Parse([]byte(rest), V21, Limits{})
		if err != nil || parsed.Type != Call || len(elements) == 0 {
			return
		}
		if !json.Valid([]byte(frame)) {
			t.Errorf("%q passes as %q and %q", frame, rest, elements)
		}
	})
}
