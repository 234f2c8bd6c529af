package station

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evsed/evsed/station/model"
)

// maxMessageTimeout keeps a network profile from making the station wait for ever.
const maxMessageTimeout = 10 * time.Minute

// setNetworkProfile (B09).
func (s *Station) setNetworkProfile(r SetNetworkProfile) Status {
	if reason, info := s.checkProfile(r); reason != "" {
		return rejected(reason, info)
	}
	s.storeProfile(r.Slot, r.Profile)
	s.securityEvent(ReconfigurationOfSecurityParameters, fmt.Sprintf("network profile of slot %d", r.Slot))
	s.command(Reconfigure{})
	return accepted()
}

// checkProfile says why a profile cannot be used (B09.FR.02), as reasonCode and text.
func (s *Station) checkProfile(r SetNetworkProfile) (reason, info string) {
	p := r.Profile
	u, err := parseURL(p.URL)
	switch {
	case !slices.Contains(s.cfg.Slots, r.Slot):
		return "InvalidConfSlot", fmt.Sprintf("configurationSlot %d: slots are %v", r.Slot, s.cfg.Slots) // B09.FR.05
	case err != "":
		return "InvalidURL", err
	case p.Transport == "SOAP":
		return "UnsupportedParam", "ocppTransport SOAP: the station would need an address of its own, which only a fitter can give"
	case strings.HasPrefix(u, "http"):
		return "InvalidURL", "scheme must be ws or wss"
	case p.Transport != "" && p.Transport != "JSON":
		return "UnsupportedParam", "ocppTransport " + p.Transport
	case p.HasAPN, p.HasVPN:
		return "UnsupportedParam", "apn and vpn are the operating system's business"
	case p.SecurityProfile < 0 || p.SecurityProfile > securityMutual:
		return "InvalidValue", "securityProfile"
	case p.SecurityProfile < s.leastProfile(s.securityLevel()): // B09.FR.04, B09.FR.31
		return s.unready(p)
	case (u == "wss") != (p.SecurityProfile >= securityTLS):
		return "InvalidURL", "security profiles 2 and 3 use wss, those below use ws"
	case p.MessageTimeout <= 0 || p.MessageTimeout > maxMessageTimeout:
		return "ValueOutOfRange", "messageTimeout"
	case slices.Contains(s.NetworkPriority(), r.Slot): // it may be dialled next: what it needs has to be there
		return s.unready(p)
	}
	return "", ""
}

// maxURL is the longest CSMS address in bytes (NetworkConnectionProfileType.ocppCsmsUrl in OCPP 2.1).
const maxURL = 2000

// schemes are those of a CSMS' address; http and https are for SOAP, which only a fitter can choose.
var schemes = [...]string{"ws", "wss", "http", "https"}

// parseURL checks a CSMS address, scheme://host[:port][/path], and returns its scheme, or what is wrong with it.
func parseURL(raw string) (scheme, wrong string) {
	scheme, rest, ok := strings.Cut(raw, "://")
	scheme = strings.ToLower(scheme)
	host, _, _ := strings.Cut(rest, "/")
	switch {
	case len(raw) > maxURL:
		return "", "longer than 2000 bytes"
	case !ok || !slices.Contains(schemes[:], scheme):
		return "", "scheme must be ws or wss"
	case strings.IndexFunc(raw, notInURL) >= 0 || !validHost(host):
		return "", "want ws://host[:port]/path"
	}
	return scheme, ""
}

// notInURL reports whether a character may not stand in a CSMS address: neither spaces and controls, nor what would make
// it carry credentials, a query or a fragment.
func notInURL(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("@?#\\\"<>^`{|}", r) }

// validHost checks host, host:port, [ipv6] and [ipv6]:port.
func validHost(s string) bool {
	name, port := s, ""
	hasPort := false
	if strings.HasPrefix(s, "[") {
		inner, rest, ok := strings.Cut(s[1:], "]")
		if !ok || rest != "" && rest[0] != ':' || strings.Trim(inner, "0123456789abcdefABCDEF:.%") != "" {
			return false
		}
		name, port, hasPort = inner, strings.TrimPrefix(rest, ":"), rest != ""
	} else {
		name, port, hasPort = strings.Cut(s, ":")
		if strings.ContainsAny(name, "[]") {
			return false
		}
	}
	if n, err := strconv.ParseUint(port, 10, 16); hasPort && (err != nil || n == 0) {
		return false
	}
	return name != ""
}

func (s *Station) storeProfile(slot int, p NetworkProfile) {
	s.profiles[slot] = p
	s.record(BucketNetwork, strconv.Itoa(slot), appendJSON(nil, p))
	s.out.MustSync = true
}

func (s *Station) restoreProfile(key string, value []byte) error {
	switch key {
	case workedKey:
		return s.restoreWorked(value)
	case raiseKey:
		return s.restoreTrial(value)
	}
	slot, err := strconv.Atoi(key)
	if err != nil {
		return fmt.Errorf("network profile slot %q: %w", key, err)
	}
	var p NetworkProfile
	if err := json.Unmarshal(value, &p); err != nil {
		return fmt.Errorf("network profile %d: %w", slot, err)
	}
	s.profiles[slot] = p
	return nil
}

// NetworkPriority returns the installed slots in the order in which they shall be tried (NetworkConfigurationPriority).
func (s *Station) NetworkPriority() []int {
	var slots []int
	for _, w := range s.model.List(model.NetworkConfigurationPriority) {
		if n, err := strconv.Atoi(w); err == nil {
			if _, ok := s.profiles[n]; ok {
				slots = append(slots, n)
			}
		}
	}
	return slots
}

// NetworkProfile returns the profile in a slot.
func (s *Station) NetworkProfile(slot int) (NetworkProfile, bool) {
	p, ok := s.profiles[slot]
	return p, ok
}

// veto has the last word on a variable that the CSMS sets.
func (s *Station) veto(id model.ID, value string) model.Reason {
	if id != model.NetworkConfigurationPriority {
		return ""
	}
	return s.checkPriority(value)
}

// SeedProfile installs a network profile before Start, at first boot: as the fitter's seed has it.
func (s *Station) SeedProfile(slot int, p NetworkProfile) (Record, error) {
	if _, wrong := parseURL(p.URL); wrong != "" {
		return Record{}, fmt.Errorf("url %q: %s", p.URL, wrong)
	}
	if !slices.Contains(s.cfg.Slots, slot) {
		return Record{}, fmt.Errorf("slot %d: slots are %v", slot, s.cfg.Slots)
	}
	s.profiles[slot] = p
	return Record{Bucket: BucketNetwork, Key: strconv.Itoa(slot), Value: appendJSON(nil, p)}, nil
}
