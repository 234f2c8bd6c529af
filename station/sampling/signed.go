package sampling

import (
	"encoding/binary"

	"github.com/evsed/evsed/station/term"
)

// Bounds of what a meter signed.
const (
	maxSigned = 1 << 16 // bytes of a record, and of a key
	maxMethod = 255     // bytes of a method's name
)

func countSigned(values []term.MeterValue) int {
	n := 0
	for i := range values {
		if values[i].Signed != nil {
			n++
		}
	}
	return n
}

// appendSigned appends how many of the values were signed, and for each of those its place, and its four parts with the length
// before each.
func appendSigned(dst []byte, values []term.MeterValue, count int) []byte {
	dst = binary.AppendUvarint(dst, uint64(count))
	for i := range values {
		r := values[i].Signed
		if r == nil {
			continue
		}
		if len(r.Data) > maxSigned || len(r.PublicKey) > maxSigned || len(r.SigningMethod) > maxMethod || len(r.EncodingMethod) > maxMethod {
			panic("sampling: too long a signed value")
		}
		dst = binary.AppendUvarint(dst, uint64(i))
		dst = append(binary.AppendUvarint(dst, uint64(len(r.Data))), r.Data...)
		dst = append(binary.AppendUvarint(dst, uint64(len(r.SigningMethod))), r.SigningMethod...)
		dst = append(binary.AppendUvarint(dst, uint64(len(r.EncodingMethod))), r.EncodingMethod...)
		dst = append(binary.AppendUvarint(dst, uint64(len(r.PublicKey))), r.PublicKey...)
	}
	return dst
}

// signed reads what appendSigned wrote into the values.
func (p *parser) signed(values []term.MeterValue) {
	count, next := p.uvarint(), uint64(0)
	if count == 0 || count > uint64(len(values)) {
		p.bad = true
	}
	for range count {
		i := p.uvarint()
		if p.bad || i < next || i >= uint64(len(values)) {
			p.bad = true
			return
		}
		next = i + 1
		values[i].Signed = &term.SignedMeterValue{Data: p.bytes(maxSigned), SigningMethod: string(p.bytes(maxMethod)),
			EncodingMethod: string(p.bytes(maxMethod)), PublicKey: p.bytes(maxSigned)}
	}
}

// bytes reads a part with its length before it, at most most bytes; nil where it is empty. It is a copy.
func (p *parser) bytes(most uint64) []byte {
	n := p.uvarint()
	if n > most || n > uint64(len(p.b)) {
		p.bad, p.b = true, nil
	}
	if p.bad || n == 0 {
		return nil
	}
	b := append([]byte(nil), p.b[:n]...)
	p.b = p.b[n:]
	return b
}
