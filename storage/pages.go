package storage

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"slices"
)

// Format of a bbolt file, version 2, as far as it is read here. Integers are in the byte order of the machine; all
// targets are little endian.
//
//	page     id u64, flags u16, count u16, overflow u32, elements
//	meta     magic u32, version u32, pageSize u32, flags u32, root u64, sequence u64, freelist u64, pages u64, txid u64, fnv64a u64
//	branch   pos u32, ksize u32, page u64                    pos counts from the element itself
//	leaf     flags u32, pos u32, ksize u32, vsize u32        flags 1: the value is a bucket: root u64, sequence u64, inline page
//	freelist ids u64; count 0xffff: the first is the count
const (
	pageSize       = 4096
	pageHeader     = 16
	pageBranch     = 1
	pageLeaf       = 2
	pageFreelist   = 16
	boltMagic      = 0xED0CDAED
	boltVersion    = 2
	maxTreeDepth   = 32
	maxDefects     = 16
	maxPageSpan    = 4096     // pages of one value or free list: 16 MiB
	walkWindow     = 64 << 10 // bytes read at once: neighbours are mostly used together
	bucketElement  = 1
	bucketHeader   = 16
	freelistLongID = 0xffff
)

// errPages says that a file is no bbolt database at all, or has no whole meta page.
var errPages = errors.New("not a database: no whole meta page")

// pageWalk reads a whole database file by itself, without a mapping: damage is a defect in a list, not a panic, and
// an unreadable sector is an error, not a signal.
type pageWalk struct {
	file    io.ReaderAt
	pages   uint64 // pages in use, the high-water mark
	free    uint64
	seen    []uint64 // one bit a page
	window  part     // many pages in their order
	aside   part     // one from elsewhere
	way     [maxTreeDepth + 1][]byte
	defects []string
	emit    func(bucket, key, value []byte) // in order; the slices are valid during the call
}

type boltMeta struct{ root, freelist, pages, txid uint64 }

// walkPages reads the newest state of the file. It returns an error only when there is nothing to walk.
func walkPages(file io.ReaderAt, size int64, emit func(bucket, key, value []byte)) (*pageWalk, error) {
	m, whole, err := newestMeta(file)
	if err != nil {
		return nil, err
	}
	w := &pageWalk{file: file, pages: m.pages, emit: emit}
	if !whole {
		w.defect("one of two meta pages is damaged")
	}
	if m.pages < 4 || m.pages > 1<<32/pageSize || int64(m.pages)*pageSize > size {
		w.defect("file of %d bytes is shorter than its %d pages", size, m.pages)
		w.pages = min(m.pages, uint64(size)/pageSize)
	}
	w.seen = make([]uint64, w.pages/64+1)
	w.mark(0)
	w.mark(1)
	w.tree(m.root, nil, nil, nil, 0)
	w.freelist(m.freelist)
	if len(w.defects) == 0 {
		w.allSeen()
	}
	return w, nil
}

// newestMeta returns the meta page with the highest transaction that is whole. A torn one is the ordinary mark of a
// power cut in the last write of an update; the state before it is complete.
func newestMeta(file io.ReaderAt) (best boltMeta, bothWhole bool, err error) {
	found := 0
	for i := int64(0); i < 2; i++ {
		var p [pageHeader + 64]byte
		if _, err := file.ReadAt(p[:], i*pageSize); err != nil {
			continue
		}
		b, le := p[pageHeader:], binary.LittleEndian
		h := fnv.New64a()
		h.Write(b[:56])
		if le.Uint32(b) != boltMagic || le.Uint32(b[4:]) != boltVersion || le.Uint32(b[8:]) != pageSize || le.Uint64(b[56:]) != h.Sum64() {
			continue
		}
		m := boltMeta{root: le.Uint64(b[16:]), freelist: le.Uint64(b[32:]), pages: le.Uint64(b[40:]), txid: le.Uint64(b[48:])}
		if found == 0 || m.txid > best.txid {
			best = m
		}
		found++
	}
	if found == 0 {
		return best, false, errPages
	}
	return best, found == 2, nil
}

func (w *pageWalk) defect(format string, args ...any) {
	if len(w.defects) < maxDefects {
		w.defects = append(w.defects, fmt.Sprintf(format, args...))
	}
}

