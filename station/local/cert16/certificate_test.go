package cert16_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	pemtext "encoding/pem"
	"math/big"
	"testing"
	"time"

	"github.com/evsed/evsed/station/local/cases"
)

// authority is a CA of the Central System's side.
type authority struct {
	*testing.T
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{T: t, key: key}
	a.cert = &x509.Certificate{SerialNumber: big.NewInt(0x1f), Subject: pkix.Name{CommonName: name, Organization: []string{"Operator"}}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().AddDate(20, 0, 0), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	a.cert = a.sign(a.cert, &key.PublicKey)
	return a
}

func (a *authority) sign(template *x509.Certificate, key any) *x509.Certificate {
	a.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key, a.key)
	if err != nil {
		a.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		a.Fatal(err)
	}
	return c
}

// answer signs a certificate for a signing request in PEM.
func (a *authority) answer(csr any) string {
	a.Helper()
	text, _ := csr.(string)
	block, _ := pemtext.Decode([]byte(text))
	if block == nil {
		a.Fatalf("csr %q", text)
	}
	r, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		a.Fatal(err)
	}
	if err := r.CheckSignature(); err != nil {
		a.Error(err)
	}
	if n := r.Subject; n.CommonName != "S1" || len(n.Organization) != 1 || n.Organization[0] != "Operator" {
		a.Errorf("subject %v", n)
	}
	return inPEM(a.sign(&x509.Certificate{SerialNumber: big.NewInt(2), Subject: r.Subject, NotBefore: time.Now().Add(-time.Minute),
		NotAfter: time.Now().AddDate(1, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature}, r.PublicKey))
}

func inPEM(c *x509.Certificate) string {
	return string(pemtext.EncodeToMemory(&pemtext.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}

const (
	centralRoot = "CentralSystemRootCertificate"
	makerRoot   = "ManufacturerRootCertificate"
)

// installed lists the serial numbers of a use.
func (b *bench) installed(use string, want ...string) (hashes []any) {
	b.Helper()
	status := "Accepted"
	if len(want) == 0 {
		status = "NotFound"
	}
	body := b.Answers(status, "GetInstalledCertificateIds", obj{"certificateType": use})
	hashes, _ = body["certificateHashData"].([]any)
	if len(hashes) != len(want) {
		b.Fatalf("%s: %v, want %v", use, body, want)
	}
	for i, h := range hashes {
		if got := cases.Member(h.(obj), "serialNumber"); got != want[i] {
			b.Errorf("%s: serial number %v, want %s", use, got, want[i])
		}
	}
	return hashes
}

// covers: TC_075_1_CS TC_075_2_CS TC_076_CS
func TestInstallAndDeleteCertificates(t *testing.T) {
	ready(t, func(b *bench) {
		central, maker := newAuthority(b.T, "Central"), newAuthority(b.T, "Maker")
		b.installed(centralRoot)
		b.Answers("Accepted", "InstallCertificate", obj{"certificateType": makerRoot, "certificate": inPEM(maker.cert)})
		b.installed(makerRoot, "1f")
		b.installed(centralRoot)
		b.Answers("Accepted", "InstallCertificate", obj{"certificateType": centralRoot, "certificate": inPEM(central.cert)})
		hash := b.installed(centralRoot, "1f")[0]
		b.Answers("Rejected", "InstallCertificate", obj{"certificateType": centralRoot, "certificate": pem})
		b.Answers("Accepted", "DeleteCertificate", obj{"certificateHashData": hash})
		b.Answers("NotFound", "DeleteCertificate", obj{"certificateHashData": hash})
		b.installed(centralRoot)
		b.installed(makerRoot, "1f")
	})
}

// covers: TC_074_CS
func TestUpdateChargePointCertificate(t *testing.T) {
	ready(t, func(b *bench) {
		central, other := newAuthority(b.T, "Central"), newAuthority(b.T, "Other")
		trigger := obj{"requestedMessage": "SignChargePointCertificate"}
		b.Answers("Rejected", "ExtendedTriggerMessage", trigger) // CpoName is to be set first
		b.configure("CpoName", "Operator")
		b.Answers("Accepted", "InstallCertificate", obj{"certificateType": centralRoot, "certificate": inPEM(central.cert)})
		b.Answers("Accepted", "ExtendedTriggerMessage", trigger)
		csr := b.Want("SignCertificate", nil)["csr"]
		b.Answers("Rejected", "CertificateSigned", obj{"certificateChain": other.answer(csr)})
		b.Want("SecurityEventNotification", obj{"type": "InvalidChargePointCertificate"})
		b.None(10*time.Minute, "SignCertificate", nil) // not asked for again by itself
		b.Answers("Accepted", "CertificateSigned", obj{"certificateChain": central.answer(csr)})
		if got := b.key("CertificateStoreMaxLength"); got != "32" {
			b.Errorf("CertificateStoreMaxLength %q", got)
		}
		names, err := b.Options.Keys.Names()
		if b.must(err); len(names) != 1 {
			b.Errorf("keys %v, want that of the certificate", names)
		}
	})
}

// covers: TC_074_CS
func TestNoCertificateWithoutKeys(t *testing.T) {
	play(t, func(b *bench) { b.Options.Keys = nil }, func(b *bench) {
		b.booted()
		b.configure("CpoName", "Operator")
		b.Answers("Accepted", "ExtendedTriggerMessage", obj{"requestedMessage": "SignChargePointCertificate"})
		b.None(time.Minute, "SignCertificate", nil)
		b.charging(2, "TAG1")
	})
}
