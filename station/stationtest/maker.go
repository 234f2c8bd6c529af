package stationtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
)

// maker is who signs firmware. Its keys follow from its name, so that a scenario is the same each time; they protect nothing.
type maker struct{ name string }

func manufacturer(name string) maker { return maker{name} }

// key is the private key of that name.
func key(name string) *ecdsa.PrivateKey {
	scalar := sha256.Sum256([]byte(name))
	k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar[:])
	if err != nil {
		panic("stationtest: " + err.Error())
	}
	return k
}

func (m maker) template() *x509.Certificate {
	return &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: m.name}, NotBefore: Birth.AddDate(-1, 0, 0),
		NotAfter: Birth.AddDate(20, 0, 0), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
}

// root is the certificate of the maker itself, in PEM.
func (m maker) root() string {
	t := m.template()
	return inPEM(t, t, key(m.name), key(m.name))
}

// signer is the certificate of the key that signs its firmware.
func (m maker) signer() string {
	t := m.template()
	t.SerialNumber, t.Subject.CommonName, t.IsCA, t.KeyUsage = big.NewInt(2), m.name+" signs", false, x509.KeyUsageDigitalSignature
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
	return inPEM(t, m.template(), key(m.name+" signs"), key(m.name))
}

// inPEM signs a certificate for the public half of k. The signature needs no randomness (RFC 6979).
func inPEM(t, parent *x509.Certificate, k, by *ecdsa.PrivateKey) string {
	der, err := x509.CreateCertificate(nil, t, parent, &k.PublicKey, by)
	if err != nil {
		panic("stationtest: " + err.Error())
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}
