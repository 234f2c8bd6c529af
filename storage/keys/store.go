package keys

import (
	"crypto"
	"errors"
	"fmt"
	"strings"
	"sync"
)

// safe is what guards the content of entries: a TPM, or a vault's key. Its methods are called one at a time. at is what an
// entry is bound to (see bound).
type safe interface {
	mark() byte
	kind() string
	protection() string
	owner() (owner, error) // reaches for it, if need be again
	create(at []byte, alg Algorithm) (body []byte, err error)
	take(at []byte, key crypto.Signer) (body []byte, err error)
	signer(at, body []byte) (crypto.Signer, error)
	seal(at, secret []byte) (body []byte, err error)
	unseal(at, body []byte) (secret []byte, err error)
	close() error
}

// store is a shelf with a safe.
type store struct {
	mu    sync.Mutex // everything
	shelf *shelf
	safe  safe
}

func (s *store) Kind() string       { return s.safe.kind() }
func (s *store) Protection() string { return s.safe.protection() }

func (s *store) Close() error {
	if !s.mu.TryLock() { // a TPM at work is left to the end of the process: nobody waits a minute for it
		return nil
	}
	defer s.mu.Unlock()
	return s.safe.close()
}

func (s *store) Check() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.safe.owner()
	return err
}

func (s *store) Create(name string, alg Algorithm) (crypto.Signer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.put(name, aKey, func(at []byte) ([]byte, error) { return s.safe.create(at, alg) })
	if err != nil {
		return nil, fmt.Errorf("make key %s: %w", name, err)
	}
	return s.open(name)
}

func (s *store) Open(name string) (crypto.Signer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open(name)
}

func (s *store) open(name string) (crypto.Signer, error) {
	at, body, err := s.get(name, aKey)
	if err != nil {
		return nil, fmt.Errorf("open key %s: %w", name, err)
	}
	signer, err := s.safe.signer(at, body)
	if err != nil {
		return nil, fmt.Errorf("open key %s: %w", name, s.judge(name+endKey, err))
	}
	return signer, nil
}

func (s *store) Import(name string, pem []byte, password string) error {
	key, err := parseKey(pem, password)
	if err != nil {
		return fmt.Errorf("import key %s: %w", name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	err = s.put(name, aKey, func(at []byte) ([]byte, error) { return s.safe.take(at, key) })
	if err != nil {
		return fmt.Errorf("import key %s: %w", name, err)
	}
	return nil
}

func (s *store) Seal(name string, secret []byte) error {
	if len(secret) > MaxSecret {
		return fmt.Errorf("seal %s: %d bytes: %w", name, len(secret), ErrTooLarge)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.put(name, aSecret, func(at []byte) ([]byte, error) { return s.safe.seal(at, secret) })
	if err != nil {
		return fmt.Errorf("seal %s: %w", name, err)
	}
	return nil
}

func (s *store) Unseal(name string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, body, err := s.get(name, aSecret)
	if err != nil {
		return nil, fmt.Errorf("unseal %s: %w", name, err)
	}
	secret, err := s.safe.unseal(at, body)
	if err != nil {
		return nil, fmt.Errorf("unseal %s: %w", name, s.judge(name+endSecret, err))
	}
	return secret, nil
}

func (s *store) Delete(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	err := errors.Join(s.shelf.remove(name+endKey), s.shelf.remove(name+endSecret))
	if err != nil {
		return fmt.Errorf("delete key %s: %w", name, err)
	}
	return nil
}

func (s *store) Names() ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shelf.keys(endKey), nil
}

func (s *store) Wipe() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, ending := range []string{endKey, endSecret} {
		for _, name := range s.shelf.keys(ending) {
			if strings.HasPrefix(name, Fitted) {
				continue
			}
			errs = append(errs, s.shelf.remove(name+ending))
		}
	}
	return errors.Join(errs...)
}

func ending(what byte) string {
	if what == aKey {
		return endKey
	}
	return endSecret
}

// put makes an entry and writes it.
func (s *store) put(name string, what byte, make func(at []byte) ([]byte, error)) error {
	if err := checkName(name); err != nil {
		return err
	}
	own, err := s.safe.owner()
	if err != nil {
		return err
	}
	if !s.shelf.names[name+ending(what)] && s.shelf.count() >= MaxEntries { // before a TPM works for nothing
		return fmt.Errorf("%d entries: %w", s.shelf.count(), ErrFull)
	}
	h := head(s.safe.mark(), what, own)
	body, err := make(bound(h, name))
	if err != nil {
		return err
	}
	return s.shelf.put(name+ending(what), frame(h, body))
}

// get reads an entry and says what its body is bound to.
func (s *store) get(name string, what byte) (at, body []byte, err error) {
	if err := checkName(name); err != nil {
		return nil, nil, err
	}
	file := name + ending(what)
	content, err := s.shelf.get(file)
	if err != nil {
		return nil, nil, err
	}
	mark, of, body, ok := unframe(content, what)
	if !ok {
		return nil, nil, s.judge(file, ErrDamaged)
	}
	if mark != s.safe.mark() {
		return nil, nil, fmt.Errorf("%w, of another kind: start with the --keys it was made with, or install the certificate again", ErrForeign)
	}
	own, err := s.safe.owner()
	if err != nil {
		return nil, nil, err
	}
	if of != own {
		return nil, nil, fmt.Errorf("%w: the TPM or the vault's key is not the one it was made with", ErrForeign)
	}
	return bound(content, name), body, nil
}

// judge puts a damaged entry aside and says so in its error.
func (s *store) judge(file string, err error) error {
	if !errors.Is(err, ErrDamaged) {
		return err
	}
	return fmt.Errorf("%w; %s", err, s.shelf.aside(file))
}
