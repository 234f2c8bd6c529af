package main

import (
	"fmt"
	"strings"
)

// The table-driven shape of a type: what one codec of the package walks along.

// tabular refuses what the tables have no column for.
func (m *model) tabular() error {
	for _, o := range m.objects {
		for _, f := range o.fields {
			if f.maxItems != 0 || f.minItems > 255 || f.nowLow != nil || f.nowHigh != nil || f.nowMax > 65535 || f.tableKind() == "" {
				return fmt.Errorf("%s.%s: the tables cannot say it", o.schema, f.name)
			}
		}
	}
	return nil
}

// tableKind is the name of the codec's kind, "" where it has none.
func (f *field) tableKind() string {
	if f.list {
		return map[kind]string{kindString: "texts", kindObject: "list"}[f.kind]
	}
	return map[kind]string{kindString: "text", kindInt: "whole", kindTenths: "tenths", kindBool: "truth", kindTime: "instant",
		kindEnum: "name", kindObject: "nested"}[f.kind]
}

func (o *object) emitTable(b *strings.Builder) {
	fmt.Fprintf(b, "var table%s = part{\n", o.goName)
	if o.message {
		fmt.Fprintf(b, "\taction: %q,\n", actionOf(o.schema))
	}
	if len(o.fields) > 0 {
		names, known, required := o.masks()
		fmt.Fprintf(b, "\tfields: rpc.Fields{\n\t\tNames: []string{%s},\n", names)
		fmt.Fprintf(b, "\t\tKnown: [2]uint64{%#x, %#x},\n\t\tRequired: [2]uint64{%#x, %#x},\n\t},\n", known[0], known[1], required[0], required[1])
		b.WriteString("\tmembers: []member{\n")
		for _, f := range o.fields {
			f.emitRow(b, o.goName)
		}
		b.WriteString("\t},\n")
	}
	if o.listed {
		fmt.Fprintf(b, "\tsize: unsafe.Sizeof(%s{}),\n\tgrow: func(list unsafe.Pointer) unsafe.Pointer { return grow((*[]%s)(list)) },\n", o.goName, o.goName)
	}
	b.WriteString("}\n\n")
}

func (f *field) emitRow(b *strings.Builder, owner string) {
	path := owner + "{}." + f.goName
	row := []string{"kind: " + f.tableKind()}
	switch {
	case f.opt():
		row = append(row, fmt.Sprintf("at: unsafe.Offsetof(%s)", path), fmt.Sprintf("has: unsafe.Offsetof(%s) + unsafe.Offsetof(%s.Has)", path, path))
	default:
		row = append(row, fmt.Sprintf("at: unsafe.Offsetof(%s)", path))
	}
	if f.minItems > 0 {
		row = append(row, fmt.Sprintf("least: %d", f.minItems))
	}
	switch f.kind {
	case kindString:
		row = append(row, fmt.Sprintf("max: %d", f.nowMax))
	case kindEnum:
		row = append(row, "enum: &"+f.enum.table())
	case kindObject:
		row = append(row, "part: &table"+f.object.goName)
	}
	fmt.Fprintf(b, "\t\t{%s},\n", strings.Join(row, ", "))
}

// emitLayout writes the one method of a message, and DecodeEach.
func (o *object) emitLayout(b *strings.Builder) {
	fmt.Fprintf(b, "func (x *%s) layout() (unsafe.Pointer, *part) { return unsafe.Pointer(x), &table%s }\n\n", o.goName, o.goName)
	if list := streams[o.schema]; list != "" {
		f := o.field(list)
		o.emitEachHead(b, list)
		fmt.Fprintf(b, "\tvar item %s\n", f.element())
		fmt.Fprintf(b, "\ts := stream{list: &table%s, item: unsafe.Pointer(&item), each: func() error { return each(&item) }}\n", f.element())
		b.WriteString("\treturn decodeMessage(b, x, &s)\n}\n\n")
	}
}
