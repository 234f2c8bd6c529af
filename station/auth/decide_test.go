package auth

import (
	"testing"
	"time"

	"github.com/evsed/evsed/station/term"
)

var (
	t0     = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	alice  = term.IdToken{Value: "04A1B2C3", Type: term.TokenISO14443}
	bob    = term.IdToken{Value: "04B0B0B0", Type: term.TokenISO14443}
	fleet  = term.IdToken{Value: "FLEET", Type: term.TokenCentral}
	police = term.IdToken{Value: "Police", Type: term.TokenCentral}
)

// usual is a station with everything on and everything local allowed.
func usual() Config {
	return Config{
		Enabled: true, AuthorizeRemoteStart: true, LocalPreAuthorize: true, LocalAuthorizeOffline: true,
		MasterPassGroup: "police", CacheEnabled: true, CacheLifeTime: 24 * time.Hour, CachePolicy: LRU, ListEnabled: true,
		ListSupportsExpiry: true,
	}
}

func with(change func(*Config)) Config {
	cfg := usual()
	change(&cfg)
	return cfg
}

// book is an Authorizer with a list and a cache of what the test says.
func book(list, cache map[term.IdToken]term.TokenInfo) *Authorizer {
	a := New(func(id uint64, token term.IdToken) (term.TokenInfo, bool) {
		if id != 7 {
			return term.TokenInfo{}, false
		}
		for known, info := range list {
			if known.Equal(token) {
				return info, true
			}
		}
		return term.TokenInfo{}, false
	})
	if list != nil {
		a.List = List{ID: 7, Version: 1, Entries: len(list)}
	}
	for token, info := range cache {
		a.Cache.Learn(nil, t0, token, info, usual())
	}
	return a
}

func info(status term.TokenStatus) term.TokenInfo { return term.TokenInfo{Status: status} }

func one(token term.IdToken, i term.TokenInfo) map[term.IdToken]term.TokenInfo {
	return map[term.IdToken]term.TokenInfo{token: i}
}

