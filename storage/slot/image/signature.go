package image

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
)

// Algorithms, as an image names them.
const (
	algorithmP256    = 1 // ECDSA on P-256 over SHA-256
	algorithmEd25519 = 2
)

const (
	keyIDSize         = sha256.Size
	maxSignatureBytes = 80 // ECDSA on P-256 in DER has at most 72, Ed25519 64
	maxChain          = 3
	maxCertificate    = 4 << 10
)

// context keeps a signature of a manifest from being one of anything else.
const context = "evsed firmware manifest 1\x00"

// Signature says who signed a manifest. On the file: algorithm u8, id of the key, length u16 and bytes of the signature,
// number u8 of certificates, and length u16 and DER of each, the signer's first.
type Signature struct {
	Algorithm uint8 // 0: not signed
	Key       KeyID
	Bytes     []byte
	Chain     [][]byte // certificates from the signer's up to the last below a root; empty: the key itself is trusted
}

// KeyID is the SHA-256 of a public key's SubjectPublicKeyInfo.
type KeyID [keyIDSize]byte

func (id KeyID) String() string { return fmt.Sprintf("%x", id[:8]) }

// IDOf is the id of a public key: ECDSA on P-256, or Ed25519.
func IDOf(key crypto.PublicKey) (KeyID, error) {
	if _, err := algorithmOf(key); err != nil {
		return KeyID{}, err
	}
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return KeyID{}, err
	}
	return sha256.Sum256(der), nil
}

var errAlgorithm = errors.New("want a key of ECDSA on P-256 or of Ed25519")

func algorithmOf(key crypto.PublicKey) (uint8, error) {
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() {
			return algorithmP256, nil
		}
	case ed25519.PublicKey:
		return algorithmEd25519, nil
	}
	return 0, errAlgorithm
}

// Sign returns h with a signature by key. chain: the certificates of the key, its own first, without the root; nil when
// stations trust the key itself. The same key gives the same bytes each time.
func (h Header) Sign(key crypto.Signer, chain [][]byte) (Header, error) {
	s := Signature{Chain: chain}
	var err error
	if s.Algorithm, err = algorithmOf(key.Public()); err != nil {
		return h, err
	}
	if s.Key, err = IDOf(key.Public()); err != nil {
		return h, err
	}
	if err := checkChain(chain, s.Key); err != nil {
		return h, err
	}
	message := append([]byte(context), h.manifest...)
	if s.Algorithm == algorithmEd25519 {
		s.Bytes, err = key.Sign(nil, message, crypto.Hash(0))
	} else {
		digest := sha256.Sum256(message)
		s.Bytes, err = key.Sign(nil, digest[:], crypto.SHA256) // without randomness: RFC 6979
	}
	h.Signature = s
	return h, err
}

func checkChain(chain [][]byte, id KeyID) error {
	if len(chain) > maxChain {
		return fmt.Errorf("%d certificates: want at most %d, without the root", len(chain), maxChain)
	}
	for i, der := range chain {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return fmt.Errorf("certificate %d: %w", i+1, err)
		}
		if len(der) > maxCertificate {
			return fmt.Errorf("certificate %d: %d bytes: want at most %d", i+1, len(der), maxCertificate)
		}
		if own, err := IDOf(c.PublicKey); i == 0 && (err != nil || own != id) {
			return errors.New("the first certificate is not that of the key")
		}
	}
	return nil
}

func (s Signature) append(dst []byte) []byte {
	if s.Algorithm == 0 {
		return dst
	}
	dst = append(append(dst, s.Algorithm), s.Key[:]...)
	dst = appendBytes(dst, s.Bytes)
	dst = append(dst, byte(len(s.Chain)))
	for _, c := range s.Chain {
		dst = appendBytes(dst, c)
	}
	return dst
}

func appendBytes(dst, b []byte) []byte {
	return append(binary.BigEndian.AppendUint16(dst, uint16(len(b))), b...)
}

func parseSignature(b []byte) (s Signature, err error) {
	if len(b) == 0 {
		return s, nil
	}
	if len(b) < 1+keyIDSize {
		return s, errors.New("too short")
	}
	s.Algorithm, b = b[0], b[1:]
	if s.Algorithm != algorithmP256 && s.Algorithm != algorithmEd25519 {
		return s, fmt.Errorf("algorithm %d: want %d or %d", s.Algorithm, algorithmP256, algorithmEd25519)
	}
	b = b[copy(s.Key[:], b):]
	if s.Bytes, b, err = cutBytes(b, maxSignatureBytes); err != nil {
		return s, err
	}
	if len(b) == 0 || b[0] > maxChain {
		return s, errors.New("number of certificates")
	}
	n := int(b[0])
	b = b[1:]
	for range n {
		var c []byte
		if c, b, err = cutBytes(b, maxCertificate); err != nil {
			return s, err
		}
		s.Chain = append(s.Chain, c)
	}
	if len(b) > 0 {
		return s, fmt.Errorf("%d bytes behind it", len(b))
	}
	return s, nil
}

func cutBytes(b []byte, most int) (part, rest []byte, err error) {
	if len(b) < 2 {
		return nil, nil, errors.New("too short")
	}
	n := int(binary.BigEndian.Uint16(b))
	if n == 0 || n > most || n > len(b)-2 {
		return nil, nil, fmt.Errorf("part of %d bytes", n)
	}
	return append([]byte(nil), b[2:2+n]...), b[2+n:], nil
}
