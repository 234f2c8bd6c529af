package cert2_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/station/local/cases"
)

// serveTLS lets the CSMS show a certificate.
func (b *bench) serveTLS(c tls.Certificate, more func(*tls.Config)) {
	config := &tls.Config{Certificates: []tls.Certificate{c}, MinVersion: tls.VersionTLS12}
	if more != nil {
		more(config)
	}
	b.With(func() { b.TLS = config })
}

// asks lets the CSMS ask for a certificate of the station, which this authority has issued.
func asks(a *cases.Authority) func(*tls.Config) {
	return func(c *tls.Config) { c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, a.Pool() }
}

// profile sets a network profile of a security profile into a slot.
func (b *bench) profile(status string, slot, security int) {
	b.Helper()
	scheme := "ws"
	if security > 1 {
		scheme = "wss"
	}
	b.Answers(status, "SetNetworkProfile", obj{"configurationSlot": slot, "connectionData": obj{"ocppVersion": "OCPP20", "ocppTransport": "JSON",
		"ocppCsmsUrl": scheme + "://" + cases.Host + "/ocpp", "messageTimeout": 30, "securityProfile": security, "ocppInterface": "Wired0"}})
}

// moves asks the station to use a slot first, and waits until it has connected with TLS.
func (b *bench) moves(slots string) {
	b.Helper()
	before := len(b.Secured())
	body := b.Call("SetVariables", obj{"setVariableData": []obj{{"component": obj{"name": "OCPPCommCtrlr"}, "variable": obj{"name": "NetworkConfigurationPriority"}, "attributeValue": slots}}})
	switch status := cases.Member(body, "setVariableResult.0.attributeStatus"); status {
	case "RebootRequired":
		b.restart()
	case "Accepted":
	default:
		b.Fatalf("priority %s: %v", slots, body)
	}
	b.Until("a connection with TLS", func() bool { return len(b.Secured()) > before })
	b.After(time.Second)
}

// restart resets the station, and reads what it says when it is back.
func (b *bench) restart() {
	b.Helper()
	b.Answers("Accepted", "Reset", obj{"type": "OnIdle"})
	b.WantWithin(5*time.Minute, "BootNotification", obj{"reason": "RemoteReset"})
	b.After(time.Minute)
	b.Skip() // connectors are unavailable on the way
}

// raised brings a station of security profile 1 to 2.
func raised(t *testing.T, run func(*bench, *cases.Authority)) {
	t.Helper()
	play(t, secured(oldPassword), func(b *bench) {
		b.booted("PowerUp")
		root := cases.NewRoot(b.T, "CSMS root")
		b.serveTLS(root.Server(nil, cases.Host), nil)
		b.install("Accepted", "CSMSRootCertificate", root.PEM())
		b.profile("Accepted", 2, 2)
		b.moves("2")
		run(b, root)
	})
}

// covers: TC_A_04_CS TC_A_19_CS A00.FR.301 A00.FR.309 A00.FR.313 A05.FR.05
func TestUpgradeToTLS(t *testing.T) {
	raised(t, func(b *bench, root *cases.Authority) {
		state := b.Secured()[0]
		if state.Version < tls.VersionTLS12 || state.ServerName != cases.Host || len(state.PeerCertificates) != 0 {
			b.Errorf("%x for %q with %d certificates", state.Version, state.ServerName, len(state.PeerCertificates))
		}
		all := b.Handshakes()
		if user, password, _ := all[len(all)-1].BasicAuth(); user != "CS1" || password != oldPassword {
			b.Errorf("user %q", user)
		}
		if got := b.get("SecurityCtrlr", "SecurityProfile"); got != "2" {
			b.Errorf("security profile %q", got)
		}
		if got := b.get("OCPPCommCtrlr", "NetworkConfigurationPriority"); slices.Contains(strings.Split(got, ","), "1") {
			b.Errorf("priority %q still has the lower profile", got)
		}
		b.restart()
		b.ended(2, b.charging(2))
	})
}

