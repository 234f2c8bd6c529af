package transfer

import (
	"strconv"
	"strings"
)

// contentRange says which part of a file an answer is (RFC 9110, 14.4).
type contentRange struct {
	any         bool  // false: none ("*"), and the length alone is told
	first, last int64 // both are sent
	total       int64 // -1: unknown
}

// parseContentRange reads the value of a Content-Range header. ok is false for what does not say a part that can be.
func parseContentRange(s string) (r contentRange, ok bool) {
	unit, s, _ := strings.Cut(s, " ")
	part, total, found := strings.Cut(s, "/")
	if !strings.EqualFold(unit, "bytes") || !found {
		return r, false
	}
	r.total = -1
	if total != "*" {
		if r.total, ok = position(total); !ok {
			return contentRange{}, false
		}
	}
	if part == "*" {
		return r, r.total >= 0
	}
	first, last, _ := strings.Cut(part, "-")
	var begins, ends bool
	r.first, begins = position(first)
	r.last, ends = position(last)
	r.any = true
	if !begins || !ends || r.last < r.first || r.total >= 0 && r.last >= r.total {
		return contentRange{}, false
	}
	return r, true
}

// maxPosition leaves room to add one.
const maxPosition = 1 << 62

// position reads a decimal number without a sign.
func position(s string) (int64, bool) {
	n, err := strconv.ParseUint(s, 10, 64)
	return int64(min(n, maxPosition)), err == nil && n < maxPosition
}
