package main

import (
	"fmt"
	"sort"
)

// model is all versions of a dialect as one type set.
type model struct {
	dialect *dialect
	objects []*object // definitions and messages, sorted by schema name
	enums   []*enum
	byName  map[string]*object
	enumOf  map[string]*enum
}

// object is one Go struct.
type object struct {
	dialect  *dialect
	schema   string // name in the schemas
	goName   string
	message  bool
	inOld    bool
	listed   bool // it is an element of a list
	resets   bool // straight lines reset it: it is a message, an element, or has a list
	straight bool // it has straight lines
	tabled   bool // it has a table
	held     bool // it has no straight lines and stands in what has
	fields   []*field
	users    map[string]bool // actions that reach it
}

// enum is one Go string type.
type enum struct {
	schema string
	goName string
	values []value
}

type value struct {
	text   string
	goName string
	old    bool // in 2.0.1
	now    bool // in 2.1
}

type kind int

const (
	kindString kind = iota
	kindInt
	kindDec
	kindDecInt // integer in 2.0.1, number in 2.1
	kindTenths // number that is a multiple of 0.1
	kindBool
	kindTime
	kindEnum
	kindEnumOrStr // enumeration in 2.0.1, string in 2.1
	kindRaw
	kindCustom
	kindObject
)

// field is one member of an object.
type field struct {
	name             string
	goName           string
	kind             kind
	object           *object
	enum             *enum
	list             bool
	minItems         int
	maxItems         int
	oldMax, nowMax   int // characters
	oldLow, nowLow   *int64
	oldHigh, nowHigh *int64
	inOld            bool
	oldRequired      bool
	nowRequired      bool
}

// required tells whether no version that has the field can do without it.
func (f *field) required() bool { return f.nowRequired && (f.oldRequired || !f.inOld) }

// unboundedText is our limit for text that a schema leaves unbounded: times of day and dates.
const unboundedText = 64

func merge(d *dialect, old, now *set) (*model, error) {
	m := &model{dialect: d, byName: map[string]*object{}, enumOf: map[string]*enum{}}
	if err := m.collect(old, now); err != nil {
		return nil, err
	}
	for _, o := range m.objects {
		was, is := body(old, o.schema), body(now, o.schema)
		o.inOld = was != nil
		if is == nil {
			return nil, fmt.Errorf("%s: 2.1 does not have it", o.schema)
		}
		for _, one := range is.Properties {
			f, err := m.field(one.name, is, was)
			if err != nil {
				return nil, fmt.Errorf("%s.%s: %w", o.schema, one.name, err)
			}
			o.fields = append(o.fields, f)
		}
		if was == nil {
			continue
		}
		for _, one := range was.Properties {
			if is.Properties.find(one.name) == nil {
				return nil, fmt.Errorf("%s.%s: 2.1 does not have it", o.schema, one.name)
			}
		}
	}
	m.trace()
	m.markCodecs()
	m.markResets()
	return m, m.tabular()
}

func body(s *set, name string) *schema {
	if b, ok := s.messages[name]; ok {
		return &b
	}
	if b, ok := s.definitions[name]; ok {
		return &b
	}
	return nil
}

// collect makes the empty objects and the enums.
func (m *model) collect(old, now *set) error {
	names := map[string]bool{}
	for _, s := range []*set{old, now} {
		for n := range s.definitions {
			names[n] = true
		}
		for n := range s.messages {
			names[n] = true
		}
	}
	sorted := make([]string, 0, len(names))
	for n := range names {
		sorted = append(sorted, n)
	}
	sort.Strings(sorted)
	for _, n := range sorted {
		was, is := body(old, n), body(now, n)
		any := is
		if any == nil {
			any = was
		}
		switch {
		case n == "CustomDataType":
		case len(any.Enum) > 0:
			m.addEnum(n, was, is)
		case any.Type == "object":
			_, message := now.messages[n]
			o := &object{dialect: m.dialect, schema: n, message: message, users: map[string]bool{}}
			m.objects = append(m.objects, o)
			m.byName[n] = o
		default:
			return fmt.Errorf("%s: neither enumeration nor object", n)
		}
	}
	return nil
}

func (m *model) addEnum(name string, was, is *schema) {
	e := &enum{schema: name}
	at := map[string]int{}
	take := func(s *schema, mark func(*value)) {
		if s == nil {
			return
		}
		for _, text := range s.Enum {
			i, ok := at[text]
			if !ok {
				i = len(e.values)
				at[text] = i
				e.values = append(e.values, value{text: text})
			}
			mark(&e.values[i])
		}
	}
	take(is, func(v *value) { v.now = true })
	take(was, func(v *value) { v.old = true })
	m.enums = append(m.enums, e)
	m.enumOf[name] = e
}

