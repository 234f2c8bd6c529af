package auth

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/station/term"
)

// store stands for the bucket that Changes go to.
type store map[string][]byte

func (s store) put(t *testing.T, changes []Change) {
	t.Helper()
	for _, c := range changes {
		if len(c.Key) != 32 {
			t.Fatalf("key %q is no digest", c.Key)
		}
		if c.Value == nil {
			delete(s, c.Key)
			continue
		}
		s[c.Key] = slices.Clone(c.Value)
	}
}

// restart returns a cache that was filled from the store.
func (s store) restart(t *testing.T) *Cache {
	t.Helper()
	c := new(Cache)
	for key, value := range s {
		if err := c.Restore(key, value); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func (s store) bytes() (n int) {
	for key, value := range s {
		n += len(key) + len(value)
	}
	return n
}

func card(i int) term.IdToken {
	return term.IdToken{Value: fmt.Sprintf("%08X", i), Type: term.TokenISO14443}
}

func has(c *Cache, token term.IdToken, cfg Config) bool {
	_, ok := c.Get(t0, token, cfg)
	return ok
}

func TestCacheKeepsWhatTheCSMSSaid(t *testing.T) { // C10.FR.01, C10.FR.02, C10.FR.04
	s, c, cfg := store{}, new(Cache), usual()
	want := term.TokenInfo{
		Status: term.TokenAccepted, Expiry: t0.Add(time.Hour), Group: fleet, EVSEs: []term.EVSEID{1, 3},
		Message: "hello", Priority: -3, HasPriority: true,
	}
	heard := want
	heard.EVSEs = slices.Clone(want.EVSEs)
	s.put(t, c.Learn(nil, t0, alice, heard, cfg))
	heard.EVSEs[0] = 9 // the caller may use its slice again
	for i, status := range statuses {
		s.put(t, c.Learn(nil, t0, card(i), info(status), cfg))
	}
	for name, cache := range map[string]*Cache{"running": c, "restarted": s.restart(t)} {
		got, ok := cache.Get(t0, alice, cfg)
		if !ok || !sameInfo(got, want) {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
		for i, status := range statuses {
			if got, _ := cache.Get(t0, card(i), cfg); got.Status != status {
				t.Errorf("%s: got status %q, want %q", name, got.Status, status)
			}
		}
		if cache.Bytes() != s.bytes() || cache.Len() != len(s) {
			t.Errorf("%s: %d entries, %d bytes; stored %d, %d", name, cache.Len(), cache.Bytes(), len(s), s.bytes())
		}
	}
	s.put(t, c.Learn(nil, t0, alice, info(term.TokenBlocked), cfg)) // C10.FR.05, C12.FR.06
	if got, _ := s.restart(t).Get(t0, alice, cfg); got.Status != term.TokenBlocked {
		t.Errorf("after an update: got %+v", got)
	}
	for key, value := range s {
		if strings.Contains(key+string(value), alice.Value) { // C10.FR.12
			t.Errorf("the token shows in %q %q", key, value)
		}
	}
}

func TestCacheDoesNotKeep(t *testing.T) {
	off := with(func(c *Config) { c.CacheEnabled = false })
	for _, tt := range []struct {
		name  string
		token term.IdToken
		info  term.TokenInfo
		cfg   Config
	}{
		{"C03.FR.02 central", fleet, info(term.TokenAccepted), usual()},
		{"C02.FR.03 no authorization", term.IdToken{Type: term.TokenNoAuthorization}, info(term.TokenAccepted), usual()},
		{"C10.FR.11 switched off", alice, info(term.TokenAccepted), off},
		{"C10.FR.13 date in the past", alice, term.TokenInfo{Status: term.TokenAccepted, Expiry: t0}, usual()},
	} {
		var c Cache
		if got := c.Learn(nil, t0, tt.token, tt.info, tt.cfg); len(got) != 0 || c.Len() != 0 {
			t.Errorf("%s: stored %v", tt.name, got)
		}
	}
	var c Cache
	c.Learn(nil, t0, alice, info(term.TokenAccepted), usual())
	got := c.Learn(nil, t0, alice, term.TokenInfo{Status: term.TokenAccepted, Expiry: t0.Add(-1)}, usual()) // C10.FR.13
	if len(got) != 1 || got[0].Value != nil || c.Len() != 0 || c.Bytes() != 0 {
		t.Errorf("a date in the past: got %v, %d entries left", got, c.Len())
	}
}

func TestCacheSwitchedOffIsLeftAlone(t *testing.T) { // AuthCacheCtrlr.Enabled, C11.FR.04
	var c Cache
	c.Learn(nil, t0, alice, info(term.TokenAccepted), usual())
	off := with(func(c *Config) { c.CacheEnabled = false })
	if changes, ok := c.Clear(nil, off); ok || len(changes) != 0 || c.Len() != 1 {
		t.Errorf("cleared: %v %v", changes, ok)
	}
	changes, ok := c.Clear(nil, usual()) // C11.FR.03
	if !ok || len(changes) != 1 || changes[0].Value != nil || c.Len() != 0 || c.Bytes() != 0 {
		t.Errorf("got %v %v, %d left", changes, ok, c.Len())
	}
	if changes, ok = c.Clear(nil, usual()); !ok || len(changes) != 0 {
		t.Errorf("an empty cache: got %v %v", changes, ok)
	}
}

func TestCacheUseWritesNothing(t *testing.T) {
	a, s, cfg := book(nil, nil), store{}, usual()
	s.put(t, a.Cache.Learn(nil, t0, alice, info(term.TokenAccepted), cfg))
	now := t0
	for range 8 { // a use, and the same news with the TransactionEvent, within a sixteenth of a day
		now = now.Add(11 * time.Minute)
		if v := a.Decide(now, alice, true, cfg); v.Source != SourceCache {
			t.Fatalf("got %+v", v)
		}
		if got := a.Cache.Learn(nil, now, alice, info(term.TokenAccepted), cfg); len(got) != 0 {
			t.Fatalf("%v after the first news: wrote %v", now.Sub(t0), got)
		}
	}
	if _, ok := a.Cache.Get(now.Add(cfg.CacheLifeTime-1), alice, cfg); !ok {
		t.Error("news that were not written do not count")
	}
	if _, ok := s.restart(t).Get(t0.Add(cfg.CacheLifeTime-1), alice, cfg); !ok {
		t.Error("written news do not count after a restart")
	}
	if got := a.Cache.Learn(nil, t0.Add(90*time.Minute), alice, info(term.TokenAccepted), cfg); len(got) != 1 {
		t.Errorf("news a sixteenth of a life later: wrote %v", got)
	}
	if got := a.Cache.Learn(nil, t0, alice, info(term.TokenAccepted), cfg); len(got) != 1 {
		t.Errorf("news after the clock was set back: wrote %v", got)
	}
	if got := a.Cache.Learn(nil, now, alice, info(term.TokenBlocked), cfg); len(got) != 1 {
		t.Errorf("other news: wrote %v", got)
	}
}

func TestCacheSweep(t *testing.T) { // C10.FR.10, C10.FR.13
	cfg := usual()
	var c Cache
	c.Learn(nil, t0, alice, info(term.TokenAccepted), cfg)
	c.Learn(nil, t0, bob, term.TokenInfo{Status: term.TokenAccepted, Expiry: t0.Add(time.Minute)}, cfg)
	c.Learn(nil, t0.Add(time.Hour), card(1), info(term.TokenAccepted), cfg)
	if got := c.Sweep(nil, t0.Add(time.Minute-1), cfg); len(got) != 0 {
		t.Errorf("too early: %v", got)
	}
	if got := c.Sweep(nil, t0.Add(time.Minute), cfg); len(got) != 1 || got[0].Key != cacheKey(bob) {
		t.Errorf("own date: %v", got)
	}
	if got := c.Sweep(nil, t0.Add(24*time.Hour), cfg); len(got) != 1 || got[0].Key != cacheKey(alice) {
		t.Errorf("life time: %v", got)
	}
	ageless := with(func(c *Config) { c.CacheLifeTime = 0 })
	if got := c.Sweep(nil, t0.AddDate(10, 0, 0), ageless); len(got) != 0 {
		t.Errorf("without a life time: %v", got)
	}
}

func TestCacheReplacement(t *testing.T) { // C10.FR.07
	for _, tt := range []struct {
		name   string
		policy Policy
		act    func(c *Cache)
		gone   int
	}{
		{"LRU the one unused longest", LRU, func(c *Cache) { c.used(card(0)) }, 1},
		{"LRU news are a use", LRU, func(c *Cache) { c.Learn(nil, t0, card(0), info(term.TokenAccepted), usual()) }, 1},
		{"LFU the one used least", LFU, func(c *Cache) {
			for i := range MaxCacheEntries {
				if i != 5 {
					c.used(card(i))
				}
			}
		}, 5},
		{"FIFO the oldest", FIFO, func(c *Cache) { c.used(card(0)) }, 0},
		{"FIFO news do not move", FIFO, func(c *Cache) {
			c.Learn(nil, t0, card(0), term.TokenInfo{Status: term.TokenAccepted, Group: fleet}, usual())
		}, 0},
		{"not accepted first", LRU, func(c *Cache) { c.Learn(nil, t0, card(9), info(term.TokenInvalid), usual()) }, 9},
		{"expired before that", FIFO, func(c *Cache) {
			c.Learn(nil, t0, card(9), info(term.TokenInvalid), usual())
			c.Learn(nil, t0.Add(-25*time.Hour), card(7), info(term.TokenAccepted), usual())
		}, 7},
	} {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, restart %v", tt.name, restart), func(t *testing.T) {
				cfg := with(func(c *Config) { c.CachePolicy = tt.policy })
				s, c := store{}, new(Cache)
				for i := range MaxCacheEntries {
					s.put(t, c.Learn(nil, t0, card(i), info(term.TokenAccepted), cfg))
				}
				gone := tt.gone
				if restart { // ranks are those of the last write: only the order of coming is left
					c, gone = s.restart(t), 0
				} else {
					tt.act(c)
				}
				changes := c.Learn(nil, t0, alice, info(term.TokenAccepted), cfg)
				if len(changes) != 2 || changes[0].Value != nil || changes[0].Key != cacheKey(card(gone)) {
					t.Fatalf("got %d changes, %q first; want card %d to go", len(changes), changes[0].Key, gone)
				}
				next := c.Learn(nil, t0, bob, info(term.TokenAccepted), cfg)
				if newest := next[0].Key == cacheKey(alice); newest != (tt.policy == LFU && !restart) { // used less than all others
					t.Errorf("the newest entry went first: %v", newest)
				}
				if c.Len() != MaxCacheEntries || !has(c, bob, cfg) {
					t.Errorf("%d entries, newest there: %v", c.Len(), has(c, bob, cfg))
				}
			})
		}
	}
}

