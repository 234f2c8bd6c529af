package storage

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/storage/journal"
)

// Bounds of a builder.
const (
	listRunBytes = 256 << 10 // keys and values in RAM before they are sorted into a run on disk
	maxListRuns  = 128
)

// ListBuilder makes a new list file from entries in any order, in bounded memory: it sorts runs and merges them. The
// list in use stays as it is until a record that names the new one is durable. One goroutine uses a builder.
type ListBuilder struct {
	fs         journal.FS
	generation uint64
	base       *List
	arena      []byte
	entries    []span
	runs       []*List
	added      int
	err        error
}

// span is an entry in the arena.
type span struct {
	at, key, value int // value < 0: a delete
}

// NewList begins a list. With base, which must stay open until Finish, the new list has all its entries but those
// that Add replaces or Delete removes: a differential update.
func (s *Store) NewList(base *List) (*ListBuilder, error) {
	names, err := s.opts.Files.List()
	if err != nil {
		return nil, err
	}
	return &ListBuilder{fs: s.opts.Files, generation: s.nextList(names), base: base}, nil
}

// nextList returns a number that no list of this store has had. It is written down with the next commit, which is at
// the latest the one that names the list.
func (s *Store) nextList(names []string) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	top := max(s.index.list, s.listTop)
	for _, name := range names {
		if n, ok := listGeneration(name); ok {
			top = max(top, n)
		}
	}
	s.listTop = top + 1
	s.handOver([]station.Record{{Bucket: bucketOwn, Key: ownList, Value: binary.LittleEndian.AppendUint64(nil, s.listTop)}})
	return s.listTop
}

// Add sets the value of a key; the last one counts.
func (b *ListBuilder) Add(key, value []byte) error { return b.put(key, value, len(value)) }

// Delete removes a key that an earlier Add or the base has.
func (b *ListBuilder) Delete(key []byte) error { return b.put(key, nil, -1) }

func (b *ListBuilder) put(key, value []byte, n int) error {
	switch {
	case b.err != nil:
		return b.err
	case len(key) == 0:
		return errors.New("list entry without a key")
	case len(key)+len(value) > MaxListEntry:
		return fmt.Errorf("list entry of %d bytes: %w", len(key)+len(value), ErrTooLarge)
	case b.added >= MaxListEntries:
		return fmt.Errorf("list of more than %d entries: %w", MaxListEntries, ErrTooLarge)
	}
	b.added++
	b.entries = append(b.entries, span{len(b.arena), len(key), n})
	b.arena = append(append(b.arena, key...), value...)
	if len(b.arena) >= listRunBytes {
		b.err = b.spill()
	}
	return b.err
}

func (b *ListBuilder) key(e span) []byte { return b.arena[e.at : e.at+e.key] }

func (b *ListBuilder) value(e span) []byte {
	if e.value < 0 {
		return nil
	}
	return b.arena[e.at+e.key : e.at+e.key+e.value : e.at+e.key+e.value]
}

func (b *ListBuilder) runName(i int) string {
	return fmt.Sprintf("%s.run-%d", listName(b.generation), i)
}

// spill sorts what is in RAM into a run.
func (b *ListBuilder) spill() error {
	if len(b.entries) == 0 {
		return nil
	}
	if len(b.runs) == maxListRuns {
		return fmt.Errorf("list of more than %d MiB: %w", maxListRuns*listRunBytes>>20, ErrTooLarge)
	}
	slices.SortStableFunc(b.entries, func(x, y span) int { return bytes.Compare(b.key(x), b.key(y)) })
	name := b.runName(len(b.runs))
	err := b.write(name, func(w *listWriter) error {
		for i, e := range b.entries {
			if i+1 < len(b.entries) && bytes.Equal(b.key(e), b.key(b.entries[i+1])) {
				continue // replaced later
			}
			if err := w.add(b.key(e), b.value(e)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	b.arena, b.entries = b.arena[:0], b.entries[:0]
	run, err := openList(b.fs, name, b.generation)
	if err == nil {
		b.runs = append(b.runs, run)
	}
	return err
}

// write makes one file of the list.
func (b *ListBuilder) write(name string, fill func(*listWriter) error) error {
	if err := b.fs.Remove(name); err != nil {
		return err
	}
	f, err := b.fs.Open(name)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	w := newListWriter(f, b.generation)
	if err := firstError(fill(w), w.finish()); err != nil {
		return fmt.Errorf("write %s: %w", name, errors.Join(err, f.Close()))
	}
	return f.Close()
}

// Finish writes the list and opens it. It is durable, and not in use: commit a record that names it, then PruneLists.
func (b *ListBuilder) Finish() (*List, error) {
	if b.err == nil {
		b.err = b.spill()
	}
	if b.err != nil {
		b.Discard()
		return nil, b.err
	}
	name := listName(b.generation)
	err := b.write(name, b.merge)
	b.Discard()
	if err == nil {
		err = b.fs.SyncDir()
	}
	if err != nil {
		return nil, err
	}
	return openList(b.fs, name, b.generation)
}

// Discard gives the builder up; nothing is left of it.
func (b *ListBuilder) Discard() {
	for i, run := range b.runs {
		_ = run.Close()
		_ = b.fs.Remove(b.runName(i)) // what stays is pruned later
	}
	b.runs, b.arena, b.entries = nil, nil, nil
	b.err = firstError(b.err, errors.New("list builder is done"))
}

// merge writes the union of base and runs: of equal keys the one from the latest run.
func (b *ListBuilder) merge(w *listWriter) error {
	var heads []*listCursor
	sources := b.runs
	if b.base != nil {
		sources = append([]*List{b.base}, b.runs...)
	}
	for _, l := range sources {
		heads = append(heads, &listCursor{list: l})
	}
	live := make([]bool, len(heads))
	for i, c := range heads {
		live[i] = c.next()
	}
	for {
		best := -1
		for i, c := range heads {
			if live[i] && (best < 0 || bytes.Compare(c.key, heads[best].key) <= 0) {
				best = i
			}
		}
		if best < 0 {
			break
		}
		if err := b.emit(w, heads[best]); err != nil {
			return err
		}
		for i, c := range heads {
			if i != best && live[i] && bytes.Equal(c.key, heads[best].key) {
				live[i] = c.next()
			}
		}
		live[best] = heads[best].next()
	}
	for _, c := range heads {
		if c.err != nil {
			return c.err
		}
	}
	return nil
}

func (b *ListBuilder) emit(w *listWriter, c *listCursor) error {
	if c.value == nil {
		return nil // deleted
	}
	if w.entries >= MaxListEntries {
		return fmt.Errorf("list of more than %d entries: %w", MaxListEntries, ErrTooLarge)
	}
	return w.add(c.key, c.value)
}
