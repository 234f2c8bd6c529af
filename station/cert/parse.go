package cert

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
)

// Bounds of what is parsed.
const (
	// MaxPEM is the longest certificate in characters that 2.0.1 and 1.6 can carry (InstallCertificateRequest.certificate).
	MaxPEM = 5500
	// MaxChainPEM is the longest chain in characters that any generation can carry (CertificateSignedRequest.certificateChain).
	MaxChainPEM = 10_000
	// MaxChain is how many certificates a chain may have: a leaf, the four sub-CAs that can be listed, and the root.
	MaxChain = 6
	// maxSerial is the longest serial number in octets (RFC 5280, 4.1.2.2); its 40 digits fill the field of OCPP.
	maxSerial = 20
	// minRSA and maxRSA bound an RSA key in bits: A00.FR.502, and what a small processor verifies in time.
	minRSA, maxRSA = 2048, 8192
	// minEC is the least size of an elliptic curve in bits (A00.FR.503).
	minEC = 224
)

// Refusal says why a certificate is not taken: a reason code of the appendix and the details.
type Refusal struct{ Reason, Info string }

func (r *Refusal) Error() string { return r.Reason + ": " + r.Info }

func refuse(reason, format string, args ...any) *Refusal {
	return &Refusal{reason, fmt.Sprintf(format, args...)}
}

// Parse reads the one certificate in a PEM text of at most limit characters.
func Parse(text string, limit int) (*x509.Certificate, *Refusal) {
	chain, wrong := ParseChain(text, limit)
	if wrong != nil {
		return nil, wrong
	}
	if len(chain) != 1 {
		return nil, refuse("InvalidCertificate", "%d certificates, want one", len(chain))
	}
	return chain[0], nil
}

// ParseChain reads a PEM text of at most limit characters: certificates alone, at least one, each sound by itself.
func ParseChain(text string, limit int) ([]*x509.Certificate, *Refusal) {
	return parseAll(text, limit, MaxChain)
}

// parseAll is ParseChain for up to most certificates.
func parseAll(text string, limit, most int) ([]*x509.Certificate, *Refusal) {
	if len(text) > limit {
		return nil, refuse("TooLargeElement", "%d characters, at most %d", len(text), limit)
	}
	var chain []*x509.Certificate
	for rest := strings.TrimSpace(text); rest != ""; {
		if !strings.HasPrefix(rest, "-----BEGIN CERTIFICATE-----") { // pem.Decode would skip what stands before a block
			return nil, refuse("InvalidCertificate", "not the PEM of a certificate")
		}
		block, left := pem.Decode([]byte(rest))
		if block == nil || block.Type != "CERTIFICATE" || len(block.Headers) != 0 || len(left) >= len(rest) {
			return nil, refuse("InvalidCertificate", "the PEM cannot be decoded")
		}
		// A block that is broken off would be skipped, and the one behind it read.
		if used := rest[:len(rest)-len(left)]; strings.Count(used, "-----BEGIN") != 1 {
			return nil, refuse("InvalidCertificate", "the PEM cannot be decoded")
		}
		if len(chain) == most {
			return nil, refuse("TooManyElements", "more than %d certificates", most)
		}
		c, wrong := parseDER(block.Bytes)
		if wrong != nil {
			return nil, wrong
		}
		chain = append(chain, c)
		rest = strings.TrimSpace(string(left))
	}
	if len(chain) == 0 {
		return nil, refuse("InvalidCertificate", "no certificate")
	}
	return chain, nil
}

func parseDER(der []byte) (*x509.Certificate, *Refusal) {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, refuse("InvalidCertificate", "%v", err)
	}
	if wrong := sound(c); wrong != "" {
		return nil, refuse("InvalidCertificate", "%s", wrong)
	}
	return c, nil
}

// sound says what no certificate may be (A00.FR.501-508); "" is a sound one.
func sound(c *x509.Certificate) string {
	switch {
	case c.SerialNumber == nil || c.SerialNumber.Sign() <= 0: // A00.FR.508
		return "no serial number"
	case len(c.SerialNumber.Bytes()) > maxSerial:
		return "the serial number is longer than 20 octets"
	case len(c.UnhandledCriticalExtensions) > 0:
		return "a critical extension that is not known: " + c.UnhandledCriticalExtensions[0].String()
	case !signatureAllowed(c.SignatureAlgorithm):
		return "signed with " + c.SignatureAlgorithm.String()
	}
	return weakKey(c.PublicKey)
}

// signatureAllowed has the algorithms of A00.FR.504-506: a hash of the SHA-2 family.
func signatureAllowed(a x509.SignatureAlgorithm) bool {
	switch a {
	case x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA, x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512,
		x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS, x509.PureEd25519:
		return true
	}
	return false
}

func weakKey(key any) string {
	switch k := key.(type) {
	case *rsa.PublicKey:
		if n := k.N.BitLen(); n < minRSA || n > maxRSA {
			return fmt.Sprintf("an RSA key of %d bits", n)
		}
		return ""
	case *ecdsa.PublicKey:
		if n := k.Curve.Params().BitSize; n < minEC {
			return fmt.Sprintf("a key on a curve of %d bits", n)
		}
		return ""
	case ed25519.PublicKey:
		return ""
	}
	return fmt.Sprintf("a key of kind %T", key)
}