func TestDecide(t *testing.T) {
	past, future := t0.Add(-time.Hour), t0.Add(time.Hour)
	dated := func(status term.TokenStatus, at time.Time) term.TokenInfo {
		return term.TokenInfo{Status: status, Expiry: at}
	}
	accepted, blocked := info(term.TokenAccepted), info(term.TokenBlocked)
	emaid := term.IdToken{Value: "DE8AA1A2B3C4D5", Type: term.TokenEMAID}
	tests := []struct {
		name        string
		list, cache map[term.IdToken]term.TokenInfo
		cfg         Config
		offline     bool
		token       term.IdToken // zero: alice
		after       time.Duration
		kind        Kind
		source      Source
		status      term.TokenStatus
		code        string
	}{
		{name: "C01.FR.02 unknown asks", cfg: usual(), kind: Ask},
		{name: "C01.FR.01 authorization off", cfg: with(func(c *Config) { c.Enabled = false }), kind: Accept, source: SourceDisabled},
		{name: "nothing presented", cfg: usual(), token: term.IdToken{Type: term.TokenNoAuthorization}, status: term.TokenInvalid, code: CodeNoToken},
		{name: "C14.FR.02 accepted in list", list: one(alice, accepted), cfg: usual(), kind: Accept, source: SourceList},
		{name: "C14.FR.02 date not honoured", list: one(alice, dated(term.TokenAccepted, past)),
			cfg: with(func(c *Config) { c.ListSupportsExpiry = false }), kind: Accept, source: SourceList},
		{name: "C14.FR.03 not accepted in list asks", list: one(alice, blocked), cfg: usual(), kind: Ask, source: SourceList},
		{name: "list, DisablePostAuthorize", list: one(alice, blocked), cfg: with(func(c *Config) { c.ListDisablePostAuthorize = true }),
			source: SourceList, status: term.TokenBlocked, code: "AUTH-BLOCKED"},
		{name: "cache's DisablePostAuthorize is not the list's", list: one(alice, blocked),
			cfg: with(func(c *Config) { c.CacheDisablePostAuthorize = true }), kind: Ask, source: SourceList},
		{name: "C14.FR.04 date to come", list: one(alice, dated(term.TokenAccepted, future)), cfg: usual(), kind: Accept, source: SourceList},
		{name: "C14.FR.05 date passed asks", list: one(alice, dated(term.TokenAccepted, past)), cfg: usual(), kind: Ask, source: SourceList},
		{name: "C14.FR.05 date passed asks, DisablePostAuthorize", list: one(alice, dated(term.TokenAccepted, past)),
			cfg: with(func(c *Config) { c.ListDisablePostAuthorize = true }), kind: Ask, source: SourceList},
		{name: "status Expired is not a date passed", list: one(alice, dated(term.TokenExpired, future)),
			cfg:    with(func(c *Config) { c.ListDisablePostAuthorize = true }),
			source: SourceList, status: term.TokenExpired, code: "AUTH-EXPIRED"},
		{name: "C13.FR.01 list before cache", list: one(alice, blocked), cache: one(alice, accepted), offline: true, cfg: usual(),
			source: SourceList, status: term.TokenBlocked, code: "AUTH-BLOCKED"},
		{name: "C14.FR.01 list before cache", list: one(alice, accepted), cache: one(alice, blocked), cfg: usual(), kind: Accept, source: SourceList},
		{name: "list off", list: one(alice, accepted), cfg: with(func(c *Config) { c.ListEnabled = false }), kind: Ask},
		{name: "tokens without case", list: one(alice, accepted), cfg: usual(), token: term.IdToken{Value: "04a1b2c3", Type: term.TokenISO14443},
			kind: Accept, source: SourceList},
		{name: "C01.FR.25 type counts", list: one(alice, accepted), cfg: usual(), token: term.IdToken{Value: alice.Value, Type: term.TokenLocal}, kind: Ask},
		{name: "C12.FR.02 accepted in cache", cache: one(alice, accepted), cfg: usual(), kind: Accept, source: SourceCache},
		{name: "C12.FR.05 C10.FR.03 not accepted in cache asks", cache: one(alice, blocked), cfg: usual(), kind: Ask, source: SourceCache},
		{name: "cache, DisablePostAuthorize", cache: one(alice, blocked), cfg: with(func(c *Config) { c.CacheDisablePostAuthorize = true }),
			source: SourceCache, status: term.TokenBlocked, code: "AUTH-BLOCKED"},
		{name: "C10.FR.11 cache off", cache: one(alice, accepted), cfg: with(func(c *Config) { c.CacheEnabled = false }), kind: Ask},
		{name: "C10.FR.13 cache date passed", cache: one(alice, dated(term.TokenAccepted, future)), cfg: usual(), after: time.Hour, kind: Ask},
		{name: "C10.FR.10 life time over", cache: one(alice, accepted), cfg: usual(), after: 24 * time.Hour, kind: Ask},
		{name: "C10.FR.08 life time not over", cache: one(alice, accepted), cfg: usual(), after: 24*time.Hour - 1, kind: Accept, source: SourceCache},
		{name: "LocalPreAuthorize false ignores cache", cache: one(alice, accepted), cfg: with(func(c *Config) { c.LocalPreAuthorize = false }),
			kind: Ask, source: SourceCache},
		{name: "LocalPreAuthorize false ignores list", list: one(alice, blocked),
			cfg: with(func(c *Config) { c.LocalPreAuthorize, c.ListDisablePostAuthorize = false, true }), kind: Ask, source: SourceList},
		{name: "DisableRemoteAuthorization, unknown", cfg: with(func(c *Config) { c.DisableRemoteAuthorization = true }),
			status: term.TokenUnknown, code: CodeCSMSDisabled},
		{name: "DisableRemoteAuthorization, unknown but online", cfg: with(func(c *Config) { c.DisableRemoteAuthorization, c.OfflineTxForUnknownId = true, true }),
			status: term.TokenUnknown, code: CodeCSMSDisabled},
		{name: "DisableRemoteAuthorization, accepted", cache: one(alice, accepted),
			cfg: with(func(c *Config) {
				c.DisableRemoteAuthorization, c.LocalPreAuthorize, c.LocalAuthorizeOffline = true, false, false
			}), kind: Accept, source: SourceCache},
		{name: "DisableRemoteAuthorization, not accepted", cache: one(alice, info(term.TokenNoCredit)),
			cfg:    with(func(c *Config) { c.DisableRemoteAuthorization = true }),
			source: SourceCache, status: term.TokenNoCredit, code: "AUTH-NO-CREDIT"},
		{name: "C13.FR.02 accepted in list offline", list: one(alice, accepted), offline: true, cfg: usual(), kind: Accept, source: SourceList},
		{name: "C13.FR.02 unknown offline", list: one(bob, accepted), offline: true, cfg: usual(), status: term.TokenUnknown, code: CodeUnknownOffline},
		{name: "C13.FR.04 unknown offline allowed", offline: true, cfg: with(func(c *Config) { c.OfflineTxForUnknownId = true }),
			kind: Accept, source: SourceOfflineUnknown},
		{name: "C13.FR.04 known and refused is not unknown", cache: one(alice, blocked), offline: true,
			cfg:    with(func(c *Config) { c.OfflineTxForUnknownId = true }),
			source: SourceCache, status: term.TokenBlocked, code: "AUTH-BLOCKED"},
		{name: "C13.FR.05 list date passed offline", list: one(alice, dated(term.TokenAccepted, past)), offline: true, cfg: usual(),
			source: SourceList, status: term.TokenExpired, code: "AUTH-EXPIRED"},
		{name: "list date passed, blocked before", list: one(alice, dated(term.TokenBlocked, past)), offline: true, cfg: usual(),
			source: SourceList, status: term.TokenBlocked, code: "AUTH-BLOCKED"},
		{name: "C13.FR.06 list date passed is not unknown", list: one(alice, dated(term.TokenAccepted, past)), cache: one(alice, accepted),
			offline: true, cfg: with(func(c *Config) { c.OfflineTxForUnknownId = true }),
			source: SourceList, status: term.TokenExpired, code: "AUTH-EXPIRED"},
		{name: "C15.FR.08 a cache entry past its time is unknown", cache: one(alice, blocked), offline: true, after: 25 * time.Hour,
			cfg: with(func(c *Config) { c.OfflineTxForUnknownId = true }), kind: Accept, source: SourceOfflineUnknown},
		{name: "LocalAuthorizeOffline false", list: one(alice, accepted), offline: true, cfg: with(func(c *Config) { c.LocalAuthorizeOffline = false }),
			source: SourceList, status: term.TokenAccepted, code: CodeOfflineDisabled},
		{name: "C13.FR.04 LocalAuthorizeOffline false, unknown ids allowed", list: one(alice, accepted), offline: true,
			cfg: with(func(c *Config) { c.LocalAuthorizeOffline, c.OfflineTxForUnknownId = false, true }), kind: Accept, source: SourceList},
		{name: "C07.FR.01 contract asks", list: one(emaid, accepted), cfg: usual(), token: emaid, kind: Ask, source: SourceList},
		{name: "C07.FR.10 contract offline", list: one(emaid, accepted), cfg: usual(), token: emaid, offline: true, kind: Accept, source: SourceList},
		{name: "C12.FR.09 C16.FR.03 master pass in cache", cache: one(alice, term.TokenInfo{Status: term.TokenAccepted, Group: police}), cfg: usual(),
			source: SourceCache, status: term.TokenAccepted, code: CodeMasterPass},
		{name: "C16.FR.03 master pass in list, offline", list: one(alice, term.TokenInfo{Status: term.TokenAccepted, Group: police}), cfg: usual(),
			offline: true, source: SourceList, status: term.TokenAccepted, code: CodeMasterPass},
		{name: "no master pass group set", list: one(alice, term.TokenInfo{Status: term.TokenAccepted}),
			cfg: with(func(c *Config) { c.MasterPassGroup = "" }), kind: Accept, source: SourceList},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			token := tt.token
			if token.IsZero() {
				token = alice
			}
			v := book(tt.list, tt.cache).Decide(t0.Add(tt.after), token, !tt.offline, tt.cfg)
			status := v.Info.Status
			if v.Kind != Refuse {
				status = ""
			}
			if v.Kind != tt.kind || v.Source != tt.source || status != tt.status || v.Code != tt.code {
				t.Errorf("got %v from %v status %q code %q, want %v from %v status %q code %q",
					v.Kind, v.Source, status, v.Code, tt.kind, tt.source, tt.status, tt.code)
			}
			if v.Master != (v.Code == CodeMasterPass) {
				t.Errorf("Master is %v with code %q", v.Master, v.Code)
			}
		})
	}
}

