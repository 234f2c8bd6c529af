package main

import (
	"fmt"
	"math"
	"strings"
)

// emitFields writes the table that tells which members there are and which must be.
func (o *object) emitFields(b *strings.Builder) {
	names, known, required := o.masks()
	fmt.Fprintf(b, "var fields%s = rpc.Fields{\n\tNames: []string{%s},\n", o.goName, names)
	fmt.Fprintf(b, "\tKnown: [2]uint64{%#x, %#x},\n\tRequired: [2]uint64{%#x, %#x},\n}\n\n", known[0], known[1], required[0], required[1])
}

// masks returns the quoted names of the members, and which of them each version knows and requires.
func (o *object) masks() (list string, known, required [2]uint64) {
	var names []string
	for i, f := range o.fields {
		names = append(names, fmt.Sprintf("%q", f.name))
		known[1] |= 1 << i
		if f.nowRequired {
			required[1] |= 1 << i
		}
		if f.inOld || !o.inOld {
			known[0] |= 1 << i
		}
		if f.oldRequired || !o.inOld && f.nowRequired {
			required[0] |= 1 << i
		}
	}
	return strings.Join(names, ", "), known, required
}

func (o *object) emitDecode(b *strings.Builder) {
	list := streams[o.schema]
	if list != "" {
		fmt.Fprintf(b, "func (x *%s) decode(b *rpc.Body) { x.decodeEach(b, nil) }\n\n", o.goName)
		fmt.Fprintf(b, "func (x *%s) decodeEach(b *rpc.Body, each func(*%s) error) {\n", o.goName, o.field(list).element())
	} else {
		fmt.Fprintf(b, "func (x *%s) decode(b *rpc.Body) {\n", o.goName)
	}
	fmt.Fprintf(b, "\to := b.Object(&fields%s)\n\tfor {\n\t\tswitch b.Next(&o) {\n", o.goName)
	for i, f := range o.fields {
		fmt.Fprintf(b, "\t\tcase %d:\n", i)
		if f.name == list {
			f.emitEach(b)
		}
		f.emitDecode(b)
	}
	b.WriteString("\t\tdefault:\n\t\t\treturn\n\t\t}\n\t}\n}\n\n")
}

// emitEach writes the way around the list for DecodeEach.
func (f *field) emitEach(b *strings.Builder) {
	fmt.Fprintf(b, "if each != nil {\n\tvar item %s\n", f.element())
	fmt.Fprintf(b, "\tfor l := b.Stream(%d, %d); l.More(b); {\n\t\titem.reset()\n\t\titem.decode(b)\n", f.minItems, f.maxItems)
	b.WriteString("\t\tif b.Failed() {\n\t\t\treturn\n\t\t}\n")
	b.WriteString("\t\tif err := each(&item); err != nil {\n\t\t\tb.Stop(err)\n\t\t\treturn\n\t\t}\n\t}\n\tcontinue\n}\n")
}

func (f *field) emitDecode(b *strings.Builder) {
	if f.list {
		fmt.Fprintf(b, "for l := b.List(%d, %d); l.More(b); {\n", f.minItems, f.maxItems)
		if f.kind == kindObject {
			fmt.Fprintf(b, "e := grow(&x.%s)\ne.reset()\ne.decode(b)\n}\n", f.goName)
			return
		}
		fmt.Fprintf(b, "x.%s = append(x.%s, %s)\n}\n", f.goName, f.goName, f.pull())
		return
	}
	switch {
	case f.kind == kindObject && f.opt():
		fmt.Fprintf(b, "x.%s.Has = true\nx.%s.V.decode(b)\n", f.goName, f.goName)
	case f.kind == kindObject:
		fmt.Fprintf(b, "x.%s.decode(b)\n", f.goName)
	case f.opt():
		fmt.Fprintf(b, "x.%s.V, x.%s.Has = %s, true\n", f.goName, f.goName, f.pull())
	default:
		fmt.Fprintf(b, "x.%s = %s\n", f.goName, f.pull())
	}
}

// pull is the expression that reads one value.
func (f *field) pull() string {
	switch f.kind {
	case kindString:
		if f.oldMax != f.nowMax {
			return fmt.Sprintf("b.StrEd(%d, %d)", f.oldMax, f.nowMax)
		}
		return fmt.Sprintf("b.Str(%d)", f.nowMax)
	case kindInt:
		return f.pullInt()
	case kindDec:
		if f.nowLow != nil || f.nowHigh != nil {
			return fmt.Sprintf("b.DecRange(%d, %d)", or(f.nowLow, math.MinInt64), or(f.nowHigh, math.MaxInt64))
		}
		return "b.Dec()"
	case kindDecInt:
		return "b.DecInt()"
	case kindTenths:
		return "b.Tenths()"
	case kindBool:
		return "b.Bool()"
	case kindTime:
		return "b.Time()"
	case kindEnum:
		return fmt.Sprintf("%s(b.Enum(&%s))", f.enum.goName, f.enum.table())
	case kindEnumOrStr:
		return fmt.Sprintf("%s(b.EnumOrStr(&%s, %d))", f.enum.goName, f.enum.table(), f.nowMax)
	case kindCustom:
		return "b.CustomData()"
	}
	return "b.Raw()"
}

// bounds21 tells whether the bounds came with 2.1.
func (f *field) bounds21() bool {
	return f.inOld && (!same(f.oldLow, f.nowLow) || !same(f.oldHigh, f.nowHigh))
}

func (f *field) pullInt() string {
	low, high := or(f.nowLow, math.MinInt32), or(f.nowHigh, math.MaxInt32)
	since21 := f.bounds21()
	switch {
	case f.nowLow == nil && f.nowHigh == nil:
		return "b.Int()"
	case since21 && low == 0 && f.nowHigh == nil:
		return "b.Nat()"
	case since21:
		return fmt.Sprintf("b.IntRange21(%d, %d)", low, high)
	}
	return fmt.Sprintf("b.IntRange(%d, %d)", low, high)
}
