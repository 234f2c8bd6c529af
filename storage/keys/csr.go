package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
)

// MaxRequest bounds a certificate signing request in characters (SignCertificateRequest.csr, OCPP 2.x and 1.6).
const MaxRequest = 5500

// Request makes a certificate signing request (PKCS #10, PEM) for a key. Common name, organization and country ("" = left
// out) are the subject (A00.FR.509, A00.FR.511).
func Request(signer crypto.Signer, commonName, organization, country string) (string, error) {
	subject := pkix.Name{CommonName: commonName}
	if organization != "" {
		subject.Organization = []string{organization}
	}
	if country != "" {
		subject.Country = []string{country}
	}
	t := &x509.CertificateRequest{Subject: subject}
	switch signer.Public().(type) {
	case *ecdsa.PublicKey:
		t.SignatureAlgorithm = x509.ECDSAWithSHA256
	case *rsa.PublicKey:
		t.SignatureAlgorithm = x509.SHA256WithRSA
	default:
		return "", fmt.Errorf("certificate signing request: %w", ErrUnsupported)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, t, signer)
	if err != nil {
		return "", fmt.Errorf("certificate signing request: %w", err)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
	if len(text) > MaxRequest {
		return "", fmt.Errorf("certificate signing request of %d characters: %w", len(text), ErrTooLarge)
	}
	return text, nil
}
