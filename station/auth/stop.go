package auth

import (
	"time"

	"github.com/evsed/evsed/station/term"
)

// Started is the authorization that a transaction runs under.
type Started struct {
	Token term.IdToken
	Group term.IdToken // zero where none is known; grows with every TokenInfo that the CSMS sends
}

// StopVerdict says whether a presented token ends the authorization of a transaction.
type StopVerdict struct {
	Kind   Kind
	Status term.TokenStatus // of a refusal
	Code   string           // of a refusal
	Master bool             // accepted as a master pass: it stops every transaction (C16.FR.02)
}

// MayStop decides about a token that is presented while an authorized transaction runs. Local data serve here
// whatever the policies for starting say.
func (a *Authorizer) MayStop(now time.Time, presented term.IdToken, by Started, online bool, cfg Config) StopVerdict {
	if presented.Equal(by.Token) && !presented.IsZero() {
		return StopVerdict{Kind: Accept} // C01.FR.03 (a), C09.FR.07 (a), E07.FR.01, E08.FR.01
	}
	if !cfg.Enabled && by.Token.Type == term.TokenNoAuthorization {
		return StopVerdict{Kind: Accept} // nobody in particular started it
	}
	if presented.Value == "" {
		return StopVerdict{Status: term.TokenInvalid, Code: CodeNoToken}
	}
	h := a.find(now, presented, cfg)
	canAsk := online && !cfg.DisableRemoteAuthorization
	switch {
	case h.accepted():
		return StopAnswered(h.info, by, cfg) // C01.FR.03 (b), C09.FR.07 (b), C16.FR.04, C16.FR.05, E08.FR.02
	case h.source != SourceNone && !(canAsk && cfg.asksAgain(h)):
		return StopVerdict{Status: h.info.Status, Code: statusCode(h.info.Status)} // C09.FR.11
	case canAsk:
		return StopVerdict{Kind: Ask} // C09.FR.05, C10.FR.03
	case online:
		return StopVerdict{Status: term.TokenUnknown, Code: CodeCSMSDisabled}
	}
	return StopVerdict{Status: term.TokenUnknown, Code: CodeUnknownOffline}
}

// StopAnswered decides once it is known what a presented token is worth: it must be accepted (C09.FR.11), and a
// master pass or of the group that started (C09.FR.03).
func StopAnswered(info term.TokenInfo, by Started, cfg Config) StopVerdict {
	switch {
	case info.Status != term.TokenAccepted:
		return StopVerdict{Status: info.Status, Code: statusCode(info.Status)}
	case cfg.master(info):
		return StopVerdict{Kind: Accept, Master: true} // C16.FR.01, C16.FR.02
	case !info.Group.IsZero() && info.Group.Equal(by.Group):
		return StopVerdict{Kind: Accept}
	}
	return StopVerdict{Status: info.Status, Code: CodeOtherToken}
}
