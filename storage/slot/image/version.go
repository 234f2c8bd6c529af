package image

import (
	"fmt"
	"strconv"
	"strings"
)

// Version is a semantic version (semver 2.0.0) without build metadata, which has no order.
type Version struct {
	Major, Minor, Patch uint32
	Pre                 string // of 1.2.3-rc.1: rc.1; "" is a release
}

// ParseVersion reads a version such as 1.2.3 or 1.2.3-rc.1.
func ParseVersion(s string) (Version, error) {
	var v Version
	core, pre, tagged := strings.Cut(s, "-")
	parts := strings.Split(core, ".")
	if len(s) > maxWord || len(parts) != 3 || tagged && !preRelease(pre) {
		return v, fmt.Errorf("%.80q: want a version such as 1.2.3 or 1.2.3-rc.1", s)
	}
	for i, to := range []*uint32{&v.Major, &v.Minor, &v.Patch} {
		n, err := number(parts[i])
		if err != nil {
			return Version{}, fmt.Errorf("%.80q: want a version such as 1.2.3 or 1.2.3-rc.1", s)
		}
		*to = n
	}
	v.Pre = pre
	return v, nil
}

func number(s string) (uint32, error) {
	if len(s) > 1 && s[0] == '0' || s == "" || s[0] == '+' || s[0] == '-' {
		return 0, strconv.ErrSyntax
	}
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err
}

func preRelease(s string) bool {
	for _, id := range strings.Split(s, ".") {
		if id == "" || digits(id) && len(id) > 1 && id[0] == '0' {
			return false
		}
		for _, c := range []byte(id) {
			if !alnum(c) && c != '-' {
				return false
			}
		}
	}
	return true
}

func digits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}

func (v Version) String() string {
	s := fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch)
	if v.Pre != "" {
		s += "-" + v.Pre
	}
	return s
}

// Compare is negative when v is older than w, and positive when it is newer.
func (v Version) Compare(w Version) int {
	for _, d := range [][2]uint32{{v.Major, w.Major}, {v.Minor, w.Minor}, {v.Patch, w.Patch}} {
		if d[0] != d[1] {
			return order(d[0] < d[1])
		}
	}
	return comparePre(v.Pre, w.Pre)
}

func order(less bool) int {
	if less {
		return -1
	}
	return 1
}

// comparePre has the order of semver 11: a release is newer than what came before it, numbers are older than words.
func comparePre(a, b string) int {
	switch {
	case a == b:
		return 0
	case a == "" || b == "":
		return order(a != "")
	}
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return order(lessIdentifier(x[i], y[i]))
		}
	}
	return order(len(x) < len(y))
}

func lessIdentifier(a, b string) bool {
	switch x, y := digits(a), digits(b); {
	case x && y:
		return len(a) < len(b) || len(a) == len(b) && a < b
	case x != y:
		return x
	}
	return a < b
}