// field merges one member. was is nil where 2.0.1 does not have the object.
func (m *model) field(name string, is, was *schema) (*field, error) {
	now := is.Properties.find(name)
	f := &field{name: name, nowRequired: is.requires(name)}
	var old *schema
	if was != nil {
		if old = was.Properties.find(name); old != nil {
			f.inOld, f.oldRequired = true, was.requires(name)
		}
	}
	if now.Type == "array" {
		f.list, f.minItems, f.maxItems = true, now.MinItems, now.MaxItems
		if old != nil {
			if old.Type != "array" || old.MinItems != now.MinItems || old.MaxItems != now.MaxItems {
				return nil, fmt.Errorf("list limits differ")
			}
			old = old.Items
		}
		now = now.Items
	}
	if err := m.kindOf(f, now, old); err != nil {
		return nil, err
	}
	return f, m.bounds(f, now, old)
}

func (m *model) kindOf(f *field, now, old *schema) error {
	f.kind = m.simple(f, now)
	if old == nil {
		return nil
	}
	var was field
	before := m.simple(&was, old)
	switch {
	case before == f.kind && was.object == f.object && was.enum == f.enum:
	case before == kindEnum && f.kind == kindString:
		f.kind, f.enum = kindEnumOrStr, was.enum
	case before == kindInt && f.kind == kindDec:
		f.kind = kindDecInt
	default:
		return fmt.Errorf("types of 2.0.1 and 2.1 differ")
	}
	return nil
}

// simple returns the kind that one version gives a value.
func (m *model) simple(f *field, s *schema) kind {
	switch {
	case s.ref() == "CustomDataType":
		return kindCustom
	case m.enumOf[s.ref()] != nil:
		f.enum = m.enumOf[s.ref()]
		return kindEnum
	case m.byName[s.ref()] != nil:
		f.object = m.byName[s.ref()]
		return kindObject
	case s.Type == "integer":
		return kindInt
	case s.Type == "number" && s.MultipleOf == 0.1:
		return kindTenths
	case s.Type == "number":
		return kindDec
	case s.Type == "boolean":
		return kindBool
	case s.Type == "string" && s.Format == "date-time":
		return kindTime
	case s.Type == "string":
		return kindString
	}
	return kindRaw
}

func (m *model) bounds(f *field, now, old *schema) error {
	f.nowMax = now.MaxLength
	if f.nowMax == 0 {
		f.nowMax = unboundedText
	}
	f.oldMax = f.nowMax
	f.nowLow, f.nowHigh = whole(now.Minimum), whole(now.Maximum)
	if old == nil {
		f.oldLow, f.oldHigh = f.nowLow, f.nowHigh
		return nil
	}
	if old.MaxLength != 0 {
		f.oldMax = old.MaxLength
	}
	f.oldLow, f.oldHigh = whole(old.Minimum), whole(old.Maximum)
	if f.kind != kindInt && (!same(f.oldLow, f.nowLow) || !same(f.oldHigh, f.nowHigh)) {
		return fmt.Errorf("bounds of 2.0.1 and 2.1 differ")
	}
	return nil
}

func whole(v *float64) *int64 {
	if v == nil {
		return nil
	}
	n := int64(*v)
	return &n
}

func same(a, b *int64) bool { return (a == nil) == (b == nil) && (a == nil || *a == *b) }

// trace finds out which actions reach which objects, so that a part of one action goes to its file.
func (m *model) trace() {
	var visit func(o *object, action string)
	visit = func(o *object, action string) {
		if o.users[action] {
			return
		}
		o.users[action] = true
		for _, f := range o.fields {
			if f.object != nil {
				visit(f.object, action)
			}
		}
	}
	for _, o := range m.objects {
		if o.message {
			visit(o, actionOf(o.schema))
		}
	}
}

// markResets finds the objects that need a reset of their own; all others are zeroed by whoever holds them.
func (m *model) markResets() {
	for _, o := range m.objects {
		o.resets = o.resets || o.message
		for _, f := range o.fields {
			if f.object != nil && f.list {
				f.object.listed = true
			}
			if o.straight && f.object != nil && (f.list || !f.object.flat()) {
				f.object.resets = true
			}
		}
	}
}
