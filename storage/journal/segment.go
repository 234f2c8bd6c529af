package journal

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
)

// segment is one file of the log.
type segment struct {
	name   string
	file   File
	blocks int64
	last   uint64 // highest number of a batch in it; 0 = none. It is free when that has been released
}

// frame is a whole batch found on the device.
type frame struct {
	seq      uint64
	seg      int
	block    int64
	length   int
	repaired bool // one of two copies could not be read
}

// find is what one pass over a segment shows.
type find struct {
	frames []frame
	bad    []int64 // blocks with a cell that cannot be read
	torn   bool    // one of those cells is not zero
	top    uint64  // highest number seen in any cell, whole batch or not
}

// prepare makes the segment at least size bytes long: room taken, every new block blank, all of it durable. grown
// says that it was shorter.
func (s *segment) prepare(size int64) (grown bool, err error) {
	have, err := s.file.Size()
	if err != nil {
		return false, fmt.Errorf("size of %s: %w", s.name, err)
	}
	s.blocks = have / BlockSize
	if have >= size {
		return false, nil
	}
	if err := s.file.Allocate(size); err != nil {
		return true, fmt.Errorf("allocate %s: %w", s.name, err)
	}
	if err := s.blankOut(s.blocks, size/BlockSize-s.blocks); err != nil {
		return true, err
	}
	if err := s.file.SyncData(); err != nil {
		return true, fmt.Errorf("sync %s: %w", s.name, err)
	}
	s.blocks = size / BlockSize
	return true, nil
}

// blankOut writes n blank blocks from block on; it does not sync.
func (s *segment) blankOut(block, n int64) error {
	const chunk = 16
	var buf []byte
	for i := 0; i < chunk; i++ {
		buf = appendBlank(buf)
	}
	for n > 0 {
		k := min(n, chunk)
		if _, err := s.file.WriteAt(buf[:k*BlockSize], block*BlockSize); err != nil {
			return fmt.Errorf("blank %s: %w", s.name, err)
		}
		block, n = block+k, n-k
	}
	return nil
}

// read returns the whole content of the segment in buf, which it may grow.
func (s *segment) read(buf []byte) ([]byte, error) {
	if int64(cap(buf)) < s.blocks*BlockSize {
		buf = make([]byte, s.blocks*BlockSize)
	}
	buf = buf[:s.blocks*BlockSize]
	for at := 0; at < len(buf); {
		// Block by block once a long read fails: one unreadable sector must not take the segment with it.
		n, err := s.file.ReadAt(buf[at:], int64(at))
		at += n
		if err == nil || at == len(buf) {
			break
		}
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read %s: %w", s.name, io.ErrUnexpectedEOF)
		}
		at = at / BlockSize * BlockSize
		if _, err := s.file.ReadAt(buf[at:at+BlockSize], int64(at)); err != nil {
			clear(buf[at : at+BlockSize]) // reads as damage
		}
		at += BlockSize
	}
	return buf, nil
}

// scan finds every whole batch in the content of segment number seg. Batches of many cells are put together in room.
func scan(content []byte, seg int, room *[]byte) find {
	var f find
	blocks := int64(len(content) / BlockSize)
	for b := int64(0); b < blocks; {
		block := content[b*BlockSize:]
		first, ok1 := parseCell(block)
		second, ok2 := parseCell(block[cellSize:])
		f.see(block[:cellSize], first, ok1)
		f.see(block[cellSize:BlockSize], second, ok2)
		if !ok1 || !ok2 {
			f.bad = append(f.bad, b)
		}
		fr, ok := wholeBatch(block, first, ok1, second, ok2, room)
		if !ok {
			b++
			continue
		}
		fr.seg, fr.block = seg, b
		f.frames = append(f.frames, fr)
		b += blocksFor(fr.length)
	}
	return f
}

func (f *find) see(raw []byte, c cell, ok bool) {
	if ok {
		f.top = max(f.top, c.seq)
		return
	}
	f.torn = f.torn || len(bytes.TrimLeft(raw, "\x00")) > 0
}

// wholeBatch reports the batch that begins at content, if all of it is there. It is put together in room.
func wholeBatch(content []byte, first cell, ok1 bool, second cell, ok2 bool, room *[]byte) (frame, bool) {
	switch {
	case ok1 && first.begins() && first.count == 1:
		return frame{seq: first.seq, length: int(first.length), repaired: !ok2}, true
	case !ok1 && ok2 && second.begins() && second.count == 1:
		return frame{seq: second.seq, length: int(second.length), repaired: true}, true
	case ok1 && first.begins() && blocksFor(int(first.length))*BlockSize <= int64(len(content)):
		payload, err := assemble(*room, content, first)
		if err == nil {
			*room = payload
		}
		return frame{seq: first.seq, length: int(first.length)}, err == nil
	}
	return frame{}, false
}

func (c cell) begins() bool { return !c.blank() && c.index == 0 }

// errBatch says that a batch is not whole.
var errBatch = errors.New("batch is damaged")

// assemble returns the payload of the batch that begins at content with cell first, in buf, which it may grow.
func assemble(buf, content []byte, first cell) ([]byte, error) {
	payload := slices.Grow(buf[:0], int(first.count)*cellPayload)
	for i := 0; i < int(first.count); i++ {
		raw := content[i*cellSize : (i+1)*cellSize]
		c, ok := parseCell(raw)
		if !ok || c.seq != first.seq || c.batch != first.batch || int(c.index) != i || c.length != first.length {
			return nil, errBatch
		}
		payload = append(payload, raw[headerSize:]...)
	}
	payload = payload[:first.length]
	if crc32.Checksum(payload, castagnoli) != first.batch {
		return nil, errBatch
	}
	return payload, nil
}

// room is what batches are read into, one after the other.
type room struct{ content, payload []byte }

// payload reads the batch of a frame again. It is valid until the next one is read into the room.
func (s *segment) payload(fr frame, in *room) (payload []byte, err error) {
	size := int(blocksFor(fr.length) * BlockSize)
	in.content = slices.Grow(in.content[:0], size)
	content := in.content[:size]
	if _, err := s.file.ReadAt(content, fr.block*BlockSize); err != nil {
		return nil, fmt.Errorf("read %s: %w", s.name, err)
	}
	first, ok := parseCell(content)
	if !ok && cellsFor(fr.length) == 1 {
		content = content[cellSize:]
		first, ok = parseCell(content)
	}
	if !ok || first.seq != fr.seq {
		return nil, errBatch
	}
	if first.count == 1 {
		return content[headerSize : headerSize+int(first.length)], nil
	}
	in.payload, err = assemble(in.payload, content, first)
	return in.payload, err
}

// segmentName and segmentNumber are inverse.
func segmentName(n int) string { return fmt.Sprintf("journal-%d", n) }

func segmentNumber(name string) (n int, ok bool) {
	_, err := fmt.Sscanf(name, "journal-%d", &n)
	return n, err == nil && n >= 0 && n < MaxSegments && name == segmentName(n)
}
