// Package faultfs is a directory in memory for tests. It fails, tears, loses or misdirects the n-th call, runs out of
// room, and cuts the power: what was not synced is then on the device in any subset of sectors that the test chooses.
package faultfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"sync"
	"syscall"

	"github.com/evsed/evsed/storage/journal"
)

// SectorSize is what a device writes as a whole; a power cut may leave any subset of unsynced sectors.
const SectorSize = 512

// ErrCut is what every call returns once the power is off.
var ErrCut = errors.New("power is off")

// Kind says what a planned fault does to its call.
type Kind uint8

// Kinds of faults.
const (
	Fail      Kind = iota // the call returns the error and does nothing
	Torn                  // a write reaches the file in its first half, and returns the error
	Lost                  // a write is acknowledged and never reaches the device
	Misplaced             // a write reaches the device one block further on
	Cut                   // the power goes during the call: it may or may not have an effect
)

// FS implements journal.FS. Its calls are numbered from 1; reading calls are not counted.
type FS struct {
	mu     sync.Mutex // guards all fields, and all nodes
	names  map[string]*node
	stable map[string]*node // names on the device
	moves  []func(map[string]*node)
	calls  int
	plan   map[int]planned
	always error
	off    bool
	room   int64 // bytes; < 0 = no bound
	used   int64
}

type planned struct {
	kind Kind
	err  error
}

// node is a file: what its reader sees, what is on the device, and the writes in between.
type node struct {
	view   []byte
	device []byte
	wait   []write
}

// write is an unsynced change of at most one sector, or of the size when data is nil.
type write struct {
	off  int64
	data []byte
	lost bool
}

// New returns an empty directory without a bound.
func New() *FS {
	return &FS{names: map[string]*node{}, stable: map[string]*node{}, plan: map[int]planned{}, room: -1}
}

// Plan makes the n-th counted call from the very first one on go wrong.
func (f *FS) Plan(n int, kind Kind, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.plan[n] = planned{kind, err}
}

// Always makes every counted call fail with err, until Always(nil): a device that is full, read-only or broken.
func (f *FS) Always(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.always = err
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
		fresh := &node{view: content, device: slices.Clone(content)}
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
	change(nd.view)
	nd.device = slices.Clone(nd.view)
	return nil
}

// enter counts a call and says how it is to go wrong; mu is held.
func (f *FS) enter() (planned, error) {
	if f.off {
		return planned{}, ErrCut
	}
	f.calls++
	p, ok := f.plan[f.calls]
	switch {
	case !ok && f.always != nil:
		return planned{}, f.always
	case !ok:
		return planned{kind: noFault}, nil
	case p.kind == Cut:
		f.off = true
	case p.kind == Fail:
		return p, p.err
	}
	return p, nil
}

const noFault Kind = 255

// Open implements journal.FS.
func (f *FS) Open(name string) (journal.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.off {
		return nil, ErrCut
	}
	nd := f.names[name]
	if nd == nil {
		p, err := f.enter()
		if err != nil {
			return nil, err
		}
		nd = &node{}
		f.move(func(m map[string]*node) { m[name] = nd })
		if p.kind == Cut {
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
	return f.change(func() error {
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
	return f.change(func() error {
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
	p, err := f.enter()
	if err != nil {
		return err
	}
	if p.kind == Cut {
		return ErrCut
	}
	f.stable, f.moves = maps.Clone(f.names), nil
	return nil
}

func (f *FS) change(do func() error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.enter()
	if err != nil {
		return err
	}
	if err := do(); err != nil || p.kind != Cut {
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

// file is an open file of an FS.
type file struct {
	fs   *FS
	node *node
	name string
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if f.fs.off {
		return 0, ErrCut
	}
	if off >= int64(len(f.node.view)) {
		return 0, io.EOF
	}
	n := copy(p, f.node.view[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *file) WriteAt(p []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	plan, err := f.fs.enter()
	if err != nil {
		return 0, err
	}
	if err := f.grow(off + int64(len(p))); err != nil {
		return 0, err
	}
	switch plan.kind {
	case Torn:
		p = p[:len(p)/2]
		f.put(p, off, off, false)
		return len(p), plan.err
	case Lost:
		f.put(p, off, off, true)
	case Misplaced:
		f.put(p, off, off+journal.BlockSize, false)
	case Cut:
		f.put(p, off, off, false)
		return 0, ErrCut
	default:
		f.put(p, off, off, false)
	}
	return len(p), nil
}

// put writes p to the cache at seen and, sector by sector, on its way to the device at real.
func (f *file) put(p []byte, seen, real int64, lost bool) {
	f.node.view = write{off: seen, data: p}.apply(f.node.view)
	for len(p) > 0 {
		n := min(int64(len(p)), SectorSize-real%SectorSize)
		f.node.wait = append(f.node.wait, write{off: real, data: slices.Clone(p[:n]), lost: lost})
		p, real = p[n:], real+n
	}
}

func (f *file) grow(size int64) error {
	more := size - int64(len(f.node.view))
	if more <= 0 {
		return nil
	}
	if f.fs.room >= 0 && f.fs.used+more > f.fs.room {
		return fmt.Errorf("%s: %w", f.name, syscall.ENOSPC)
	}
	f.fs.used += more
	return nil
}

func (f *file) SyncData() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	p, err := f.fs.enter()
	switch {
	case err != nil:
		// The kernel may have dropped what it could not write and call it clean.
		f.node.wait = nil
		return err
	case p.kind == Cut:
		return ErrCut
	}
	for _, w := range f.node.wait {
		if !w.lost {
			f.node.device = w.apply(f.node.device)
		}
	}
	f.node.wait = nil
	return nil
}

func (f *file) Allocate(size int64) error { return f.resize(max(size, int64(len(f.node.view)))) }

func (f *file) Truncate(size int64) error { return f.resize(size) }

func (f *file) resize(size int64) error {
	return f.fs.change(func() error {
		if err := f.grow(size); err != nil {
			return err
		}
		f.fs.used -= max(0, int64(len(f.node.view))-size)
		w := write{off: size}
		f.node.view = w.apply(f.node.view)
		f.node.wait = append(f.node.wait, w)
		return nil
	})
}

func (f *file) Size() (int64, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if f.fs.off {
		return 0, ErrCut
	}
	return int64(len(f.node.view)), nil
}

func (f *file) Close() error { return nil }
