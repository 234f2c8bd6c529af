package soap

import (
	"strconv"
	"strings"

	"github.com/evsed/evsed/ocpp/rpc"
)

// object appends the JSON object that the element which was opened says, and closes the element. Elements may come in any
// order: what they say does not depend on it.
func (r *reader) object(dst []byte, svc *service, of uint8) []byte {
	fields := shapes[of]
	var members [maxFields][]byte
	if len(fields) > 0 && fields[0].set&content != 0 {
		r.withAttributes(fields, &members)
	} else {
		r.attributes(nil, nil)
		for r.child() {
			r.member(svc, fields, &members)
		}
	}
	dst = add(dst, "{")
	sep := `"`
	for i, f := range fields {
		if members[i] == nil {
			if f.set&required != 0 {
				r.fail(f.name + " is missing")
			}
			continue
		}
		dst = append(add(dst, sep, f.name, `":`), members[i]...)
		if f.set&many != 0 {
			dst = add(dst, "]")
		}
		sep = `,"`
	}
	return add(dst, "}")
}

// member reads a child element.
func (r *reader) member(svc *service, fields []field, members *[maxFields][]byte) {
	if r.space.service() != svc {
		r.fail("element " + quote(r.local) + " of name space " + quote(r.uri) + "; want " + svc.namespace())
		return
	}
	i := 0
	for i < len(fields) && fields[i].name != r.local {
		i++
	}
	if i == len(fields) {
		r.fail("unknown element " + quote(r.local))
		return
	}
	f := fields[i]
	if r.flag(spaceXSI, "nil") {
		if text := r.leaf(); strings.Trim(text, whitespace) != "" {
			r.fail(f.name + " is nil and is not")
		}
		return
	}
	m := members[i]
	switch {
	case f.set&many == 0 && m != nil:
		r.fail(f.name + " given twice")
		return
	case f.set&many != 0 && m == nil:
		m = add(m, "[")
	case f.set&many != 0:
		m = add(m, ",")
	}
	if f.kind == object {
		m = r.object(m, svc, f.of)
	} else {
		r.attributes(nil, nil)
		m = r.scalar(m, f, r.leaf())
	}
	members[i] = m
}

// withAttributes reads text with attributes.
func (r *reader) withAttributes(fields []field, members *[maxFields][]byte) {
	r.attributes(fields, members)
	members[0] = r.scalar(nil, fields[0], r.leaf())
}

// attributes reads the attributes of the element that was opened. Those of other name spaces say nothing about OCPP.
func (r *reader) attributes(fields []field, members *[maxFields][]byte) {
	for _, a := range r.attrs {
		if a.space != spaceNone {
			continue
		}
		i := 0
		for i < len(fields) && (fields[i].set&attribute == 0 || fields[i].name != a.local) {
			i++
		}
		if i == len(fields) {
			r.fail("unknown attribute " + quote(a.local) + " of " + quote(r.local))
			return
		}
		members[i] = r.scalar(nil, fields[i], a.value)
	}
}

// scalar appends a value as JSON.
func (r *reader) scalar(dst []byte, f field, s string) []byte {
	if f.kind != text { // white space around a number means nothing in XML Schema
		s = strings.Trim(s, whitespace)
	}
	switch f.kind {
	case integer:
		v, err := strconv.ParseInt(s, 10, 32)
		if err != nil {
			r.fail(f.name + " is no integer of 32 bits")
		}
		return strconv.AppendInt(dst, v, 10)
	case decimal:
		d, ok := plainDecimal(s)
		if !ok {
			r.fail(f.name + " is no decimal")
		}
		return d.Append(dst)
	case boolean:
		if s != "true" && s != "1" && s != "false" && s != "0" {
			r.fail(f.name + " is no boolean")
		}
		return strconv.AppendBool(dst, s == "true" || s == "1")
	case instant:
		return rpc.AppendString(dst, zoned(s))
	}
	return rpc.AppendString(dst, s)
}

// plainDecimal reads a decimal of XML Schema, which unlike JSON's may have a plus, no digit on one side of its point, and
// zeros in front, but no exponent.
func plainDecimal(s string) (rpc.Decimal, bool) {
	digits, minus := strings.CutPrefix(s, "-")
	if !minus {
		digits = strings.TrimPrefix(s, "+")
	}
	whole, fraction, _ := strings.Cut(digits, ".")
	if whole+fraction == "" || strings.Trim(whole+fraction, "0123456789") != "" {
		return rpc.Decimal{}, false
	}
	plain := strings.TrimLeft(whole, "0")
	if plain == "" {
		plain = "0"
	}
	if fraction != "" {
		plain += "." + fraction
	}
	if minus {
		plain = "-" + plain
	}
	d, err := rpc.ParseDecimal(plain)
	return d, err == nil
}

// zoned returns a date-time with its offset. XML Schema lets it be missing; OCPP wants UTC then (OCPP 1.6, 3.14).
func zoned(s string) string {
	const local = len("2006-01-02T15:04:05")
	if len(s) >= local && strings.Trim(s[local:], ".0123456789") == "" {
		return s + "Z"
	}
	return s
}