func TestAListWithoutVersionIsNone(t *testing.T) { // D02.FR.02
	a := book(one(alice, info(term.TokenAccepted)), nil)
	a.List.Version = 0
	if v := a.Decide(t0, alice, true, usual()); v.Kind != Ask || v.Source != SourceNone {
		t.Errorf("got %+v", v)
	}
}

func TestDecideRemote(t *testing.T) {
	central := term.IdToken{Value: "app-1", Type: term.TokenCentral}
	noAuth := term.IdToken{Type: term.TokenNoAuthorization}
	free := with(func(c *Config) { c.AuthorizeRemoteStart = false })
	master := term.TokenInfo{Status: term.TokenAccepted, Group: police}
	tests := []struct {
		name         string
		token, group term.IdToken
		list         map[term.IdToken]term.TokenInfo
		cfg          Config
		kind         Kind
		source       Source
		code         string
		wantGroup    term.IdToken
	}{
		{name: "F01.FR.01 as if local", token: alice, cfg: usual(), kind: Ask},
		{name: "F01.FR.01 local hit keeps the request's group", token: alice, group: fleet, list: one(alice, info(term.TokenAccepted)),
			cfg: usual(), kind: Accept, source: SourceList, wantGroup: fleet},
		{name: "F01.FR.02 without a check", token: alice, group: fleet, cfg: free, kind: Accept, source: SourceRemote, wantGroup: fleet},
		{name: "F02.FR.10 a local refusal does not count", token: alice, list: one(alice, info(term.TokenBlocked)), cfg: free, kind: Accept, source: SourceRemote},
		{name: "C03.FR.01 central is never asked about", token: central, cfg: usual(), kind: Accept, source: SourceRemote},
		{name: "NoAuthorization from the CSMS", token: noAuth, cfg: usual(), kind: Accept, source: SourceRemote},
		{name: "C16.FR.03 master pass by request", token: alice, group: police, cfg: free, code: CodeMasterPass},
		{name: "C16.FR.03 master pass by list", token: alice, list: one(alice, master), cfg: free, source: SourceList, code: CodeMasterPass},
		{name: "empty token", token: term.IdToken{Type: term.TokenISO14443}, cfg: free, code: CodeNoToken},
		{name: "authorization off", token: alice, cfg: with(func(c *Config) { c.Enabled = false }), kind: Accept, source: SourceDisabled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := book(tt.list, nil).DecideRemote(t0, tt.token, tt.group, true, tt.cfg)
			if v.Kind != tt.kind || v.Source != tt.source || v.Code != tt.code {
				t.Errorf("got %v from %v code %q, want %v from %v code %q", v.Kind, v.Source, v.Code, tt.kind, tt.source, tt.code)
			}
			if v.Kind == Accept && v.Info.Group != tt.wantGroup {
				t.Errorf("group %v, want %v", v.Info.Group, tt.wantGroup)
			}
		})
	}
}

