package auth

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/evsed/evsed/station/term"
)

// Bounds of the cache.
const (
	MaxCacheEntries = 1000       // a busy public site sees a few hundred drivers a month
	MaxCacheBytes   = 256 * 1024 // keys and values as stored (AuthCacheCtrlr.Storage.maxLimit)
)

// Policy says which entry makes room when the cache is full (AuthCacheCtrlr.Policy).
type Policy string

// Policies that the cache honours. Anything else counts as LRU.
const (
	LRU  Policy = "LRU"
	LFU  Policy = "LFU"
	FIFO Policy = "FIFO"
)

// Change is one entry to store, or with a nil Value to delete.
type Change struct {
	Key   string
	Value []byte
}

// Cache remembers what the CSMS last said of each token, whatever the status (C10.FR.01). It keeps digests of the
// tokens, not the tokens (C10.FR.12).
//
// A mere use writes nothing: age counts from the last news of the CSMS, and the ranks that order entries for
// replacement are numbers drawn from one counter, stored only when an entry is written for another reason. After a
// restart the order is that of the last write; drivers who charge regularly bring news and so keep their place.
type Cache struct {
	entries []entry // in no order
	index   map[string]int
	bytes   int
	rank    uint64 // last rank given out
}

// entry is what is kept of one token.
type entry struct {
	key     string
	info    term.TokenInfo
	updated time.Time // when the CSMS last spoke of it
	written time.Time // updated as it stands in the store
	added   uint64    // rank of its coming
	used    uint64    // rank of its last use
	uses    uint64
	size    int // bytes in the store
}

// Len is the number of entries.
func (c *Cache) Len() int { return len(c.entries) }

// Bytes is the room the entries take in the store (AuthCacheCtrlr.Storage).
func (c *Cache) Bytes() int { return c.bytes }

// Get returns what is known of a token. An entry past its time is not returned; Sweep removes it.
func (c *Cache) Get(now time.Time, token term.IdToken, cfg Config) (term.TokenInfo, bool) {
	i, ok := c.index[cacheKey(token)]
	if !ok || c.entries[i].expired(now, cfg) {
		return term.TokenInfo{}, false
	}
	return c.entries[i].info, true
}

// Learn takes what the CSMS said of a token in any answer (C10.FR.04, C10.FR.05, C12.FR.06) and appends what is to
// be stored. Only what the CSMS said is learned, never what was accepted unseen (C15.FR.01).
func (c *Cache) Learn(dst []Change, now time.Time, token term.IdToken, info term.TokenInfo, cfg Config) []Change {
	if !cfg.CacheEnabled || !cacheable(token) {
		return dst
	}
	info.EVSEs = slices.Clone(info.EVSEs)
	key := cacheKey(token)
	i, known := c.index[key]
	if !info.Expiry.IsZero() && !now.Before(info.Expiry) {
		return c.Forget(dst, token) // C10.FR.13: a date in the past keeps a token out, prepaid ones for instance
	}
	e := entry{key: key, added: c.next(), info: info, updated: now}
	e.used = e.added
	if known {
		old := c.entries[i]
		e.added, e.uses, e.written, e.size = old.added, old.uses, old.written, old.size
		if sameInfo(old.info, info) && fresh(now.Sub(old.written), cfg) {
			c.entries[i] = e
			return dst
		}
		c.remove(i)
	}
	value := e.seal()
	dst = c.makeRoom(dst, e.size, now, cfg)
	c.insert(e)
	return append(dst, Change{Key: key, Value: value})
}

// Forget removes one token (N09, N10: customer information).
func (c *Cache) Forget(dst []Change, token term.IdToken) []Change {
	i, ok := c.index[cacheKey(token)]
	if !ok {
		return dst
	}
	return append(dst, Change{Key: c.remove(i)})
}

// Sweep removes the entries past their time (C10.FR.10, C10.FR.13).
func (c *Cache) Sweep(dst []Change, now time.Time, cfg Config) []Change {
	for i := 0; i < len(c.entries); {
		if c.entries[i].expired(now, cfg) {
			dst = append(dst, Change{Key: c.remove(i)})
			continue
		}
		i++
	}
	return dst
}

// Clear empties the cache (C11.FR.01). It reports whether that may be answered with Accepted: a cache that is
// switched off is left alone (C11.FR.04).
func (c *Cache) Clear(dst []Change, cfg Config) ([]Change, bool) {
	if !cfg.CacheEnabled {
		return dst, false
	}
	for len(c.entries) > 0 {
		dst = append(dst, Change{Key: c.remove(len(c.entries) - 1)})
	}
	return dst, true
}

