package update

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Bounds of what a request may bring: those of the message, and the weakest keys that count (A00.FR.501: 112 bits).
const (
	MaxCertificate = 5500 // characters of PEM
	MaxSignature   = 800  // characters of Base64
	minRSA         = 2048
	maxRSA         = 8192 // a longer one only costs time
	minEC          = 224
)

// Reasons why a signing certificate is refused.
var (
	ErrCertificate = errors.New("the signing certificate is no certificate")
	ErrKey         = errors.New("the key of the signing certificate is too weak or of an unknown kind")
	ErrUsage       = errors.New("the signing certificate is not for signing code")
	ErrDates       = errors.New("the signing certificate is not valid at this time")
	ErrChain       = errors.New("the signing certificate is not the manufacturer's")
)

// Certificate checks a signing certificate in PEM (L01.FR.12, L01.FR.21) against the manufacturer's roots in DER, and returns
// it in DER. A zero time says that nobody knows what time it is: then the dates are not judged, for a station that lost its
// clock must still be one that can be repaired. It must be one certificate, which a root has signed itself: the manufacturer uses none in between (L01, remarks).
// Whether it was revoked is not asked: the message brings no OCSP answer with it, and a download does not wait for a server
// that nobody has named.
func Certificate(text string, roots [][]byte, at time.Time) ([]byte, error) {
	c, err := parseCertificate(text)
	if err != nil {
		return nil, err
	}
	if err := usable(c); err != nil {
		return nil, err
	}
	if at.IsZero() {
		at = c.NotBefore
	}
	pool := x509.NewCertPool()
	for _, der := range roots {
		if root, err := x509.ParseCertificate(der); err == nil {
			pool.AddCert(root)
		}
	}
	_, err = c.Verify(x509.VerifyOptions{Roots: pool, Intermediates: x509.NewCertPool(), CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return nil, ErrDates
	case err != nil:
		return nil, ErrChain
	}
	return c.Raw, nil
}

func parseCertificate(text string) (*x509.Certificate, error) {
	if len(text) > MaxCertificate {
		return nil, fmt.Errorf("%w: it is longer than %d characters", ErrCertificate, MaxCertificate)
	}
	block, rest := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE" || strings.TrimSpace(string(rest)) != "" {
		return nil, fmt.Errorf("%w: want one in PEM", ErrCertificate)
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, ErrCertificate
	}
	return c, nil
}

// usable says whether a certificate is one to sign code with, by what it says itself.
func usable(c *x509.Certificate) error {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		if n := key.N.BitLen(); n < minRSA || n > maxRSA {
			return ErrKey
		}
	case *ecdsa.PublicKey:
		if key.Curve.Params().BitSize < minEC {
			return ErrKey
		}
	default:
		return ErrKey
	}
	signs := c.KeyUsage == 0 || c.KeyUsage&x509.KeyUsageDigitalSignature != 0
	code := len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) == 0 ||
		slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageCodeSigning) || slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny)
	if c.IsCA || !signs || !code {
		return ErrUsage
	}
	return nil
}

// Reasons why a signature is refused.
var (
	ErrEncoding  = errors.New("the signature is not in Base64")
	ErrSignature = errors.New("the signature is not that of the file")
)

// Signature reads a signature of a request. An empty one is none: nil.
func Signature(text string) ([]byte, error) {
	if len(text) > MaxSignature {
		return nil, ErrEncoding
	}
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil || len(b) == 0 {
		return nil, ErrEncoding
	}
	return b, nil
}

// Verify checks a signature over a file whose SHA-256 is digest, by a certificate in DER that Certificate has found good
// (L01.FR.04): RSA-PSS, or ECDSA. ECSchnorr, which the specification names beside RSA-PSS, is signed by no tool and verified by
// no library that is kept; ECDSA takes its place.
func Verify(der, signature, digest []byte) error {
	c, err := x509.ParseCertificate(der)
	if err != nil || len(digest) != crypto.SHA256.Size() {
		return ErrSignature
	}
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		if rsa.VerifyPSS(key, crypto.SHA256, digest, signature, nil) == nil {
			return nil
		}
	case *ecdsa.PublicKey:
		if ecdsa.VerifyASN1(key, digest, signature) {
			return nil
		}
	}
	return ErrSignature
}
