package main

import (
	"fmt"
	"math"
	"strings"
)

// The table-driven shape of a type: what package layout walks along.

// markCodecs finds out which types become straight lines and which tables: straight are the messages that a station
// speaks all day and the parts of them that 2.0.1 has; all others, and what they reach, have tables. A part can have both.
func (m *model) markCodecs() {
	var straight, tabled func(o *object)
	straight = func(o *object) {
		if o.straight {
			return
		}
		o.straight = true
		for _, f := range o.fields {
			if f.object != nil && f.inOld {
				straight(f.object)
			}
		}
	}
	tabled = func(o *object) {
		if o.tabled {
			return
		}
		o.tabled = true
		for _, f := range o.fields {
			if f.object != nil {
				tabled(f.object)
			}
		}
	}
	for _, o := range m.objects {
		if o.message && m.dialect.straight[actionOf(o.schema)] {
			straight(o)
		}
	}
	for _, o := range m.objects {
		if !o.straight {
			tabled(o)
		}
		for _, f := range o.fields {
			if o.straight && f.object != nil && !f.object.straight {
				f.object.held = true
			}
		}
	}
}

// tabular refuses what the tables have no column for.
func (m *model) tabular() error {
	for _, o := range m.objects {
		for _, f := range o.fields {
			if o.tabled && (f.maxItems > math.MaxUint16 || f.minItems > math.MaxUint16 || f.list && !f.kind.listed() || f.kind.whole() && !f.bounded()) {
				return fmt.Errorf("%s.%s: the tables cannot say it", o.schema, f.name)
			}
		}
	}
	return nil
}

// listed tells whether the tables know lists of k.
func (k kind) listed() bool { return k != kindBool && k != kindTime && k != kindCustom }

func (k kind) whole() bool { return k == kindInt || k == kindDec }

// bounded tells whether the bounds of a number lie within 32 bits. The ends of 32 bits say that a decimal has none.
func (f *field) bounded() bool {
	within := func(v *int64) bool { return v == nil || *v > math.MinInt32 && *v < math.MaxInt32 }
	return within(f.nowLow) && within(f.nowHigh)
}

var tableKinds = map[kind]string{kindString: "Text", kindInt: "Whole", kindDec: "Number", kindDecInt: "NumberEd", kindTenths: "Tenths",
	kindBool: "Truth", kindTime: "Instant", kindEnum: "Name", kindEnumOrStr: "NameOrText", kindRaw: "Raw", kindCustom: "Custom", kindObject: "Nested"}

// emitTable writes the table of a type; of a message in straight lines the head alone.
func (o *object) emitTable(b *strings.Builder) {
	fmt.Fprintf(b, "var table%s = layout.Part{\n", o.goName)
	if o.message {
		fmt.Fprintf(b, "\tAction: %q,\n", actionOf(o.schema))
	}
	if !o.tabled {
		b.WriteString("}\n\n")
		return
	}
	fmt.Fprintf(b, "\tFields: &fields%s,\n", o.goName)
	if len(o.fields) > 0 {
		b.WriteString("\tMembers: []layout.Member{\n")
		for _, f := range o.fields {
			f.emitRow(b, o)
		}
		b.WriteString("\t},\n")
	}
	if o.listed {
		fmt.Fprintf(b, "\tSize: unsafe.Sizeof(%s{}),\n", o.goName)
		fmt.Fprintf(b, "\tGrow: func(list unsafe.Pointer) { l := (*[]%s)(list); *l = append(*l, make([]%s, 1)...) },\n", o.goName, o.goName)
	}
	b.WriteString("}\n\n")
}