// Restore takes a stored entry at start. The order of the calls does not matter.
func (c *Cache) Restore(key string, value []byte) error {
	e, err := openEntry(key, value)
	if err != nil {
		return fmt.Errorf("auth cache entry %q: %w", key, err)
	}
	if i, known := c.index[key]; known {
		c.remove(i)
	}
	c.rank = max(c.rank, e.added, e.used)
	c.insert(e)
	return nil
}

// used counts a use of a token.
func (c *Cache) used(token term.IdToken) {
	if i, ok := c.index[cacheKey(token)]; ok {
		c.entries[i].used = c.next()
		c.entries[i].uses++
	}
}

func (c *Cache) next() uint64 { c.rank++; return c.rank }

func (c *Cache) insert(e entry) {
	if c.index == nil {
		c.index = make(map[string]int)
	}
	c.index[e.key] = len(c.entries)
	c.entries = append(c.entries, e)
	c.bytes += e.size
}

// remove takes out entry i, fills its place with the last one and returns its key.
func (c *Cache) remove(i int) string {
	e, last := c.entries[i], len(c.entries)-1
	c.entries[i] = c.entries[last]
	c.index[c.entries[i].key] = i
	c.entries[last] = entry{}
	c.entries = c.entries[:last]
	delete(c.index, e.key)
	c.bytes -= e.size
	return e.key
}

// makeRoom removes entries until one of size bytes fits (C10.FR.07).
func (c *Cache) makeRoom(dst []Change, size int, now time.Time, cfg Config) []Change {
	for len(c.entries) > 0 && (len(c.entries) >= MaxCacheEntries || c.bytes+size > MaxCacheBytes) {
		worst := 0
		for i := 1; i < len(c.entries); i++ {
			if c.entries[i].before(&c.entries[worst], now, cfg) {
				worst = i
			}
		}
		dst = append(dst, Change{Key: c.remove(worst)})
	}
	return dst
}

// before reports whether e makes room before o: what has expired, then what is not accepted, then by policy. Ranks
// are unique, so the order is total.
func (e *entry) before(o *entry, now time.Time, cfg Config) bool {
	if a, b := e.class(now, cfg), o.class(now, cfg); a != b {
		return a < b
	}
	switch {
	case cfg.CachePolicy == FIFO:
		return e.added < o.added
	case cfg.CachePolicy == LFU && e.uses != o.uses:
		return e.uses < o.uses
	}
	return e.used < o.used
}

func (e *entry) class(now time.Time, cfg Config) int {
	switch {
	case e.expired(now, cfg):
		return 0
	case e.info.Status != term.TokenAccepted:
		return 1
	}
	return 2
}

// expired reports whether the entry's time is over: its own date (C10.FR.13), else AuthCacheCtrlr.LifeTime since the
// CSMS last spoke of it (C10.FR.08, C10.FR.10 with the errata of 2025). A clock behind that moment tells no age.
func (e *entry) expired(now time.Time, cfg Config) bool {
	if !e.info.Expiry.IsZero() {
		return !now.Before(e.info.Expiry)
	}
	return cfg.CacheLifeTime > 0 && now.Sub(e.updated) >= cfg.CacheLifeTime
}

// fresh reports whether news that repeat what is stored need not be written: age is how old the stored time is. An
// entry then ends at most a sixteenth of its life early after a restart.
func fresh(age time.Duration, cfg Config) bool {
	quantum := 24 * time.Hour
	if cfg.CacheLifeTime > 0 {
		quantum = cfg.CacheLifeTime / 16
	}
	return age >= 0 && age < quantum
}

// cacheable: tokens that stand for nobody in particular are never kept (C02.FR.03, C03.FR.02, C05.FR.02).
func cacheable(token term.IdToken) bool {
	return token.Value != "" && token.Type != term.TokenCentral && token.Type != term.TokenNoAuthorization
}

// cacheKey is half of the token's SHA-256 digest in hex.
func cacheKey(token term.IdToken) string {
	sum := sha256.Sum256([]byte(token.Key()))
	return hex.EncodeToString(sum[:16])
}

func sameInfo(a, b term.TokenInfo) bool {
	return a.Status == b.Status && a.Expiry.Unix() == b.Expiry.Unix() && a.Group == b.Group && a.Message == b.Message &&
		a.Priority == b.Priority && a.HasPriority == b.HasPriority && slices.Equal(a.EVSEs, b.EVSEs)
}
