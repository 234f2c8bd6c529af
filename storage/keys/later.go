package keys

import (
	"crypto"
	"fmt"
	"io"
	"sync"
)

// Later returns a signer for a kept key that reaches for the store when it signs first, and not before: whoever must not wait
// for a TPM can hand it on. public is the public key of its certificate; a key that is another one does not sign. It may be
// used from any goroutine.
func Later(s Store, name string, public crypto.PublicKey) crypto.Signer {
	return &later{store: s, name: name, public: public}
}

type later struct {
	store  Store
	name   string
	public crypto.PublicKey

	mu     sync.Mutex // of signer
	signer crypto.Signer
}

func (l *later) Public() crypto.PublicKey { return l.public }

func (l *later) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	signer, err := l.open()
	if err != nil {
		return nil, err
	}
	return signer.Sign(rand, digest, opts)
}

func (l *later) open() (crypto.Signer, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.signer != nil {
		return l.signer, nil
	}
	s, err := l.store.Open(l.name)
	if err != nil {
		return nil, err
	}
	if same, ok := s.Public().(interface{ Equal(crypto.PublicKey) bool }); !ok || !same.Equal(l.public) {
		return nil, fmt.Errorf("key %s is not that of its certificate: have the certificate made anew", l.name)
	}
	l.signer = s
	return s, nil
}