func TestCacheIsBoundedInBytes(t *testing.T) {
	s, c, cfg := store{}, new(Cache), usual()
	long := term.TokenInfo{Status: term.TokenAccepted, Message: strings.Repeat("m", 1024)}
	for i := range MaxCacheEntries {
		s.put(t, c.Learn(nil, t0, card(i), long, cfg))
		if c.Bytes() > MaxCacheBytes || c.Bytes() != s.bytes() {
			t.Fatalf("%d bytes, %d stored, bound %d", c.Bytes(), s.bytes(), MaxCacheBytes)
		}
	}
	if c.Len() < 200 || !has(c, card(MaxCacheEntries-1), cfg) {
		t.Errorf("%d entries left", c.Len())
	}
}

func TestCacheForget(t *testing.T) { // N10: a customer is forgotten
	var c Cache
	c.Learn(nil, t0, alice, info(term.TokenAccepted), usual())
	if got := c.Forget(nil, bob); len(got) != 0 {
		t.Errorf("unknown token: %v", got)
	}
	if got := c.Forget(nil, alice); len(got) != 1 || got[0].Value != nil || c.Len() != 0 {
		t.Errorf("got %v", got)
	}
}

func FuzzRestore(f *testing.F) {
	var c Cache
	for _, i := range []term.TokenInfo{
		info(term.TokenBlocked),
		{Status: term.TokenAccepted, Expiry: t0.Add(time.Hour), Group: fleet, EVSEs: []term.EVSEID{1, 3}, Message: "hi", Priority: 4, HasPriority: true},
	} {
		for _, change := range c.Learn(nil, t0, alice, i, usual()) {
			f.Add(change.Value)
		}
	}
	f.Add([]byte{})
	f.Add([]byte{entryVersion, 0, 0, 0x80})
	f.Fuzz(func(t *testing.T, value []byte) {
		var c Cache
		if err := c.Restore("k", value); err != nil {
			if c.Len() != 0 {
				t.Fatal("a damaged entry was taken")
			}
			return
		}
		e := c.entries[0]
		again, err := openEntry("k", e.seal())
		if err != nil || !sameInfo(again.info, e.info) || again.added != e.added || again.used != e.used || again.uses != e.uses ||
			!again.updated.Equal(e.updated) {
			t.Fatalf("got %+v, want %+v: %v", again, e, err)
		}
	})
}
