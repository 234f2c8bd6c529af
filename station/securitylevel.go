package station

import (
	"slices"
	"strconv"
	"strings"

	"github.com/evsed/evsed/station/cert"
	"github.com/evsed/evsed/station/model"
)

// The station uses one security profile at a time (A00.FR.001) and never goes back to a lower one that has not to: the level
// is that of the last connection on which the CSMS answered, which is kept (lastnetwork.go). A higher profile is tried
// first and falls back to the one before until it has worked; from then on what is lower is gone (A05.FR.06).

// Security profiles.
const (
	securityPassword = 1 // a password in the clear
	securityTLS      = 2 // TLS and a password
	securityMutual   = 3 // TLS and certificates of both
)

// raiseKey is the key of a profile that is on trial, among the network profiles.
const raiseKey = "raise"

// securityLevel is the security profile in use, or before there is a connection the last one that worked.
func (s *Station) securityLevel() int { return max(s.secured(), s.profile) }

func (s *Station) secured() int {
	if s.worked == nil {
		return 0
	}
	return s.worked.Profile.SecurityProfile
}

// leastProfile is the lowest security profile that may still be used (A00.FR.005): the one in use; 2 instead of 3 where the
// fitter or the CSMS has allowed it.
func (s *Station) leastProfile(level int) int {
	if level == securityMutual && s.model.Bool(model.AllowSecurityProfileDowngrade) {
		return securityTLS
	}
	return level
}

// LeastSecurity returns the lowest security profile that may be dialled. For the owner of the core, after a Reconfigure.
func (s *Station) LeastSecurity() int { return s.leastProfile(s.secured()) }

// unready says what a network profile lacks to be used, as reasonCode and text (A05.FR.02, A05.FR.03).
func (s *Station) unready(p NetworkProfile) (reason, info string) {
	switch {
	case p.SecurityProfile < s.leastProfile(s.securityLevel()): // A05.FR.09, A05.FR.10, B09.FR.04, B09.FR.31
		return "NoSecurityDowngrade", "a lower security profile than the one in use"
	case p.SecurityProfile >= securityTLS && len(s.Roots(cert.CSMSRootCertificate)) == 0:
		return "InvalidNetworkConf", "no CSMSRootCertificate is installed"
	}
	if _, _, ok := s.OwnChain(cert.ChargingStationCertificate); p.SecurityProfile == securityMutual && !ok {
		return "InvalidNetworkConf", "no ChargingStationCertificate is installed"
	}
	return "", ""
}

// checkPriority has the last word on a new NetworkConfigurationPriority: every slot holds a profile that could be used.
func (s *Station) checkPriority(value string) model.Reason {
	for w := range strings.SplitSeq(value, ",") { // B10.FR.02
		n, err := strconv.Atoi(strings.TrimSpace(w))
		if err != nil {
			return model.ReasonInvalidValue
		}
		p, ok := s.profiles[n]
		if !ok {
			return model.ReasonInvalidValue
		}
		if reason, _ := s.unready(p); reason != "" {
			return model.Reason(reason)
		}
	}
	return ""
}

// tryHigher dials anew where a new order begins with a higher security profile than that in use: it does not wait for a
// reboot, which a CSMS that reads Accepted may not order.
func (s *Station) tryHigher() {
	if order := s.NetworkPriority(); s.boot.linked && len(order) > 0 && s.profiles[order[0]].SecurityProfile > s.profile {
		s.command(Reconnect{})
	}
}

// levelReached takes what a connection on which the CSMS has answered proves: what is lower is removed (A05.FR.06), and a
// profile on trial that it was not is given up.
func (s *Station) levelReached(before *workedNetwork) {
	s.endTrial()
	if s.dialled == nil {
		return
	}
	level := s.secured()
	if before != nil && level != before.Profile.SecurityProfile {
		s.securityEvent(ReconfigurationOfSecurityParameters, "SecurityProfile "+strconv.Itoa(level))
	}
	least := s.leastProfile(level)
	for slot := range s.sortedSlots() {
		if s.profiles[slot].SecurityProfile < least && slot != s.slot {
			s.removeProfile(slot)
		}
	}
}

