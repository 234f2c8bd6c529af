package limit

import (
	"strconv"
	"time"

	"github.com/evsed/evsed/hal/unit"
)

// Row is one line of the table that says why the limit is what it is.
type Row struct {
	Owner  Owner
	Claim  Claim
	Counts Value // Claim.Value, or FailSafe if Silent
	Silent bool
	Wins   bool // it is what limits the current
	Phases bool // it is what limits the number of phases
}

// Why appends a row for each claim that stands now, in the order of the owners.
func (a *Arbiter) Why(now time.Time, dst []Row) []Row {
	v, _ := a.Limit(now)
	for o := Board; o < Owners; o++ {
		s := &a.slots[o]
		if !s.standing {
			continue
		}
		r := Row{Owner: o, Claim: s.Claim, Wins: o == v.Owner, Phases: v.Phases != 0 && o == v.PhasesOwner}
		r.Counts, r.Silent = s.value(now)
		dst = append(dst, r)
	}
	return dst
}

// String says the row in a line: "> EMS 10 A, 1 phase: surplus (silent)". The mark is of what limits.
func (r Row) String() string {
	b := []byte("  ")
	if r.Wins || r.Phases {
		b[0] = '>'
	}
	b = append(b, r.Owner.String()...)
	b = append(b, ' ')
	b = append(b, r.Counts.String()...)
	b = append(b, ": "...)
	b = append(b, r.Claim.Reason...)
	if r.Silent {
		b = append(b, " (silent)"...)
	}
	return string(b)
}

// String returns "16 A", "16 A, 1 phase" or "any current, 1 phase".
func (v Value) String() string {
	s := v.Max.String()
	if v.Max == Unlimited {
		s = "any current"
	}
	switch v.Phases {
	case 0:
		return s
	case 1:
		return s + ", 1 phase"
	}
	return s + ", " + strconv.Itoa(int(v.Phases)) + " phases"
}

// Share divides what several EVSEs may draw together among those that want current, so that no sum is above total: all
// the same, none more than it wants, and none less than least, below which a car does not charge. If there is not enough
// for that, the last of them get nothing. want is in order of precedence; got is written, and as long.
func Share(total, least unit.Current, want, got []unit.Current) {
	n := 0 // how many get something
	for i := range want {
		got[i] = 0
		if want[i] >= least && want[i] > 0 && unit.Current(n+1)*least <= total {
			got[i] = least
			n++
		}
	}
	rest := total - unit.Current(n)*least
	for open := n; open > 0 && rest > 0; {
		each := rest / unit.Current(open)
		if each == 0 {
			return // less than a milliampere for each
		}
		open = 0
		for i := range want {
			if got[i] == 0 || got[i] == want[i] {
				continue
			}
			more := min(each, want[i]-got[i])
			got[i] += more
			rest -= more
			if got[i] < want[i] {
				open++
			}
		}
	}
}