// mark notes that a page is used and reports whether this is the first use.
func (w *pageWalk) mark(id uint64) bool {
	if id >= w.pages || w.seen[id/64]&(1<<(id%64)) != 0 {
		return false
	}
	w.seen[id/64] |= 1 << (id % 64)
	return true
}

// page returns a page with its overflow, valid until the next call; ok is false when it is not a page of that number,
// or in use already.
func (w *pageWalk) page(id uint64) (p []byte, ok bool) {
	if id >= w.pages {
		w.defect("page %d is beyond the end", id)
		return nil, false
	}
	head, err := w.read(id, 1)
	if err != nil {
		w.defect("page %d: %v", id, err)
		return nil, false
	}
	span := uint64(binary.LittleEndian.Uint32(head[12:])) + 1
	if binary.LittleEndian.Uint64(head) != id || span > maxPageSpan || id+span > w.pages {
		w.defect("page %d has the header of another page", id)
		return nil, false
	}
	for i := uint64(0); i < span; i++ {
		if !w.mark(id + i) {
			w.defect("page %d is used twice", id+i)
			return nil, false
		}
	}
	if p, err = w.read(id, span); err != nil {
		w.defect("page %d: %v", id, err)
		return nil, false
	}
	return p, true
}

// read returns span pages from id on. Pages that follow what was read before come in windows; one from elsewhere, a branch
// mostly, is read alone and leaves the window where it is.
func (w *pageWalk) read(id, span uint64) ([]byte, error) {
	from, n := int64(id)*pageSize, int64(span)*pageSize
	if w.window.holds(from, n) {
		return w.window.cut(from, n), nil
	}
	if w.aside.holds(from, n) {
		return w.aside.cut(from, n), nil
	}
	if from != w.window.end() && from != w.aside.end() {
		err := w.aside.read(w.file, from, n)
		return w.aside.cut(from, n), err
	}
	err := w.window.read(w.file, from, min(max(n, walkWindow), int64(w.pages)*pageSize-from))
	if err != nil { // one unreadable sector must not hide its neighbours
		err = w.window.read(w.file, from, n)
	}
	return w.window.cut(from, n), err
}

// part is a part of a file that was read.
type part struct {
	bytes []byte
	start int64
}

func (p *part) end() int64 { return p.start + int64(len(p.bytes)) }

func (p *part) holds(from, n int64) bool { return from >= p.start && from+n <= p.end() }

// cut returns n bytes, or nil when the part does not hold them.
func (p *part) cut(from, n int64) []byte {
	if !p.holds(from, n) {
		return nil
	}
	return p.bytes[from-p.start:][:n]
}

func (p *part) read(file io.ReaderAt, from, n int64) error {
	p.bytes, p.start = slices.Grow(p.bytes[:0], int(n))[:n], from
	_, err := file.ReadAt(p.bytes, from)
	if err != nil {
		p.bytes = p.bytes[:0]
	}
	return err
}

// tree walks the pages below id, whose keys must lie in [low, high).
func (w *pageWalk) tree(id uint64, bucket, low, high []byte, depth int) {
	if depth > maxTreeDepth {
		w.defect("page %d: tree is too deep", id)
		return
	}
	p, ok := w.page(id)
	if !ok {
		return
	}
	switch binary.LittleEndian.Uint16(p[8:]) {
	case pageBranch:
		w.branch(id, w.keep(p, depth), bucket, low, high, depth) // its children move the window
	case pageLeaf:
		if bucket == nil {
			p = w.keep(p, depth) // buckets stand below it
		}
		w.leaf(id, p, bucket, low, high, depth)
	default:
		w.defect("page %d is neither branch nor leaf", id)
	}
}

// keep copies a page of the way down from the root, in place of the one that was there before at this depth.
func (w *pageWalk) keep(p []byte, depth int) []byte {
	w.way[depth] = append(w.way[depth][:0], p...)
	return w.way[depth]
}

// element returns key and rest of element i of a page; ok is false when it points outside.
func element(p []byte, i, ksize, vsize, pos uint32) (key, value []byte, ok bool) {
	at := uint64(pageHeader) + uint64(i)*16 + uint64(pos)
	end := at + uint64(ksize) + uint64(vsize)
	if end > uint64(len(p)) {
		return nil, nil, false
	}
	return p[at : at+uint64(ksize)], p[at+uint64(ksize) : end], true
}

