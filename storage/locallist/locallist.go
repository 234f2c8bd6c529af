// Package locallist keeps the local authorization list in sorted side files: staged item by item while the message
// comes in, merged with the list in force, and looked up for every card without being held in memory.
//
//	Begin, Add …    the link stages the items of SendLocalList
//	Complete        makes the list as it will be, durably; nothing uses it yet
//	                the core decides, and its record names the list that is in force from then on
//	Lookup          reads the list that the core names
package locallist

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
	"github.com/evsed/evsed/storage"
)

// Lists are the side files of one store. Its methods may be called from any goroutine; of two that stage at once the
// later wins, and the earlier is told so by Complete.
type Lists struct {
	store   *storage.Store
	inForce func() station.StageID // which list the core uses now; 0 for none

	stage   sync.Mutex           // of the next three
	staging *storage.ListBuilder // nil: nothing is being staged
	staged  int
	token   station.StageID // of what is being staged

	mu   sync.Mutex // everything below
	open *storage.List
	id   station.StageID // of open
}

// New returns the lists of a store. inForce may block on the core; it is only called while staging.
func New(s *storage.Store, inForce func() station.StageID) *Lists {
	return &Lists{store: s, inForce: inForce}
}

// entry is the value of a token on disk.
type entry struct {
	Remove bool             `json:"x,omitempty"` // in a staged differential update: take the token out
	Status term.TokenStatus `json:"s,omitempty"`
	Expiry time.Time        `json:"e,omitzero"`
	Group  term.IdToken     `json:"g,omitzero"`
	EVSEs  []term.EVSEID    `json:"v,omitempty"`
}

// Begin starts staging; what an earlier message left behind is dropped.
func (l *Lists) Begin() (station.StageID, error) {
	l.stage.Lock()
	defer l.stage.Unlock()
	l.abort()
	if err := l.prune(); err != nil {
		return 0, err
	}
	b, err := l.store.NewList(nil)
	if err != nil {
		return 0, fmt.Errorf("stage local list: %w", err)
	}
	l.staging, l.staged = b, 0
	l.token++
	return l.token, nil
}

// prune removes the files that neither the core nor Lookup uses.
func (l *Lists) prune() error {
	var keep []string
	if id := l.inForce(); id != 0 {
		keep = append(keep, storage.ListName(uint64(id)))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open != nil {
		keep = append(keep, l.open.Name())
	}
	return l.store.PruneLists(keep...)
}

// Add stages one entry.
func (l *Lists) Add(t term.IdToken, info term.TokenInfo, remove bool) error {
	l.stage.Lock()
	defer l.stage.Unlock()
	if l.staging == nil {
		return ErrNotStaged
	}
	v, err := json.Marshal(entry{remove, info.Status, info.Expiry, info.Group, info.EVSEs})
	if err != nil {
		return err
	}
	l.staged++
	return l.staging.Add([]byte(t.Key()), v)
}

// ErrNotStaged says that there is nothing staged, or no longer: another message came in between.
var ErrNotStaged = errors.New("local list: not staged")

// Abort drops what was staged.
func (l *Lists) Abort() {
	l.stage.Lock()
	defer l.stage.Unlock()
	l.abort()
}

func (l *Lists) abort() {
	if l.staging != nil {
		l.staging.Discard()
		l.staging = nil
	}
}

// Complete makes the list as it will be out of what was staged and, for a differential update, the list in force. It
// fills in the request; the list is durable then, and used only if the core says so.
func (l *Lists) Complete(r station.SendLocalList) (station.SendLocalList, error) {
	l.stage.Lock()
	defer l.stage.Unlock()
	if r.Staged == 0 {
		l.abort()
		r.Stage, r.Total = 0, 0
		return r, nil
	}
	if l.staging == nil || r.Stage != l.token {
		return r, ErrNotStaged
	}
	b := l.staging
	l.staging = nil
	staged, err := b.Finish()
	if err != nil {
		return r, fmt.Errorf("stage local list: %w", err)
	}
	r.Staged, r.Duplicates = l.staged, staged.Len() != l.staged
	defer staged.Close()
	if r.Full {
		r.Stage, r.Total = station.StageID(staged.Generation()), staged.Len()
		return r, nil
	}
	merged, err := l.merge(staged)
	if err != nil {
		return r, fmt.Errorf("merge local list: %w", err)
	}
	defer merged.Close()
	r.Stage, r.Total = station.StageID(merged.Generation()), merged.Len()
	return r, nil
}

// merge applies a differential update to the list in force.
func (l *Lists) merge(staged *storage.List) (*storage.List, error) {
	var base *storage.List
	if id := l.inForce(); id != 0 {
		var err error
		if base, err = l.store.OpenList(storage.ListName(uint64(id))); err != nil {
			return nil, err
		}
		defer base.Close()
	}
	b, err := l.store.NewList(base)
	if err != nil {
		return nil, err
	}
	var failed error
	err = staged.Iterate(func(key, value []byte) bool {
		var e entry
		if failed = json.Unmarshal(value, &e); failed != nil {
			return false
		}
		if e.Remove {
			failed = b.Delete(key)
		} else {
			failed = b.Add(key, value)
		}
		return failed == nil
	})
	if err = errors.Join(err, failed); err != nil {
		b.Discard()
		return nil, err
	}
	return b.Finish()
}

// Lookup finds a token in a list. A list that cannot be read has no entries: a damaged list authorizes nobody.
func (l *Lists) Lookup(id station.StageID, t term.IdToken) (term.TokenInfo, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open == nil || l.id != id {
		l.close()
		list, err := l.store.OpenList(storage.ListName(uint64(id)))
		if err != nil {
			return term.TokenInfo{}, false
		}
		l.open, l.id = list, id
	}
	v, found, err := l.open.Lookup([]byte(t.Key()))
	var e entry
	if err != nil || !found || json.Unmarshal(v, &e) != nil {
		return term.TokenInfo{}, false
	}
	return term.TokenInfo{Status: e.Status, Expiry: e.Expiry, Group: e.Group, EVSEs: e.EVSEs}, true
}

// Close closes the list that Lookup reads.
func (l *Lists) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.close()
}

func (l *Lists) close() {
	if l.open != nil {
		_ = l.open.Close() // it was only read
		l.open = nil
	}
}
