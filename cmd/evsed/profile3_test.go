package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evsed/evsed/ocpp/csms"
	"github.com/evsed/evsed/ocpp/msg2"
)

// authority signs certificates.
type authority struct {
	t    *testing.T
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{t: t, key: key}
	a.cert = &x509.Certificate{IsCA: true, KeyUsage: x509.KeyUsageCertSign, Subject: pkix.Name{CommonName: "root", Organization: []string{"Operator"}}}
	a.cert = a.sign(a.cert, key.Public())
	return a
}

func (a *authority) sign(c *x509.Certificate, public crypto.PublicKey) *x509.Certificate {
	a.t.Helper()
	c.SerialNumber, c.BasicConstraintsValid = big.NewInt(time.Now().UnixNano()), true
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(100*24*time.Hour)
	c.KeyUsage |= x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, c, a.cert, public, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	signed, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return signed
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// guests are the public keys that stations have shown.
type guests struct {
	mu   sync.Mutex
	seen []crypto.PublicKey
}

func (g *guests) last() crypto.PublicKey {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.seen) == 0 {
		return nil
	}
	return g.seen[len(g.seen)-1]
}

func (g *guests) see(st tls.ConnectionState) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.seen = append(g.seen, st.PeerCertificates[0].PublicKey)
	return nil
}

// secure is a CSMS of security profile 3.
func secure(t *testing.T, a *authority, g *guests) (*csms.CSMS, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	own := a.sign(&x509.Certificate{Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, key.Public())
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := csms.New(csms.Options{})
	serve(t, c, tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{own.Raw}, PrivateKey: key}},
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool, VerifyConnection: g.see}))
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return c, "wss://localhost:" + port
}

// TestProfile3WithATPM: a station that a fitter gave a certificate connects by it, makes a new key in its TPM when the CSMS
// wants one, connects by that, and does so after a restart. The state alone, beside another TPM, connects to nobody.
//
// covers: A02.FR.02 A02.FR.03
func TestProfile3WithATPM(t *testing.T) {
	a, g := newAuthority(t), &guests{}
	c, url := secure(t, a, g)
	p := newProcess(t, url)
	spec, _ := emulateTPM(t, p)
	p.args = []string{"--keys", spec}
	dir := filepath.Dir(p.seed)
	fitted, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	own := a.sign(&x509.Certificate{Subject: pkix.Name{CommonName: "cp001", Organization: []string{"Operator"}}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, fitted.Public())
	der, err := x509.MarshalPKCS8PrivateKey(fitted)
	if err != nil {
		t.Fatal(err)
	}
	seed := fmt.Sprintf(`{"station":{"id":"cp001","vendor":"V","model":"M"},"csms":[{"url":%q,"ocpp":["ocpp2.0.1"],"securityProfile":3}],
	 "ocpp2":[%s,%s],"security":{"csmsRootCertificates":%q,"chargingStationCertificateDir":%q,"chargingStationKeyDir":%q}}`, url,
		variable("SecurityCtrlr", "OrganizationName", "Operator"), variable("OCPPCommCtrlr", "RetryBackOffWaitMinimum", "1"),
		dir+"/root.pem", dir+"/own.pem", dir+"/key.pem")
	for name, text := range map[string][]byte{p.seed: []byte(seed), dir + "/root.pem": pemOf("CERTIFICATE", a.cert.Raw), dir + "/own.pem": pemOf("CERTIFICATE", own.Raw), dir + "/key.pem": pemOf("PRIVATE KEY", der)} {
		if err := errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(name, text, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	c.On("SignCertificate", func(r csms.Request) csms.Answer {
		req := r.Message.(*msg2.SignCertificateRequest)
		block, _ := pem.Decode([]byte(req.CSR))
		csr, err := x509.ParseCertificateRequest(block.Bytes)
		if err != nil || csr.CheckSignature() != nil {
			t.Errorf("CSR: %v", err)
			return csms.Answer{}
		}
		fresh := a.sign(&x509.Certificate{Subject: csr.Subject, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, csr.PublicKey)
		go func() {
			resp, err := c.Ask(context.Background(), "cp001", &msg2.CertificateSignedRequest{CertificateChain: string(pemOf("CERTIFICATE", fresh.Raw)), CertificateType: req.CertificateType})
			if err != nil || resp.(*msg2.CertificateSignedResponse).Status != "Accepted" {
				t.Errorf("CertificateSigned: %+v, %v", resp, err)
			}
		}()
		return csms.Answer{Message: &msg2.SignCertificateResponse{Status: "Accepted"}}
	})

	shows := func(k crypto.PublicKey) func() bool {
		return func() bool {
			_, up := c.Connected("cp001")
			return up && fitted.PublicKey.Equal(g.last()) == fitted.PublicKey.Equal(k)
		}
	}
	p.boot()
	p.until("it connects with the fitter's certificate", shows(fitted.Public()))
	p.until("it has booted", func() bool { return p.state().Station.Connected && c.Received("cp001", "BootNotification") > 0 })
	resp, err := c.Ask(t.Context(), "cp001", &msg2.TriggerMessageRequest{RequestedMessage: "SignChargingStationCertificate"})
	if err != nil || resp.(*msg2.TriggerMessageResponse).Status != "Accepted" {
		t.Fatalf("%+v, %v", resp, err)
	}
	p.until("it connects with the new key", shows(nil))
	fresh := g.last()
	p.kill()
	p.boot()
	p.until("it connects with the new key after a restart", func() bool {
		_, up := c.Connected("cp001")
		return up && fresh.(*ecdsa.PublicKey).Equal(g.last()) && p.state().Station.Connected
	})
	p.kill()
	if names := readableIn(t, p.dir, "PRIVATE KEY"); len(names) > 0 {
		t.Errorf("private keys in %v", names)
	}

	p.until("the CSMS has seen it go", func() bool { _, up := c.Connected("cp001"); return !up })
	thief := &process{t: t, dir: p.dir, seed: p.seed, program: p.program}
	t.Cleanup(func() { thief.kill() })
	other, _ := emulateTPM(t, thief)
	thief.args = []string{"--keys", other}
	thief.boot()
	thief.until("it says that the keys are of no use here", func() bool { return strings.Contains(thief.out.String(), "made by another key store") })
	if _, up := c.Connected("cp001"); up {
		t.Error("the state of one board connects from another")
	}
}
