package stationtest

import (
	"time"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// csms answers what the station reports.
type csms struct {
	boot      station.Registration
	interval  time.Duration
	mute      bool                                 // it hears and says nothing
	unsigning bool                                 // it rejects a SignCertificate
	deaf      bool                                 // it answers to nothing but BootNotification and Heartbeat
	refuse    map[string]int                       // how many reports of a kind it answers with an error
	tokens    map[string]term.TokenInfo            // what it knows of tokens; any other is accepted
	heard     map[term.TransactionID]map[int]event // every TransactionEvent that it heard
}

// event is a TransactionEvent as the CSMS heard it.
type event struct {
	body *station.TransactionEvent
	raw  string
}

func (c *csms) init() {
	c.boot, c.interval = station.RegistrationAccepted, 300*time.Second
	c.refuse, c.tokens = map[string]int{}, map[string]term.TokenInfo{}
	c.heard = map[term.TransactionID]map[int]event{}
}

// answer returns the reply to a report, nil for silence.
func (c *csms) answer(b *Bench, r station.Report) station.Reply {
	b.check.delivered(b, r)
	if c.mute {
		return nil
	}
	if n := c.refuse[kindOf(r.Body)]; n > 0 {
		c.refuse[kindOf(r.Body)]--
		return station.Refused{Code: "InternalError", Description: "as told"}
	}
	switch body := r.Body.(type) {
	case station.BootNotification:
		return station.BootReply{Status: c.boot, Now: b.wall(), Interval: c.interval}
	case station.Heartbeat:
		return station.HeartbeatReply{Now: b.wall()}
	case station.SignCertificate:
		b.pki.pending = body.CSR
		return station.SignReply{Accepted: !c.unsigning}
	case station.Authorize:
		if c.deaf {
			return nil
		}
		return station.TokenReply{Has: true, Info: c.info(body.Token)}
	case *station.TransactionEvent:
		if body.Token.IsZero() {
			return station.TokenReply{}
		}
		return station.TokenReply{Has: true, Info: c.info(body.Token)}
	}
	return station.Acknowledged{}
}

func (c *csms) info(t term.IdToken) term.TokenInfo {
	if info, ok := c.tokens[t.Key()]; ok {
		return info
	}
	return term.TokenInfo{Status: term.TokenAccepted}
}