func (f *field) emitRow(b *strings.Builder, owner *object) {
	path := owner.goName + "{}." + f.goName
	row := []string{"Kind: layout." + tableKinds[f.kind]}
	if rules := f.rules(owner); len(rules) > 0 {
		row = append(row, "Rule: layout."+strings.Join(rules, " | layout."))
	}
	row = append(row, fmt.Sprintf("At: uint16(unsafe.Offsetof(%s))", path))
	if f.opt() {
		row = append(row, fmt.Sprintf("Has: uint16(unsafe.Offsetof(%s) + unsafe.Offsetof(%s.Has))", path, path))
	}
	if f.minItems > 0 {
		row = append(row, fmt.Sprintf("Least: %d", f.minItems))
	}
	if f.maxItems > 0 {
		row = append(row, fmt.Sprintf("Most: %d", f.maxItems))
	}
	switch f.kind {
	case kindString:
		row = append(row, fmt.Sprintf("Low: %d, High: %d", f.oldMax, f.nowMax))
	case kindInt, kindDec:
		row = append(row, fmt.Sprintf("Low: %d, High: %d", or(f.nowLow, math.MinInt32), or(f.nowHigh, math.MaxInt32)))
	case kindEnum:
		row = append(row, "Enum: &"+f.enum.table())
	case kindEnumOrStr:
		row = append(row, "Enum: &"+f.enum.table(), fmt.Sprintf("High: %d", f.nowMax))
	case kindObject:
		row = append(row, "Part: &table"+f.object.goName)
	}
	fmt.Fprintf(b, "\t\t{%s},\n", strings.Join(row, ", "))
}

// rules are the names of those that hold for the field.
func (f *field) rules(owner *object) (rules []string) {
	for _, r := range []struct {
		name  string
		holds bool
	}{
		{"List", f.list},
		{"Required", f.required()},
		{"Missed", f.oldRequired && !f.nowRequired},
		{"Since21", owner.inOld && !f.inOld},
		{"Bounds21", f.kind == kindInt && f.bounds21()},
	} {
		if r.holds {
			rules = append(rules, r.name)
		}
	}
	return rules
}

// emitLayout writes the one method that every message has, and DecodeEach.
func (o *object) emitLayout(b *strings.Builder) {
	fmt.Fprintf(b, "func (x *%s) layout() (unsafe.Pointer, *layout.Part) { return unsafe.Pointer(x), &table%s }\n\n", o.goName, o.goName)
	list := streams[o.schema]
	if list == "" {
		return
	}
	version, parameter := "v", ", v Version"
	if o.dialect.tables {
		version, parameter = "rpc.V16", ""
	}
	element := o.field(list).element()
	fmt.Fprintf(b, "// DecodeEach is Decode that hands on the elements of %s one by one instead of keeping them. An\n", list)
	b.WriteString("// element is valid during the call only. An error of each ends the decoding and is returned. The other members\n")
	b.WriteString("// may follow the list on the wire: they are whole when DecodeEach has returned.\n")
	fmt.Fprintf(b, "func (x *%s) DecodeEach(b *rpc.Body%s, each func(*%s) error) error {\n", o.goName, parameter, element)
	if o.straight {
		fmt.Fprintf(b, "\tb.Begin(%s)\n\tx.reset()\n\tx.decodeEach(b, each)\n\treturn b.End()\n}\n\n", version)
		return
	}
	fmt.Fprintf(b, "\tvar item %s\n", element)
	fmt.Fprintf(b, "\ts := layout.Stream{List: &table%s, Item: unsafe.Pointer(&item), Each: func() error { return each(&item) }}\n", element)
	fmt.Fprintf(b, "\treturn layout.DecodeStream(b, %s, unsafe.Pointer(x), &table%s, &s)\n}\n\n", version, o.goName)
}

// emitThin writes the methods by which a straight type reads and writes a part along its table.
func (o *object) emitThin(b *strings.Builder) {
	if o.resets {
		fmt.Fprintf(b, "func (x *%s) reset() { layout.Reset(unsafe.Pointer(x), &table%s) }\n\n", o.goName, o.goName)
	}
	fmt.Fprintf(b, "func (x *%s) append(w *rpc.Writer) { layout.Append(w, unsafe.Pointer(x), &table%s) }\n\n", o.goName, o.goName)
	fmt.Fprintf(b, "func (x *%s) decode(b *rpc.Body) { layout.Read(b, unsafe.Pointer(x), &table%s) }\n\n", o.goName, o.goName)
}
