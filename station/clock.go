package station

import (
	"strconv"
	"time"

	"github.com/evsed/evsed/station/model"
)

// clock turns the monotonic time of Step into wall time. Its offset is state of the core.
type clock struct {
	offset time.Duration
	known  bool // somebody who knows has set it since the start
}

// clockSlack is the difference to the CSMS's time below which the clock is left alone: network delay and a CSMS that tells whole
// seconds are no clock error, and a clock that steps back between two events is one.
const clockSlack = 1500 * time.Millisecond

// A CSMS whose time lies outside of these dates is wrong: before, there was no station of this kind, and long after the
// durations of this one end, at 292 years.
var (
	earliestTime = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	latestTime   = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

func (c *clock) at(mono time.Time) time.Time { return mono.Add(c.offset).UTC() }

func (c *clock) set(mono, wall time.Time) { c.offset = wall.Sub(mono) }

// timeFromCSMS uses the time in a BootNotification or Heartbeat response if the station is configured to (B01.FR.06, G02.FR.06).
func (s *Station) timeFromCSMS(wall time.Time) {
	if wall.IsZero() || !s.model.Has(model.TimeSource, "Heartbeat") {
		return
	}
	if wall.Before(earliestTime) || wall.After(latestTime) {
		s.badMessage(BadMessage{Info: "currentTime " + wall.UTC().Format(time.RFC3339)})
		return
	}
	s.boot.synced = s.now
	s.setClock(wall, "Heartbeat")
}

// setClock moves the wall clock. What is measured in durations does not notice; what is aligned to the wall clock is aligned anew.
func (s *Station) setClock(wall time.Time, source string) {
	diff := wall.Sub(s.wall())
	known := s.clock.known
	s.clock.known = true
	if !known || diff.Abs() >= clockSlack {
		defer s.tellTrustClock()
	}
	if diff.Abs() < clockSlack {
		return
	}
	s.clock.set(s.now, wall)
	s.startAligned()
	s.moveReady()
	if diff.Abs() > s.model.Duration(model.TimeAdjustmentReportingThreshold) {
		s.securityEvent(SettingSystemTime, source+" "+strconv.FormatInt(int64(diff/time.Second), 10)+" s")
	}
}