// covers: TC_A_22_CS A05.FR.01 B09.FR.04
func TestDowngradeIsRejected(t *testing.T) {
	raised(t, func(b *bench, root *cases.Authority) {
		b.profile("Rejected", 1, 1)
		b.profile("Rejected", 3, 0)
		if got := b.get("SecurityCtrlr", "SecurityProfile"); got != "2" {
			b.Errorf("security profile %q", got)
		}
	})
}

// covers: TC_A_20_CS A05.FR.02
func TestUpgradeWithoutRoot(t *testing.T) {
	play(t, secured(oldPassword), func(b *bench) {
		b.booted("PowerUp")
		b.profile("Accepted", 2, 2)
		b.set("Rejected", "OCPPCommCtrlr", "NetworkConfigurationPriority", "2,1")
		b.None(10*time.Minute, "BootNotification", nil)
	})
}

// covers: TC_A_21_CS A05.FR.03
func TestUpgradeWithoutCertificate(t *testing.T) {
	play(t, secured(oldPassword), func(b *bench) {
		b.booted("PowerUp")
		b.install("Accepted", "CSMSRootCertificate", cases.NewRoot(b.T, "root").PEM())
		b.profile("Accepted", 2, 3)
		b.set("Rejected", "OCPPCommCtrlr", "NetworkConfigurationPriority", "2,1")
	})
}

// refusal is a CSMS that the station must not trust.
type refusal struct {
	name, event string
	server      func(b *bench, root *cases.Authority) (tls.Certificate, func(*tls.Config))
}

var refusals = []refusal{
	{"another authority", "InvalidCsmsCertificate", func(b *bench, root *cases.Authority) (tls.Certificate, func(*tls.Config)) {
		return cases.NewRoot(b.T, "CSMS root").Server(nil, cases.Host), nil
	}},
	{"expired", "InvalidCsmsCertificate", func(b *bench, root *cases.Authority) (tls.Certificate, func(*tls.Config)) {
		return root.Server(func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour)
		}, cases.Host), nil
	}},
	{"not yet valid", "InvalidCsmsCertificate", func(b *bench, root *cases.Authority) (tls.Certificate, func(*tls.Config)) {
		return root.Server(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(48 * time.Hour) }, cases.Host), nil
	}},
	{"another name", "InvalidCsmsCertificate", func(b *bench, root *cases.Authority) (tls.Certificate, func(*tls.Config)) {
		return root.Server(nil, "other.test"), nil
	}},
	{"weak key", "InvalidCsmsCertificate", func(b *bench, root *cases.Authority) (tls.Certificate, func(*tls.Config)) {
		return root.ServerFor(cases.RSAKey(b.T, 1024), nil, cases.Host), nil
	}},
	{"TLS 1.1", "InvalidTLSVersion", func(b *bench, root *cases.Authority) (tls.Certificate, func(*tls.Config)) {
		return root.Server(nil, cases.Host), func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }
	}},
	{"CBC only", "InvalidTLSCipherSuite", func(b *bench, root *cases.Authority) (tls.Certificate, func(*tls.Config)) {
		return root.Server(nil, cases.Host), func(c *tls.Config) {
			c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}
		}
	}},
}

// A CSMS that cannot be trusted is refused before it hears a password, the station comes back to it again and again, and tells
// it what it saw once it can be trusted.
// covers: TC_A_05_CS TC_A_06_CS A00.FR.310 A00.FR.311 A00.FR.316 A00.FR.323
func TestWrongCSMS(t *testing.T) {
	for _, r := range refusals {
		t.Run(r.name, func(t *testing.T) {
			raised(t, func(b *bench, root *cases.Authority) {
				b.Skip()
				heard := len(b.Handshakes())
				wrong, more := r.server(b, root)
				b.serveTLS(wrong, more)
				b.Hang()
				b.Until("a refusal", func() bool { return len(b.TurnedAway()) > 0 })
				b.After(2 * time.Minute)
				if n := len(b.Handshakes()); n != heard {
					b.Fatalf("%d requests came through", n-heard)
				}
				b.serveTLS(root.Server(nil, cases.Host), nil)
				b.WantWithin(10*time.Minute, "SecurityEventNotification", obj{"type": r.event})
				b.None(10*time.Minute, "SecurityEventNotification", obj{"type": r.event}) // each cause once an hour
			})
		})
	}
}

