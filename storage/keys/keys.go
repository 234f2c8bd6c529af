package keys

import (
	"crypto"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/evsed/evsed/storage/journal"
)

// Algorithm is the kind of a key pair.
type Algorithm string

// Algorithms. Every store makes the first two; some TPMs refuse the others as ErrUnsupported.
const (
	P256    Algorithm = "EC-P256"
	RSA2048 Algorithm = "RSA-2048" // takes a TPM up to a minute
	P384    Algorithm = "EC-P384"
	P521    Algorithm = "EC-P521"
	RSA3072 Algorithm = "RSA-3072"
)

// Bounds of a store.
const (
	MaxEntries = 128      // keys and secrets together: two generations of every certificate, and room
	MaxSecret  = 128      // bytes of a sealed secret: what a TPM takes
	MaxName    = 80       // characters of a name
	maxEntry   = 16 << 10 // bytes of an entry's file: an RSA-4096 key has 2.4 kB
)

// Errors of a store. They are wrapped with place, cause and cure.
var (
	ErrNotFound    = errors.New("no such entry")
	ErrName        = errors.New("want 1 to 80 letters, digits, '.', '_' or '-', the first none of those marks")
	ErrFull        = errors.New("the key store is full")
	ErrTooLarge    = errors.New("too large for the key store")
	ErrUnsupported = errors.New("a kind of key that the key store does not take")
	ErrDamaged     = errors.New("the entry is damaged")
	ErrForeign     = errors.New("the entry was made by another key store")
	ErrUnavailable = errors.New("the key store is not there")
	ErrBusy        = errors.New("the key store is busy")
	ErrLockout     = errors.New("the TPM is locked out after wrong authorizations")
	ErrPCR         = errors.New("the PCRs are not as they were when the entry was made: another firmware or boot setting runs")
	ErrPassword    = errors.New("the private key is encrypted, and the password does not open it")
)

// Store keeps keys and small secrets under names. Its methods may be called from any goroutine; they are serialised, and
// those of a TPM may take seconds. Keys and secrets have names of their own: one name may stand for one of each.
type Store interface {
	// Create makes a key pair, durable before it returns, in place of one of that name.
	Create(name string, alg Algorithm) (crypto.Signer, error)
	// Open returns the signer of a kept key.
	Open(name string) (crypto.Signer, error)
	// Import keeps a private key in PEM (PKCS #8, also encrypted, SEC 1 or PKCS #1), in place of one of that name.
	Import(name string, pem []byte, password string) error
	// Delete removes key and secret of a name; nil when there is none.
	Delete(name string) error
	// Names lists the keys, sorted.
	Names() ([]string, error)
	// Seal keeps a secret of at most MaxSecret bytes, in place of one of that name.
	Seal(name string, secret []byte) error
	Unseal(name string) ([]byte, error)
	// Wipe removes every entry but those of Fitted: a factory reset.
	Wipe() error
	// Check reaches for the safe: nil, or why it cannot be used now.
	Check() error
	// Kind is "tpm" or "file".
	Kind() string
	// Protection says in one sentence where keys are and against whom that helps.
	Protection() string
	// Close lets go of the safe, unless it is at work.
	Close() error
}

// Fitted stands in front of the names of what the fitter brought. It stays over a factory reset, as the seed does.
const Fitted = "seed-"

// folder is where the entries lie in the state directory.
const folder = "keys"

// Folder names the part of a state directory that belongs to the key store.
const Folder = folder

// Open opens the key store that spec describes, with its entries in the folder keys of dir. An error says that spec is
// wrong or that the folder cannot be used. A safe that is not there is no error here: Check says so.
func Open(spec, dir string) (Store, error) {
	sp, err := parseSpec(spec)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, folder)
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("key store: %w: want a directory that can be made", err)
	}
	return open(sp, path, journal.Dir(path))
}

func open(sp spec, path string, files journal.FS) (Store, error) {
	sh, err := openShelf(files)
	if err != nil {
		return nil, fmt.Errorf("key store in %s: %w", path, err)
	}
	s := &store{shelf: sh}
	if sp.kind == kindTPM {
		s.safe = newTPM(sp)
	} else {
		s.safe = &vault{files: files, path: sp.path, entries: sh.count}
	}
	return s, nil
}
