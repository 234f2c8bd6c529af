package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
)

// schema is the part of JSON Schema, draft-04 and draft-06, that the OCPP schemas use.
type schema struct {
	Type        string            `json:"type"`
	Format      string            `json:"format"`
	Ref         string            `json:"$ref"`
	Enum        []string          `json:"enum"`
	Properties  members           `json:"properties"`
	Required    []string          `json:"required"`
	Items       *schema           `json:"items"`
	MinItems    int               `json:"minItems"`
	MaxItems    int               `json:"maxItems"`
	MaxLength   int               `json:"maxLength"`
	Minimum     *float64          `json:"minimum"`
	Maximum     *float64          `json:"maximum"`
	MultipleOf  float64           `json:"multipleOf"`
	Definitions map[string]schema `json:"definitions"`
}

// members keeps the order in which a schema lists them.
type members []member

type member struct {
	name string
	schema
}

// UnmarshalJSON reads an object into a list.
func (m *members) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if _, err := d.Token(); err != nil {
		return err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		one := member{name: name.(string)}
		if err := d.Decode(&one.schema); err != nil {
			return fmt.Errorf("property %s: %w", one.name, err)
		}
		*m = append(*m, one)
	}
	return nil
}

func (m members) find(name string) *schema {
	for i := range m {
		if m[i].name == name {
			return &m[i].schema
		}
	}
	return nil
}

func (s *schema) requires(name string) bool {
	for _, r := range s.Required {
		if r == name {
			return true
		}
	}
	return false
}

// ref returns the name of the definition that s points to, "" if none.
func (s *schema) ref() string { return strings.TrimPrefix(s.Ref, "#/definitions/") }

// set is all schemas of one version. A definition has the same text in every file that has it.
type set struct {
	messages    map[string]schema // by type name: BootNotificationRequest
	definitions map[string]schema
}

func load(dirs ...string) (*set, error) {
	var paths []string
	for _, dir := range dirs {
		some, err := filepath.Glob(filepath.Join(dir, "*.json"))
		if err != nil {
			return nil, err
		}
		if len(some) == 0 {
			return nil, fmt.Errorf("no schemas in %s", dir)
		}
		paths = append(paths, some...)
	}
	all := &set{map[string]schema{}, map[string]schema{}}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		var s schema
		if err := json.Unmarshal(text, &s); err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		if err := all.add(messageName(path), s); err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
	}
	return all, nil
}

// messageName names the type of a schema file. Requests of 1.6 have no suffix, nor has the one SEND of 2.1.
func messageName(path string) string {
	name := strings.TrimSuffix(filepath.Base(path), ".json")
	if strings.HasSuffix(name, "Request") || strings.HasSuffix(name, "Response") {
		return name
	}
	return name + "Request"
}

func (all *set) add(name string, s schema) error {
	for def, body := range s.Definitions {
		if known, ok := all.definitions[def]; ok && !reflect.DeepEqual(known, body) {
			return fmt.Errorf("%s is defined in two ways", def)
		}
		all.definitions[def] = body
	}
	s.Definitions = nil
	all.messages[name] = s
	return nil
}
