package keys

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	// veilName is the name that the key of stored secrets is sealed under. Where one of another TPM or vault key lies there,
	// the next name is taken: it may come back.
	veilName = "storage"
	maxVeils = 4

	// veilPatience is how long callers wait for a TPM from the first use on, all together.
	veilPatience = 5 * time.Second
	// veilRetry is how long after a failure the next try begins.
	veilRetry = 10 * time.Second
)

// Veil seals secrets that storage keeps in its own files: AES-256-GCM with a key that the key store seals. That key is
// fetched once, in the background; only what needs it early waits for it. It implements storage.Sealer.
type Veil struct {
	store Store

	mu    sync.Mutex // everything below
	aead  cipher.AEAD
	err   error         // of the last try
	try   chan struct{} // closed when the try under way is over; nil: none is
	made  bool          // it may make a key
	again time.Time     // no try before
	until time.Time     // nobody waits after
}

// NewVeil returns a veil with its key in a store.
func NewVeil(store Store) *Veil { return &Veil{store: store} }

// Prepare begins to fetch the key, if there is one, and returns at once.
func (v *Veil) Prepare() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.begin(false)
}

// Forget drops the key: after a Wipe of the store it would seal what nobody could open any more.
func (v *Veil) Forget() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.aead, v.err, v.again = nil, nil, time.Time{}
}

// Seal seals a secret, with a new key where there is none yet.
func (v *Veil) Seal(secret, bound []byte) ([]byte, error) {
	a, err := v.key(true)
	if err != nil {
		return nil, err
	}
	return a.Seal(nil, nil, secret, bound), nil
}

// Open is the inverse of Seal.
func (v *Veil) Open(sealed, bound []byte) ([]byte, error) {
	a, err := v.key(false)
	if err != nil {
		return nil, err
	}
	secret, err := a.Open(nil, nil, sealed, bound)
	if err != nil {
		return nil, fmt.Errorf("%w: the key that sealed it is gone, or it was changed", ErrForeign)
	}
	return secret, nil
}

// key returns the cipher, for which it waits a little while.
func (v *Veil) key(create bool) (cipher.AEAD, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for v.aead == nil {
		if v.try == nil && !v.begin(create) {
			return nil, v.err
		}
		try, wait := v.try, time.Until(v.until)
		if wait <= 0 {
			return nil, fmt.Errorf("%w: the key of stored secrets is not there yet", ErrBusy)
		}
		v.mu.Unlock()
		select {
		case <-try:
		case <-time.After(wait):
		}
		v.mu.Lock()
	}
	return v.aead, nil
}

// begin starts a try in a goroutine of its own, which the store bounds in time. false: it is too early for another one. mu is
// held.
func (v *Veil) begin(create bool) bool {
	now := time.Now()
	if v.until.IsZero() {
		v.until = now.Add(veilPatience)
	}
	fresh := create && !v.made && errors.Is(v.err, ErrNotFound) // the last try was not allowed to make one
	if v.try != nil || v.aead != nil || now.Before(v.again) && !fresh {
		return false
	}
	try := make(chan struct{})
	v.try, v.made = try, create
	go func() {
		a, err := v.fetch(create)
		v.mu.Lock()
		defer v.mu.Unlock()
		v.try, v.aead, v.err, v.again = nil, a, err, time.Now().Add(veilRetry)
		close(try)
	}()
	return true
}

// fetch unseals the key, or makes one.
func (v *Veil) fetch(create bool) (cipher.AEAD, error) {
	for i := range maxVeils {
		name := veilName
		if i > 0 {
			name = fmt.Sprintf("%s-%d", veilName, i)
		}
		secret, err := v.store.Unseal(name)
		switch {
		case errors.Is(err, ErrForeign) && i+1 < maxVeils:
			continue
		case (errors.Is(err, ErrNotFound) || errors.Is(err, ErrDamaged) || errors.Is(err, ErrForeign)) && create:
			secret = make([]byte, vaultKeySize)
			_, _ = rand.Read(secret) // never fails
			err = v.store.Seal(name, secret)
		}
		if err != nil {
			return nil, err
		}
		block, err := aes.NewCipher(secret)
		if err != nil {
			return nil, fmt.Errorf("%w: the key of stored secrets", ErrDamaged)
		}
		return cipher.NewGCMWithRandomNonce(block)
	}
	return nil, ErrFull
}
