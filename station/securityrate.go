package station

import (
	"slices"
	"strconv"
	"time"
)

// rateCeiling is the longest time for which events of a kind are counted before their number is told.
const rateCeiling = time.Hour

// rate bounds how often events of one kind are told and kept, so that nobody who can provoke them fills the log, wears the
// flash or keeps the line busy. What is not told one by one is counted.
type rate struct {
	window time.Duration // of counting now
	last   time.Time     // when one was told last, monotonic; zero: none was
	spent  int           // told one by one since the kind was quiet
	told   []string      // their infos, at most burst
	more   int           // counted since last
	info   string        // of the newest of these
}

// admit says whether an event is told now.
func (r *rate) admit(k *securityKind, now time.Time, info string) bool {
	if r.more == 0 && (r.last.IsZero() || now.Sub(r.last) >= r.window) { // it was quiet
		if now.Sub(r.last) >= 2*r.window {
			r.window = k.every
		}
		r.spent, r.told = 0, r.told[:0]
	}
	if r.spent >= k.burst || !k.each && slices.Contains(r.told, info) {
		r.more++
		r.info = info
		return false
	}
	r.spent++
	r.told = append(r.told, info)
	r.last = now
	return true
}

// due is when what was counted is told; zero for never.
func (r *rate) due() time.Time {
	if r.more == 0 {
		return time.Time{}
	}
	return r.last.Add(r.window)
}

// settle tells what was counted, as the text of one event, and counts on for longer.
func (r *rate) settle(k *securityKind, now time.Time) string {
	info := cutText("repeated "+strconv.Itoa(r.more)+" times: "+r.info, maxTechInfo)
	r.told = append(r.told[:0], r.info)
	r.spent = max(k.burst-1, 1) // one of another kind has its turn
	r.more, r.info, r.last = 0, "", now
	r.window = max(k.every, min(2*r.window, rateCeiling))
	return info
}

// securityTimers tells what was counted for long enough.
func (s *Station) securityTimers() {
	for i := range s.security.rates {
		if r := &s.security.rates[i]; s.due(r.due()) {
			s.tellSecurity(&securityKinds[i], r.settle(&securityKinds[i], s.now))
		}
	}
}

func (s *Station) securityDeadline() (d time.Time) {
	for i := range s.security.rates {
		d = earliest(d, s.security.rates[i].due())
	}
	return d
}