func (w *pageWalk) branch(id uint64, p, bucket, low, high []byte, depth int) {
	count := uint32(binary.LittleEndian.Uint16(p[10:]))
	if count == 0 || pageHeader+int(count)*16 > len(p) {
		w.defect("page %d has %d elements", id, count)
		return
	}
	at := func(i uint32) (key []byte, child uint64, ok bool) {
		e := p[pageHeader+i*16:]
		key, _, ok = element(p, i, binary.LittleEndian.Uint32(e[4:]), 0, binary.LittleEndian.Uint32(e))
		return key, binary.LittleEndian.Uint64(e[8:]), ok
	}
	for i := uint32(0); i < count; i++ {
		key, child, ok := at(i)
		next := high
		if ok && i+1 < count {
			next, _, ok = at(i + 1)
		}
		if !ok || !ordered(key, low, high) || i+1 < count && bytes.Compare(key, next) >= 0 {
			w.defect("page %d: element %d is out of order", id, i)
			continue
		}
		w.tree(child, bucket, key, next, depth+1)
	}
}

// ordered reports whether low <= key < high; nil is no bound.
func ordered(key, low, high []byte) bool {
	return (low == nil || bytes.Compare(key, low) >= 0) && (high == nil || bytes.Compare(key, high) < 0)
}

func (w *pageWalk) leaf(id uint64, p, bucket, low, high []byte, depth int) {
	count := uint32(binary.LittleEndian.Uint16(p[10:]))
	if pageHeader+int(count)*16 > len(p) {
		w.defect("page %d has %d elements", id, count)
		return
	}
	var last []byte
	for i := uint32(0); i < count; i++ {
		e := p[pageHeader+i*16:]
		le := binary.LittleEndian
		key, value, ok := element(p, i, le.Uint32(e[8:]), le.Uint32(e[12:]), le.Uint32(e[4:]))
		if !ok || !ordered(key, low, high) || i > 0 && bytes.Compare(last, key) >= 0 {
			w.defect("page %d: element %d is out of order", id, i)
			continue
		}
		last = key
		switch flags := le.Uint32(e); {
		case flags == 0 && bucket != nil:
			w.emit(bucket, key, value)
		case flags == bucketElement && bucket == nil && len(value) >= bucketHeader:
			w.bucket(id, key, value, depth)
		default:
			w.defect("page %d: element %d is of an unknown kind", id, i)
		}
	}
}

// bucket walks a bucket: a tree of its own, or one leaf inside the value.
func (w *pageWalk) bucket(id uint64, name, value []byte, depth int) {
	if root := binary.LittleEndian.Uint64(value); root != 0 {
		w.tree(root, name, nil, nil, depth+1)
		return
	}
	inline := value[bucketHeader:]
	if len(inline) < pageHeader || binary.LittleEndian.Uint16(inline[8:]) != pageLeaf {
		w.defect("page %d: bucket %x is damaged", id, name)
		return
	}
	w.leaf(id, inline, name, nil, nil, depth+1)
}

func (w *pageWalk) freelist(id uint64) {
	p, ok := w.page(id)
	if !ok {
		return
	}
	if binary.LittleEndian.Uint16(p[8:]) != pageFreelist {
		w.defect("page %d is not the free list", id)
		return
	}
	ids, n := p[pageHeader:], uint64(binary.LittleEndian.Uint16(p[10:]))
	if n == freelistLongID {
		n, ids = binary.LittleEndian.Uint64(ids), ids[8:]
	}
	if n > uint64(len(ids)/8) {
		w.defect("free list of %d pages does not fit its page", n)
		return
	}
	for i := uint64(0); i < n; i++ {
		if free := binary.LittleEndian.Uint64(ids[i*8:]); !w.mark(free) {
			w.defect("page %d is free and in use, or free twice", free)
		}
	}
	w.free = n
}

// allSeen checks that every page is in the tree or free: none has fallen out.
func (w *pageWalk) allSeen() {
	for id := uint64(0); id < w.pages; id++ {
		if w.seen[id/64]&(1<<(id%64)) == 0 {
			w.defect("page %d is neither in use nor free", id)
		}
	}
}
