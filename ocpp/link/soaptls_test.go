package link

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/ocpp/soap"
	"github.com/evsed/evsed/station"
)

// newSecureSOAPWorld is a link and a CSMS over SOAP on loopback, with TLS in both directions.
func newSecureSOAPWorld(t *testing.T, profile int, callback string) *soapWorld {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &soapWorld{t: t, events: make(chan station.Event, 64), url: "https://" + listener.Addr().String() + "/ocpp"}
	w.server = &http.Server{Handler: http.HandlerFunc(w.serve)}
	conf := &tls.Config{Certificates: []tls.Certificate{csmsPair()}, ClientAuth: tls.RequestClientCert}
	go w.server.Serve(tls.NewListener(listener, conf))
	w.l, err = New(Options{
		Config: Config{Identity: "CP 1", BackOffMinimum: time.Second, Trust: ownTrust(), Clock: clockToday(), Profiles: []Profile{{Slot: 1, NetworkProfile: station.NetworkProfile{
			URL: w.url, Versions: []string{"soap1.6"}, Listen: "127.0.0.1:0", SecurityProfile: profile, Password: "very-secret-word", Callback: callback,
		}}}},
		Dialects: []ocpp.Dialect{overSOAP{plain{rpc.V16}}}, Events: w.events, IDPrefix: "t-",
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	gone := make(chan struct{})
	go func() { defer close(gone); w.l.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-gone; w.server.Close() })
	return w
}

// csmsPair is what a CSMS on loopback shows, as a server and when it calls.
func csmsPair() tls.Certificate {
	return pair(keyP256(), root().issue("csms", keyP256(), alsoFor("127.0.0.1")))
}

// call asks the station to clear its cache, as a CSMS that shows a certificate, or none; and returns the error of the
// handshake, or the status of HTTP.
func call(t *testing.T, address string, shown *tls.Certificate, most uint16) (int, error) {
	t.Helper()
	conf := &tls.Config{
		MinVersion: tls.VersionTLS10, MaxVersion: most, InsecureSkipVerify: true,
		VerifyConnection: func(s tls.ConnectionState) error {
			if !s.PeerCertificates[0].Equal(stationChain()) {
				t.Error("the station shows another certificate than its own")
			}
			return nil
		},
	}
	if shown != nil {
		conf.Certificates = []tls.Certificate{*shown}
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: conf, DisableKeepAlives: true}}
	r, err := http.NewRequest(http.MethodPost, address, strings.NewReader(request(t, soap.V16, "ClearCache", "CP 1", "{}")))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", soapType)
	response, err := client.Do(r)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode, nil
}

// Who calls the station over SOAP is asked who he is: with profile 3 for the certificate of the CSMS. The station shows its
// own, speaks TLS 1.2 and 1.3, and tells of strangers.
//
// covers: A00.FR.401 A00.FR.402 A00.FR.416
func TestWhoCallsOverSOAP(t *testing.T) {
	w := newSecureSOAPWorld(t, 3, "")
	from := w.boots()
	if !strings.HasPrefix(from, "https://") || w.auth != "" {
		t.Fatalf("called at %s, with authorization %q", from, w.auth)
	}
	right := csmsPair()
	foreign := pair(keyP256(), newAuthority("Other", keyP384()).issue("csms", keyP256(), alsoFor("127.0.0.1")))
	station2 := pair(keyP256(), root().issue("CS 2", keyP256(), nil))
	over := pair(keyP256(), root().issue("csms", keyP256(), func(c *x509.Certificate) {
		alsoFor("127.0.0.1")(c)
		c.NotAfter = today.Add(-aDay)
	}))
	for _, c := range []struct {
		name  string
		shown *tls.Certificate
		most  uint16
		cause string
	}{
		{"another station", &station2, 0, CauseWrongName},
		{"nobody", nil, 0, CauseMissing},
		{"a stranger", &foreign, 0, CauseUnknownIssuer},
		{"one that is over", &over, tls.VersionTLS12, CauseExpired},
	} {
		if status, err := call(t, from, c.shown, c.most); err == nil {
			t.Errorf("%s: answered %d", c.name, status)
		}
		d, ok := w.want("station.CSMSDistrusted").(station.CSMSDistrusted)
		if !ok || d.Kind != station.CsmsFailedToAuthenticate || !strings.HasPrefix(d.Info, c.cause) {
			t.Errorf("%s: %+v, want %s", c.name, d, c.cause)
		}
	}
	if _, err := call(t, from, &right, tls.VersionTLS11); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
	done := w.core("Accepted", 2)
	for _, most := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		if status, err := call(t, from, &right, most); err != nil || status != http.StatusOK {
			t.Errorf("the CSMS: %d, %v", status, err)
		}
	}
	<-done
}

// With profile 2 a caller shows the password of the callback address.
func TestWhoCallsOverSOAPWithAPassword(t *testing.T) {
	w := newSecureSOAPWorld(t, 2, "")
	from := w.boots()
	if !strings.HasPrefix(from, "https://") || w.auth == "" {
		t.Errorf("called at %s, with authorization %q", from, w.auth)
	}
	done := w.core("Accepted", 1)
	if status, err := call(t, from, nil, 0); err != nil || status != http.StatusOK {
		t.Errorf("%d, %v", status, err)
	}
	<-done
}

// A station without a certificate cannot be called with TLS, and says so.
func TestSOAPListenerNeedsACertificate(t *testing.T) {
	p := Profile{Slot: 4, NetworkProfile: station.NetworkProfile{URL: "https://csms.test", SecurityProfile: 2, Password: "p", Listen: ":0"}}
	_, err := newSecurity(p, "csms.test", Config{Trust: Trust{Roots: ders(root().cert)}}, Clock{}, time.Now)
	if err == nil || !strings.Contains(err.Error(), "ChargingStationCertificate") {
		t.Errorf("got %v", err)
	}
	p.Callback = "http://cp.example/"
	if _, err := newEndpoint(p, "CP 1", []ocpp.Dialect{overSOAP{plain{rpc.V16}}}, 0); err == nil || !strings.Contains(err.Error(), "https") {
		t.Errorf("got %v", err)
	}
}
