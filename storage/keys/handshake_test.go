package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"testing"
	"time"
)

// certify makes a certificate for a public key, signed by an authority, or by itself where that is nil.
func certify(t *testing.T, name string, public crypto.PublicKey, ca *x509.Certificate, by crypto.Signer) *x509.Certificate {
	t.Helper()
	c := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}}
	if ca == nil {
		ca, c.IsCA, c.KeyUsage = c, true, x509.KeyUsageCertSign
	}
	der, err := x509.CreateCertificate(rand.Reader, c, ca, public, by)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return c
}

// A key that is made here, and certified by a request of its own, shows who the station is: security profile 3.
func TestMutualTLSWithAKeptKey(t *testing.T) {
	stores(t, func(t *testing.T, open func() Store) {
		caKey, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		ca := certify(t, "ca", caKey.Public(), nil, caKey)
		pool := x509.NewCertPool()
		pool.AddCert(ca)
		serverKey, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		server := tls.Certificate{Certificate: [][]byte{certify(t, "csms", serverKey.Public(), ca, caKey).Raw}, PrivateKey: serverKey}
		for _, alg := range []Algorithm{P256, RSA2048, P384} {
			signer, err := open().Create("station", alg)
			if err != nil {
				t.Fatal(err)
			}
			text, err := Request(signer, "cp001", "Operator", "DE")
			if err != nil {
				t.Fatal(err)
			}
			block, _ := pem.Decode([]byte(text))
			req, err := x509.ParseCertificateRequest(block.Bytes)
			if err != nil || req.CheckSignature() != nil {
				t.Fatalf("%v", err)
			}
			leaf := certify(t, "cp001", req.PublicKey, ca, caKey)
			signer = Later(open(), "station", req.PublicKey) // as after a restart
			for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
				t.Run(fmt.Sprint(alg, " ", tls.VersionName(version)), func(t *testing.T) {
					shake(t, version, server, tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: signer}, pool)
				})
			}
		}
	})
}

func shake(t *testing.T, version uint16, server, client tls.Certificate, pool *x509.CertPool) {
	t.Helper()
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	s := tls.Server(a, &tls.Config{Certificates: []tls.Certificate{server}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool, MinVersion: version, MaxVersion: version})
	c := tls.Client(b, &tls.Config{Certificates: []tls.Certificate{client}, RootCAs: pool, ServerName: "csms", MinVersion: version, MaxVersion: version})
	done := make(chan error, 1)
	go func() {
		err := s.Handshake()
		if err == nil {
			_, err = s.Write([]byte("x"))
		}
		done <- err
	}()
	if _, err := c.Read(make([]byte, 1)); err != nil {
		t.Errorf("station: %v", err)
		b.Close()
	}
	if err := <-done; err != nil {
		t.Fatalf("CSMS: %v", err)
	}
	if got := s.ConnectionState().PeerCertificates; len(got) != 1 || got[0].Subject.CommonName != "cp001" {
		t.Errorf("the CSMS saw %v", got)
	}
}
