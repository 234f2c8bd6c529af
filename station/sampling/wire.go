package sampling

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/evsed/evsed/station/term"
)

// Versions that begin every encoding of meter values: with what meters signed behind the values, or without.
const (
	wirePlain  = 1
	wireSigned = 2
)

// Bounds of ParseBinary.
const (
	MaxMeterValues   = 4096 // meter values in one encoding
	maxSampledValues = 256  // sampled values in one of them
)

// ErrBinary says that bytes are no encoding of meter values.
var ErrBinary = errors.New("meter values: damaged encoding")

// AppendBinary appends the compact form of meter values, which ends itself. Times are kept in whole milliseconds.
//
// Layout: version; count; then per meter value the milliseconds since the one before (the first: since 1970), the
// number of sampled values shifted by one bit, and in that bit whether their kinds are those of the meter value
// before. If not, two bytes per sampled value give its kind. Then the values: as difference to the same place of the
// meter value before if the kinds are the same, else to the value before if that has the same measurand, else to
// zero. All numbers are varints. What was signed follows the values (appendSigned). It panics where a bound of
// ParseBinary is passed.
func AppendBinary(dst []byte, values []term.MeterValue) []byte {
	if len(values) > MaxMeterValues {
		panic("sampling: too many meter values")
	}
	signed := countSigned(values)
	if signed == 0 {
		dst = append(dst, wirePlain)
	} else {
		dst = append(dst, wireSigned)
	}
	dst = binary.AppendUvarint(dst, uint64(len(values)))
	var before term.MeterValue
	var ms int64
	for _, v := range values {
		if len(v.Sampled) > maxSampledValues {
			panic("sampling: too many sampled values")
		}
		at := v.At.UnixMilli()
		dst = binary.AppendVarint(dst, at-ms)
		same := sameKinds(before.Sampled, v.Sampled)
		n := uint64(len(v.Sampled)) << 1
		if same {
			n |= 1
		}
		dst = binary.AppendUvarint(dst, n)
		if !same {
			for _, s := range v.Sampled {
				dst = binary.LittleEndian.AppendUint16(dst, kind(s))
			}
		}
		for i := range v.Sampled {
			dst = binary.AppendVarint(dst, v.Sampled[i].Value-base(before.Sampled, v.Sampled, i, same))
		}
		before, ms = v, at
	}
	if signed > 0 {
		dst = appendSigned(dst, values, signed)
	}
	return dst
}

// ParseBinary reads what AppendBinary wrote from the front of data and returns what follows it. Times are UTC. An
// empty list comes back as nil.
func ParseBinary(data []byte) (values []term.MeterValue, rest []byte, err error) {
	if len(data) == 0 || data[0] != wirePlain && data[0] != wireSigned {
		return nil, data, ErrBinary
	}
	p := parser{b: data[1:]}
	count := p.uvarint()
	if count > MaxMeterValues || count*2 > uint64(len(p.b)) {
		return nil, data, ErrBinary
	}
	var before term.MeterValue
	var ms int64
	for range count {
		ms += p.varint()
		n := p.uvarint()
		sampled := p.sampled(before.Sampled, n>>1, n&1 == 1)
		if p.bad {
			return nil, data, ErrBinary
		}
		before = term.MeterValue{At: time.UnixMilli(ms).UTC(), Sampled: sampled}
		values = append(values, before)
	}
	if data[0] == wireSigned {
		p.signed(values)
	}
	if p.bad {
		return nil, data, ErrBinary
	}
	return values, p.b, nil
}

// kind packs all but the value: measurand 5 bits, phase 4, context 4, location 3.
func kind(s term.SampledValue) uint16 {
	return uint16(s.Measurand) | uint16(s.Phase)<<5 | uint16(s.Context)<<9 | uint16(s.Location)<<13
}

func sameKinds(a, b []term.SampledValue) bool {
	if len(a) != len(b) || len(a) == 0 {
		return false
	}
	for i := range a {
		if kind(a[i]) != kind(b[i]) {
			return false
		}
	}
	return true
}

// base is what the value at i of now is a difference to.
func base(before, now []term.SampledValue, i int, same bool) int64 {
	switch {
	case same:
		return before[i].Value
	case i > 0 && now[i-1].Measurand == now[i].Measurand:
		return now[i-1].Value
	}
	return 0
}

// parser takes numbers from the front of b; bad stays set once one was missing.
type parser struct {
	b   []byte
	bad bool
}

func (p *parser) uvarint() uint64 {
	v, n := binary.Uvarint(p.b)
	if n <= 0 {
		p.bad, p.b = true, nil
		return 0
	}
	p.b = p.b[n:]
	return v
}

func (p *parser) varint() int64 {
	v, n := binary.Varint(p.b)
	if n <= 0 {
		p.bad, p.b = true, nil
		return 0
	}
	p.b = p.b[n:]
	return v
}

// sampled reads n sampled values; same: their kinds are those of before.
func (p *parser) sampled(before []term.SampledValue, n uint64, same bool) []term.SampledValue {
	if n > maxSampledValues || n > uint64(len(p.b)) || same && (n == 0 || int(n) != len(before)) {
		p.bad = true
		return nil
	}
	if n == 0 {
		return nil
	}
	now := make([]term.SampledValue, n)
	if same {
		copy(now, before)
	} else {
		p.kinds(now)
	}
	for i := range now {
		now[i].Value = base(before, now, i, same) + p.varint()
	}
	return now
}

// kinds reads the kinds of all sampled values.
func (p *parser) kinds(now []term.SampledValue) {
	if len(p.b) < 2*len(now) {
		p.bad, p.b = true, nil
		return
	}
	for i := range now {
		k := binary.LittleEndian.Uint16(p.b[2*i:])
		s := term.SampledValue{
			Measurand: term.Measurand(k & 31), Phase: term.Phase(k >> 5 & 15),
			Context: term.ReadingContext(k >> 9 & 15), Location: term.Location(k >> 13),
		}
		if s.Measurand >= term.MeasurandCount || s.Phase > term.PhaseL3L1 || s.Context > term.InterruptionEnd ||
			s.Location > term.LocationBody {
			p.bad = true
			return
		}
		now[i] = s
	}
	p.b = p.b[2*len(now):]
}
