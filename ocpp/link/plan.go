package link

import "time"

// plan says which network profile is tried next, and after how long.
//
// Profiles are tried in their order of priority, each NetworkProfileConnectionAttempts times (B10.FR.03). When all have
// failed the one on which a CALL was last answered is tried (B10.FR.07), as it was then, and after as many attempts the
// list begins again: no profile that may work one day is left out for ever. The wait grows as part 4 (5.3) says,
// whichever profile is tried, and begins anew only when a CALL was answered: a connection that opens and dies is a
// failed attempt.
type plan struct {
	cfg     Config
	at      int // index into cfg.Profiles; len means: the last good one
	tries   int // failed attempts with this entry
	last    *Profile
	wait    time.Duration
	doubled int
	jitter  func(time.Duration) time.Duration
}

// configure takes a new configuration and stays with the slot that was being tried, if it is still there.
func (p *plan) configure(c Config) {
	slot, had := p.slot()
	raised := rises(p.cfg.Profiles, c.Profiles)
	p.cfg = c
	p.at = 0
	if raised {
		p.tries = 0
		return
	}
	for i, pr := range c.Profiles {
		if had && pr.Slot == slot {
			p.at = i
			return
		}
	}
	p.tries = 0
}

// rises tells whether a new order begins with a profile of higher security than the old one did: it is tried before the one
// in use (A05.FR.06 of the 1.6 whitepaper).
func rises(old, now []Profile) bool {
	return len(old) > 0 && len(now) > 0 && now[0].SecurityProfile > old[0].SecurityProfile
}

func (p *plan) slot() (int, bool) {
	pr, ok := p.profile()
	return pr.Slot, ok
}

// profile returns the profile to try; false: there is none.
func (p *plan) profile() (Profile, bool) {
	if p.at < len(p.cfg.Profiles) {
		return p.cfg.Profiles[p.at], true
	}
	if p.fallback() {
		return *p.last, true
	}
	return Profile{}, false
}

// fallback tells whether the last good profile may be tried: never one below the level, which has risen with what worked.
func (p *plan) fallback() bool {
	return p.last != nil && len(p.cfg.Profiles) > 0 && p.last.SecurityProfile >= p.cfg.Level
}

// worked tells that a CALL was answered over pr.
func (p *plan) worked(pr Profile) {
	p.last = &pr
	p.tries, p.wait, p.doubled = 0, 0, 0
}

// failed tells that an attempt came to nothing, and returns the wait before the next one.
func (p *plan) failed() time.Duration {
	attempts := p.cfg.ConnectionAttempts
	if attempts < 1 {
		attempts = DefaultConnectionAttempts
	}
	if p.tries++; p.tries >= attempts {
		p.advance()
	}
	return p.backOff()
}

// unusable tells that the profile cannot be tried at all, and returns the wait before the next one.
func (p *plan) unusable() time.Duration {
	p.advance()
	return p.backOff()
}

// lost tells that a connection that had worked is gone, and returns the wait before the next attempt.
func (p *plan) lost() time.Duration {
	p.tries, p.wait, p.doubled = 0, 0, 0
	return p.backOff()
}

func (p *plan) advance() {
	p.tries = 0
	p.at++
	if p.at > len(p.cfg.Profiles) || p.at == len(p.cfg.Profiles) && !p.fallback() {
		p.at = 0
	}
}

// backOff returns the next wait: first RetryBackOffWaitMinimum, then twice the one before, RetryBackOffRepeatTimes
// often; each time with a random part of at most RetryBackOffRandomRange (part 4, 5.3).
func (p *plan) backOff() time.Duration {
	switch {
	case p.wait == 0:
		p.wait = min(p.cfg.BackOffMinimum, MaxBackOff) + p.random()
	case p.doubled < p.cfg.BackOffRepeat:
		p.doubled++
		p.wait = 2*p.wait + p.random()
	}
	p.wait = min(max(p.wait, MinBackOff), MaxBackOff)
	return p.wait
}

func (p *plan) random() time.Duration {
	span := min(p.cfg.BackOffRange, MaxBackOff)
	if span <= 0 {
		return 0
	}
	return min(max(p.jitter(span), 0), span)
}
