package storage

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/evsed/evsed/station"
)

// A row is a record's value as it stands in bbolt: CRC32C over bucket, key, schema and value, schema u16, value. The
// checksum covers the place too, so a row that a bad page moved elsewhere is not believed.
const rowHeader = 6

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func rowSum(b station.Bucket, key, tail []byte) uint32 {
	sum := ^uint32(0)
	for _, x := range [...]byte{byte(b), byte(len(key)), byte(len(key) >> 8)} {
		sum = castagnoli[byte(sum)^x] ^ sum>>8 // as crc32.Update does, which would have the bytes on the heap
	}
	sum = crc32.Update(^sum, castagnoli, key)
	return crc32.Update(sum, castagnoli, tail)
}

func makeRow(b station.Bucket, key []byte, schema uint16, value []byte) []byte {
	row := make([]byte, rowHeader, rowHeader+len(value))
	binary.LittleEndian.PutUint16(row[4:], schema)
	row = append(row, value...)
	binary.LittleEndian.PutUint32(row, rowSum(b, key, row[4:]))
	return row
}

// parseRow returns the value in place; ok is false when the row is not what was written for this bucket and key.
func parseRow(b station.Bucket, key, row []byte) (value []byte, schema uint16, ok bool) {
	if len(row) < rowHeader || binary.LittleEndian.Uint32(row) != rowSum(b, key, row[4:]) {
		return nil, 0, false
	}
	return row[rowHeader:], binary.LittleEndian.Uint16(row[4:]), true
}

// tally is the count of the rows of a bucket and an order-free sum over them. It is kept beside the rows and updated
// with them: a row that vanished without a trace breaks it.
type tally struct{ rows, sum uint64 }

func (t *tally) add(row []byte) { t.rows++; t.sum += rowMix(row) }
func (t *tally) sub(row []byte) { t.rows--; t.sum -= rowMix(row) }

// rowMix spreads the row's checksum over 64 bits (the finalizer of splitmix64), so that sums do not cancel.
func rowMix(row []byte) uint64 {
	x := uint64(binary.LittleEndian.Uint32(row))<<32 | uint64(len(row))
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func (t tally) encode() []byte {
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, t.rows), t.sum)
}

func decodeTally(b []byte) (t tally, ok bool) {
	if len(b) != 16 {
		return t, false
	}
	return tally{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])}, true
}
