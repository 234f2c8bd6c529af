package image

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
)

// An image is one file:
//
//	"EVSEDFW" 0x01 | length of the manifest u32 | length of the signature u32 | manifest | signature | payload
//
// Numbers are big endian. An image without a signature has a length of 0 there. The payload ends the file.
const (
	magic = "EVSEDFW\x01"

	// PrefixSize is how many bytes tell how long a header is.
	PrefixSize   = len(magic) + 8
	maxSignature = 1 + keyIDSize + 2 + maxSignatureBytes + 1 + maxChain*(2+maxCertificate)

	// MaxHeader is how many bytes come before a payload, at most.
	MaxHeader = PrefixSize + MaxManifest + maxSignature
	// MaxImage is how many bytes an image has, at most.
	MaxImage = MaxHeader + MaxPayload
)

// Header is what comes before the payload.
type Header struct {
	Manifest  Manifest
	Signature Signature

	manifest []byte // as it is signed
}

// NewHeader is a header without a signature.
func NewHeader(m Manifest) (Header, error) {
	b, err := m.Append(nil)
	if err != nil {
		return Header{}, fmt.Errorf("manifest: %w", err)
	}
	return Header{Manifest: m, manifest: b}, nil
}

// Append appends the bytes of the header.
func (h Header) Append(dst []byte) []byte {
	signature := h.Signature.append(nil)
	dst = append(dst, magic...)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(h.manifest)))
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(signature)))
	dst = append(dst, h.manifest...)
	return append(dst, signature...)
}

// HeaderSize reads from the first PrefixSize bytes how long a header is.
func HeaderSize(prefix []byte) (int, error) {
	if n := min(len(prefix), len(magic)); string(prefix[:n]) != magic[:n] {
		return 0, fmt.Errorf("%w: it does not begin as one", ErrFormat)
	}
	if len(prefix) < PrefixSize {
		return 0, fmt.Errorf("%w: %d bytes are no header", ErrTruncated, len(prefix))
	}
	m, s := binary.BigEndian.Uint32(prefix[len(magic):]), binary.BigEndian.Uint32(prefix[len(magic)+4:])
	if m > MaxManifest || s > uint32(maxSignature) {
		return 0, fmt.Errorf("%w: manifest of %d and signature of %d bytes: want at most %d and %d", ErrFormat, m, s, MaxManifest, maxSignature)
	}
	return PrefixSize + int(m) + int(s), nil
}

// ParseHeader reads a header, all of b. It checks no signature.
func ParseHeader(b []byte) (Header, error) {
	size, err := HeaderSize(b[:min(len(b), PrefixSize)])
	switch {
	case err != nil:
		return Header{}, err
	case len(b) < size:
		return Header{}, fmt.Errorf("%w: header has %d of %d bytes", ErrTruncated, len(b), size)
	case len(b) > size:
		return Header{}, fmt.Errorf("%w: %d bytes behind the header", ErrFormat, len(b)-size)
	}
	end := PrefixSize + int(binary.BigEndian.Uint32(b[len(magic):]))
	h := Header{manifest: bytes.Clone(b[PrefixSize:end])}
	if h.Manifest, err = ParseManifest(h.manifest); err != nil {
		return Header{}, err
	}
	if h.Signature, err = parseSignature(b[end:]); err != nil {
		return Header{}, fmt.Errorf("%w: signature: %w", ErrFormat, err)
	}
	return h, nil
}

// ReadHeader reads a header from the beginning of an image.
func ReadHeader(r io.Reader) (Header, error) {
	b := make([]byte, PrefixSize)
	n, err := io.ReadFull(r, b)
	if short(err) {
		_, err = HeaderSize(b[:n])
	}
	if err != nil {
		return Header{}, err
	}
	size, err := HeaderSize(b)
	if err != nil {
		return Header{}, err
	}
	b = append(b, make([]byte, size-PrefixSize)...)
	n, err = io.ReadFull(r, b[PrefixSize:])
	if err != nil && !short(err) {
		return Header{}, err
	}
	return ParseHeader(b[:PrefixSize+n])
}

func short(err error) bool { return err == io.EOF || err == io.ErrUnexpectedEOF }

// CheckPayload reads a payload to its end and says whether it is the manifest's.
func (m Manifest) CheckPayload(r io.Reader) error {
	h := sha256.New()
	n, err := io.Copy(h, io.LimitReader(r, m.Length+1))
	switch {
	case err != nil:
		return err
	case n < m.Length:
		return fmt.Errorf("%w: payload has %d of %d bytes", ErrTruncated, n, m.Length)
	case n > m.Length:
		return fmt.Errorf("%w: payload is longer than %d bytes", ErrDigest, m.Length)
	case !bytes.Equal(h.Sum(nil), m.SHA256[:]):
		return ErrDigest
	}
	return nil
}
