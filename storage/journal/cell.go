package journal

import (
	"encoding/binary"
	"hash/crc32"
)

// Geometry of the log on the device.
const (
	BlockSize   = 4096          // what a device writes at least; a batch starts at a block
	cellSize    = BlockSize / 2 // what carries a checksum of its own
	headerSize  = 32
	cellPayload = cellSize - headerSize
	cellMagic   = 0x314a5645 // "EVJ1": the format's version is part of it
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// cell is the header of one cell. On the device, little endian:
// crc32c of everything behind it, magic, seq u64, crc of the batch, index u16, count u16, length of the batch u32, 0 u32.
type cell struct {
	seq    uint64
	batch  uint32 // CRC32C of the whole batch: cells of two attempts at one number never mix
	index  uint16 // place of the cell in the batch
	count  uint16 // cells of the batch
	length uint32 // bytes of the batch
}

// cellsFor returns how many cells n bytes need.
func cellsFor(n int) int { return max(1, (n+cellPayload-1)/cellPayload) }

// blocksFor returns how many blocks a batch of n bytes occupies.
func blocksFor(n int) int64 { return int64(cellsFor(n)+1) / 2 }

// appendBatch appends the blocks of one batch to dst.
func appendBatch(dst []byte, seq uint64, payload []byte) []byte {
	c := cell{seq: seq, batch: crc32.Checksum(payload, castagnoli), length: uint32(len(payload)), count: uint16(cellsFor(len(payload)))}
	for i := 0; i < int(c.count); i++ {
		c.index = uint16(i)
		part := payload[i*cellPayload : min((i+1)*cellPayload, len(payload))]
		dst = c.append(dst, part)
		if c.count == 1 {
			dst = c.append(dst, part) // the second copy
		}
	}
	if c.count > 1 && c.count%2 == 1 {
		dst = cell{}.append(dst, nil) // the batch's last block is whole
	}
	return dst
}

func (c cell) append(dst, part []byte) []byte {
	at := len(dst)
	dst = binary.LittleEndian.AppendUint32(dst, 0)
	dst = binary.LittleEndian.AppendUint32(dst, cellMagic)
	dst = binary.LittleEndian.AppendUint64(dst, c.seq)
	dst = binary.LittleEndian.AppendUint32(dst, c.batch)
	dst = binary.LittleEndian.AppendUint16(dst, c.index)
	dst = binary.LittleEndian.AppendUint16(dst, c.count)
	dst = binary.LittleEndian.AppendUint32(dst, c.length)
	dst = binary.LittleEndian.AppendUint32(dst, 0)
	dst = append(dst, part...)
	dst = append(dst, make([]byte, cellPayload-len(part))...)
	binary.LittleEndian.PutUint32(dst[at:], crc32.Checksum(dst[at+4:], castagnoli))
	return dst
}

// blank reports whether the cell was made ready and never used.
func (c cell) blank() bool { return c.seq == 0 }

// parseCell reads the header of a whole cell; ok is false when anything in the cell is not as it was written.
func parseCell(b []byte) (c cell, ok bool) {
	if binary.LittleEndian.Uint32(b[4:]) != cellMagic || binary.LittleEndian.Uint32(b) != crc32.Checksum(b[4:cellSize], castagnoli) {
		return c, false
	}
	c = cell{
		seq:    binary.LittleEndian.Uint64(b[8:]),
		batch:  binary.LittleEndian.Uint32(b[16:]),
		index:  binary.LittleEndian.Uint16(b[20:]),
		count:  binary.LittleEndian.Uint16(b[22:]),
		length: binary.LittleEndian.Uint32(b[24:]),
	}
	return c, c.blank() || c.index < c.count && int(c.count) == cellsFor(int(c.length))
}

// appendBlank appends one block that was made ready and never used. It is not zeros, so that a block that a device
// lost is told from one that waits.
func appendBlank(dst []byte) []byte {
	dst = cell{}.append(dst, nil)
	return cell{}.append(dst, nil)
}
