package rpc

// Raw is the text of one JSON value that the schemas leave open: customData and the data of DataTransfer.
// "" is absent.
type Raw string

const maxVendorID = 255 // characters

// CustomData pulls an open object that must name its vendor (part 4, chapter "CustomData Extension") and
// returns its text, at most MaxCustomData bytes. Kept as text: only who knows the vendor can read more of it.
func (b *Body) CustomData() Raw {
	if b.peek() != '{' {
		b.wrong("an object")
		return ""
	}
	from := b.pos
	b.enter()
	vendor := false
	for first := true; !b.bad; first = false {
		switch c := b.peek(); {
		case c == '}':
			if !vendor {
				b.fail(OccurrenceConstraintViolation, b.pos, "required member missing")
				b.missing = "vendorId"
				return ""
			}
			b.pos++
			b.depth--
			if b.pos-from > MaxCustomData {
				b.failN(PropertyConstraintViolation, from, "bytes above ", MaxCustomData)
				return ""
			}
			return Raw(b.s[from:b.pos])
		case first:
		case c == ',':
			b.pos++
		default:
			b.fail(FormatViolation, b.pos, "want , or }")
			return ""
		}
		vendor = b.customMember(vendor)
	}
	return ""
}

// customMember steps over one member and tells whether the vendor is known by now.
func (b *Body) customMember(vendor bool) bool {
	if b.key() != "vendorId" {
		b.skip()
		return vendor
	}
	if vendor {
		b.fail(FormatViolation, b.pos, "member given twice")
		return true
	}
	b.Str(maxVendorID)
	return true
}