// sortedSlots yields the slots that hold a profile, in order.
func (s *Station) sortedSlots() func(func(int) bool) {
	return func(yield func(int) bool) {
		for _, slot := range s.cfg.Slots {
			if _, ok := s.profiles[slot]; ok && !yield(slot) {
				return
			}
		}
	}
}

// removeProfile empties a slot and takes it out of the order.
func (s *Station) removeProfile(slot int) {
	delete(s.profiles, slot)
	s.record(BucketNetwork, strconv.Itoa(slot), nil)
	s.out.MustSync = true
	order := slices.DeleteFunc(s.model.List(model.NetworkConfigurationPriority), func(w string) bool { return w == strconv.Itoa(slot) })
	if len(order) > 0 {
		s.put(model.NetworkConfigurationPriority, strings.Join(order, ","))
	}
}

// raiseSecurity is how 1.6 raises the security profile (whitepaper, A05): the profile in use is copied into a free slot with
// the higher security, which is tried at once and stays if it works.
func (s *Station) raiseSecurity(r RaiseSecurity) Status {
	p, ok := s.profiles[s.slot]
	switch {
	case r.Profile <= s.securityLevel() || r.Profile > securityMutual: // A05.FR.01
		return rejected("NoSecurityDowngrade", "SecurityProfile can only be raised, to 3 at most")
	case !ok:
		return rejected("NotFound", "the connection is of no network profile that is still there")
	case s.raising != 0:
		return rejected("InvalidMessageSeq", "a higher security profile is being tried")
	}
	p.SecurityProfile = r.Profile
	p.URL, p.Callback = secureURL(p.URL, r.Profile), secureURL(p.Callback, r.Profile)
	if reason, info := s.unready(p); reason != "" { // A05.FR.03, A05.FR.04
		return rejected(reason, info)
	}
	if r.Profile < securityMutual && p.Password == "" && s.model.Text(model.BasicAuthPassword) == "" { // A05.FR.02
		return rejected("InvalidNetworkConf", "no AuthorizationKey is set")
	}
	free := slices.IndexFunc(s.cfg.Slots, func(n int) bool { _, taken := s.profiles[n]; return !taken })
	if free < 0 {
		return rejected("OutOfStorage", "no free slot for a network profile")
	}
	slot := s.cfg.Slots[free]
	s.storeProfile(slot, p)
	s.raising = slot
	s.record(BucketNetwork, raiseKey, []byte(strconv.Itoa(slot)))
	s.put(model.NetworkConfigurationPriority, strconv.Itoa(slot)+","+s.model.Text(model.NetworkConfigurationPriority)) // tryHigher: A05.FR.06, A05.FR.07
	return accepted()
}

// secureURL has the scheme of the address that a security profile needs.
func secureURL(url string, profile int) string {
	scheme, rest, ok := strings.Cut(url, "://")
	if !ok || profile < securityTLS {
		return url
	}
	switch strings.ToLower(scheme) {
	case "ws":
		scheme = "wss"
	case "http":
		scheme = "https"
	}
	return scheme + "://" + rest
}

// endTrial ends the trial of a higher profile, which has worked or not: if another connection has come first it has not
// (whitepaper, A05.FR.08).
func (s *Station) endTrial() {
	if s.raising == 0 {
		return
	}
	slot := s.raising
	s.raising = 0
	s.record(BucketNetwork, raiseKey, nil)
	if slot != s.slot {
		s.removeProfile(slot)
	}
}

func (s *Station) restoreTrial(value []byte) error {
	if len(value) == 0 {
		return nil
	}
	n, err := strconv.Atoi(string(value))
	s.raising = n
	return err
}
