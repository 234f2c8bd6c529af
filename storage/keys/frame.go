package keys

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
)

// An entry's file: "EVK1", who made it (F or T), what it is (k or s), owner, body, CRC32C over all before it. The checksum
// tells damage from an entry that another TPM or vault key made, whose owner differs; trust rests on the body alone, which
// the safe authenticates together with the head and the name.
const (
	magic     = "EVK1"
	ownerSize = 16
	headSize  = len(magic) + 2 + ownerSize
	sumSize   = 4
)

// owner names what can open an entry: a TPM's storage key or the vault's key.
type owner [ownerSize]byte

// What an entry is.
const (
	aKey    = 'k'
	aSecret = 's'
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// head is the part of an entry that the safe binds to its body.
func head(mark, what byte, o owner) []byte {
	h := append(make([]byte, 0, headSize), magic...)
	return append(append(h, mark, what), o[:]...)
}

// bound is what the body is bound to: the head, and the name that the entry lies under.
func bound(head []byte, name string) []byte { return append(bytes.Clone(head[:headSize]), name...) }

// frame makes the content of an entry's file.
func frame(head, body []byte) []byte {
	f := append(bytes.Clone(head), body...)
	return binary.LittleEndian.AppendUint32(f, crc32.Checksum(f, castagnoli))
}

// unframe takes the content of an entry's file apart; ok is false when it is not what was written.
func unframe(f []byte, what byte) (mark byte, o owner, body []byte, ok bool) {
	n := len(f) - sumSize
	if n < headSize || n > maxEntry || string(f[:len(magic)]) != magic || f[len(magic)+1] != what {
		return 0, o, nil, false
	}
	if binary.LittleEndian.Uint32(f[n:]) != crc32.Checksum(f[:n], castagnoli) {
		return 0, o, nil, false
	}
	copy(o[:], f[len(magic)+2:])
	return f[len(magic)], o, f[headSize:n], true
}
