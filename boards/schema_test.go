package boards

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// The schemas for editors are those of the table; go test ./boards -update writes them.
func TestSchemasAreOfTheTable(t *testing.T) {
	for l := LayerBoard; l <= LayerSite; l++ {
		var b bytes.Buffer
		if err := WriteSchema(&b, l); err != nil {
			t.Fatal(err)
		}
		golden(t, "evse."+l.String()+"-1.schema.json", b.Bytes())
	}
}

// What the reader takes the schema takes, and what the reader refuses for its keys and values the schema refuses: an editor shows
// what evsed board validate tells. (What a schema cannot say, like which bus there is, it does not.)
func TestSchemaAgreesWithTheReader(t *testing.T) {
	for _, f := range full(t) {
		if err := validates(t, LayerBoard, f.Data); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
	}
	for name, l := range map[string]Layer{"product-11kw": LayerProduct, "site-small-fuse": LayerSite} {
		if err := validates(t, l, shippedFile(t, name).Data); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	said := []string{"BRD-104", "BRD-105", "BRD-106", "BRD-107", "BRD-109", "BRD-111", "BRD-113"}
	for _, path := range bad(t) {
		_, fs, _ := findingsOf(t, path)
		files := over(t, path)
		f := files[len(files)-1]
		l := LayerBoard
		if strings.Contains(string(f.Data), schemas[LayerSite]) {
			l = LayerSite
		}
		schema := slices.ContainsFunc(fs, func(f Finding) bool { return slices.Contains(said, f.Code) })
		if err := validates(t, l, f.Data); schema && err == nil {
			t.Errorf("%s: the schema takes it, the reader says %v", path, fs[0])
		}
	}
}

// validates checks a document with the part of JSON Schema that WriteSchema uses. nil: the document is not YAML at all, or right.
func validates(t *testing.T, l Layer, data []byte) error {
	t.Helper()
	raw, err := os.ReadFile("evse." + l.String() + "-1.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var s any
	if err := json.Unmarshal(raw, &s); err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return err
	}
	return valid(s.(map[string]any), doc, "")
}

func valid(s map[string]any, v any, path string) error {
	if all, ok := s["anyOf"].([]any); ok {
		for _, a := range all {
			if valid(a.(map[string]any), v, path) == nil {
				return nil
			}
		}
		return fmt.Errorf("%s: none of anyOf", path)
	}
	if c, ok := s["const"]; ok && c != v {
		return fmt.Errorf("%s: not %v", path, c)
	}
	if e, ok := s["enum"].([]any); ok && !slices.Contains(e, any(v)) {
		return fmt.Errorf("%s: %v is no word", path, v)
	}
	if s["type"] != nil && !typed(s["type"], v) {
		return fmt.Errorf("%s: %v is of another type", path, v)
	}
	if p, ok := s["pattern"].(string); ok && !regexp.MustCompile(p).MatchString(fmt.Sprint(v)) {
		return fmt.Errorf("%s: %v does not match", path, v)
	}
	switch v := v.(type) {
	case int:
		if f := float64(v); s["minimum"] != nil && (f < s["minimum"].(float64) || f > s["maximum"].(float64)) {
			return fmt.Errorf("%s: %d out of range", path, v)
		}
	case []any:
		if n := float64(len(v)); s["minItems"] != nil && n < s["minItems"].(float64) || s["maxItems"] != nil && n > s["maxItems"].(float64) {
			return fmt.Errorf("%s: %d items", path, len(v))
		}
		for i, item := range v {
			if err := valid(s["items"].(map[string]any), item, fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
	case map[string]any:
		return validMap(s, v, path)
	}
	return nil
}

func validMap(s, v map[string]any, path string) error {
	for _, name := range list(s["required"]) {
		if _, ok := v[name.(string)]; !ok {
			return fmt.Errorf("%s: no %v", path, name)
		}
	}
	props, _ := s["properties"].(map[string]any)
	patterns, _ := s["patternProperties"].(map[string]any)
	for name, item := range v {
		sub, ok := props[name].(map[string]any)
		for p, of := range patterns {
			if !ok && regexp.MustCompile(p).MatchString(name) {
				sub, ok = of.(map[string]any), true
			}
		}
		if !ok {
			return fmt.Errorf("%s: unknown %s", path, name)
		}
		if err := valid(sub, item, path+"."+name); err != nil {
			return err
		}
	}
	return nil
}

func list(v any) []any { l, _ := v.([]any); return l }

func typed(want, v any) bool {
	if l, ok := want.([]any); ok {
		return slices.ContainsFunc(l, func(w any) bool { return typed(w, v) })
	}
	switch v.(type) {
	case string:
		return want == "string"
	case bool:
		return want == "boolean"
	case int:
		return want == "integer" || want == "number"
	case float64:
		return want == "number"
	case []any:
		return want == "array"
	case map[string]any:
		return want == "object"
	}
	return false
}
