package main

import (
	"fmt"
	"math"
	"strings"
)

// emitAppend writes the straight-line encoder. Members that only 2.1 has stand in blocks of their own.
func (o *object) emitAppend(b *strings.Builder) {
	if o.message { // here the writer stays on the stack
		fmt.Fprintf(b, "func (x *%s) appendJSON(dst []byte, v Version) ([]byte, error) {\n", o.goName)
		b.WriteString("\tvar w rpc.Writer\n\tw.Begin(dst, v)\n\tx.append(&w)\n\treturn w.End()\n}\n\n")
	}
	fmt.Fprintf(b, "func (x *%s) append(w *rpc.Writer) {\n", o.goName)
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
	b.WriteString("}\n\n")
}

// key is the member's name with all that stands before its value.
func (f *field) key() string {
	if f.list {
		return fmt.Sprintf("`%q:`", f.name)
	}
	return fmt.Sprintf("`%q:%s`", f.name, f.opening())
}

// opening is what a value begins with, whatever it is.
func (f *field) opening() string {
	switch f.kind {
	case kindString, kindTime, kindEnum, kindEnumOrStr:
		return `"`
	case kindObject:
		return "{"
	}
	return ""
}

func (f *field) emitAppend(b *strings.Builder) {
	switch {
	case f.kind == kindCustom:
		fmt.Fprintf(b, "\tif %s {\n\t\tw.CustomData(x.%s)\n\t}\n", f.present(), f.goName)
		return
	case f.kind == kindRaw:
		fmt.Fprintf(b, "\tif %s {\n\t\tw.Raw(%s, x.%s)\n\t}\n", f.present(), f.key(), f.goName)
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
	value := "x." + f.goName
	if f.opt() {
		value += ".V"
	}
	switch f.kind {
	case kindDec, kindDecInt, kindTenths, kindTime:
		value = "&" + value
	case kindEnum, kindEnumOrStr:
		value = "string(" + value + ")"
	}
	call := fmt.Sprintf("w.%s(%s, %s%s)", f.writer(), f.key(), value, f.checks())
	if !f.required() {
		call = fmt.Sprintf("if %s {\n\t\t%s\n\t}", f.present(), call)
	}
	fmt.Fprintf(b, "\t%s\n", call)
}

func (f *field) present() string {
	if f.opt() {
		return "x." + f.goName + ".Has"
	}
	return "x." + f.goName + ` != ""`
}

func (f *field) absent() string {
	if f.opt() {
		return "!x." + f.goName + ".Has"
	}
	return "x." + f.goName + ` == ""`
}

func (f *field) emitAppendObject(b *strings.Builder) {
	if f.opt() {
		fmt.Fprintf(b, "\tif x.%s.Has {\n\t\tw.Key(%s)\n\t\tx.%s.V.append(w)\n\t\tw.Close()\n\t}\n", f.goName, f.key(), f.goName)
		return
	}
	fmt.Fprintf(b, "\tw.Key(%s)\n\tx.%s.append(w)\n\tw.Close()\n", f.key(), f.goName)
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
		fmt.Fprintf(b, "\t\tw.Open()\n\t\t%s.append(w)\n\t\tw.Close()\n", element)
	case kindEnum, kindEnumOrStr:
		fmt.Fprintf(b, "\t\tw.%s(`%s`, string(%s)%s)\n", f.writer(), f.opening(), element, f.checks())
	default:
		fmt.Fprintf(b, "\t\tw.%s(`%s`, %s%s)\n", f.writer(), f.opening(), element, f.checks())
	}
	b.WriteString("\t}\n\tw.CloseList()\n")
	if !f.required() {
		b.WriteString("\t}\n")
	}
}

// writer is the last part of the name of the rpc.Writer method.
func (f *field) writer() string {
	return map[kind]string{kindString: "Str", kindInt: "Int", kindDec: "Dec", kindDecInt: "DecInt", kindTenths: "Tenths", kindBool: "Bool",
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