// csr triggers a request for a certificate and returns it.
func (b *bench) csr() string {
	b.Helper()
	b.Answers("Accepted", "TriggerMessage", obj{"requestedMessage": "SignChargingStationCertificate"})
	return b.asked()
}

// asked waits for the next request for a certificate.
func (b *bench) asked() string {
	b.Helper()
	text, _ := b.Want("SignCertificate", nil)["csr"].(string)
	return text
}

func (b *bench) signed(status, chain string) {
	b.Helper()
	b.Answers(status, "CertificateSigned", obj{"certificateChain": chain, "certificateType": "ChargingStationCertificate"})
}

// mutual brings a station of security profile 1 to 3.
func mutual(t *testing.T, run func(b *bench, root, issuer *cases.Authority)) {
	t.Helper()
	raised(t, func(b *bench, root *cases.Authority) {
		issuer := root.Below("CSMS issuer")
		b.set("Accepted", "SecurityCtrlr", "OrganizationName", "Operator")
		b.signed("Accepted", issuer.Answer(b.csr(), nil))
		b.serveTLS(root.Server(nil, cases.Host), asks(root))
		b.With(func() { b.CSMS.Password = "" }) // nobody has one any more
		b.profile("Accepted", 3, 3)
		b.moves("3")
		run(b, root, issuer)
	})
}

// covers: TC_A_07_CS TC_A_11_CS A00.FR.401 A00.FR.501 A00.FR.503 A02.FR.02 A02.FR.05 A02.FR.06
func TestMutualTLS(t *testing.T) {
	mutual(t, func(b *bench, root, issuer *cases.Authority) {
		states := b.Secured()
		last := states[len(states)-1]
		if len(last.PeerCertificates) < 2 {
			b.Fatalf("%d certificates", len(last.PeerCertificates))
		}
		if c := last.PeerCertificates[0]; !slices.Equal(c.Subject.Organization, []string{"Operator"}) || c.Subject.CommonName == "" {
			b.Errorf("subject %s", c.Subject)
		}
		all := b.Handshakes()
		if all[len(all)-1].Header.Get("Authorization") != "" {
			b.Error("a password is told in security profile 3")
		}
		if got := b.get("SecurityCtrlr", "SecurityProfile"); got != "3" {
			b.Errorf("security profile %q", got)
		}
		serial := func() string {
			s := b.Secured()
			return s[len(s)-1].PeerCertificates[0].SerialNumber.String()
		}
		before := serial()
		b.signed("Accepted", issuer.Answer(b.csr(), nil)) // renewed: the station connects anew with it
		b.Until("the new certificate in use", func() bool { return serial() != before })
		b.restart()
		b.ended(2, b.charging(2))
	})
}

// covers: TC_A_14_CS A02.FR.04 A02.FR.07
func TestWrongCertificateForUs(t *testing.T) {
	for name, make := range map[string]func(b *bench, issuer *cases.Authority, csr string) string{
		"of another authority": func(b *bench, _ *cases.Authority, csr string) string {
			return cases.NewRoot(b.T, "other").Answer(csr, nil)
		},
		"no PEM": func(*bench, *cases.Authority, string) string { return "hello" },
		"for another key": func(b *bench, issuer *cases.Authority, _ string) string {
			return cases.PEM(issuer.Server(nil, "CS1").Certificate...)
		},
		"expired": func(b *bench, issuer *cases.Authority, csr string) string {
			return issuer.Answer(csr, func(c *x509.Certificate) {
				c.NotBefore, c.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour)
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			mutual(t, func(b *bench, root, issuer *cases.Authority) {
				b.signed("Rejected", make(b, issuer, b.csr()))
				b.event("InvalidChargingStationCertificate")
				b.Skip()
				b.Hang() // it comes back with the certificate that it has
				b.After(time.Minute)
				b.ended(2, b.charging(2))
			})
		})
	}
}

