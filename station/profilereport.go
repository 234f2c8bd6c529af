package station

import (
	"slices"

	"github.com/evsed/evsed/station/schedule"
)

// listing is an answer to GetChargingProfiles that goes out part by part: the next part leaves when the last was
// acknowledged. The parts are of when it was asked.
type listing struct {
	report ReportID // the part that waits for its acknowledgement
	parts  []ChargingProfiles
}

// Bounds of one part: profiles, and periods of all of them. A part of these is below 24 kB; a profile that has more
// periods goes alone.
const (
	partProfiles = 8
	partPeriods  = 300
)

// getChargingProfiles (K09).
func (s *Station) getChargingProfiles(id RequestID, r GetChargingProfiles) {
	sources := make([]schedule.Source, 0, len(r.Sources))
	for _, source := range r.Sources {
		sources = append(sources, schedule.Source(source))
	}
	found := s.charging.set.List(r.Filter.filter(), sources)
	switch {
	case len(found) == 0:
		s.answer(id, Status{Status: "NoProfiles"})
		return
	case len(s.charging.reports) >= maxReports:
		s.refuse(id, "InternalError", "too many reports under way")
		return
	}
	s.answer(id, accepted())
	s.charging.reports = append(s.charging.reports, listing{parts: partsOf(r.RequestID, found)})
	s.nextProfiles(len(s.charging.reports) - 1)
}

// partsOf groups profiles by place and source, as a message has one of each (K09.FR.01, K09.FR.02).
func partsOf(requestID int, found []schedule.Installed) []ChargingProfiles {
	var parts []ChargingProfiles
	periods := 0
	for i := range found {
		in := &found[i]
		n := 0
		for j := range in.Profile.Schedules {
			n += len(in.Profile.Schedules[j].Periods)
		}
		last := len(parts) - 1
		if last < 0 || parts[last].EVSE != in.EVSE || parts[last].Source != string(in.Source) ||
			len(parts[last].Profiles) >= partProfiles || periods+n > partPeriods {
			if last >= 0 {
				parts[last].More = true
			}
			parts = append(parts, ChargingProfiles{RequestID: requestID, EVSE: in.EVSE, Source: string(in.Source)})
			last, periods = last+1, 0
		}
		parts[last].Profiles = append(parts[last].Profiles, in.Profile.Clone())
		periods += n
	}
	return parts
}

// nextProfiles sends the next part, and forgets the listing with the last.
func (s *Station) nextProfiles(i int) {
	l := &s.charging.reports[i]
	l.report = s.report(Now, "", l.parts[0])
	s.early() // B02.FR.02: asked for by the CSMS
	if l.parts = l.parts[1:]; len(l.parts) == 0 {
		s.charging.reports = slices.Delete(s.charging.reports, i, i+1)
	}
}

// profilesTold goes on with a listing whose last part was acknowledged, and gives it up where it was not.
func (s *Station) profilesTold(id ReportID, ok bool) {
	i := slices.IndexFunc(s.charging.reports, func(l listing) bool { return l.report == id })
	switch {
	case i < 0:
	case ok:
		s.nextProfiles(i)
	default:
		s.charging.reports = slices.Delete(s.charging.reports, i, i+1)
	}
}
