package virtual

import (
	"strings"
	"time"

	"github.com/evsed/evsed/ocpp/link"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/model"
)

// linkConfig reads the link's settings from the device model, the network profiles and the certificates. Call it from the
// owner of s.
func linkConfig(s *station.Station, o *Options) link.Config {
	m := s.Model()
	c := link.Config{
		Identity: m.Text(model.Identity), ConnectionAttempts: m.Int(model.NetworkProfileConnectionAttempts),
		MessageAttempts: m.Int(model.MessageAttemptsTransactionEvent), AttemptInterval: max(m.Duration(model.MessageAttemptIntervalTransactionEvent), time.Millisecond),
		PingInterval: m.Duration(model.WebSocketPingInterval), BackOffMinimum: m.Duration(model.RetryBackOffWaitMinimum),
		BackOffRange: m.Duration(model.RetryBackOffRandomRange), BackOffRepeat: m.Int(model.RetryBackOffRepeatTimes),
		MessageTimeout: defaultMessageTimeout, Quirks: link.ParseQuirks(m.List(model.CSMSQuirks)),
		Level: s.LeastSecurity(), Trust: trustOf(s, o.Keys), Clock: trustClock(s, o.Built),
	}
	for _, slot := range s.NetworkPriority() {
		p, _ := s.NetworkProfile(slot)
		if len(p.Versions) == 0 && !overHTTP(p.URL) { // the last one that worked offers all, whatever was set since
			p.Versions = m.List(model.OfferedVersions)
		}
		c.Profiles = append(c.Profiles, linkProfile(m, slot, p))
	}
	return c
}

// overHTTP tells whether an address is that of a CSMS over SOAP, to which nothing is offered.
func overHTTP(url string) bool { return strings.HasPrefix(strings.ToLower(url), "http") }

func linkProfile(m *model.Model, slot int, p station.NetworkProfile) link.Profile {
	if p.SecurityProfile >= 1 && p.Password == "" {
		p.Password = m.Text(model.BasicAuthPassword)
	}
	return link.Profile{Slot: slot, NetworkProfile: p}
}

// lastProfile is that of the last connection that worked; nil for none.
func lastProfile(s *station.Station) *link.Profile {
	slot, p, ok := s.WorkedNetwork()
	if !ok {
		return nil
	}
	last := linkProfile(s.Model(), slot, p)
	return &last
}

// defaultMessageTimeout serves a profile without one.
const defaultMessageTimeout = 30 * time.Second
