package auth

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/evsed/evsed/station/term"
)

// truth is a dumb model of what was said of each token: a list of facts that is searched from its end.
type truth []fact

type fact struct {
	token term.IdToken
	info  term.TokenInfo
	at    time.Time
}

func (tr truth) last(token term.IdToken) (fact, bool) {
	for i := len(tr) - 1; i >= 0; i-- {
		if tr[i].token == token {
			return tr[i], true
		}
	}
	return fact{}, false
}

// TestAcceptNeverComesFromAnExpiredOrRefusedEntry plays random news, clocks, settings and restarts, and holds every
// verdict against the model: an acceptance by list or cache rests on an entry whose status is Accepted and whose time
// has not passed, it is never a master pass, and nobody is asked who cannot or may not be.
func TestAcceptNeverComesFromAnExpiredOrRefusedEntry(t *testing.T) {
	accepts := map[Source]int{}
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		pick := func(n int) int { return rnd.IntN(n) }
		randomInfo := func(now time.Time) term.TokenInfo {
			i := term.TokenInfo{Status: statuses[0]}
			if pick(3) == 0 {
				i.Status = statuses[pick(len(statuses))]
			}
			if pick(3) == 0 {
				i.Expiry = now.Add(time.Duration(pick(7200)-1800) * time.Second).Truncate(time.Second)
			}
			if pick(4) == 0 {
				i.Group = []term.IdToken{fleet, police}[pick(2)]
			}
			return i
		}
		list := map[term.IdToken]term.TokenInfo{}
		for i := range 4 {
			list[card(i)] = randomInfo(t0)
		}
		a, s, said, now := book(list, nil), store{}, truth(nil), t0
		for range 300 {
			cfg := Config{
				Enabled: true, LocalPreAuthorize: pick(4) > 0, LocalAuthorizeOffline: pick(4) > 0, OfflineTxForUnknownId: pick(2) == 0,
				DisableRemoteAuthorization: pick(4) == 0, MasterPassGroup: police.Value, CacheEnabled: pick(8) > 0,
				CacheLifeTime: time.Duration(pick(3)) * time.Hour, CachePolicy: []Policy{LRU, LFU, FIFO}[pick(3)],
				CacheDisablePostAuthorize: pick(2) == 0, ListEnabled: pick(2) == 0, ListDisablePostAuthorize: pick(2) == 0,
				ListSupportsExpiry: pick(2) == 0,
			}
			now = now.Add(time.Duration(pick(1200)) * time.Second)
			token := card(pick(8))
			switch pick(6) {
			case 0:
				i := randomInfo(now)
				s.put(t, a.Cache.Learn(nil, now, token, i, cfg))
				if cfg.CacheEnabled {
					said = append(said, fact{token, i, now})
				}
				continue
			case 1:
				s.put(t, a.Cache.Sweep(nil, now, cfg))
			case 2:
				a.Cache = *s.restart(t)
			}
			online := pick(2) == 0
			v := a.Decide(now, token, online, cfg)
			switch v.Kind {
			case Ask:
				if !online || cfg.DisableRemoteAuthorization {
					t.Fatalf("seed %d: asks, online %v, %+v", seed, online, cfg)
				}
			case Accept:
				accepts[v.Source]++
				checkAccept(t, v, token, now, online, cfg, list, said)
			}
		}
	}
	for _, source := range []Source{SourceList, SourceCache, SourceOfflineUnknown} {
		if accepts[source] < 100 {
			t.Errorf("only %d acceptances by %v: the test proves nothing", accepts[source], source)
		}
	}
}

func checkAccept(t *testing.T, v Verdict, token term.IdToken, now time.Time, online bool, cfg Config,
	list map[term.IdToken]term.TokenInfo, said truth) {
	t.Helper()
	if cfg.master(v.Info) {
		t.Fatalf("a master pass starts: %+v", v)
	}
	inList, listed := list[token]
	listed = listed && cfg.ListEnabled
	f, cached := said.last(token)
	switch v.Source {
	case SourceList:
		if !listed || inList.Status != term.TokenAccepted ||
			cfg.ListSupportsExpiry && !inList.Expiry.IsZero() && now.After(inList.Expiry) {
			t.Fatalf("list entry %+v accepted at %v", inList, now)
		}
	case SourceCache:
		if listed || !cfg.CacheEnabled || !cached || f.info.Status != term.TokenAccepted {
			t.Fatalf("cache entry %+v accepted, listed %v", f, listed)
		}
		if f.info.Expiry.IsZero() && cfg.CacheLifeTime > 0 && now.Sub(f.at) >= cfg.CacheLifeTime ||
			!f.info.Expiry.IsZero() && !now.Before(f.info.Expiry) {
			t.Fatalf("cache entry %+v accepted at %v with life time %v", f, now, cfg.CacheLifeTime)
		}
	case SourceOfflineUnknown:
		if online || listed || !cfg.OfflineTxForUnknownId {
			t.Fatalf("accepted as unknown: online %v, listed %v", online, listed)
		}
	}
}
