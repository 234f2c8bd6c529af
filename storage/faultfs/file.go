package faultfs

import (
	"fmt"
	"io"
	"slices"
	"syscall"

	"github.com/evsed/evsed/storage/journal"
)

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
	plan, err := f.fs.enter(Call{Op: OpWrite, File: f.name, Size: len(p)})
	if err != nil {
		return 0, err
	}
	if err := f.grow(off + int64(len(p))); err != nil {
		return 0, err
	}
	switch plan.Kind {
	case Short:
		p = p[:len(p)*2/3&^1|1] // an odd number ends within a sector
		f.put(p, off, off, write{})
		return len(p), plan.Err
	case Torn:
		half := len(p) / 2
		f.put(p[:half], off, off, write{})
		if plan.Err != nil {
			return half, plan.Err
		}
		f.put(p[half:], off+int64(half), off+int64(half), write{lost: true})
	case Lost:
		f.put(p, off, off, write{lost: true})
	case Late:
		f.put(p, off, off, write{late: 1})
	case Misplaced:
		f.put(p, off, off+journal.BlockSize, write{})
	case Cut:
		f.put(p, off, off, write{})
		return 0, ErrCut
	default:
		f.put(p, off, off, write{})
	}
	return len(p), nil
}

// put writes p to the cache at seen and, sector by sector, on its way to the device at real. like says what becomes of it
// there.
func (f *file) put(p []byte, seen, real int64, like write) {
	f.node.part()
	f.node.view = write{off: seen, data: p}.apply(f.node.view)
	for len(p) > 0 {
		n := min(int64(len(p)), SectorSize-real%SectorSize)
		like.off, like.data = real, slices.Clone(p[:n])
		f.node.wait = append(f.node.wait, like)
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
	p, err := f.fs.enter(Call{Op: OpSync, File: f.name})
	switch {
	case err != nil:
		// The kernel may have dropped what it could not write and call it clean.
		f.node.wait = nil
		return err
	case p.Kind == Cut:
		return ErrCut
	}
	var late []write
	for _, w := range f.node.wait {
		switch {
		case w.late > 0:
			w.late--
			late = append(late, w)
		case !w.lost:
			f.node.device = w.apply(f.node.device)
		}
	}
	f.node.wait = late
	return nil
}

func (f *file) Allocate(size int64) error {
	return f.resize(Call{Op: OpAllocate, File: f.name}, max(size, int64(len(f.node.view))))
}

func (f *file) Truncate(size int64) error {
	return f.resize(Call{Op: OpTruncate, File: f.name}, size)
}

func (f *file) resize(c Call, size int64) error {
	return f.fs.change(c, func() error {
		if err := f.grow(size); err != nil {
			return err
		}
		f.fs.used -= max(0, int64(len(f.node.view))-size)
		w := write{off: size}
		f.node.part()
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
