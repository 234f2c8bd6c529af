package boards

import (
	"encoding/json"
	"fmt"
	"io"
)

// object is a JSON object whose members keep their order.
type object []member

type member struct {
	name string
	val  any
}

// MarshalJSON writes the members in their order.
func (o object) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			out = append(out, ',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, err
		}
		val, err := json.Marshal(m.val)
		if err != nil {
			return nil, err
		}
		out = append(append(append(out, name...), ':'), val...)
	}
	return append(out, '}'), nil
}

// WriteSchema writes the JSON Schema of a layer's files, for editors: made of the table that the reader uses.
func WriteSchema(w io.Writer, l Layer) error {
	s := object{
		{"$schema", "http://json-schema.org/draft-07/schema#"},
		{"title", fmt.Sprintf("evsed %s file, %s", l, schemas[l])},
	}
	s = append(s, table.mapSchema(l)...)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	return e.Encode(s)
}

// schemaOf is the schema of a value of the key.
func (k *key) schemaOf(l Layer) any {
	s := object{}
	if k.about != "" {
		s = object{{"description", k.about}}
	}
	switch k.kind {
	case kindText:
		s = append(s, member{"type", "string"})
		if k.form != nil {
			s = append(s, member{"pattern", k.form.pattern})
		}
	case kindWord:
		words := k.words
		if k.name == "schema" {
			words = []string{schemas[l]}
		}
		s = append(s, member{"enum", words})
	case kindWords:
		one := object{{"enum", k.words}}
		s = append(s, member{"anyOf", []any{one, object{{"type", "array"}, {"items", one}, {"minItems", 1}, {"uniqueItems", true}}}})
	case kindFlag:
		s = append(s, member{"type", "boolean"})
	case kindInt:
		s = append(s, member{"type", "integer"}, member{"minimum", k.least}, member{"maximum", k.most})
	case kindQuantity:
		s = append(s, k.q.schema()...)
	case kindRange:
		s = append(s, member{"type", "array"}, member{"items", k.q.schema()}, member{"minItems", 2}, member{"maxItems", 2})
	case kindLine:
		s = append(s, member{"anyOf", []any{object{{"type", "string"}, {"pattern", formLine.pattern}}, (&key{kind: kindMap, keys: lineKeys}).schemaOf(LayerBoard)}})
	case kindLines:
		line := (&key{kind: kindLine}).schemaOf(l)
		s = append(s, member{"type", "array"}, member{"items", line}, member{"minItems", k.least}, member{"maxItems", k.most})
	case kindTexts:
		s = append(s, member{"type", "array"}, member{"items", object{{"type", "string"}, {"pattern", k.form.pattern}}}, member{"minItems", k.least}, member{"maxItems", k.most})
	case kindSteps:
		s = append(s, member{"type", "object"}, member{"patternProperties", object{{k.at.pattern(), k.q.schema()}}},
			member{"additionalProperties", false}, member{"minProperties", 1}, member{"maxProperties", k.most})
	case kindDict:
		s = append(s, member{"type", "object"}, member{"patternProperties", object{{formName.pattern, k.mapSchema(l)}}},
			member{"additionalProperties", false}, member{"maxProperties", k.most})
	case kindMaps:
		s = append(s, member{"type", "array"}, member{"items", k.mapSchema(l)}, member{"minItems", 1}, member{"maxItems", k.most})
	case kindMap:
		if k.orMCU {
			return append(s, member{"anyOf", []any{object{{"const", "mcu"}}, k.mapSchema(l)}})
		}
		s = append(s, k.mapSchema(l)...)
	}
	return s
}

// mapSchema is that of a map with the members of the key.
func (k *key) mapSchema(l Layer) object {
	members, need := object{}, []string{}
	for i := range k.keys {
		m := &k.keys[i]
		if m.gone != "" || !m.allowed(l) && m.name != "id" {
			continue
		}
		members = append(members, member{m.name, m.schemaOf(l)})
		if m.need && l == LayerBoard || m.name == "id" || m.name == "schema" {
			need = append(need, m.name)
		}
	}
	s := object{{"type", "object"}, {"properties", members}, {"additionalProperties", false}}
	if len(need) > 0 {
		s = append(s, member{"required", need})
	}
	return s
}

func (q *quantity) schema() object { return object{{"type", "string"}, {"pattern", q.pattern()}} }

// pattern is how a value of the dimension is written.
func (q *quantity) pattern() string {
	units := ""
	for i, u := range q.units {
		if i > 0 {
			units += "|"
		}
		units += u.unit
	}
	return `^-?(0|[1-9][0-9]*)(\.[0-9]+)? (` + units + `)$`
}
