package schedule

import (
	"slices"

	"github.com/evsed/evsed/station/term"
)

// Filter names profiles: those that have everything that is given.
type Filter struct {
	IDs      []int // empty: not given
	HasEVSE  bool
	EVSE     term.EVSEID
	Purpose  Purpose // "": not given
	HasStack bool
	Stack    int
}

// Match reports whether in has everything that f gives.
func (f Filter) Match(in *Installed) bool {
	p := &in.Profile
	return (len(f.IDs) == 0 || slices.Contains(f.IDs, p.ID)) &&
		(!f.HasEVSE || in.EVSE == f.EVSE) &&
		(f.Purpose == "" || f.Purpose == p.Purpose) &&
		(!f.HasStack || f.Stack == p.StackLevel)
}

// Clear deletes the profiles that f names, but external constraints (K10.FR.03, .04, .08, .09), and returns their IDs,
// ascending; none is Unknown (K10.FR.01).
func (s *Set) Clear(f Filter) (removed []int) {
	for i := range s.list {
		if in := &s.list[i]; in.Profile.Purpose != PurposeExternal && f.Match(in) {
			removed = append(removed, in.Profile.ID)
		}
	}
	for _, id := range removed {
		s.Remove(id)
	}
	return removed
}

// List returns the profiles that f names and one of sources has set, all of them if it is empty, by EVSE, source and
// ID: those of one EVSE and source belong to one report (K09). What they hold is not to be changed.
func (s *Set) List(f Filter, sources []Source) []Installed {
	var out []Installed
	for i := range s.list {
		if in := &s.list[i]; f.Match(in) && (len(sources) == 0 || slices.Contains(sources, in.Source)) {
			out = append(out, *in)
		}
	}
	slices.SortStableFunc(out, func(a, b Installed) int {
		if a.EVSE != b.EVSE {
			return int(a.EVSE) - int(b.EVSE)
		}
		if a.Source != b.Source {
			if a.Source < b.Source {
				return -1
			}
			return 1
		}
		return 0
	})
	return out
}
