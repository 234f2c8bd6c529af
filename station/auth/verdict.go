package auth

import (
	"strings"

	"github.com/evsed/evsed/station/term"
)

// Kind says what to do about a token.
type Kind uint8

// Kinds of verdict. The zero Kind refuses.
const (
	Refuse Kind = iota
	Accept
	Ask
)

func (k Kind) String() string { return [...]string{"refuse", "accept", "ask"}[k] }

// Source says on whose word a token is accepted.
type Source uint8

// Sources.
const (
	SourceNone           Source = iota
	SourceDisabled              // authorization is switched off
	SourceList                  // local authorization list
	SourceCache                 // authorization cache
	SourceOfflineUnknown        // accepted unseen while offline (C15); never to be cached
	SourceRemote                // the CSMS asked for the start itself
	SourceCSMS                  // the CSMS answered
)

func (s Source) String() string {
	return [...]string{"none", "disabled", "list", "cache", "offlineUnknown", "remote", "csms"}[s]
}

// Codes of refusals. They are stable: console, API, display and support speak of them.
const (
	CodeNoToken         = "AUTH-NO-TOKEN"         // nothing was presented
	CodeUnknownOffline  = "AUTH-UNKNOWN-OFFLINE"  // not known here and nobody to ask
	CodeCSMSDisabled    = "AUTH-CSMS-DISABLED"    // not known here and asking is switched off
	CodeOfflineDisabled = "AUTH-OFFLINE-DISABLED" // known, but local data may not start a transaction offline
	CodeMasterPass      = "AUTH-MASTER-PASS"      // master pass tokens only stop
	CodeOtherToken      = "AUTH-OTHER-TOKEN"      // neither the token nor the group that started
	CodeWrongEVSE       = "AUTH-WRONG-EVSE"       // not valid at this EVSE
)

// Verdict is what Decide says.
type Verdict struct {
	Kind   Kind
	Info   term.TokenInfo // Accept: what is known of the token. Refuse: Status says why
	Source Source         // whose word it is; in a refusal where the token was found
	Code   string         // of a refusal
	Master bool           // the token belongs to the master pass group
}

// Allows reports whether a token may be used at an EVSE: an empty list means everywhere (C01.FR.19), else only
// where it says (C01.FR.21).
func Allows(info term.TokenInfo, evse term.EVSEID) bool {
	if len(info.EVSEs) == 0 {
		return true
	}
	for _, e := range info.EVSEs {
		if e == evse {
			return true
		}
	}
	return false
}

// At narrows an acceptance to one EVSE: it becomes a refusal where the token is not valid there (C01.FR.21).
func (v Verdict) At(evse term.EVSEID) Verdict {
	if v.Kind == Accept && !Allows(v.Info, evse) {
		v.Kind, v.Code = Refuse, CodeWrongEVSE
		v.Info.Status = term.TokenNotAtThisLocation
	}
	return v
}

func accept(source Source, info term.TokenInfo) Verdict {
	info.Status = term.TokenAccepted
	return Verdict{Kind: Accept, Source: source, Info: info}
}

func refuse(status term.TokenStatus, code string) Verdict {
	return Verdict{Info: term.TokenInfo{Status: status}, Code: code}
}

// refuseStatus refuses with the token's own status.
func refuseStatus(source Source, info term.TokenInfo) Verdict {
	return Verdict{Source: source, Info: info, Code: statusCode(info.Status)}
}

func refuseMaster(source Source, info term.TokenInfo) Verdict {
	return Verdict{Source: source, Info: info, Code: CodeMasterPass, Master: true}
}

// statusCode returns the code of a refusal for which the token's status is the reason.
func statusCode(s term.TokenStatus) string {
	switch s {
	case term.TokenBlocked:
		return "AUTH-BLOCKED"
	case term.TokenConcurrentTx:
		return "AUTH-CONCURRENT"
	case term.TokenExpired:
		return "AUTH-EXPIRED"
	case term.TokenNoCredit:
		return "AUTH-NO-CREDIT"
	case term.TokenNotAllowedTypeEVSE:
		return "AUTH-WRONG-EVSE-TYPE"
	case term.TokenNotAtThisLocation:
		return "AUTH-WRONG-LOCATION"
	case term.TokenNotAtThisTime:
		return "AUTH-WRONG-TIME"
	case term.TokenUnknown:
		return "AUTH-UNKNOWN"
	}
	return "AUTH-INVALID"
}

// master reports whether a token's group is the master pass group (C12.FR.09, C16). The configuration names the
// group by its value alone; identifiers are compared without case.
func (c Config) master(info term.TokenInfo) bool {
	return c.MasterPassGroup != "" && strings.EqualFold(info.Group.Value, c.MasterPassGroup)
}
