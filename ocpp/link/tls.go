package link

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// cipherSuites are those of TLS 1.2 that the station offers: what A00 names and crypto/tls still has by default
// (A00.FR.319, A00.FR.422), and the same with an RSA certificate of the CSMS. What A00 names besides,
// TLS_RSA_WITH_AES_128_GCM_SHA256 and TLS_RSA_WITH_AES_256_GCM_SHA384, has no forward secrecy; Go's default list has not
// had them since 1.22, and the station offers them under the quirk LegacyTLSCiphers alone. Of those with ECDHE, CBC and SHA-1
// are left out (A00.FR.320). The suites of TLS 1.3, AES-GCM and ChaCha20-Poly1305, are not for anybody to choose.
var cipherSuites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
}

// legacySuites come with the quirk.
var legacySuites = []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_AES_256_GCM_SHA384}

// Security profiles above that of a password in the clear.
const (
	profileTLS  = 2 // the CSMS shows a certificate, the station a password
	profileMTLS = 3 // both show a certificate
)

// security is what a connection with TLS needs. One connection, or one peer of SOAP, has it for its life; of its fields the
// clock alone changes.
type security struct {
	trust   Trust
	profile int
	host    string // of the CSMS
	suites  []uint16
	now     func() time.Time
	clock   atomic.Pointer[Clock]

	mu     sync.Mutex // guards what follows
	judged *Judged    // of the last handshake; nil: none yet
}

// newSecurity returns what p needs; nil where it needs nothing.
func newSecurity(p Profile, host string, c Config, clock Clock, now func() time.Time) (*security, error) {
	if p.SecurityProfile < profileTLS {
		return nil, nil
	}
	lacking := func(what string) error {
		return &ProfileError{p.Slot, "NoCertificate", fmt.Sprintf("security profile %d: %s", p.SecurityProfile, what)}
	}
	switch {
	case len(c.Trust.Roots) == 0: // A05.FR.02
		return nil, lacking("no root to trust a CSMS by: install a CSMSRootCertificate")
	case p.SecurityProfile == profileMTLS && !c.Trust.own(): // A05.FR.03
		return nil, lacking("no certificate of the station: install a ChargingStationCertificate and its key")
	case p.Listen != "" && !c.Trust.own():
		return nil, lacking("a CSMS that calls wants to see a certificate: install a ChargingStationCertificate, or leave out soapListen")
	}
	s := &security{trust: c.Trust, profile: p.SecurityProfile, host: host, suites: cipherSuites, now: now}
	if c.Quirks.has(LegacyTLSCiphers) {
		s.suites = append(append([]uint16(nil), cipherSuites...), legacySuites...)
	}
	s.clock.Store(&clock)
	return s, nil
}

// criteria are those by which the other end is judged now.
func (s *security) criteria() Criteria {
	clock := s.clock.Load()
	return Criteria{Roots: s.trust.Roots, Host: s.host, At: clock.at(s.now()), AtMost: !clock.Set}
}

// last returns what was found of the chain in the last handshake; nil: none, or there is no TLS.
func (s *security) last() *Judged {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.judged
}

// base is what both ends of TLS have in common. There is neither compression nor renegotiation, and no session is taken
// up again: each handshake is a judgement of its own.
func (s *security) base() *tls.Config {
	return &tls.Config{
		MinVersion:   tls.VersionTLS12, // A00.FR.313, A00.FR.416
		CipherSuites: s.suites, Renegotiation: tls.RenegotiateNever, SessionTicketsDisabled: true,
	}
}

// attempt is what a handshake with the CSMS finds out on its way. An error of crypto/tls does not always tell: that of a
// server which has stopped reading is a timeout.
type attempt struct {
	asked   bool // for the station's certificate
	refusal *Distrust
}

// client returns the settings for a handshake with the CSMS.
func (s *security) client(a *attempt) *tls.Config {
	c := s.base()
	c.ServerName = s.host
	c.InsecureSkipVerify = true // VerifyConnection does it, with the station's roots, clock and rules of names
	c.VerifyConnection = func(state tls.ConnectionState) error {
		if a.refusal = s.verifyServer(state); a.refusal != nil {
			return a.refusal
		}
		return nil
	}
	c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		a.asked = true
		if s.profile < profileMTLS {
			return new(tls.Certificate), nil // A00.FR.001: one profile at a time
		}
		return s.own(), nil // also one that is over: the CSMS decides (A00.FR.430)
	}
	return c
}

func (s *security) own() *tls.Certificate {
	return &tls.Certificate{Certificate: s.trust.Chain, PrivateKey: s.trust.Signer}
}

// verifyServer judges the certificate of the CSMS, before the station shows its own and before any password is sent.
func (s *security) verifyServer(state tls.ConnectionState) *Distrust {
	c := s.criteria()
	c.Staple = state.OCSPResponse
	j, refusal := JudgeChain(shown(state), c)
	if refusal != nil {
		return refusal
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.judged = &j
	return nil
}

func shown(state tls.ConnectionState) [][]byte {
	chain := make([][]byte, len(state.PeerCertificates))
	for i, cert := range state.PeerCertificates {
		chain[i] = cert.Raw
	}
	return chain
}

// errNotAsked says that a CSMS for which security profile 3 is configured has another one (A00.FR.003).
var errNotAsked = errors.New("the CSMS asked for no certificate: it does not use security profile 3: let it demand client certificates, or configure security profile 2")

// handshake makes a connection of TLS out of one of TCP, which it closes where it cannot.
func (s *security) handshake(ctx context.Context, c net.Conn) (net.Conn, error) {
	var a attempt
	first := &firstAnswer{Conn: c}
	t := tls.Client(first, s.client(&a))
	err := t.HandshakeContext(ctx)
	if err == nil && s.profile == profileMTLS && !a.asked {
		err = errNotAsked
	}
	if err != nil {
		c.Close()
		return nil, s.fault(&a, first, err)
	}
	return t, nil
}

// fault names why a handshake failed.
func (s *security) fault(a *attempt, first *firstAnswer, err error) error {
	if a.refusal != nil {
		return a.refusal
	}
	if d := first.fault(s.suites); d != nil { // A00.FR.316, A00.FR.323
		return d
	}
	if text := err.Error(); strings.HasPrefix(text, "tls: ") && strings.Contains(text, "certificate") && strings.Contains(text, "server") {
		return distrust(CauseMalformed, "%s", strings.TrimPrefix(text, "tls: "))
	}
	return fmt.Errorf("TLS handshake: %w", err)
}

// dialTLS returns a dial function that gives only connections to a CSMS that is trusted. nil: there is no TLS.
func (s *security) dialTLS(dial DialFunc) DialFunc {
	if s == nil {
		return nil
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return s.handshake(ctx, c)
	}
}

// transport returns the way of HTTP to the CSMS.
func (s *security) transport(dial DialFunc) *http.Transport {
	return &http.Transport{DialContext: dial, DialTLSContext: s.dialTLS(dial), MaxResponseHeaderBytes: maxHandshakeHeader}
}

// refusalAlerts are what a CSMS says that does not take the certificate of the station, or misses it.
var refusalAlerts = [...]tls.AlertError{42, 43, 44, 45, 46, 48, 49, 51, 116}

// certificateRefused tells whether the CSMS has ended a handshake, or what came after it, because of the station's
// certificate.
func certificateRefused(err error) bool {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" {
		return false
	}
	for _, alert := range refusalAlerts {
		if op.Err.Error() == alert.Error() {
			return true
		}
	}
	return false
}
