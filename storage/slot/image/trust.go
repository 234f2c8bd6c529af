package image

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Trust is whose images count: keys that sign themselves, and roots whose certificates say who may. Several stand side by
// side, so that the next one is known before the last one is retired.
type Trust struct {
	keys  map[KeyID]crypto.PublicKey
	roots *x509.CertPool
	own   int // roots
}

// maxTrusted bounds the keys and roots of a station.
const maxTrusted = 32

// ParseTrust reads PEM files: each block is a PUBLIC KEY or a CERTIFICATE.
func ParseTrust(files ...[]byte) (*Trust, error) {
	t := &Trust{keys: map[KeyID]crypto.PublicKey{}, roots: x509.NewCertPool()}
	for _, rest := range files {
		found := false
		for {
			var b *pem.Block
			if b, rest = pem.Decode(rest); b == nil {
				break
			}
			found = true
			if err := t.add(b); err != nil {
				return nil, err
			}
		}
		if !found {
			return nil, errors.New("no PEM block: want PUBLIC KEY or CERTIFICATE")
		}
	}
	return t, nil
}

func (t *Trust) add(b *pem.Block) error {
	if len(t.keys)+t.own >= maxTrusted {
		return fmt.Errorf("more than %d keys", maxTrusted)
	}
	switch b.Type {
	case "PUBLIC KEY":
		key, err := x509.ParsePKIXPublicKey(b.Bytes)
		if err != nil {
			return fmt.Errorf("public key: %w", err)
		}
		id, err := IDOf(key)
		if err != nil {
			return fmt.Errorf("public key: %w", err)
		}
		t.keys[id] = key
	case "CERTIFICATE":
		c, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			return fmt.Errorf("certificate: %w", err)
		}
		t.roots.AddCert(c)
		t.own++
	default:
		return fmt.Errorf("PEM block %.40q: want PUBLIC KEY or CERTIFICATE", b.Type)
	}
	return nil
}

// Verify says whether somebody trusted signed the manifest. now: when the certificates are to be valid; zero is the day of
// the release, for what was installed once does not go bad on the shelf.
func (t *Trust) Verify(h Header, now time.Time) error {
	s := h.Signature
	if s.Algorithm == 0 {
		return ErrUnsigned
	}
	key, err := t.signer(s, h.Manifest.Released, now)
	if err != nil {
		return err
	}
	if a, err := algorithmOf(key); err != nil || a != s.Algorithm {
		return fmt.Errorf("%w: algorithm is not that of the key", ErrSignature)
	}
	message := append([]byte(context), h.manifest...)
	ok := false
	switch k := key.(type) {
	case ed25519.PublicKey:
		ok = ed25519.Verify(k, message, s.Bytes)
	case *ecdsa.PublicKey:
		digest := sha256.Sum256(message)
		ok = ecdsa.VerifyASN1(k, digest[:], s.Bytes)
	}
	if !ok {
		return fmt.Errorf("%w (key %v)", ErrSignature, s.Key)
	}
	return nil
}

func (t *Trust) signer(s Signature, released, now time.Time) (crypto.PublicKey, error) {
	if len(s.Chain) == 0 {
		if key := t.keys[s.Key]; key != nil {
			return key, nil
		}
		return nil, fmt.Errorf("%w: key %v is none of the manufacturer's", ErrKey, s.Key)
	}
	if now.IsZero() {
		now = released
	}
	var chain []*x509.Certificate
	for _, der := range s.Chain {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("%w: certificate: %w", ErrFormat, err)
		}
		chain = append(chain, c)
	}
	if id, err := IDOf(chain[0].PublicKey); err != nil || id != s.Key {
		return nil, fmt.Errorf("%w: the certificate is not that of key %v", ErrKey, s.Key)
	}
	if err := t.verifyChain(chain, now); err != nil {
		return nil, err
	}
	return chain[0].PublicKey, nil
}

// verifyChain wants a way to a root through each certificate of the image: none is there for nothing.
func (t *Trust) verifyChain(chain []*x509.Certificate, now time.Time) error {
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	ways, err := chain[0].Verify(x509.VerifyOptions{Roots: t.roots, Intermediates: between, CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}})
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Errorf("%w: %w", ErrExpired, err)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrKey, err)
	}
	for _, way := range ways {
		if len(way) == len(chain)+1 && slices.EqualFunc(way[:len(chain)], chain, (*x509.Certificate).Equal) {
			return nil
		}
	}
	return fmt.Errorf("%w: the chain holds certificates that it does not need", ErrKey)
}
