package virtual_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evsed/evsed/ocpp/link"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/cert"
	"github.com/evsed/evsed/station/local/virtual"
	"github.com/evsed/evsed/storage/keys"
)

// issuer is an authority of a test.
type issuer struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newIssuer(t *testing.T, name string) *issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a := &issuer{key: key}
	a.cert = a.issue(t, name, key.Public())
	return a
}

// issue makes a certificate; the first is that of the authority itself.
func (a *issuer) issue(t *testing.T, name string, public crypto.PublicKey) *x509.Certificate {
	t.Helper()
	c := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name, Organization: []string{"Test"}},
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(1000 * 24 * time.Hour), KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	parent := a.cert
	if parent == nil {
		c.IsCA, c.BasicConstraintsValid, parent = true, true, c
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, public, a.key)
	if err != nil {
		t.Fatal(err)
	}
	out, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func inPEM(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

// secureSite is a station with a network profile in the clear, and a CSMS that listens with TLS as well.
type secureSite struct {
	*site
	secured string // host:port
	root    *issuer
	heard   atomic.Bool  // the CSMS has heard of an InvalidCsmsCertificate
	shown   atomic.Int64 // handshakes in which the station has shown its certificate
}

// openSecure opens a site whose CSMS shows a certificate of by; nil: of the root that the station has.
func openSecure(t *testing.T, by *issuer) *secureSite {
	t.Helper()
	s := &secureSite{root: newIssuer(t, "Root")}
	if by == nil {
		by = s.root
	}
	serverKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	conf := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{by.issue(t, "127.0.0.1", serverKey.Public()).Raw}, PrivateKey: serverKey}},
		ClientAuth: tls.RequireAnyClientCert, VerifyConnection: func(c tls.ConnectionState) error {
			s.shown.Add(1)
			return c.PeerCertificates[0].CheckSignatureFrom(s.root.cert)
		}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.secured = listener.Addr().String()
	s.site = openWith(t, func(o *virtual.Options, _ net.Addr) { s.prepare(t, o) })
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.csms.Serve(ctx, tls.NewListener(listener, conf)) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s
}

// prepare gives the station a key store, its certificate and the root.
func (s *secureSite) prepare(t *testing.T, o *virtual.Options) {
	store, err := keys.Open("file", o.Dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	signer, err := store.Create("own", keys.P256)
	if err != nil {
		t.Fatal(err)
	}
	own, profile := inPEM(s.root.issue(t, "cs", signer.Public())), o.Profiles[1]
	o.Keys = store
	o.Trace = func(_ time.Time, _ link.Direction, frame []byte) {
		if strings.Contains(string(frame), `"SecurityEventNotification",{"type":"InvalidCsmsCertificate"`) {
			s.heard.Store(true)
		}
	}
	settings := o.Settings
	o.Install = func(core *station.Station) ([]station.Record, error) {
		r, err := core.SeedProfile(1, profile)
		if err != nil {
			return nil, err
		}
		records := []station.Record{r}
		for _, x := range settings {
			records = append(records, station.Record{Bucket: station.BucketVariable, Key: x.Component.Name + "/" + x.Variable.Name, Value: []byte(x.Value)})
		}
		roots, err := core.SeedCertificate(cert.CSMSRootCertificate, inPEM(s.root.cert), "")
		if err != nil {
			return nil, err
		}
		chain, err := core.SeedCertificate(cert.ChargingStationCertificate, own, "own")
		return append(append(records, roots...), chain...), err
	}
}

// ask sends a request of the CSMS and returns the answer; "" if there is none.
func (s *secureSite) ask(action, payload string) string {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r, err := s.csms.Call(ctx, "cs", action, []byte(payload))
	if err != nil {
		s.t.Logf("%s: %v", action, err)
		return ""
	}
	return string(r.Payload)
}

// get reads a variable; "" if it cannot be read now.
func (s *secureSite) get(component, variable string) string {
	var m struct {
		Results []struct {
			Value string `json:"attributeValue"`
		} `json:"getVariableResult"`
	}
	if json.Unmarshal([]byte(s.ask("GetVariables", fmt.Sprintf(`{"getVariableData":[{"component":{"name":%q},"variable":{"name":%q}}]}`, component, variable))), &m) != nil || len(m.Results) == 0 {
		return ""
	}
	return m.Results[0].Value
}

// raise sets a network profile with security profile 3 and has it used first.
func (s *secureSite) raise() {
	s.t.Helper()
	got := s.ask("SetNetworkProfile", `{"configurationSlot":2,"connectionData":{"ocppVersion":"OCPP20","ocppInterface":"Wired0","ocppTransport":"JSON","messageTimeout":30,"ocppCsmsUrl":"wss://`+
		s.secured+`/ocpp","securityProfile":3}}`)
	if !strings.Contains(got, "Accepted") {
		s.t.Fatalf("SetNetworkProfile: %s", got)
	}
	got = s.ask("SetVariables", `{"setVariableData":[{"attributeValue":"2,1","component":{"name":"OCPPCommCtrlr"},"variable":{"name":"NetworkConfigurationPriority"}}]}`)
	if !strings.Contains(got, "Accepted") {
		s.t.Fatalf("SetVariables: %s", got)
	}
}

func (s *secureSite) connectedBy(slot int) bool {
	st := s.station.Status()
	return st.Protocol != "" && strings.HasPrefix(st.URL, "wss:") == (slot == 2)
}

// A CSMS raises the security profile from 1 to 3: the station reconnects with its own certificate, and the way in the clear is
// gone for ever, also behind a restart.
//
// covers: A05.FR.04 A05.FR.05 A05.FR.06 A00.FR.401 A00.FR.402 TC_A_19_CS
func TestRaisesTheSecurityProfile(t *testing.T) {
	s := openSecure(t, nil)
	s.raise()
	s.until("connected with TLS", func() bool { return s.connectedBy(2) })
	s.until("level", func() bool { return s.get("SecurityCtrlr", "SecurityProfile") == "3" })
	s.until("slot 1 is out of the order", func() bool { return s.get("OCPPCommCtrlr", "NetworkConfigurationPriority") == "2" })
	s.must(s.station.PowerCycle(time.Second))
	s.until("again with TLS", func() bool { return s.connectedBy(2) })
}

// An interceptor, whose certificate another authority has signed, gets nothing: the station falls back to the profile
// before, and tells.
//
// covers: A00.FR.310 A00.FR.311
func TestFallsBackFromACSMSThatIsNotTrusted(t *testing.T) {
	s := openSecure(t, newIssuer(t, "Another authority"))
	s.raise()
	s.until("tried", func() bool { return !s.connectedBy(1) })
	s.until("fell back", func() bool { return s.connectedBy(1) })
	s.until("told", func() bool { return s.heard.Load() })
	if s.shown.Load() > 0 {
		t.Error("the station has shown its certificate")
	}
}
