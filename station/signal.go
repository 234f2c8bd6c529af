package station

import (
	"slices"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/auth"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/reserve"
	"github.com/evsed/evsed/station/term"
)

// Stable codes of cards that are refused whatever they are. Those of the card itself are in station/auth, of reservations in
// station/reserve, of the storage in storage.
const (
	CodeNotRegistered = "SESSION-NOT-REGISTERED" // the CSMS has not accepted the station yet (B02.FR.03)
	CodeInUse         = "SESSION-IN-USE"         // somebody else charges, or is waited for
	CodeOutOfService  = "SESSION-OUT-OF-SERVICE" // unavailable, faulted, or about to restart
	CodeTooMany       = "SESSION-TOO-MANY-CARDS" // more cards are being asked about than the station has readers
)

// blinks is how often a light blinks for a signal.
func (s *Station) blinks() int {
	if !s.cfg.Lights {
		return 0
	}
	return s.model.Int(model.BlinkRepeat)
}

// startLights tells the lights how bright to be: they may have forgotten it without power.
func (s *Station) startLights() {
	if s.cfg.Lights {
		s.dim()
	}
}

func (s *Station) dim() {
	s.command(Dim{Level: unit.Percent(s.model.Int(model.LightPercent)) * unit.OnePercent})
}

// signalAccepted signals at some EVSEs that a card is accepted there. Where nothing blinks there is nothing to do: what follows
// shows it.
func (s *Station) signalAccepted(evses []term.EVSEID) {
	s.noteRefusal(evses, "")
	if s.settings.blinks > 0 {
		s.command(Signal{EVSEs: evses, Kind: hal.SignalAccepted, Times: s.settings.blinks})
	}
}

// signalRefused signals at some EVSEs why a card is refused there.
func (s *Station) signalRefused(evses []term.EVSEID, code string) {
	s.noteRefusal(evses, code)
	s.command(Signal{EVSEs: evses, Kind: hal.SignalRefused, Code: code, Times: s.settings.blinks})
}

func (s *Station) noteRefusal(evses []term.EVSEID, code string) {
	for i := range s.evses {
		if e := &s.evses[i]; len(evses) == 0 || slices.Contains(evses, e.cfg.ID) {
			e.refusal = code
		}
	}
}

// only is the place of one EVSE.
func (e *evse) only() []term.EVSEID { return []term.EVSEID{e.cfg.ID} }

// whyNoSession says why no session can begin with a token, whatever it is worth.
func (s *Station) whyNoSession(p presented) string {
	switch {
	case s.storage != "": // no session may begin that could not be kept
		return s.storage
	case !s.mayStartSessions():
		return CodeNotRegistered
	case p.promised: // it is good for its reservation and nothing else
		return auth.CodeUnknownOffline
	}
	why := CodeOutOfService
	for i := range s.evses {
		e := &s.evses[i]
		switch {
		case !p.at(e.cfg.ID) || !s.operative(e):
			continue
		case !s.free(e) || e.keepLocked:
			why = CodeInUse
			continue
		}
		if _, ok := s.mayUse(e, p); !ok {
			return reserve.CodeOtherToken
		}
		if _, ok := s.roomToWait(p); !ok && !e.facts.Connected {
			return reserve.CodeOtherToken
		}
		why = CodeInUse // by a session that has begun there, or by those that wait for a car
	}
	if why == CodeInUse && p.mayNotStop != "" {
		return p.mayNotStop
	}
	return why
}