// covers: TC_A_15_CS
func TestCSRRejected(t *testing.T) {
	mutual(t, func(b *bench, root, issuer *cases.Authority) {
		b.Says("SignCertificate", obj{"status": "Rejected"})
		b.csr()
		b.ended(2, b.charging(2))
	})
}

// covers: TC_A_23_CS A02.FR.17 A02.FR.18 A02.FR.19
func TestCSRUnanswered(t *testing.T) {
	mutual(t, func(b *bench, root, issuer *cases.Authority) {
		b.set("Accepted", "SecurityCtrlr", "CertSigningWaitMinimum", "60")
		b.set("Accepted", "SecurityCtrlr", "CertSigningRepeatTimes", "1")
		csr := b.csr()
		from := time.Now()
		for _, wait := range []time.Duration{time.Minute, 2 * time.Minute} {
			h := b.WantWithin(wait+slack, "SignCertificate", nil)
			if took := h.At.Sub(from); took < wait {
				b.Errorf("asked again after %v, want %v", took, wait)
			}
			csr, _ = h.Body["csr"].(string)
			from = h.At
		}
		b.None(time.Hour, "SignCertificate", nil)
		b.signed("Accepted", issuer.Answer(csr, nil))
	})
}

// slack is how much later than it may a station asks again.
const slack = 30 * time.Second

// covers: TC_M_23_CS M04.FR.06
func TestOwnCertificateIsKept(t *testing.T) {
	mutual(t, func(b *bench, root, issuer *cases.Authority) {
		states := b.Secured()
		own := states[len(states)-1].PeerCertificates[0]
		body := b.Call("DeleteCertificate", obj{"certificateHashData": hashOf(b.T, own, issuer.Cert)})
		if s := fmt.Sprint(body["status"]); s != "NotFound" && s != "Failed" {
			b.Errorf("deleted: %v", body)
		}
		b.restart()
	})
}

// checked makes new CSMS roots prove that the old one knows them.
func checked(b *bench) {
	secured(oldPassword)(b)
	b.Options.Settings = append(b.Options.Settings, cases.Set("SecurityCtrlr", "AdditionalRootCertificateCheck", "true"))
}

func raisedChecked(t *testing.T, run func(*bench, *cases.Authority)) {
	t.Helper()
	play(t, checked, func(b *bench) {
		b.booted("PowerUp")
		root := cases.NewRoot(b.T, "CSMS root")
		b.serveTLS(root.Server(nil, cases.Host), nil)
		b.install("Accepted", "CSMSRootCertificate", root.PEM())
		b.profile("Accepted", 2, 2)
		b.moves("2")
		run(b, root)
	})
}

// covers: TC_M_09_CS M05.FR.10
func TestRootThatTheOldOneDoesNotKnow(t *testing.T) {
	raisedChecked(t, func(b *bench, root *cases.Authority) {
		b.install("Rejected", "CSMSRootCertificate", cases.NewRoot(b.T, "stranger").PEM())
		b.wantInstalled([]string{"CSMSRootCertificate"}, row("CSMSRootCertificate", rootHash(b.T, root)))
	})
}

// covers: TC_M_30_CS M05.FR.09 M05.FR.12
func TestNewRootServes(t *testing.T) {
	raisedChecked(t, func(b *bench, root *cases.Authority) {
		next := root.Renewed("CSMS root 2")
		b.install("Accepted", "CSMSRootCertificate", next.PEM())
		b.serveTLS(next.Server(nil, cases.Host), nil)
		b.restart()
		b.wantInstalled([]string{"CSMSRootCertificate"}, row("CSMSRootCertificate", hashOf(b.T, next.Cert, root.Cert)))
	})
}

// covers: TC_M_31_CS M05.FR.13 M05.FR.14
func TestFallbackRoot(t *testing.T) {
	raisedChecked(t, func(b *bench, root *cases.Authority) {
		next := root.Renewed("CSMS root 2")
		b.install("Accepted", "CSMSRootCertificate", next.PEM())
		b.restart() // the CSMS still shows what the old root has signed
		if got := b.installed("CSMSRootCertificate"); !slices.Contains(got, row("CSMSRootCertificate", rootHash(b.T, root))) {
			b.Errorf("installed %q", got)
		}
	})
}
