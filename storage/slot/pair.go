package slot

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"

	"github.com/evsed/evsed/storage/journal"
)

// pair is a small text that survives a power cut at any moment: two files, written in turn, of which the newer whole one
// counts. A copy is: CRC32C of all that follows u32, magic u32, generation u64, length u32, text, zeros up to its size.
type pair struct {
	fs         journal.FS
	name       string
	generation uint64
	made       [2]bool // the file's name is durable
}

const (
	pairMagic  = 0x31505645 // "EVP1"
	pairHeader = 20
	pairSize   = 8 << 10 // bytes of a copy
	maxText    = pairSize - pairHeader
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errDamaged says that copies are there and none is whole.
var errDamaged = errors.New("both copies are damaged")

func (p *pair) file(i uint64) string { return p.name + "-" + strconv.FormatUint(i%2, 10) }

// load returns the newer whole text; nil when there never was one.
func (p *pair) load() ([]byte, error) {
	var text []byte
	there := false
	names, err := p.fs.List()
	if err != nil {
		return nil, err
	}
	for _, n := range names {
		for i := range uint64(2) {
			if n != p.file(i) {
				continue
			}
			b, err := p.read(i)
			if err != nil {
				return nil, err
			}
			there = there || len(b) > 0
			if g, t, ok := parseCopy(b); ok && g > p.generation {
				p.generation, text = g, t
			}
		}
	}
	if text == nil && there {
		return nil, errDamaged
	}
	return text, nil
}

func (p *pair) read(i uint64) ([]byte, error) {
	f, err := p.fs.Open(p.file(i))
	if err != nil {
		return nil, err
	}
	b := make([]byte, pairSize)
	n, err := f.ReadAt(b, 0)
	if err == io.EOF {
		err = nil
	}
	return b[:n], errors.Join(err, f.Close())
}

// parseCopy reads a copy; ok is false when it is not whole.
func parseCopy(b []byte) (generation uint64, text []byte, ok bool) {
	if len(b) != pairSize || binary.LittleEndian.Uint32(b) != crc32.Checksum(b[4:], castagnoli) || binary.LittleEndian.Uint32(b[4:]) != pairMagic {
		return 0, nil, false
	}
	n := binary.LittleEndian.Uint32(b[16:])
	if n > maxText {
		return 0, nil, false
	}
	return binary.LittleEndian.Uint64(b[8:]), b[pairHeader : pairHeader+n], true
}

func appendCopy(dst []byte, generation uint64, text []byte) []byte {
	at := len(dst)
	dst = binary.LittleEndian.AppendUint32(dst, 0)
	dst = binary.LittleEndian.AppendUint32(dst, pairMagic)
	dst = binary.LittleEndian.AppendUint64(dst, generation)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(text)))
	dst = append(dst, text...)
	dst = append(dst, make([]byte, maxText-len(text))...)
	binary.LittleEndian.PutUint32(dst[at:], crc32.Checksum(dst[at+4:], castagnoli))
	return dst
}

// save makes text durable, or leaves the last one in force. After an error the next start may find either.
func (p *pair) save(text []byte) error {
	if len(text) > maxText {
		return fmt.Errorf("%s: %d bytes: want at most %d", p.name, len(text), maxText)
	}
	next := p.generation + 1
	f, err := p.fs.Open(p.file(next))
	if err != nil {
		return err
	}
	_, err = f.WriteAt(appendCopy(nil, next, text), 0)
	if err == nil {
		err = f.SyncData()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if !p.made[next%2] {
		if err := p.fs.SyncDir(); err != nil {
			return err
		}
		p.made[next%2] = true
	}
	p.generation = next
	return nil
}
