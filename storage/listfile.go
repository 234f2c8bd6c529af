package storage

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/evsed/evsed/storage/journal"
)

// A list file holds entries sorted by key in blocks of 4 KiB, for a list that is looked up for every card and may
// have 100,000 entries. Little endian:
//
//	block 0   crc32c u32, magic u32, schema u16, 0 u16, generation u64, entries u64, blocks u32
//	block n   crc32c u32, n u32, generation u64, used u16, 0 u16, entries: key length u16, value length u16, key, value
//
// The generation is the number in the file's name: a block of another list is not believed.
const (
	listPrefix     = "list-"
	listBlock      = 4096
	listBlockHead  = 20
	listMagic      = 0x314c5645 // "EVL1"
	listEntryHead  = 4
	MaxListEntry   = 3 << 10 // bytes of key and value together
	MaxListEntries = 1_000_000
	listTombstone  = 0xffff // value length of a delete, in runs only
)

// ErrListDamaged says that a list file is not as it was written: fetch or build the list anew.
var ErrListDamaged = errors.New("list file is damaged")

// listWriter writes a list file from entries in order.
type listWriter struct {
	file       journal.File
	generation uint64
	block      []byte
	blocks     uint32
	entries    uint64
}

func newListWriter(f journal.File, generation uint64) *listWriter {
	return &listWriter{file: f, generation: generation, block: make([]byte, listBlockHead, listBlock)}
}

// add appends an entry; a nil value is a tombstone.
func (w *listWriter) add(key, value []byte) error {
	if len(w.block)+listEntryHead+len(key)+len(value) > listBlock {
		if err := w.flush(); err != nil {
			return err
		}
	}
	n := uint16(len(value))
	if value == nil {
		n = listTombstone
	}
	w.block = binary.LittleEndian.AppendUint16(w.block, uint16(len(key)))
	w.block = binary.LittleEndian.AppendUint16(w.block, n)
	w.block = append(append(w.block, key...), value...)
	w.entries++
	return nil
}

func (w *listWriter) flush() error {
	if len(w.block) == listBlockHead {
		return nil
	}
	w.blocks++
	used := len(w.block)
	w.block = w.block[:listBlock]
	clear(w.block[used:])
	binary.LittleEndian.PutUint32(w.block[4:], w.blocks)
	binary.LittleEndian.PutUint64(w.block[8:], w.generation)
	binary.LittleEndian.PutUint32(w.block[16:], uint32(used))
	binary.LittleEndian.PutUint32(w.block, crc32.Checksum(w.block[4:], castagnoli))
	_, err := w.file.WriteAt(w.block, int64(w.blocks)*listBlock)
	w.block = w.block[:listBlockHead]
	return err
}

// finish writes the head and makes the file durable.
func (w *listWriter) finish() error {
	if err := w.flush(); err != nil {
		return err
	}
	head := make([]byte, listBlock)
	binary.LittleEndian.PutUint32(head[4:], listMagic)
	binary.LittleEndian.PutUint16(head[8:], current.version)
	binary.LittleEndian.PutUint64(head[12:], w.generation)
	binary.LittleEndian.PutUint64(head[20:], w.entries)
	binary.LittleEndian.PutUint32(head[28:], w.blocks)
	binary.LittleEndian.PutUint32(head, crc32.Checksum(head[4:], castagnoli))
	if _, err := w.file.WriteAt(head, 0); err != nil {
		return err
	}
	return w.file.SyncData()
}

// List is an open list file. Its methods may be called from several goroutines.
type List struct {
	name       string
	file       journal.File
	generation uint64
	entries    uint64
	blocks     uint32
	first      [][]byte // the first key of each block, block 1 first
}

// openList reads the whole file once and checks every block and the order of the keys.
func openList(fs journal.FS, name string, generation uint64) (*List, error) {
	f, err := fs.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	l := &List{name: name, file: f, generation: generation}
	if err := l.check(); err != nil {
		return nil, firstError(fmt.Errorf("check %s: %w", name, err), f.Close())
	}
	return l, nil
}

func (l *List) check() error {
	var head [listBlock]byte
	if _, err := l.file.ReadAt(head[:], 0); err != nil || binary.LittleEndian.Uint32(head[:]) != crc32.Checksum(head[4:], castagnoli) ||
		binary.LittleEndian.Uint32(head[4:]) != listMagic || binary.LittleEndian.Uint64(head[12:]) != l.generation {
		return ErrListDamaged
	}
	if v := binary.LittleEndian.Uint16(head[8:]); v != current.version {
		return current.check(l.name, v)
	}
	l.entries, l.blocks = binary.LittleEndian.Uint64(head[20:]), binary.LittleEndian.Uint32(head[28:])
	found := uint64(0)
	var last []byte
	c := listCursor{list: l}
	for c.next() {
		if found > 0 && bytes.Compare(c.key, last) <= 0 {
			return ErrListDamaged
		}
		if c.at == listBlockHead+listEntryHead+len(c.key)+len(c.value) {
			l.first = append(l.first, bytes.Clone(c.key))
		}
		last = append(last[:0], c.key...)
		found++
	}
	if c.err == nil && found != l.entries {
		return ErrListDamaged
	}
	return c.err
}

// readBlock reads and checks block n into buf and returns the used part.
func (l *List) readBlock(n uint32, buf []byte) ([]byte, error) {
	if _, err := l.file.ReadAt(buf, int64(n)*listBlock); err != nil {
		return nil, fmt.Errorf("read block %d: %w: %w", n, ErrListDamaged, err)
	}
	used := binary.LittleEndian.Uint32(buf[16:])
	if binary.LittleEndian.Uint32(buf) != crc32.Checksum(buf[4:], castagnoli) || binary.LittleEndian.Uint32(buf[4:]) != n ||
		binary.LittleEndian.Uint64(buf[8:]) != l.generation || used < listBlockHead || used > listBlock {
		return nil, fmt.Errorf("block %d: %w", n, ErrListDamaged)
	}
	return buf[:used], nil
}

// cutEntry reads the entry at the start of b; a tombstone has a nil value.
func cutEntry(b []byte) (key, value []byte, size int, ok bool) {
	if len(b) < listEntryHead {
		return nil, nil, 0, false
	}
	k, v := int(binary.LittleEndian.Uint16(b)), int(binary.LittleEndian.Uint16(b[2:]))
	dead := v == listTombstone
	if dead {
		v = 0
	}
	size = listEntryHead + k + v
	if size > len(b) {
		return nil, nil, 0, false
	}
	if key = b[listEntryHead : listEntryHead+k]; !dead {
		value = b[listEntryHead+k : size : size]
	}
	return key, value, size, true
}

// listCursor goes through a list in order. Key and value are valid until the next call of next.
type listCursor struct {
	list       *List
	buf        []byte
	used       []byte
	block      uint32
	at         int
	key, value []byte
	err        error
}

func (c *listCursor) next() bool {
	for c.err == nil && c.at >= len(c.used) {
		if c.block >= c.list.blocks {
			return false
		}
		if c.buf == nil {
			c.buf = make([]byte, listBlock)
		}
		c.block++
		c.used, c.err = c.list.readBlock(c.block, c.buf)
		c.at = listBlockHead
	}
	if c.err != nil {
		return false
	}
	var size int
	var ok bool
	if c.key, c.value, size, ok = cutEntry(c.used[c.at:]); !ok {
		c.err = ErrListDamaged
		return false
	}
	c.at += size
	return true
}
