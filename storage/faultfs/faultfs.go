// Package faultfs is a directory in memory for tests. Its n-th call fails, is cut short, torn, lost, late or misdirected;
// it runs out of room; its power is cut: what was not synced is then on the device in any subset of sectors that the test
// chooses. For files that are mapped, and so pass it by, image.go makes from outside what a cut or bad flash leaves.
package faultfs

import (
	"errors"
	"io/fs"
	"maps"
	"slices"
	"sync"

	"github.com/evsed/evsed/storage/journal"
)

// SectorSize is what a device writes as a whole; a power cut may leave any subset of unsynced sectors.
const SectorSize = 512

// ErrCut is what every call returns once the power is off.
var ErrCut = errors.New("power is off")

// FS implements journal.FS. Its calls are numbered from 1; reading calls are not counted.
type FS struct {
	mu     sync.Mutex // guards all fields, and all nodes
	names  map[string]*node
	stable map[string]*node // names on the device
	moves  []func(map[string]*node)
	calls  int
	plan   map[int]Fault
	script func(Call) (Fault, bool)
	always error
	off    bool
	room   int64 // bytes; < 0 = no bound
	used   int64
}

// node is a file: what its reader sees, what is on the device, and the writes in between.
type node struct {
	view   []byte
	device []byte
	shared bool // view and device are the same bytes, as behind a Reboot
	wait   []write
}

// part gives the reader's view bytes of its own, before it changes.
func (n *node) part() {
	if n.shared {
		n.view, n.shared = slices.Clone(n.device), false
	}
}

// write is an unsynced change of at most one sector, or of the size when data is nil.
type write struct {
	off  int64
	data []byte
	lost bool
	late int // syncs that it still passes by
}

// New returns an empty directory without a bound.
func New() *FS {
	return &FS{names: map[string]*node{}, stable: map[string]*node{}, plan: map[int]Fault{}, room: -1}
}

// Room bounds the bytes of all files; negative is no bound. Beyond it calls fail with ENOSPC.
func (f *FS) Room(bytes int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.room = bytes
}

// Calls returns how many counted calls there were.
func (f *FS) Calls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

// Off reports whether the power is off.
func (f *FS) Off() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.off
}

// Unsynced returns how many sectors wait; Reboot asks keep about each of them.
func (f *FS) Unsynced() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, nd := range f.names {
		n += len(nd.wait)
	}
	return n
}

// Reboot returns the directory as the device has it after a power cut: everything synced, and of the unsynced
// sectors those for which keep says so. Unsynced names stay in order: the first one that is not kept ends them.
func (f *FS) Reboot(keep func() bool) *FS {
	f.mu.Lock()
	defer f.mu.Unlock()
	next := New()
	next.room = f.room
	names := maps.Clone(f.stable)
	for _, move := range f.moves {
		if !keep() {
			break
		}
		move(names)
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		nd := names[name]
		content := slices.Clone(nd.device)
		for _, w := range nd.wait {
			if keep() && !w.lost {
				content = w.apply(content)
			}
		}
		fresh := &node{view: content, device: content, shared: true}
		next.names[name], next.stable[name] = fresh, fresh
		next.used += int64(len(content))
	}
	return next
}

// Damage changes the content of a file on the device and in the cache.
func (f *FS) Damage(name string, change func(content []byte)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	nd := f.names[name]
	if nd == nil {
		return &fs.PathError{Op: "damage", Path: name, Err: fs.ErrNotExist}
	}
	nd.part()
	change(nd.view)
	nd.device = slices.Clone(nd.view)
	return nil
}

// Open implements journal.FS.
func (f *FS) Open(name string) (journal.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.off {
		return nil, ErrCut
	}
	nd := f.names[name]
	if nd == nil {
		p, err := f.enter(Call{Op: OpCreate, File: name})
		if err != nil {
			return nil, err
		}
		nd = &node{}
		f.move(func(m map[string]*node) { m[name] = nd })
		if p.Kind == Cut {
			return nil, ErrCut
		}
	}
	return &file{fs: f, node: nd, name: name}, nil
}

func (f *FS) move(m func(map[string]*node)) {
	m(f.names)
	f.moves = append(f.moves, m)
}

// Rename implements journal.FS.
func (f *FS) Rename(from, to string) error {
	return f.change(Call{Op: OpRename, File: from}, func() error {
		nd := f.names[from]
		if nd == nil {
			return &fs.PathError{Op: "rename", Path: from, Err: fs.ErrNotExist}
		}
		f.move(func(m map[string]*node) { delete(m, from); m[to] = nd })
		return nil
	})
}

// Remove implements journal.FS.
func (f *FS) Remove(name string) error {
	return f.change(Call{Op: OpRemove, File: name}, func() error {
		if nd := f.names[name]; nd != nil {
			f.used -= int64(len(nd.view))
			f.move(func(m map[string]*node) { delete(m, name) })
		}
		return nil
	})
}

// SyncDir implements journal.FS.
func (f *FS) SyncDir() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.enter(Call{Op: OpSyncDir})
	if err != nil {
		return err
	}
	if p.Kind == Cut {
		return ErrCut
	}
	f.stable, f.moves = maps.Clone(f.names), nil
	return nil
}

func (f *FS) change(c Call, do func() error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.enter(c)
	if err != nil {
		return err
	}
	if err := do(); err != nil || p.Kind != Cut {
		return err
	}
	return ErrCut
}

// List implements journal.FS.
func (f *FS) List() ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.off {
		return nil, ErrCut
	}
	return slices.Sorted(maps.Keys(f.names)), nil
}

func (w write) apply(b []byte) []byte {
	if w.data == nil {
		return resize(b, w.off)
	}
	if end := w.off + int64(len(w.data)); int64(len(b)) < end {
		b = resize(b, end)
	}
	copy(b[w.off:], w.data)
	return b
}

func resize(b []byte, size int64) []byte {
	if int64(len(b)) >= size {
		return b[:size]
	}
	return append(b, make([]byte, size-int64(len(b)))...)
}
