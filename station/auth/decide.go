package auth

import (
	"time"

	"github.com/evsed/evsed/station/term"
)

// Decide says what to do about a token that a driver presents to start charging. now is wall time; online says
// whether an Authorize can be answered. Where nobody answers an Ask, call it again with online false.
// A token that is accepted by the cache counts as used.
func (a *Authorizer) Decide(now time.Time, token term.IdToken, online bool, cfg Config) Verdict {
	if !cfg.Enabled {
		return accept(SourceDisabled, term.TokenInfo{})
	}
	if token.Value == "" {
		return refuse(term.TokenInvalid, CodeNoToken)
	}
	v := a.decide(now, token, online, cfg)
	if v.Kind == Accept && v.Source == SourceCache {
		a.Cache.used(token)
	}
	return v
}

func (a *Authorizer) decide(now time.Time, token term.IdToken, online bool, cfg Config) Verdict {
	h := a.find(now, token, cfg)
	switch {
	case h.accepted() && cfg.master(h.info):
		return refuseMaster(h.source, h.info) // C12.FR.09, C16.FR.03
	case online && !cfg.DisableRemoteAuthorization:
		return decideOnline(token, h, cfg)
	case h.source == SourceNone:
		return decideUnknown(online, cfg)
	case !h.accepted():
		return refuseStatus(h.source, h.info) // C13.FR.02, C13.FR.05: known, so never an unknown id
	case !online && !cfg.LocalAuthorizeOffline && !cfg.OfflineTxForUnknownId:
		v := refuseStatus(h.source, h.info)
		v.Code = CodeOfflineDisabled
		return v
	}
	return accept(h.source, h.info) // C13.FR.02, C13.FR.04: what an unknown id may, an accepted one may as well
}

// decideOnline decides where the CSMS can be asked.
func decideOnline(token term.IdToken, h hit, cfg Config) Verdict {
	switch {
	case token.Type == term.TokenEMAID: // C07.FR.01: contracts are always validated
		return Verdict{Kind: Ask, Source: h.source}
	case h.source == SourceNone, !cfg.LocalPreAuthorize: // C01.FR.02; local data does not come before the CSMS
		return Verdict{Kind: Ask, Source: h.source}
	case h.accepted(): // C14.FR.02, C14.FR.04, C12.FR.02
		return accept(h.source, h.info)
	case cfg.asksAgain(h): // C14.FR.03, C14.FR.05, C10.FR.03, C12.FR.05
		return Verdict{Kind: Ask, Source: h.source}
	}
	return refuseStatus(h.source, h.info)
}

// decideUnknown decides about a token that is in neither list nor cache where nobody is asked.
func decideUnknown(online bool, cfg Config) Verdict {
	switch {
	case online:
		return refuse(term.TokenUnknown, CodeCSMSDisabled)
	case cfg.OfflineTxForUnknownId:
		return accept(SourceOfflineUnknown, term.TokenInfo{}) // C15.FR.08, C13.FR.04, C13.FR.06
	}
	return refuse(term.TokenUnknown, CodeUnknownOffline)
}

// asksAgain reports whether a token that is known but not accepted is worth a question. DisablePostAuthorize speaks
// of the status alone: a list entry whose date has passed counts as absent online and is asked about (C14.FR.05).
func (c Config) asksAgain(h hit) bool {
	if h.source == SourceList {
		return !c.ListDisablePostAuthorize || h.outdated
	}
	return !c.CacheDisablePostAuthorize
}

// hit is what the station itself knows of a token.
type hit struct {
	info     term.TokenInfo
	source   Source // SourceNone, SourceList or SourceCache
	outdated bool   // a list entry past its date
}

func (h hit) accepted() bool { return h.source != SourceNone && h.info.Status == term.TokenAccepted }

// find looks a token up, list before cache (C13.FR.01, C14.FR.01). A list entry past its date is no longer accepted
// where the list honours dates (C13.FR.05, C13.FR.06); a cache entry past its time is as good as gone (C10.FR.10,
// C10.FR.13).
func (a *Authorizer) find(now time.Time, token term.IdToken, cfg Config) hit {
	if h := a.listed(now, token, cfg); h.source != SourceNone {
		return h
	}
	if cfg.CacheEnabled {
		if info, ok := a.Cache.Get(now, token, cfg); ok {
			return hit{info: info, source: SourceCache}
		}
	}
	return hit{}
}

func (a *Authorizer) listed(now time.Time, token term.IdToken, cfg Config) hit {
	if !cfg.ListEnabled || a.List.Version <= 0 || a.lookup == nil {
		return hit{}
	}
	info, ok := a.lookup(a.List.ID, token)
	if !ok {
		return hit{}
	}
	outdated := cfg.ListSupportsExpiry && !info.Expiry.IsZero() && now.After(info.Expiry)
	if outdated && info.Status == term.TokenAccepted {
		info.Status = term.TokenExpired
	}
	return hit{info, SourceList, outdated}
}

// Listed returns what the local list in force says of a token now; false if it says nothing.
func (a *Authorizer) Listed(now time.Time, token term.IdToken, cfg Config) (term.TokenInfo, bool) {
	h := a.listed(now, token, cfg)
	return h.info, h.source != SourceNone
}

// DecideRemote says what to do about the token of a RequestStartTransaction. group is the group that the request
// names, if any.
func (a *Authorizer) DecideRemote(now time.Time, token, group term.IdToken, online bool, cfg Config) Verdict {
	if !cfg.Enabled {
		return accept(SourceDisabled, term.TokenInfo{Group: group})
	}
	h := a.find(now, token, cfg)
	if h.info.Group.IsZero() {
		h.info.Group = group
	}
	switch {
	case cfg.master(h.info) || cfg.master(term.TokenInfo{Group: group}):
		return refuseMaster(h.source, h.info) // C16.FR.03
	case token.Type == term.TokenCentral || token.Type == term.TokenNoAuthorization:
		return accept(SourceRemote, term.TokenInfo{Group: group}) // C03.FR.01, C05.FR.01
	case token.Value == "":
		return refuse(term.TokenInvalid, CodeNoToken)
	case !cfg.AuthorizeRemoteStart:
		return accept(SourceRemote, term.TokenInfo{Group: h.info.Group}) // F01.FR.02, F02.FR.10
	}
	v := a.Decide(now, token, online, cfg) // F01.FR.01, F02.FR.09
	if v.Kind == Accept && v.Info.Group.IsZero() {
		v.Info.Group = group
	}
	return v
}

// Answered turns what the CSMS said about a token into a verdict on starting. A date in the answer is about the
// cache, not about this start.
func Answered(info term.TokenInfo, cfg Config) Verdict {
	switch {
	case info.Status != term.TokenAccepted:
		return refuseStatus(SourceCSMS, info)
	case cfg.master(info):
		return refuseMaster(SourceCSMS, info) // C16.FR.03
	}
	return accept(SourceCSMS, info)
}
