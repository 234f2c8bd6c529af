package cert

import (
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"strings"
)

// HashData names a certificate to the CSMS as OCSP does (CertificateHashDataType; RFC 6960, 4.1.1). Hashes and serial number
// are hex digits.
type HashData struct {
	Algorithm      string // SHA256, SHA384, SHA512
	IssuerNameHash string // of the DER of the issuer's name
	IssuerKeyHash  string // of the issuer's public key, without tag, length and count of unused bits
	Serial         string // without leading zeroes
}

// Listed is a certificate as the CSMS hears of it, with those that hang below it in its chain.
type Listed struct {
	Use      Use
	Hash     HashData
	Children []HashData
}

// defaultHash is the algorithm in which certificates are listed; a CSMS deletes with the one it was told (M04.FR.07).
const defaultHash = "SHA256"

// digest hashes with an algorithm by its name in OCPP; nil: there is no such algorithm.
func digest(algorithm string, data []byte) []byte {
	switch algorithm {
	case "SHA256":
		h := sha256.Sum256(data)
		return h[:]
	case "SHA384":
		h := sha512.Sum384(data)
		return h[:]
	case "SHA512":
		h := sha512.Sum512(data)
		return h[:]
	}
	return nil
}

// hashOf returns the hash data of a certificate whose issuer has these key bits.
func hashOf(c *x509.Certificate, issuerKey []byte, algorithm string) HashData {
	return HashData{
		Algorithm:      algorithm,
		IssuerNameHash: hex.EncodeToString(digest(algorithm, c.RawIssuer)),
		IssuerKeyHash:  hex.EncodeToString(digest(algorithm, issuerKey)),
		Serial:         c.SerialNumber.Text(16),
	}
}

// HashOf returns the hash data of a certificate that issuer has signed, in an algorithm of OCPP: SHA256, SHA384 or SHA512.
func HashOf(c, issuer *x509.Certificate, algorithm string) (HashData, error) {
	bits, err := keyBits(issuer)
	if err != nil {
		return HashData{}, err
	}
	if digest(algorithm, nil) == nil {
		return HashData{}, fmt.Errorf("hash with %q: want SHA256, SHA384 or SHA512", algorithm)
	}
	return hashOf(c, bits, algorithm), nil
}

// matches reports whether h names the certificate. Hex digits and serial number are compared as what they mean: without
// regard to case and leading zeroes.
func (h HashData) matches(c *x509.Certificate, issuerKey []byte) bool {
	if digest(h.Algorithm, nil) == nil {
		return false
	}
	want := hashOf(c, issuerKey, h.Algorithm)
	return strings.EqualFold(h.IssuerNameHash, want.IssuerNameHash) && strings.EqualFold(h.IssuerKeyHash, want.IssuerKeyHash) &&
		strings.EqualFold(strings.TrimLeft(h.Serial, "0"), want.Serial)
}

// keyBits returns the public key bits of a certificate.
func keyBits(c *x509.Certificate) ([]byte, error) {
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if rest, err := asn1.Unmarshal(c.RawSubjectPublicKeyInfo, &info); err != nil || len(rest) > 0 {
		return nil, fmt.Errorf("read the public key of %s: it is no subject public key info", c.Subject)
	}
	return info.Key.Bytes, nil
}
