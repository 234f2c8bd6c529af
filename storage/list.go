package storage

import (
	"bytes"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
)

// listBuffers keeps the buffers of lookups.
var listBuffers = sync.Pool{New: func() any { return new([listBlock]byte) }}

// OpenList opens a list that a ListBuilder has finished, and checks all of it.
func (s *Store) OpenList(name string) (*List, error) {
	generation, ok := listGeneration(name)
	if !ok {
		return nil, fmt.Errorf("%q is not the name of a list", name)
	}
	names, err := s.opts.Files.List()
	if err != nil {
		return nil, err
	}
	if !slices.Contains(names, name) {
		return nil, fmt.Errorf("%s is gone: %w", name, ErrListDamaged)
	}
	return openList(s.opts.Files, name, generation)
}

func listName(generation uint64) string { return fmt.Sprintf("%s%d", listPrefix, generation) }

func listGeneration(name string) (uint64, bool) {
	n, err := strconv.ParseUint(strings.TrimPrefix(name, listPrefix), 10, 64)
	return n, err == nil && name == listName(n)
}

// PruneLists removes every list but those named in keep: after the record that names the new list is durable, and at
// the start, for what a power cut left half done. No builder may be at work.
func (s *Store) PruneLists(keep ...string) error {
	names, err := s.opts.Files.List()
	if err != nil {
		return err
	}
	for _, name := range names {
		if strings.HasPrefix(name, listPrefix) && !slices.Contains(keep, name) {
			if err := s.opts.Files.Remove(name); err != nil {
				return fmt.Errorf("remove %s: %w", name, err)
			}
		}
	}
	return s.opts.Files.SyncDir()
}

// Name returns the list's file name, for the record that makes it the one in use.
func (l *List) Name() string { return l.name }

// Len returns the number of entries.
func (l *List) Len() int { return int(l.entries) }

// Lookup returns a copy of the value of a key. It reads one block; a block that has gone bad is ErrListDamaged.
func (l *List) Lookup(key []byte) (value []byte, found bool, err error) {
	n := sort.Search(len(l.first), func(i int) bool { return bytes.Compare(l.first[i], key) > 0 })
	if n == 0 {
		return nil, false, nil
	}
	buf := listBuffers.Get().(*[listBlock]byte)
	defer listBuffers.Put(buf)
	b, err := l.readBlock(uint32(n), buf[:])
	if err != nil {
		return nil, false, fmt.Errorf("%s: %w", l.name, err)
	}
	for b = b[listBlockHead:]; len(b) > 0; {
		k, v, size, ok := cutEntry(b)
		if !ok {
			return nil, false, fmt.Errorf("%s: %w", l.name, ErrListDamaged)
		}
		switch bytes.Compare(k, key) {
		case 0:
			return append([]byte{}, v...), true, nil
		case 1:
			return nil, false, nil
		}
		b = b[size:]
	}
	return nil, false, nil
}

// Iterate hands out all entries in the order of their keys until fn returns false. The slices are valid during the
// call.
func (l *List) Iterate(fn func(key, value []byte) bool) error {
	c := listCursor{list: l}
	for c.next() {
		if !fn(c.key, c.value) {
			return nil
		}
	}
	if c.err != nil {
		return fmt.Errorf("%s: %w", l.name, c.err)
	}
	return nil
}

// Close closes the file.
func (l *List) Close() error { return l.file.Close() }
