package keys

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/evsed/evsed/storage/journal"
)

// vaultKeyFile lies beside the entries where nobody named another place.
const vaultKeyFile = "vault"

// vaultKeySize is AES-256's.
const vaultKeySize = 32

// vault is the safe of boards without a TPM: each entry is AES-256-GCM under one key, bound to its head and name.
type vault struct {
	files   journal.FS
	path    string     // of the key file; "": vaultKeyFile in files
	entries func() int // that exist
	aead    cipher.AEAD
	own     owner
	renewed bool // the key was gone: entries of the one before cannot be opened
}

func (v *vault) mark() byte   { return 'F' }
func (v *vault) kind() string { return kindFile }
func (v *vault) close() error { return nil }

func (v *vault) protection() string {
	if v.renewed {
		return "file vault whose key was gone and was made anew: what it kept before cannot be opened; its key lies beside it"
	}
	if v.path != "" {
		return "file vault, its key in " + v.path + ": keys are worth nothing without that file; root of this board can read both"
	}
	return "file vault, its key beside it: the files are of use to whoever can read the whole state directory; a TPM or --keys file?key=FILE protects better"
}

func (v *vault) owner() (owner, error) {
	if v.aead != nil {
		return v.own, nil
	}
	key, err := v.key()
	if err != nil {
		return v.own, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return v.own, err
	}
	sum := sha256.Sum256(append([]byte("evsed vault "), key...)) // says which key, and nothing about it
	copy(v.own[:], sum[:])
	v.aead, err = cipher.NewGCMWithRandomNonce(block)
	return v.own, err
}

// key reads the vault's key, and makes it where it may.
func (v *vault) key() ([]byte, error) {
	if v.path != "" {
		return readVaultKey(v.path)
	}
	names, err := v.files.List()
	if err != nil {
		return nil, fmt.Errorf("%w: vault key: %w", ErrUnavailable, err)
	}
	if !slices.Contains(names, vaultKeyFile) {
		return v.newKey()
	}
	key, err := readFile(v.files, vaultKeyFile, vaultKeySize)
	if err != nil {
		return nil, fmt.Errorf("%w: vault key: %w", ErrUnavailable, err)
	}
	if len(key) != vaultKeySize { // written whole or not at all, so somebody else did this
		return nil, fmt.Errorf("%w: vault key %s/%s has not 32 bytes: bring back the one that was there, or remove it to begin with a new one", ErrUnavailable, folder, vaultKeyFile)
	}
	return key, nil
}

func (v *vault) newKey() ([]byte, error) {
	key := make([]byte, vaultKeySize)
	_, _ = rand.Read(key) // never fails
	if err := writeFile(v.files, vaultKeyFile, key); err != nil {
		return nil, fmt.Errorf("%w: make vault key: %w", ErrUnavailable, err)
	}
	v.renewed = v.entries() > 0
	return key, nil
}

// readVaultKey reads a key that somebody else keeps, a credential of the service manager for one.
func readVaultKey(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: vault key: %w: want a file of 32 random bytes", ErrUnavailable, err)
	}
	key, err := io.ReadAll(io.LimitReader(f, vaultKeySize+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("%w: vault key: %w", ErrUnavailable, err)
	}
	if len(key) != vaultKeySize {
		return nil, fmt.Errorf("%w: vault key %s: want exactly 32 random bytes", ErrUnavailable, path)
	}
	return key, nil
}

func (v *vault) seal(at, secret []byte) ([]byte, error) {
	return v.aead.Seal(nil, nil, secret, at), nil
}

func (v *vault) unseal(at, body []byte) ([]byte, error) {
	secret, err := v.aead.Open(nil, nil, body, at)
	if err != nil { // its owner is right: bits fell, or somebody moved it
		return nil, ErrDamaged
	}
	return secret, nil
}

func (v *vault) create(at []byte, alg Algorithm) ([]byte, error) {
	var key crypto.Signer
	var err error
	switch alg {
	case P256:
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case P384:
		key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case P521:
		key, err = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case RSA2048:
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	case RSA3072:
		key, err = rsa.GenerateKey(rand.Reader, 3072)
	default:
		return nil, fmt.Errorf("%w: %q", ErrUnsupported, alg)
	}
	if err != nil {
		return nil, err
	}
	return v.take(at, key)
}

func (v *vault) take(at []byte, key crypto.Signer) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return v.seal(at, der)
}

func (v *vault) signer(at, body []byte) (crypto.Signer, error) {
	der, err := v.unseal(at, body)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	s, ok := key.(crypto.Signer)
	if !ok {
		return nil, ErrDamaged
	}
	return s, nil
}
