package auth

import (
	"testing"
	"time"

	"github.com/evsed/evsed/station/term"
)

func TestMayStop(t *testing.T) {
	inFleet := term.TokenInfo{Status: term.TokenAccepted, Group: fleet}
	blockedFleet := term.TokenInfo{Status: term.TokenBlocked, Group: fleet}
	master := term.TokenInfo{Status: term.TokenAccepted, Group: police}
	anonymous := term.IdToken{Type: term.TokenNoAuthorization}
	off := with(func(c *Config) { c.Enabled = false })
	tests := []struct {
		name        string
		list, cache map[term.IdToken]term.TokenInfo
		presented   term.IdToken // zero: bob
		by          Started      // zero: alice of the fleet
		cfg         Config
		offline     bool
		after       time.Duration
		want        StopVerdict
	}{
		{name: "C01.FR.03a same token", presented: alice, cfg: usual(), want: StopVerdict{Kind: Accept}},
		{name: "E08.FR.01 same token offline, blocked meanwhile", presented: alice, cache: one(alice, info(term.TokenBlocked)),
			offline: true, cfg: usual(), want: StopVerdict{Kind: Accept}},
		{name: "C09.FR.07a same token in other case", presented: term.IdToken{Value: "04a1b2c3", Type: term.TokenISO14443}, cfg: usual(),
			want: StopVerdict{Kind: Accept}},
		{name: "C01.FR.03b group by list", list: one(bob, inFleet), cfg: usual(), want: StopVerdict{Kind: Accept}},
		{name: "C09.FR.07b group by cache", cache: one(bob, inFleet), cfg: usual(), want: StopVerdict{Kind: Accept}},
		{name: "E08.FR.02 group by cache offline", cache: one(bob, inFleet), offline: true,
			cfg: with(func(c *Config) { c.LocalAuthorizeOffline = false }), want: StopVerdict{Kind: Accept}},
		{name: "C01.FR.03b needs no LocalPreAuthorize", cache: one(bob, inFleet), cfg: with(func(c *Config) { c.LocalPreAuthorize = false }),
			want: StopVerdict{Kind: Accept}},
		{name: "C09.FR.05 unknown asks", cfg: usual(), want: StopVerdict{Kind: Ask}},
		{name: "C10.FR.03 known but not accepted asks", cache: one(bob, blockedFleet), cfg: usual(), want: StopVerdict{Kind: Ask}},
		{name: "C09.FR.11 not accepted, not asked", cache: one(bob, blockedFleet), cfg: with(func(c *Config) { c.CacheDisablePostAuthorize = true }),
			want: StopVerdict{Status: term.TokenBlocked, Code: "AUTH-BLOCKED"}},
		{name: "C09.FR.11 not accepted, offline", list: one(bob, blockedFleet), offline: true, cfg: usual(),
			want: StopVerdict{Status: term.TokenBlocked, Code: "AUTH-BLOCKED"}},
		{name: "known in another group", list: one(bob, term.TokenInfo{Status: term.TokenAccepted, Group: term.IdToken{Value: "OTHER", Type: term.TokenCentral}}),
			cfg: usual(), want: StopVerdict{Status: term.TokenAccepted, Code: CodeOtherToken}},
		{name: "no group is no common group", list: one(bob, info(term.TokenAccepted)), by: Started{Token: alice}, cfg: usual(),
			want: StopVerdict{Status: term.TokenAccepted, Code: CodeOtherToken}},
		{name: "cache entry past its time asks", cache: one(bob, inFleet), after: 24 * time.Hour, cfg: usual(), want: StopVerdict{Kind: Ask}},
		{name: "unknown offline, even where unknown ids may start", offline: true, cfg: with(func(c *Config) { c.OfflineTxForUnknownId = true }),
			want: StopVerdict{Status: term.TokenUnknown, Code: CodeUnknownOffline}},
		{name: "asking is switched off", cfg: with(func(c *Config) { c.DisableRemoteAuthorization = true }),
			want: StopVerdict{Status: term.TokenUnknown, Code: CodeCSMSDisabled}},
		{name: "C16.FR.04 master pass by cache", cache: one(bob, master), cfg: usual(), want: StopVerdict{Kind: Accept, Master: true}},
		{name: "C16.FR.05 master pass by list, offline", list: one(bob, master), offline: true, cfg: usual(), want: StopVerdict{Kind: Accept, Master: true}},
		{name: "a blocked master pass", list: one(bob, term.TokenInfo{Status: term.TokenBlocked, Group: police}), offline: true, cfg: usual(),
			want: StopVerdict{Status: term.TokenBlocked, Code: "AUTH-BLOCKED"}},
		{name: "nothing presented", presented: term.IdToken{Type: term.TokenISO14443}, cfg: usual(),
			want: StopVerdict{Status: term.TokenInvalid, Code: CodeNoToken}},
		{name: "start button again", presented: anonymous, by: Started{Token: anonymous}, cfg: usual(), want: StopVerdict{Kind: Accept}},
		{name: "authorization off, anonymous transaction", by: Started{Token: anonymous}, cfg: off, want: StopVerdict{Kind: Accept}},
		{name: "authorization off, somebody else's", offline: true, cfg: off, want: StopVerdict{Status: term.TokenUnknown, Code: CodeUnknownOffline}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			presented, by := tt.presented, tt.by
			if presented.IsZero() {
				presented = bob
			}
			if by == (Started{}) {
				by = Started{Token: alice, Group: fleet}
			}
			got := book(tt.list, tt.cache).MayStop(t0.Add(tt.after), presented, by, !tt.offline, tt.cfg)
			if got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestStopAnswered(t *testing.T) {
	by := Started{Token: alice, Group: fleet}
	tests := []struct {
		name string
		info term.TokenInfo
		want StopVerdict
	}{
		{"C09.FR.03 group", term.TokenInfo{Status: term.TokenAccepted, Group: fleet}, StopVerdict{Kind: Accept}},
		{"C09.FR.11 group but not accepted", term.TokenInfo{Status: term.TokenInvalid, Group: fleet}, StopVerdict{Status: term.TokenInvalid, Code: "AUTH-INVALID"}},
		{"other group", term.TokenInfo{Status: term.TokenAccepted, Group: alice}, StopVerdict{Status: term.TokenAccepted, Code: CodeOtherToken}},
		{"no group", info(term.TokenAccepted), StopVerdict{Status: term.TokenAccepted, Code: CodeOtherToken}},
		{"C16.FR.02 master pass", term.TokenInfo{Status: term.TokenAccepted, Group: police}, StopVerdict{Kind: Accept, Master: true}},
	}
	for _, tt := range tests {
		if got := StopAnswered(tt.info, by, usual()); got != tt.want {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, tt.want)
		}
	}
}