func TestAnswered(t *testing.T) {
	if v := Answered(term.TokenInfo{Status: term.TokenAccepted, Expiry: t0.Add(-time.Hour)}, usual()); v.Kind != Accept || v.Source != SourceCSMS {
		t.Errorf("accepted by the CSMS: got %+v", v)
	}
	if v := Answered(term.TokenInfo{Status: term.TokenAccepted, Group: police}, usual()); v.Kind != Refuse || !v.Master { // C16.FR.03
		t.Errorf("master pass: got %+v", v)
	}
	codes := map[string]bool{}
	for _, s := range statuses[1:] {
		v := Answered(info(s), usual())
		if v.Kind != Refuse || v.Info.Status != s || codes[v.Code] {
			t.Errorf("%s: got %+v", s, v)
		}
		codes[v.Code] = true
	}
}

func TestAcceptanceIsForTheNamedEVSEs(t *testing.T) { // C01.FR.19 to C01.FR.21
	v := Answered(term.TokenInfo{Status: term.TokenAccepted, EVSEs: []term.EVSEID{2, 3}}, usual())
	if got := v.At(2); got.Kind != Accept {
		t.Errorf("EVSE 2: got %+v", got)
	}
	if got := v.At(1); got.Kind != Refuse || got.Code != CodeWrongEVSE || got.Info.Status != term.TokenNotAtThisLocation {
		t.Errorf("EVSE 1: got %+v", got)
	}
	if got := Answered(info(term.TokenAccepted), usual()).At(9); got.Kind != Accept {
		t.Errorf("no list: got %+v", got)
	}
	if got := (Verdict{Kind: Ask}).At(1); got.Kind != Ask {
		t.Errorf("ask: got %+v", got)
	}
}
