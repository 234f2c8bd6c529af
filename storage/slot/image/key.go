package image

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
)

// Kinds of PEM blocks that hold a private key.
const (
	plainKey     = "PRIVATE KEY" // PKCS #8
	encryptedKey = "EVSED ENCRYPTED PRIVATE KEY"
)

// An encrypted key is: iterations u32, salt, nonce, AES-256-GCM of the PKCS #8 bytes. The key of it is PBKDF2-HMAC-SHA256 of
// the passphrase: what the standard library has, and what other tools can undo.
const (
	iterations    = 600_000 // a second or so on a small machine; OWASP's figure of 2023 for SHA-256
	maxIterations = 10_000_000
	saltSize      = 16
	nonceSize     = 12
	keyPrefix     = 4 + saltSize + nonceSize
)

// ErrPassphrase says that a key is encrypted with another passphrase, or none was given, or the file was changed.
var ErrPassphrase = errors.New("passphrase is wrong")

// EncodeKey writes a private key as PEM, encrypted if there is a passphrase.
func EncodeKey(key crypto.Signer, passphrase []byte) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	if len(passphrase) == 0 {
		return pem.EncodeToMemory(&pem.Block{Type: plainKey, Bytes: der}), nil
	}
	b := binary.BigEndian.AppendUint32(nil, iterations)
	b = append(b, make([]byte, saltSize+nonceSize)...)
	_, _ = rand.Read(b[4:]) // never fails
	seal, err := sealer(b, passphrase)
	if err != nil {
		return nil, err
	}
	b = seal.Seal(b, b[4+saltSize:], der, b[:keyPrefix])
	return pem.EncodeToMemory(&pem.Block{Type: encryptedKey, Bytes: b}), nil
}

func sealer(prefix, passphrase []byte) (cipher.AEAD, error) {
	n := binary.BigEndian.Uint32(prefix)
	if n < 1 || n > maxIterations {
		return nil, fmt.Errorf("%d iterations: want at most %d", n, maxIterations)
	}
	secret, err := pbkdf2.Key(sha256.New, string(passphrase), prefix[4:4+saltSize], int(n), 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// ParseKey reads a private key that EncodeKey wrote, or any PKCS #8 one of ECDSA on P-256 or Ed25519.
func ParseKey(file, passphrase []byte) (crypto.Signer, error) {
	b, _ := pem.Decode(file)
	if b == nil {
		return nil, errors.New("no PEM block: want a private key")
	}
	der := b.Bytes
	switch b.Type {
	case plainKey:
	case encryptedKey:
		if len(der) < keyPrefix {
			return nil, errors.New("encrypted private key is cut short")
		}
		open, err := sealer(der, passphrase)
		if err != nil {
			return nil, err
		}
		if der, err = open.Open(nil, der[4+saltSize:keyPrefix], der[keyPrefix:], der[:keyPrefix]); err != nil {
			return nil, ErrPassphrase
		}
	default:
		return nil, fmt.Errorf("PEM block %.40q: want %s or %s", b.Type, plainKey, encryptedKey)
	}
	any, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("private key: %w", err)
	}
	key, ok := any.(crypto.Signer)
	if !ok {
		return nil, errAlgorithm
	}
	_, err = algorithmOf(key.Public())
	return key, err
}

// EncodePublic writes a public key as PEM, for the stations that are to trust it.
func EncodePublic(key crypto.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), err
}
