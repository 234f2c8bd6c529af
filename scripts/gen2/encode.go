package main

import (
	"fmt"
	"math"
	"strings"
)

// emitAppend writes the straight-line encoder. Members that only 2.1 has stand in blocks of their own.
func (o *object) emitAppend(b *strings.Builder) {
	fmt.Fprintf(b, "func (x *%s) append(w *rpc.Writer) {\n\tw.Open()\n", o.goName)
	block := false
	for _, f := range o.fields {
		if only := o.inOld && !f.inOld; only != block {
			if block = only; only {
				b.WriteString("\tif w.V21() {\n")
			} else {
				b.WriteString("\t}\n")
			}
		}
		f.emitAppend(b)
	}
	if block {
		b.WriteString("\t}\n")
	}
	b.WriteString("\tw.Close()\n}\n\n")
}

// key is the member's name with all that stands around it.
func (f *field) key() string { return fmt.Sprintf("`,%q:`", f.name) }

func (f *field) emitAppend(b *strings.Builder) {
	switch {
	case f.kind == kindCustom:
		fmt.Fprintf(b, "\tw.CustomData(x.%s)\n", f.goName)
		return
	case f.kind == kindRaw:
		fmt.Fprintf(b, "\tw.Raw(%s, x.%s)\n", f.key(), f.goName)
		return
	case f.list:
		f.emitAppendList(b)
		return
	}
	if f.oldRequired && !f.nowRequired {
		fmt.Fprintf(b, "\tif !w.V21() && %s {\n\t\tw.Missing(%s)\n\t}\n", f.absent(), f.key())
	}
	if f.kind == kindObject {
		f.emitAppendObject(b)
		return
	}
	opt, address := "Opt", "&"
	if f.required() {
		opt = ""
	}
	if !f.opt() && f.kind != kindDec && f.kind != kindDecInt && f.kind != kindTime {
		address = ""
	}
	value := address + "x." + f.goName
	if f.kind == kindEnum || f.kind == kindEnumOrStr {
		value = "string(" + value + ")"
	}
	fmt.Fprintf(b, "\tw.%s%s(%s, %s%s)\n", opt, f.writer(), f.key(), value, f.checks())
}

func (f *field) absent() string {
	if f.opt() {
		return "!x." + f.goName + ".Has"
	}
	return "x." + f.goName + ` == ""`
}

func (f *field) emitAppendObject(b *strings.Builder) {
	if f.opt() {
		fmt.Fprintf(b, "\tif x.%s.Has {\n\t\tw.Key(%s)\n\t\tx.%s.V.append(w)\n\t}\n", f.goName, f.key(), f.goName)
		return
	}
	fmt.Fprintf(b, "\tw.Key(%s)\n\tx.%s.append(w)\n", f.key(), f.goName)
}

func (f *field) emitAppendList(b *strings.Builder) {
	if !f.required() {
		fmt.Fprintf(b, "\tif len(x.%s) > 0 {\n", f.goName)
	}
	fmt.Fprintf(b, "\tw.List(%s, len(x.%s), %d, %d)\n", f.key(), f.goName, f.minItems, f.maxItems)
	fmt.Fprintf(b, "\tfor i := range x.%s {\n", f.goName)
	element := fmt.Sprintf("x.%s[i]", f.goName)
	switch f.kind {
	case kindObject:
		fmt.Fprintf(b, "\t\t%s.append(w)\n", element)
	case kindEnum, kindEnumOrStr:
		fmt.Fprintf(b, "\t\tw.Elem%s(string(%s)%s)\n", f.writer(), element, f.checks())
	default:
		fmt.Fprintf(b, "\t\tw.Elem%s(%s%s)\n", f.writer(), element, f.checks())
	}
	b.WriteString("\t}\n\tw.CloseList()\n")
	if !f.required() {
		b.WriteString("\t}\n")
	}
}

// writer is the last part of the name of the rpc.Writer method.
func (f *field) writer() string {
	return map[kind]string{kindString: "Str", kindInt: "Int", kindDec: "Dec", kindDecInt: "DecInt", kindBool: "Bool",
		kindTime: "Time", kindEnum: "Enum", kindEnumOrStr: "EnumOrStr"}[f.kind]
}

// checks is the rest of the arguments: what the value is held against.
func (f *field) checks() string {
	switch f.kind {
	case kindString:
		if f.oldMax != f.nowMax {
			return fmt.Sprintf(", w.Pick(%d, %d)", f.oldMax, f.nowMax)
		}
		return fmt.Sprintf(", %d", f.nowMax)
	case kindInt:
		return fmt.Sprintf(", %d, %d", or(f.nowLow, math.MinInt32), or(f.nowHigh, math.MaxInt32))
	case kindDec:
		return fmt.Sprintf(", %d, %d", or(f.nowLow, math.MinInt64), or(f.nowHigh, math.MaxInt64))
	case kindEnum:
		return ", &" + f.enum.table()
	case kindEnumOrStr:
		return fmt.Sprintf(", &%s, %d", f.enum.table(), f.nowMax)
	}
	return ""
}

func or(v *int64, def int64) int64 {
	if v != nil {
		return *v
	}
	return def
}
