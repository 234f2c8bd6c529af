package cert2_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"testing"
	"time"

	"github.com/evsed/evsed/station/local/cases"
)

// shown is the serial number of the certificate that the station showed last.
func (b *bench) shown() string {
	states := b.Secured()
	return states[len(states)-1].PeerCertificates[0].SerialNumber.String()
}

// lasting makes a certificate that is valid for so long from now on.
func lasting(d time.Duration) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.NotBefore, c.NotAfter = time.Now().Add(-time.Minute), time.Now().Add(d) }
}

// A station asks for a new certificate before the old one expires, and shows it.
// covers: A03.FR.02 A03.FR.03 A03.FR.08
func TestRenewalByItself(t *testing.T) {
	mutual(t, func(b *bench, root, issuer *cases.Authority) {
		before := b.shown()
		b.signed("Accepted", issuer.Answer(b.csr(), lasting(3*time.Hour)))
		b.Until("the short one in use", func() bool { return b.shown() != before })
		before = b.shown()
		b.None(100*time.Minute, "SignCertificate", nil)
		csr, _ := b.WantWithin(30*time.Minute, "SignCertificate", nil).Body["csr"].(string)
		b.signed("Accepted", issuer.Answer(csr, lasting(1000*time.Hour)))
		b.Until("the new one in use", func() bool { return b.shown() != before })
		b.After(2 * time.Hour) // the old one has expired
		b.ended(2, b.charging(2))
	})
}

// A new certificate that the CSMS does not take costs a few minutes: the old one connects, and the CSMS hears of it.
// covers: A02.FR.28 A02.FR.29
func TestNewCertificateIsRefused(t *testing.T) {
	mutual(t, func(b *bench, root, issuer *cases.Authority) {
		good := b.shown()
		csr := b.csr()
		b.serveTLS(root.Server(nil, cases.Host), func(c *tls.Config) {
			asks(root)(c)
			c.VerifyConnection = func(s tls.ConnectionState) error {
				if s.PeerCertificates[0].SerialNumber.String() != good {
					return errors.New("not this one")
				}
				return nil
			}
		})
		connections := len(b.Secured())
		b.signed("Accepted", issuer.Answer(csr, nil))
		b.WantWithin(15*time.Minute, "SecurityEventNotification", obj{"type": "DiscardedRenewedClientCertificate"})
		if n := len(b.Secured()); n <= connections || b.shown() != good {
			b.Errorf("%d connections, %d before, with %s", n, connections, b.shown())
		}
		b.signed("Rejected", issuer.Answer(csr, nil)) // its key is gone
		b.restart()
		b.ended(2, b.charging(2))
	})
}

// The power goes between the answer and the first connection with the new certificate.
// covers: A02.FR.08 A02.FR.10
func TestPowerCutBeforeTheNewCertificateConnects(t *testing.T) {
	mutual(t, func(b *bench, root, issuer *cases.Authority) {
		before := b.shown()
		b.signed("Accepted", issuer.Answer(b.csr(), nil))
		b.Post("power", obj{"on": false})
		b.After(10 * time.Second)
		b.Post("power", obj{"on": true})
		b.Until("the new one in use", func() bool { return b.shown() != before })
		b.WantWithin(5*time.Minute, "BootNotification", obj{"reason": "PowerUp"})
		b.After(time.Minute)
		b.Skip()
		b.ended(2, b.charging(2))
	})
}
