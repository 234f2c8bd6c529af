package main

import (
	"fmt"
	"strings"

	"github.com/evsed/evsed/ocpp/rpc"
)

func (e *enum) emit(b *strings.Builder) {
	fmt.Fprintf(b, "// %s is the enumeration %s.\ntype %s string\n\n", e.goName, e.schema, e.goName)
	fmt.Fprintf(b, "// The values of %s.\nconst (\n", e.goName)
	for _, v := range e.values {
		since := ""
		if e.grew() && !v.old {
			since = " // since 2.1"
		}
		fmt.Fprintf(b, "\t%s %s = %q%s\n", v.goName, e.goName, v.text, since)
	}
	b.WriteString(")\n\n")
}

// grew tells whether 2.0.1 has the enumeration, so that the age of a value says something.
func (e *enum) grew() bool {
	for _, v := range e.values {
		if v.old {
			return true
		}
	}
	return false
}

func (e *enum) table() string { return "enum" + e.goName }

func (e *enum) emitTable(b *strings.Builder) {
	var names, quoted []string
	var known [2]uint64
	for i, v := range e.values {
		names = append(names, v.text)
		quoted = append(quoted, fmt.Sprintf("%q", v.text))
		if v.old {
			known[0] |= 1 << i
		}
		if v.now {
			known[1] |= 1 << i
		}
	}
	if !e.grew() {
		known[0] = known[1] // only parts that 2.1 knows refer to it
	}
	fmt.Fprintf(b, "var %s = rpc.Enum{\n\tNames: []string{%s},\n", e.table(), strings.Join(quoted, ", "))
	slots, hash := rpc.Slots(names, known[0])
	fmt.Fprintf(b, "\tKnown: [2]uint64{%#x, %#x},\n\tSlots: %q,\n\tHash: rpc.Hash{Mul: %#x, A: %d, B: %d, C: %d},\n}\n\n", known[0], known[1], slots, hash.Mul, hash.A, hash.B, hash.C)
}
