package guard

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/evsed/evsed/hal"
)

// checkParts refuses parts that the format cannot hold.
func checkParts(parts []hal.Part) error {
	if len(parts) > MaxParts {
		return fmt.Errorf("%d parts: at most %d", len(parts), MaxParts)
	}
	for i := range parts {
		if n := parts[i].Name; len(n) > hal.MaxPartName || strings.Contains(n, "\x00") {
			return fmt.Errorf("part %q: at most %d bytes, and no NUL", n, hal.MaxPartName)
		}
	}
	return nil
}

func putPart(b []byte, p *hal.Part) {
	b[0], b[1] = byte(p.Kind), byte(p.Role)
	binary.LittleEndian.PutUint16(b[2:], uint16(p.Flags))
	for i, v := range [...]int32{p.A, p.B, p.C, p.D} {
		binary.LittleEndian.PutUint32(b[4+4*i:], uint32(v))
	}
	copy(b[20:partSize-1], p.Name)
}

func getPart(b []byte) hal.Part {
	at := func(i int) int32 { return int32(binary.LittleEndian.Uint32(b[i:])) }
	name, _, _ := bytes.Cut(b[20:partSize], []byte{0}) // what is behind a NUL is seen when the table is encoded again
	return hal.Part{Kind: hal.PartKind(b[0]), Role: hal.PartRole(b[1]), Flags: hal.PartFlags(binary.LittleEndian.Uint16(b[2:])),
		A: at(4), B: at(8), C: at(12), D: at(16), Name: string(name)}
}

// partsOf returns the parts of a device; none for one that is not made of parts.
func (t *Table) partsOf(d Device) (Parts, error) {
	if d.Kind != DeviceParts {
		return nil, nil
	}
	first, count := int(d.Chip), int64(d.Line)
	if d.Flags != 0 || d.Arg != 0 || count == 0 || int64(first)+count > int64(len(t.Parts)) {
		return nil, fmt.Errorf("%d parts from %d on, flags %d, argument %d: the table has %d parts, and wants no more of a device", count, first, d.Flags, d.Arg, len(t.Parts))
	}
	return t.Parts[first : first+int(count)], nil
}
