package cert16_test

import (
	"crypto/tls"
	"crypto/x509"
	"testing"
	"time"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/local/cases"
)

// tlsBench is a charge point whose Central System has TLS.
type tlsBench struct {
	*cases.Bench
	root *cases.Authority
}

// overTLS plays a case against a charge point of security profile 1 which has the root of its Central System.
func overTLS(t *testing.T, run func(*tlsBench)) {
	t.Helper()
	t.Parallel()
	prepare := func(b *cases.Bench) {
		p := b.Options.Profiles[1]
		p.SecurityProfile = 1
		b.Options.Profiles = map[int]station.NetworkProfile{1: p}
		b.Options.Settings = append(b.Options.Settings, cases.Set("SecurityCtrlr", "BasicAuthPassword", oldKey))
		b.With(func() { b.Password = oldKey })
	}
	cases.Play(t, newWords(), prepare, func(b *cases.Bench) {
		c := &tlsBench{b, cases.NewRoot(b.T, "central")}
		c.Want("BootNotification", nil)
		c.After(time.Second)
		c.Skip()
		c.Answers("Accepted", "InstallCertificate", obj{"certificateType": "CentralSystemRootCertificate", "certificate": c.root.PEM()})
		c.show(c.root.Server(nil, cases.Host), nil)
		run(c)
	})
}

// show lets the Central System show a certificate; it asks for one of the charge point that by has issued.
func (c *tlsBench) show(server tls.Certificate, by *cases.Authority) {
	config := &tls.Config{Certificates: []tls.Certificate{server}, MinVersion: tls.VersionTLS12}
	if by != nil {
		config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, by.Pool()
	}
	c.With(func() { c.TLS = config })
}

// raise sets the key SecurityProfile, and waits for the connection that follows.
func (c *tlsBench) raise(profile string) tls.ConnectionState {
	c.Helper()
	before := len(c.Secured())
	c.Answers("Accepted", "ChangeConfiguration", obj{"key": "SecurityProfile", "value": profile})
	c.Until("a connection with TLS", func() bool { return len(c.Secured()) > before })
	c.After(time.Second)
	c.Skip()
	if got := cases.Member(c.Call("GetConfiguration", obj{"key": []string{"SecurityProfile"}}), "configurationKey.0.value"); got != profile {
		c.Errorf("SecurityProfile %v, want %s", got, profile)
	}
	all := c.Secured()
	return all[len(all)-1]
}

// signed asks for a certificate of the charge point and answers with one that change has changed.
func (c *tlsBench) signed(status string, change func(*x509.Certificate)) {
	c.Helper()
	c.Answers("Accepted", "ExtendedTriggerMessage", obj{"requestedMessage": "SignChargePointCertificate"})
	csr, _ := c.Want("SignCertificate", nil)["csr"].(string)
	c.Answers(status, "CertificateSigned", obj{"certificateChain": c.root.Answer(csr, change)})
}

// covers: TC_083_CS TC_086_CS
func TestUpgradeToTLS(t *testing.T) {
	overTLS(t, func(c *tlsBench) {
		state := c.raise("2")
		if state.Version < tls.VersionTLS12 || state.ServerName != cases.Host || len(state.PeerCertificates) > 0 {
			c.Errorf("%x for %q with %d certificates", state.Version, state.ServerName, len(state.PeerCertificates))
		}
		c.Answers("Rejected", "ChangeConfiguration", obj{"key": "SecurityProfile", "value": "1"})
	})
}

// covers: TC_078_CS
func TestCentralSystemThatIsNotTrusted(t *testing.T) {
	overTLS(t, func(c *tlsBench) {
		c.raise("2")
		c.show(cases.NewRoot(c.T, "central").Server(nil, cases.Host), nil)
		c.Hang()
		c.Until("a refusal", func() bool { return len(c.TurnedAway()) > 0 })
		c.show(c.root.Server(nil, cases.Host), nil)
		c.WantWithin(10*time.Minute, "SecurityEventNotification", obj{"type": "InvalidCentralSystemCertificate"})
	})
}

// covers: TC_087_CS TC_083_CS
func TestUpgradeToClientCertificates(t *testing.T) {
	overTLS(t, func(c *tlsBench) {
		c.raise("2")
		c.Answers("Rejected", "ChangeConfiguration", obj{"key": "SecurityProfile", "value": "3"}) // it has no certificate yet
		c.Answers("Accepted", "ChangeConfiguration", obj{"key": "CpoName", "value": "Operator"})
		c.signed("Accepted", nil)
		c.show(c.root.Server(nil, cases.Host), c.root)
		c.With(func() { c.Password = "" })
		if state := c.raise("3"); len(state.PeerCertificates) != 1 || state.PeerCertificates[0].Subject.Organization[0] != "Operator" {
			c.Errorf("%d certificates", len(state.PeerCertificates))
		}
	})
}

// covers: TC_077_CS
func TestWrongChargePointCertificate(t *testing.T) {
	overTLS(t, func(c *tlsBench) {
		c.raise("2")
		c.Answers("Accepted", "ChangeConfiguration", obj{"key": "CpoName", "value": "Operator"})
		c.signed("Rejected", func(x *x509.Certificate) {
			x.NotBefore, x.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour)
		})
		c.Want("SecurityEventNotification", obj{"type": "InvalidChargePointCertificate"})
	})
}
